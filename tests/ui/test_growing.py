"""A new pair is seen before it is subtracted, and its result cell by cell."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ui.conftest import make_exposure
from zogy_explorer.engine import ZogyConfig, plan, subtract_cell
from zogy_explorer.ui.layers import GrowingFrame
from zogy_explorer.ui.page import first_look

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


@pytest.fixture
def growing():
    made = plan(
        make_exposure(3, 1.6, shape=(80, 100)),
        make_exposure(4, 1.3, shape=(80, 100)),
        ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0),
    )
    return GrowingFrame(made, first_look(made))


def pixels(page, growing):
    return page.wall.pixels(growing.plan.bbox)


def show(session, growing):
    session.growing = growing
    session.param.trigger("growing")


def test_science_and_template_come_first(page, session, growing):
    show(session, growing)
    shown = pixels(page, growing)
    assert set(shown) == {"science", "template"}
    assert np.array_equal(shown["science"], growing.plan.science.source.image)


def test_cells_are_added_to_those_that_came_before(page, session, growing):
    cells = growing.plan.cells
    for cell in (cells[0], cells[-1], cells[1]):
        growing.add(subtract_cell(growing.plan, cell))
        show(session, growing)
    shown = pixels(page, growing)
    origin = (growing.plan.bbox.x0, growing.plan.bbox.y0)
    for cell in cells:
        known = np.isfinite(shown["difference"][cell.inner.slices(origin)])
        assert known.all() if cell in (cells[0], cells[-1], cells[1]) else not known.any()


def test_a_pair_that_was_given_up_gives_way_to_the_one_before(page, session, growing):
    before = page.wall.pixels(session.frame.plan.bbox)
    show(session, growing)
    assert pixels(page, growing)["science"].shape == (80, 100)
    session._drop_growing()
    after = page.wall.pixels(session.frame.plan.bbox)
    assert set(after) == set(before)
    for name, plane in before.items():
        assert np.array_equal(after[name], plane, equal_nan=True)
    assert len(page.wall._grid.cells.data["name"]) == len(session.frame.cells)


def test_the_view_is_kept_when_the_growing_pair_is_complete(page, session, growing):
    science, template = growing.plan.science.source, growing.plan.template.source
    show(session, growing)
    page.wall.zoom_in()
    view = page.wall.view
    session.open_exposures(science, template)
    assert session.frame.plan.science.source is science
    assert page.wall.view == view
