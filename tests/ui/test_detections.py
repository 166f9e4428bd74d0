"""Detections on the page: table, marks and the way between them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ui.conftest import gaussian, make_exposure
from zogy_explorer import ZogyConfig
from zogy_explorer.ui.drawer.detections import chosen_words, detection_marks, detection_rows
from zogy_explorer.ui.session import Session

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")

PLACES = ((30, 30), (90, 60))
"""A new source and one that has faded."""


def with_source(exposure, x, y, flux, sigma):
    stamp = gaussian(sigma)
    image = exposure.image.copy()
    image[y - 7 : y + 8, x - 7 : x + 8] += flux * stamp / stamp.sum()
    return exposure.replace(image=image)


@pytest.fixture
def pair():
    science = with_source(make_exposure(1, 1.6), *PLACES[0], 400.0, 1.6)
    template = with_source(make_exposure(2, 1.3), *PLACES[1], 400.0, 1.3)
    return science, template


@pytest.fixture
def study(session):
    return session.studies.detections


@pytest.fixture
def tab(page):
    page.drawer.front("Detections")
    return next(t for t in page.drawer.tabs if t.title == "Detections")


def test_nothing_is_searched_before_somebody_looks(session, study):
    assert study.table is None
    study.markers = True
    assert len(study.table) == 2


def test_the_table_has_both_signs_and_both_significances(tab, study):
    rows = tab.table.value
    assert set(rows["sign"]) == {"+", "−"}
    assert np.all(np.abs(rows["scorr"]) > 5)
    assert rows["normalised"].notna().all()
    assert len(rows) == len(study.table)


def test_a_higher_threshold_keeps_fewer(tab, study):
    before = len(study.table)
    tab.threshold.number.value = 10 * float(np.abs(study.table["scorr"]).max())
    assert before == 2
    assert len(study.table) == 0
    assert "Nothing beyond" in tab._words.object


def test_a_row_selects_its_cell_and_zooms_the_images_to_it(page, tab, session, study):
    tab.table.selection = [1]
    x, y = study.position(1)
    assert session.cell.cell.inner.contains_point(x, y)
    left, bottom, right, top = page.wall.view
    assert left < x < right
    assert bottom < y < top
    assert right - left < 100


def test_a_tap_on_a_mark_selects_its_row(tab, session, study):
    study.markers = True
    x, y = study.position(1)
    session.studies.tap(x + 1, y)
    assert tab.table.selection == [1]


def test_a_tap_elsewhere_leaves_the_row(tab, session, study):
    study.markers = True
    session.studies.tap(60, 5)
    assert tab.table.selection == []


def test_marks_are_on_the_wall_only_while_wanted(page, tab, study):
    assert page.wall.marks == ()
    study.markers = True
    assert len(page.wall.marks) == 2
    assert {mark.marker for mark in page.wall.marks} == {"circle", "square"}
    study.markers = False
    assert page.wall.marks == ()


def test_a_new_frame_is_searched_while_the_tab_is_in_front(page, tab, session, study):
    before = study.table
    session.edit(minBorder=40)
    assert study.table is not before
    page.drawer.front("Log")
    session.edit(minBorder=41)
    assert study.table is None


def test_a_frame_seen_before_is_not_searched_again(session, study):
    study.markers = True
    first = study.table
    study.threshold = 6.0
    study.threshold = 5.0
    assert study.table is first


def test_flags_come_with_meaning_and_advice(session, study):
    study.markers = True
    table = study.table.copy()
    table["flags"] = ["dipole masked", ""]
    words = chosen_words(table, 0)
    assert "A peak of the opposite sign" in words
    assert "Register the pair" in words
    assert "Nothing speaks against" in chosen_words(table, 1)
    assert [mark.severity for mark in detection_marks(table, 1)] == ["warning", "info", "selected"]


def test_no_detections_give_an_empty_table():
    assert len(detection_rows(None)) == 0


def test_without_s_the_tab_says_so_in_one_sentence(pair):
    made = Session(ZogyConfig(), live=False)
    made.open_exposures(*pair)
    from dataclasses import replace

    bare = replace(made.frame.difference, score=None, scorr=None)
    made.frame = replace(made.frame, difference=bare)
    made.studies.detections.wanted = True
    assert "calculateScore" in made.studies.detections.message


def test_texts_of_the_table_are_shown_as_texts(page):
    """Panel takes the columns of a table that begins empty for numbers, and shows NaN."""
    table = next(tab for tab in page.drawer.tabs if tab.title == "Detections").table
    kinds = {name: type(made).__name__ for name, made in table.formatters.items()}
    assert {kinds[name] for name in ("sign", "cell", "flags", "reasons")} == {"StringFormatter"}
    assert kinds["scorr"] == "NumberFormatter"
