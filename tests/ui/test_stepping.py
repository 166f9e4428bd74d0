"""Arrow keys select a neighbour and take the view along; taps leave the view alone."""

from __future__ import annotations

import pytest

from zogy_explorer.geometry import Box
from zogy_explorer.ui.wall.viewport import centred_on

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


def inside(box, view):
    left, bottom, right, top = box.edges
    return view[0] <= left and view[1] <= bottom and right <= view[2] and top <= view[3]


def test_the_view_follows_a_step_out_of_it_at_the_same_scale(page, session):
    session.select(0)
    page.zoom_to_cell()
    before = page.wall.view
    for key in ("ArrowRight", "ArrowUp", "ArrowRight"):
        page._actions()[key]()
        assert inside(session.cell.cell.inner, page.wall.view)
    after = page.wall.view
    assert session.cell.cell.index > 0
    assert after[2] - after[0] == pytest.approx(before[2] - before[0])
    assert after[3] - after[1] == pytest.approx(before[3] - before[1])


def test_a_step_within_the_view_and_a_tap_do_not_move_it(page, session):
    whole = page.wall.view
    page._actions()["ArrowRight"]()
    assert page.wall.view == whole
    session.select(0)
    page.zoom_to_cell()
    view = page.wall.view
    x, y = session.frame.plan.cells[1].inner.center
    session.select_at(x, y)
    assert session.cell.cell.index == 1
    assert page.wall.view == view


def test_a_box_larger_than_the_view_is_centred():
    assert centred_on(Box(0, 0, 101, 101), (0.0, 0.0, 20.0, 10.0)) == (40.0, 45.0, 60.0, 55.0)
