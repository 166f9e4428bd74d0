"""The numbers of the chapters are true, every knob moves them, and their code runs."""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest

from zogy_explorer.simulate import PATHOLOGIES
from zogy_explorer.ui.location import open_search
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.teaching.chapter import ALL_KNOBS, SKY_KNOBS, Knobs
from zogy_explorer.ui.teaching.chapters import CHAPTERS

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


def observed(seed, **changes):
    knobs = turned(Knobs(), changes)
    return replace(knobs, sky=knobs.sky.replace(seed=seed))


@EACH
def test_measured_numbers_agree_with_theory_to_their_sampling_error(chapter):
    pulls = []
    for changes in ({"flux_ratio": 0.8}, *SETTINGS.get(chapter.name, [])):
        for seed in (11, 12, 13):
            pulls += [fact.pull for fact in chapter.compute(observed(seed, **changes)).facts]
    assert all(abs(pull) < 4.2 for pull in pulls), pulls
    if pulls:
        assert np.sqrt(np.mean(np.square(pulls))) < 1 + 4 / np.sqrt(2 * len(pulls))
    else:
        assert chapter.name == "gallery"


@EACH
def test_each_knob_changes_the_words_and_the_pictures(chapter):
    start = observed(7)
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
            shown = chapter.compute(observed(7).turned(name, value))
            assert all(np.isfinite([fact.measured, fact.expected]).all() for fact in shown.facts)


@EACH
def test_the_code_runs_as_pasted(chapter):
    knobs = turned(Knobs(), (SETTINGS.get(chapter.name) or [{}])[0])
    code = chapter.compute(knobs).code
    assert len(code.splitlines()) <= 6
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, chapter.name, "exec"), {"__name__": "__main__"})
    assert said.getvalue().strip()


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
    chapter = next(c for c in CHAPTERS if c.name == "psf-error")
    shown = chapter.compute(observed(7))
    _, bare, floored = (picture.plane for picture in shown.pictures)
    far = np.s_[60:, 60:]
    assert bare[far].std() > 1.15
    assert floored[far].std() == pytest.approx(1, abs=0.08)


def test_the_code_prints_the_flux_that_the_page_shows():
    chapter = next(c for c in CHAPTERS if c.name == "score")
    shown = chapter.compute(observed(7, transient=800))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(shown.code, {})
    assert f"flux {shown.facts[0].measured:.0f} ± {shown.facts[0].error:.0f}" in said.getvalue()


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
    chapter = next(c for c in CHAPTERS if c.name == name)
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
