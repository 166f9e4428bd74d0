"""The numbers of the chapters are true, every knob moves them, and their code runs."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import replace

import numpy as np
import pytest

from zogy_explorer.simulate import PATHOLOGIES
from zogy_explorer.simulate.lesson import SHAPE, STARS
from zogy_explorer.ui.location import open_search
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.teaching.chapter import ALL_KNOBS, ERRORS, SKY_KNOBS, Knobs
from zogy_explorer.ui.teaching.chapters import CHAPTERS
from zogy_explorer.ui.teaching.chapters.matching import leverage
from zogy_explorer.ui.teaching.chapters.registration import around
from zogy_explorer.ui.teaching.measure import expectation, sigma_plane, subtract_sky
from zogy_explorer.ui.teaching.pictures import ImagePicture, PlotPicture
from zogy_explorer.ui.teaching.words import answer, facts_table, heading, plain, typeset

EACH = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda c: c.name)
SETTINGS = {
    "registration": [{"shift": 0.3}, {"shift": -0.2, "astrometric": 0.1}],
    "psf-error": [{"width_error": 0.1}, {"stamp_noise": -3.75}],
    "grid": [{"cells": 3}],
    "thresholds": [{"transient": 200, "threshold": 3.0}],
    "matching": [{"seeing": 2.6, "seeing_template": 3.6}],
    "psf-of-d": [{"noise_template": 12}],
}


def turned(knobs, changes):
    for name, value in changes.items():
        knobs = knobs.turned(name, value)
    return knobs


def observed(seed, chapter=None, **changes):
    knobs = turned(chapter.opened(Knobs()) if chapter else Knobs(), changes)
    return replace(knobs, sky=knobs.sky.replace(seed=seed))


def chapter_called(name):
    return next(chapter for chapter in CHAPTERS if chapter.name == name)


def printed(code):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "pasted", "exec"), {"__name__": "__main__"})
    return said.getvalue()


def words_on_screen(chapter, shown):
    html = typeset(shown.text) + facts_table(shown.facts) + answer(chapter, shown, -1)
    apart = re.sub("</t[dhr]>|<br>|</p>", " ", html)
    return re.sub("<.*?>", "", apart).replace("−", "-")


@EACH
def test_measured_numbers_agree_with_theory_to_their_sampling_error(chapter):
    pulls = []
    for changes in ({"flux_ratio": 0.8}, *SETTINGS.get(chapter.name, [])):
        for seed in (11, 12, 13):
            pulls += [
                fact.pull for fact in chapter.compute(observed(seed, chapter, **changes)).facts
            ]
    assert all(abs(pull) < 4.2 for pull in pulls), pulls
    if pulls:
        assert np.sqrt(np.mean(np.square(pulls))) < 1 + 4 / np.sqrt(2 * len(pulls))
    else:
        assert chapter.name == "gallery"


@EACH
def test_each_knob_changes_the_words_and_the_pictures(chapter):
    start = observed(7, chapter)
    before = chapter.compute(start)
    for name in chapter.knobs:
        knob = ALL_KNOBS[name]
        now = start.value(name)
        other = now + 4 * knob.step if now + 4 * knob.step <= knob.high else now - 4 * knob.step
        after = chapter.compute(start.turned(name, other))
        assert after.text != before.text, name
        assert after.address != before.address or name not in SKY_KNOBS, name


@EACH
def test_the_ends_of_every_knob_can_be_computed(chapter):
    for name in chapter.knobs:
        for value in (ALL_KNOBS[name].low, ALL_KNOBS[name].high):
            shown = chapter.compute(observed(7, chapter).turned(name, value))
            assert all(np.isfinite([fact.measured, fact.expected]).all() for fact in shown.facts)


@EACH
def test_the_code_runs_as_pasted_and_prints_the_numbers_of_the_screen(chapter):
    knobs = observed(7, chapter, **(SETTINGS.get(chapter.name) or [{}])[0])
    shown = chapter.compute(knobs)
    assert len(shown.code.splitlines()) <= 6
    said = printed(shown.code)
    numbers = re.findall(r"-?\d+\.?\d*", said)
    assert numbers
    seen = words_on_screen(chapter, shown)
    for number in numbers:
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?!\.?\d)", seen), (number, said, seen)


@EACH
def test_the_question_has_a_right_answer_and_a_reason(chapter):
    shown = chapter.compute(observed(7))
    assert shown.answer
    assert shown.right in range(len(chapter.choices)) or not chapter.choices


@EACH
def test_the_same_knobs_show_the_same(chapter):
    first, second = chapter.compute(observed(9)), chapter.compute(observed(9))
    assert first.text == second.text
    assert first.facts == second.facts


def test_the_right_answer_follows_the_knobs():
    by_name = {chapter.name: chapter for chapter in CHAPTERS}
    images = by_name["two-images"].compute
    assert images(observed(7, seeing=2.0, seeing_template=4.0)).right == 0
    assert images(observed(7, seeing=4.0, seeing_template=2.0)).right == 1
    match = by_name["matching"].compute
    assert match(observed(7, seeing=4.0, seeing_template=2.4)).right == 0
    assert match(observed(7, seeing=2.2, seeing_template=4.4)).right == 1


def test_the_floor_keeps_a_cosmic_ray_where_it_fell():
    chapter = chapter_called("psf-error")
    shown = chapter.compute(observed(7, chapter))
    _, bare, floored = (picture.plane for picture in shown.pictures)
    far = np.s_[60:, 60:]
    assert bare[far].std() > 1.15
    assert floored[far].std() == pytest.approx(1, abs=0.08)


@EACH
def test_each_knob_of_the_sky_that_is_offered_changes_what_is_shown_and_others_do_not(chapter):
    start = observed(7, chapter)
    before = chapter.compute(start)
    for name in SKY_KNOBS:
        knob = ALL_KNOBS[name]
        now = start.value(name)
        other = now + 4 * knob.step if now + 4 * knob.step <= knob.high else now - 4 * knob.step
        changed = differs(before, chapter.compute(start.turned(name, other)))
        offered = name in chapter.sky or name in chapter.knobs
        # An error of the pair would make untrue what a chapter says; with wide PSFs alone there
        # is something to see.
        kept_back = name in ERRORS or name in chapter.start
        assert changed if offered else (not changed or kept_back), name


def differs(one, other):
    if words_on_screen(CHAPTERS[0], one) != words_on_screen(CHAPTERS[0], other):
        return True
    return any(
        not np.allclose(a.plane, b.plane, atol=1e-3 * (a.high - a.low))
        for a, b in zip(one.pictures, other.pictures, strict=True)
        if isinstance(a, ImagePicture)
    )


def test_a_source_below_the_noise_at_every_frequency_is_seen_by_all_together():
    chapter = chapter_called("fourier")
    shown = chapter.compute(observed(7))
    sky = Knobs().sky
    power = np.abs(np.fft.fft2(sky.stamps[0], SHAPE)) ** 2 * sky.transient**2 / (96 * 96)
    ratios = power / sky.noise**2
    assert ratios.max() < 1
    assert f"<b>{ratios.max():.2f} times</b>" in shown.text
    assert "below the noise at every single frequency" in shown.text
    total = float(np.sqrt(ratios.sum()))
    assert f"<b>{total:.1f} σ</b>" in shown.text
    assert shown.facts[1].expected == pytest.approx(total)
    loud = chapter.compute(observed(7, transient=1500, noise=1)).text
    assert "above the noise at" in loud
    assert "<b>0.0 σ" not in chapter.compute(observed(7, transient=0)).text


def test_lobes_are_in_proportion_to_the_flux_in_the_score_alone():
    sky = Knobs().sky.replace(shift=0.3)
    done = subtract_sky(sky)
    score = expectation(done, sky).score
    scorr = score / np.sqrt(done.score_variance)
    per_flux = [
        np.array([np.abs(plane[around(star)]).max() / star[2] for star in STARS])
        for plane in (score, scorr)
    ]
    assert per_flux[0] == pytest.approx(per_flux[0][0], rel=0.05)
    assert per_flux[1][-1] > 1.5 * per_flux[1][0]
    said = chapter_called("registration").compute(observed(7, shift=0.3)).answer
    for star, ratio in zip(STARS, per_flux[1], strict=True):
        if star in (STARS[0], STARS[2], STARS[-1]):
            assert f"{ratio * star[2]:.1f} σ at a flux of {star[2]:.0f}" in said


def test_the_scatter_after_a_fit_is_that_of_what_the_fit_has_left():
    chapter = chapter_called("matching")
    facts = [chapter.compute(observed(seed)).facts[0] for seed in range(100, 124)]
    mean = np.mean([fact.pull for fact in facts])
    assert abs(mean) < 3 / np.sqrt(len(facts))
    sky = Knobs().sky
    science, template = sky.draw()
    sigma = np.hypot(sigma_plane(science), sigma_plane(template))
    assert leverage(template.image, sigma).sum() == pytest.approx(121)


def test_noise_is_measured_without_the_source():
    chapter = chapter_called("white")
    faint, bright = (chapter.compute(observed(7, transient=f)) for f in (0, 1500))
    assert faint.facts == bright.facts
    power = [shown.pictures[1].curves[0].y for shown in (faint, bright)]
    assert (power[0] == power[1]).all()


@pytest.mark.parametrize(
    ("name", "changes", "said", "not_said"),
    [
        ("score", {"transient": 0}, "There is no source", "no the"),
        ("score", {}, "times the significance", "no source"),
        ("naive", {"seeing": 2.4}, "nothing that the noise does not hide", "No factor"),
        ("naive", {}, "No factor cures it", "hide"),
        ("matching", {"seeing": 3.4, "seeing_template": 3.4}, "hardly has to", "blurs"),
        ("matching", {}, "K blurs the sharper template", "hardly"),
        ("grid", {"cells": 1}, "1 cell.", "1 cells"),
        ("grid", {"cells": 2}, "4 cells and", "4 cell "),
        ("psf-error", {}, "over the frame", "little"),
        ("psf-error", {"noise": 20, "noise_template": 20, "stamp_noise": -5.5}, "over", "stars"),
    ],
)
def test_the_answer_fits_the_picture(name, changes, said, not_said):
    chapter = chapter_called(name)
    shown = chapter.compute(observed(7, chapter, **changes))
    assert said in shown.answer
    assert not_said not in shown.answer
    assert "1 cells" not in shown.text
    assert "1 cell</b>, each" not in shown.text


@EACH
def test_no_underscore_is_left_where_there_is_no_html(chapter):
    shown = chapter.compute(observed(7, chapter))
    texts = [chapter.title, *chapter.choices, *(picture.title for picture in shown.pictures)]
    for picture in shown.pictures:
        if isinstance(picture, PlotPicture):
            texts += [picture.x_label, picture.y_label, *(c.name for c in picture.curves)]
    for name in (*chapter.knobs, *chapter.others):
        texts += [ALL_KNOBS[name].label, ALL_KNOBS[name].doc]
    assert [text for text in texts if "_" in plain(text)] == []
    html = heading(chapter) + typeset(chapter.tries)
    seen = words_on_screen(chapter, shown) + re.sub("<.*?>", "", html)
    assert re.findall(r"\b\ŵ?_\w\b", seen) == []  # names of functions keep theirs


@pytest.mark.parametrize(
    ("name", "plane", "picture"),
    [
        ("white", "diff", 0),
        ("source-noise", "scorr", 2),
        ("registration", "scorr", 2),
        ("psf-error", "diff", 1),
        ("grid", "scorr", 2),
        ("gallery", "scorr", 1),
    ],
)
def test_the_link_opens_what_is_on_the_screen(name, plane, picture):
    chapter = chapter_called(name)
    shown = chapter.compute(chapter.opened(observed(8, flux_ratio=0.9)))
    session = Session(live=False)
    open_search(session, shown.address)
    assert not session.alert
    difference = session.frame.difference
    seen = {
        "scorr": difference.scorr,
        "diff": difference.diff.image / np.sqrt(difference.diff.variance),
    }[plane]
    assert seen == pytest.approx(shown.pictures[picture].plane, abs=2e-4, rel=2e-4)


def test_the_gallery_shows_every_pathology_and_opens_it():
    chapter = CHAPTERS[-1]
    for case, name in enumerate(PATHOLOGIES, 1):
        shown = chapter.compute(Knobs().turned("case", case))
        assert PATHOLOGIES[name].title in shown.answer
        assert f"sample={name}" in shown.address
