"""Choosing maxPsfCentroidDist by looking at all cells."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer.ui.drawer.threshold import threshold_words

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


@pytest.fixture
def tab(page):
    page.drawer.front("Threshold")
    return next(t for t in page.drawer.tabs if t.title == "Threshold")


def test_the_histogram_counts_every_cell_once(tab):
    assert np.sum(tab.plots.histogram.select_one({"name": "source-distances"}).data["top"]) == 9


def test_dragging_the_line_sets_the_limit_and_counts_what_would_fail(tab, session):
    line = tab.plots.histogram.select_one({"name": "threshold-line"})
    line.location = 0.05
    assert session.config.maxPsfCentroidDist == 0.05
    assert not session.cell.ok
    assert session.frame.number == 1
    assert "9 of 9 cells would fail" in tab._words.object
    line.location = 0.1
    assert "0 of 9 cells would fail" in tab._words.object


def test_letting_go_of_the_line_computes_the_frame(tab, session):
    tab.plots.histogram.select_one({"name": "threshold-line"}).location = 0.05
    tab.plots._released.data = {"n": [1]}
    assert session.frame.number == 2


def test_the_line_follows_the_setting(tab, session):
    session.edit(maxPsfCentroidDist=0.07)
    line = tab.plots.histogram.select_one({"name": "threshold-line"})
    grip = tab.plots.grip
    assert line.location == 0.07
    assert (grip.left + grip.right) / 2 == pytest.approx(0.07)


def test_an_arrow_points_from_template_to_science_centroid(tab):
    arrows = tab.plots.map.select_one({"name": "source-centroid-map"}).data
    assert np.all(arrows["x1"] > arrows["x0"])
    assert arrows["y1"] == pytest.approx(arrows["y0"], abs=1e-3)
    assert arrows["distance"] == pytest.approx(0.083, abs=2e-3)


def test_tapping_the_map_selects_the_cell(tab, session):
    cell = session.frame.cells[0].cell
    session.select_at(*cell.inner.center)
    assert session.cell.cell.name == cell.name


def test_a_frame_without_any_distance_is_said_so(session):
    from dataclasses import replace

    cells = tuple(replace(c, centroid_distance=np.nan) for c in session.frame.cells)
    frame = replace(session.frame, difference=replace(session.frame.difference, cells=cells))
    assert "9 without a measured distance" in threshold_words(frame, 0.2)
