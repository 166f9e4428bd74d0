"""A first pair is seen before it is subtracted, and its result cell by cell."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ui.conftest import make_exposure
from zogy_explorer.engine import ZogyConfig, plan, subtract_cell
from zogy_explorer.ui.layers import GrowingFrame
from zogy_explorer.ui.page import Page
from zogy_explorer.ui.presenting import first_look
from zogy_explorer.ui.session import Session

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


@pytest.fixture
def bare():
    """A page before its first pair."""
    return Page(Session(ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0), live=False))


def pixels(page, growing):
    return page.wall.pixels(growing.plan.bbox)


def show(session, growing):
    session.growing = growing
    session.param.trigger("growing")


def test_science_and_template_come_first(bare, growing):
    show(bare.session, growing)
    shown = pixels(bare, growing)
    assert set(shown) == {"science", "template"}
    assert np.array_equal(shown["science"], growing.plan.science.source.image)


def test_cells_are_added_to_those_that_came_before(bare, growing):
    cells = growing.plan.cells
    for cell in (cells[0], cells[-1], cells[1]):
        growing.add(subtract_cell(growing.plan, cell))
        show(bare.session, growing)
    shown = pixels(bare, growing)
    origin = (growing.plan.bbox.x0, growing.plan.bbox.y0)
    for cell in cells:
        known = np.isfinite(shown["difference"][cell.inner.slices(origin)])
        assert known.all() if cell in (cells[0], cells[-1], cells[1]) else not known.any()


def test_a_first_pair_that_is_given_up_leaves_nothing(bare, growing):
    show(bare.session, growing)
    assert pixels(bare, growing)["science"].shape == (80, 100)
    bare.session._drop_growing()
    assert bare.wall.pixels(growing.plan.bbox) == {}
    assert bare.wall.panels["science"].source.data["image"][0].shape == (1, 1)


def test_the_pair_on_screen_stays_until_the_new_one_is_complete(page, session, growing):
    session.pin()
    page.wall.zoom_in()
    view, before = page.wall.view, page.wall.pixels(session.frame.plan.bbox)
    growing.add(subtract_cell(growing.plan, growing.plan.cells[0]))
    for step in (lambda: show(session, growing), session._drop_growing):
        step()
        after = page.wall.pixels(session.frame.plan.bbox)
        assert set(after) == set(before)
        for name, plane in before.items():
            assert np.array_equal(after[name], plane, equal_nan=True)
        assert page.wall.view == view
        assert page.wall._frame.comparison.active
    assert len(page.wall.overlays.grid.cells.data["name"]) == len(session.frame.cells)


def test_the_view_is_kept_when_the_growing_pair_is_complete(bare, growing):
    session = bare.session
    science, template = growing.plan.science.source, growing.plan.template.source
    show(session, growing)
    bare.wall.zoom_in()
    view = bare.wall.view
    session.open_exposures(science, template)
    assert session.frame.plan.science.source is science
    assert bare.wall.view == view
