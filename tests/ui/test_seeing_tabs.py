"""Padding and Fourier view of the selected cell."""

from __future__ import annotations

import numpy as np
import pytest

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


def front(page, title):
    page.inspector.front(title)
    return next(tab for tab in page.inspector.tabs if tab.title == title)


def pixels(picture):
    return picture._source.data["image"][0]


def test_the_padded_cutouts_show_the_outer_box_the_inner_box_and_the_image_edge(page, session):
    session.select(0)
    tab = front(page, "Padding")
    picture = tab.pictures["science"]
    cell = session.cell.cell
    assert picture._source.data["dw"] == [cell.outer.width]
    assert picture._boxes.data["left"] == [cell.inner.edges[0], session.frame.plan.bbox.edges[0]]
    assert pixels(picture).min() > 0  # the padding is filled


def test_the_words_say_what_fills_the_border(page, session):
    session.select(0)
    tab = front(page, "Padding")
    assert "white noise of the cell" in tab._words.object
    assert "σ of the fill" in tab._words.object
    session.edit(padFill="mirror")
    assert "mirrored" in tab._words.object


def test_several_paddings_give_pictures_and_a_curve(page, session):
    tab = front(page, "Padding")
    tab.run()
    assert tab._multiples.visible
    data = tab.curve._source.data
    assert len(data["border"]) == len(tab._curve.trials) >= 4
    assert np.all(np.isfinite(data["diff"]))
    assert "keeps the change" in tab._verdict.object
    assert not tab.start.disabled


def test_another_cell_takes_the_curve_away(page, session):
    tab = front(page, "Padding")
    tab.run()
    session.select(0)
    assert not tab._multiples.visible


def test_a_cell_that_fails_says_why_instead_of_a_curve(page, session):
    tab = front(page, "Padding")
    session.edit(maxPsfCentroidDist=0.01)
    tab.run()
    assert "fails whatever its padding" in tab._verdict.object
    assert not tab.start.disabled


def test_the_fourier_view_shows_nine_spectra_and_the_floor(page, session):
    tab = front(page, "Fourier")
    assert len(tab.images) == 9
    for image in tab.images.values():
        assert image._source.data["image"][0].max() == 255
    assert "Frequency floor" in tab._words.object or "no frequency floor" in tab._words.object
    assert tab.profiles._floor.location > 0
    assert np.nanmedian(tab.profiles._source.data["difference"]) == pytest.approx(1, abs=0.2)


def test_a_failed_cell_has_an_empty_fourier_view_that_says_why(page, session):
    tab = front(page, "Fourier")
    session.edit(maxPsfCentroidDist=0.01)
    assert "failed" in tab._words.object
    assert tab.images["science"]._source.data["image"] == []
