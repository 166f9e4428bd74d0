"""Where every cell failed, the page says so, and not that nothing was found."""

from __future__ import annotations

import pytest

from zogy_explorer.ui.drawer.detections import failed_words, summary_words
from zogy_explorer.ui.tabs.psfs import PsfTab

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")

RESULTS = ("difference", "score", "scorr")


def tab_of(page, title):
    page.drawer.front(title)
    return next(tab for tab in page.drawer.tabs if tab.title == title)


@pytest.fixture
def failed(session):
    """The PSF centroids are 0.083 px apart."""
    session.edit(maxPsfCentroidDist=0.01)
    assert all(not cell.ok for cell in session.frame.cells)
    return session


def test_the_detections_say_that_nothing_was_searched_and_why(failed, page):
    words = tab_of(page, "Detections")._words.object
    assert "Nothing beyond" not in words
    assert f"All {len(failed.frame.cells)} cells failed" in words
    assert "there is nothing to search" in words
    assert "CENTROID_DISTANCE" in words
    assert "maxPsfCentroidDist" in words


def test_what_was_found_says_which_cells_were_not_searched(session, page):
    session.scope = "cell"
    session.edit(maxPsfCentroidDist=0.01)
    tab = tab_of(page, "Detections")
    count = len(session.frame.cells)
    assert f"1 of {count} cells failed and could not be searched" in tab._words.object
    assert session.cell.cell.name in tab._words.object


def test_a_frame_without_failures_says_nothing_of_them(session, page):
    tab_of(page, "Detections")
    difference = session.frame.difference
    assert failed_words(difference) == ""
    table = session.studies.detections.table
    assert summary_words(table, difference) == summary_words(table)


def test_the_headers_do_not_promise_data_that_will_not_come(failed, page):
    for name in RESULTS:
        header = page.wall.panels[name].header.text
        assert "no data" in header
        assert "yet" not in header
    failed.edit(maxPsfCentroidDist=1.0)
    assert all("no data" not in page.wall.panels[name].header.text for name in RESULTS)


def test_empty_stamps_say_that_the_cell_failed(failed, page):
    page.inspector.show(failed.plan, failed.cell)
    tab = next(tab for tab in page.inspector.tabs if isinstance(tab, PsfTab))
    assert tab.stamps["psf_diff"].figure.title.text == "P_D – the cell failed"
    assert "peak" in tab.stamps["psf_science"].figure.title.text
