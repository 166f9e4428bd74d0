"""One reader's lessons, without a browser."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from zogy_explorer import ZogyExplorer
from zogy_explorer.errors import InputError
from zogy_explorer.simulate import PATHOLOGIES, LessonSky
from zogy_explorer.simulate.lesson import HIT
from zogy_explorer.ui.location import query_of, spec_of_query
from zogy_explorer.ui.samples import TITLES, load_sample, title_of
from zogy_explorer.ui.script import script
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.session_file import spec_of
from zogy_explorer.ui.teaching.app import chapter_of
from zogy_explorer.ui.teaching.chapters import CHAPTERS
from zogy_explorer.ui.teaching.lessons import Lessons
from zogy_explorer.ui.teaching.page import LessonPage
from zogy_explorer.ui.teaching.words import answer, plain, typeset


@pytest.fixture
def lessons():
    return Lessons(live=False)


def test_the_first_chapter_is_computed_at_once(lessons):
    assert lessons.idle
    assert lessons.computed.chapter is CHAPTERS[0]


def test_there_is_nothing_before_the_first_and_after_the_last_chapter(lessons):
    lessons.step(-1)
    assert lessons.number == 1
    lessons.go(len(CHAPTERS))
    lessons.step(1)
    assert lessons.number == len(CHAPTERS)


def test_the_sky_goes_along_to_the_next_chapter(lessons):
    lessons.turn("seeing", 4.0)
    lessons.step(1)
    assert lessons.computed.knobs.sky.seeing == 4.0


def test_an_error_of_one_chapter_does_not_go_along_to_the_next(lessons):
    lessons.go(9)
    assert lessons.computed.knobs.sky.shift == 0.3
    lessons.step(1)
    assert lessons.computed.knobs.sky.shift == 0
    assert lessons.computed.knobs.sky.width_error == 0.1


def test_what_a_chapter_sets_goes_back_to_what_the_reader_had_set(lessons):
    lessons.turn("seeing", 4.0)
    lessons.turn("transient", 500)
    lessons.go(10)
    assert lessons.computed.knobs.sky.seeing == 4.5
    lessons.go(12)
    assert lessons.computed.knobs.sky.seeing == 4.0
    assert lessons.computed.knobs.sky.transient == 200
    lessons.go(1)
    assert lessons.computed.knobs.sky.transient == 500


@pytest.mark.parametrize("name", ["shift", "width_error"])
def test_an_error_turned_in_one_chapter_stays_there(lessons, name):
    lessons.turn(name, 0.1)
    lessons.step(1)
    assert lessons.knobs.value(name) == 0


def test_controls_that_do_nothing_are_not_there(lessons):
    page = LessonPage(lessons)
    shown = []
    for number, chapter in enumerate(CHAPTERS, 1):
        lessons.go(number)
        assert len(page.sky) == len(chapter.others)
        shown.append((page.sky_card.visible, page.again.visible))
    assert shown[:10] == [(True, True)] * 10
    assert shown[10:] == [(False, True), (True, True), (False, False)]


def test_the_page_says_which_keys_it_knows(lessons):
    page = LessonPage(lessons)
    for name, use in (("Enter", "reveal"), ("c", "code"), ("d", "dark or light"), ("← →", "ch")):
        assert f"<kbd>{name}</kbd> {use}" in page.footer.object


def test_what_is_opened_is_brought_into_view(lessons):
    page = LessonPage(lessons)
    page.toggle_code()
    assert page.scroller.place in page.code.css_classes
    lessons.reveal()
    assert page.scroller.place in page.answer.css_classes
    count = page.scroller.count
    page.toggle_code()
    lessons.reveal()
    assert page.scroller.count == count == 2


def test_a_new_chapter_hides_the_answer_again(lessons):
    lessons.choice = 1
    lessons.reveal()
    lessons.step(1)
    assert not lessons.revealed
    assert lessons.choice == -1


def test_two_readers_share_nothing(lessons):
    other = Lessons(3, live=False)
    lessons.turn("noise", 12)
    assert other.knobs.sky.noise == 6
    assert other.number == 3


def test_new_noise_is_the_same_sky_seen_again(lessons):
    before = lessons.computed.shown
    lessons.new_noise()
    after = lessons.computed.shown
    assert after.facts != before.facts
    assert [f.expected for f in after.facts] == [f.expected for f in before.facts]


def test_what_cannot_be_computed_is_said_and_the_old_picture_stays(lessons):
    with pytest.raises(InputError, match="must lie between"):
        lessons.turn("seeing", 99)
    assert lessons.computed.knobs.sky.seeing == 3.4


def test_a_prediction_is_judged(lessons):
    shown = lessons.computed.shown
    assert "As you said" in answer(lessons.chapter, shown, shown.right)
    assert "Not quite" in answer(lessons.chapter, shown, 1 - shown.right)


def test_the_page_follows_the_knobs(lessons):
    page = LessonPage(lessons)
    before = page.text.object
    page._knob_controls["seeing"].number.value = 4.5
    assert page.text.object != before
    assert "seeing 4.5 px" in page.text.object
    lessons.reset()
    assert page._knob_controls["seeing"].value == 3.4


def test_every_chapter_can_be_painted_dark_and_light(lessons):
    page = LessonPage(lessons)
    for number in range(1, len(CHAPTERS) + 1):
        lessons.go(number)
        assert f"Chapter {number} of {len(CHAPTERS)}" in page.where.object
        assert len(page.pictures) == len(lessons.computed.shown.pictures)
        page.toggle_theme()
        assert not lessons.fault


def test_equations_are_well_formed_have_a_voice_and_need_no_network():
    numbers = set()
    for chapter in CHAPTERS:
        for equation in chapter.equations:
            html = equation.html()
            ElementTree.fromstring(html)
            assert equation.spoken
            assert "http" not in html
            numbers |= set(re.findall(r"\d+", equation.number))
    assert numbers == {"13", "14", "15", "17", "25", "26", "27", "30", "33", "41", "42"}


@pytest.mark.parametrize(
    ("words", "number"), [({}, 1), ({"chapter": "5"}, 5), ({"chapter": "x"}, 1)]
)
def test_the_address_names_the_chapter(words, number):
    assert chapter_of(words) == number


@pytest.mark.parametrize("name", TITLES)
def test_every_sample_opens_in_the_explorer_and_its_code_makes_it_again(name):
    session = Session(live=False)
    session.open_sample(name)
    assert not session.alert
    pair = session.frame.pair
    space = {}
    exec("\n".join(pair.recipe), space)
    assert (space["science"].image == pair.science.image)[
        ~(pair.science.image != pair.science.image)
    ].all()
    code = script(session.frame)
    assert pair.recipe[1] in code
    compile(code, name, "exec")


def test_titles_of_the_samples_are_those_of_the_pathologies():
    assert {n: t for n, t in TITLES.items() if n in PATHOLOGIES} == {
        n: p.title for n, p in PATHOLOGIES.items()
    }
    assert set(PATHOLOGIES) < set(TITLES)


def test_the_sky_of_a_lesson_opens_as_it_was():
    pair = load_sample("lesson seeing=4.2 seed=9")
    science, _ = LessonSky(seeing=4.2, seed=9).draw()
    assert (pair.science.image == science.image).all()


@pytest.mark.parametrize("words", ["seeing=wide", "seeing=50", "seed=-1", "seeings=3"])
def test_a_sky_that_cannot_be_is_refused_in_words(words):
    with pytest.raises(InputError, match=r"seeing|seed"):
        load_sample(f"lesson {words}")


def test_a_pathology_opens_with_other_noise():
    pair = load_sample("shifted seed=2")
    assert pair.science_name == "shifted seed=2 science"
    assert (pair.science.image == PATHOLOGIES["shifted"].draw(2)[0].image).all()


@pytest.mark.parametrize("words", ["seed=x", "seed=-1", "seeing=3", "seed=1 seed=2"])
def test_a_pathology_knows_no_other_words_than_a_seed(words):
    with pytest.raises(InputError, match="seed=NUMBER alone"):
        load_sample(f"shifted {words}")


def test_stamp_noise_and_a_hit_are_part_of_the_sky():
    sky = LessonSky(stamp_noise=1e-3, hit=5000.0)
    (struck, _), (clean, _) = sky.draw(), LessonSky().draw()
    x, y = HIT
    changed = np.argwhere(struck.image != clean.image)
    assert changed.tolist() == [[y, x]]
    assert struck.image[y, x] - clean.image[y, x] == pytest.approx(5000 * sky.flux_ratio)
    noise = struck.psf.stamp - clean.psf.stamp
    assert noise.std() == pytest.approx(1e-3 * clean.psf.stamp.max(), rel=0.1)


def test_indices_and_minus_signs_are_typeset():
    assert typeset("F_n = -3.5 px, 10-fold, P̂_r") == (
        "<i>F</i><sub>n</sub> = −3.5 px, 10-fold, <i>P̂</i><sub>r</sub>"
    )


def test_indices_are_lowered_where_there_is_no_html():
    assert plain("N / F_n − R / F_r, P_D, shift_exposure, |P̂_n|") == (
        "N / Fₙ − R / Fᵣ, P_D, shift_exposure, |P̂ₙ|"
    )


def test_the_verdict_sets_indices_below_the_line(lessons):
    lessons.go(6)
    said = answer(lessons.chapter, lessons.computed.shown, -1)
    assert '<span class="verdict"><i>P</i><sub>n</sub>.</span>' in said


def test_a_unit_keeps_to_its_number():
    assert typeset("2.8 σ high") == "2.8\u00a0σ high"


def test_words_on_pictures_have_a_ground_of_their_own_in_both_themes(lessons):
    page = LessonPage(lessons)
    lessons.go(10)
    for _ in range(2):
        for view in page._views:
            assert view._words.background_fill_color != view._words.text_color
            assert view._words.background_fill_alpha > 0.5
        page.toggle_theme()


def test_the_button_names_the_other_theme(lessons):
    assert LessonPage(lessons, dark=True).theme.label == "Light"
    assert LessonPage(lessons, dark=False).theme.label == "Dark"


def test_an_unknown_sample_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="shifted"):
        ZogyExplorer(sample="nonsense")


@pytest.mark.parametrize("name", ["sample", "shifted", "lesson seeing=4.2"])
def test_a_saved_session_of_a_sample_opens_the_same_sample(name):
    pair = load_sample(name)
    again = load_sample(title_of(pair.science_name))
    known = np.isfinite(pair.science.image)
    assert np.array_equal(pair.science.image[known], again.science.image[known])


def test_the_address_of_a_page_names_the_sample():
    session = Session(live=False)
    session.open_sample("lesson seeing=4.2")
    query = query_of(spec_of(session))
    assert query["sample"] == "lesson seeing=4.2"
    assert spec_of_query(query).science == session.pair.science_name
