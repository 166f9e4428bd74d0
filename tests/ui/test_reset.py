"""Reset goes back to the settings that the pair was opened with, and to no others."""

from __future__ import annotations

import pytest

from tests.ui.test_opening import opened, shifted_pair
from zogy_explorer import ZogyConfig
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.sidebar import Sidebar
from zogy_explorer.ui.state import Pair


def test_reset_is_only_there_where_something_differs(session):
    button = Sidebar(session, lambda paint: paint()).reset
    assert button.disabled
    session.edit(borderScale=12.0)
    assert not button.disabled
    button.clicks += 1
    assert session.config.borderScale == 10.0
    assert button.disabled
    session.undo()
    assert session.config.borderScale == 12.0
    assert not button.disabled


def test_reset_keeps_the_settings_that_suit_the_pair(pair):
    session = Session(ZogyConfig(doSpatialGrid=True), live=False)
    suited = Pair(*pair, config={"gridInnerSize": 2.0})
    session.open(lambda: suited, "opening")
    before = session.frame.plan.settings_hash
    session.edit(maxPsfCentroidDist=0.5, gridInnerSize=4.0)
    session.reset()
    assert session.config.gridInnerSize == 2.0
    assert session.frame.plan.settings_hash == before
    assert not session.can_reset


def test_reset_keeps_a_limit_that_was_raised_on_opening():
    session = opened(0.32)
    raised = session.config.maxPsfCentroidDist
    session.edit(maxPsfCentroidDist=0.1)
    session.reset()
    assert session.config.maxPsfCentroidDist == pytest.approx(raised)
    assert all(cell.ok for cell in session.frame.cells)


def test_reset_is_to_the_newest_pair():
    session = opened(0.32)
    session.open_exposures(*shifted_pair(0.05))
    assert not session.can_reset
    session.edit(maxPsfCentroidDist=0.5)
    session.reset()
    assert session.config.maxPsfCentroidDist == pytest.approx(0.2)


def test_for_one_cell_reset_is_of_that_cell_alone(session):
    session.select(0)
    session.scope = "cell"
    session.edit(maxPsfCentroidDist=0.01)
    session.select(1)
    assert not session.can_reset  # this one is as it was
    session.edit(maxPsfCentroidDist=0.02)
    session.scope = "all"
    session.edit(fftSizing="exact")
    session.scope = "cell"
    assert session.can_reset
    session.reset()
    first = session.frame.cells[0].cell.name
    assert session.overrides == {first: {"maxPsfCentroidDist": 0.01}}
    assert session.config.fftSizing == "exact"
    assert not session.can_reset
    session.scope = "all"
    session.reset()
    assert session.overrides == {}
    assert session.config.fftSizing == "fast"


def test_before_there_is_a_pair_reset_is_to_the_start():
    session = Session(ZogyConfig(borderScale=8.0), live=False)
    session.edit(borderScale=9.0)
    assert session.can_reset
    session.reset()
    assert session.config.borderScale == 8.0


def test_a_control_that_is_brought_back_leaves_nothing_to_reset(session):
    session.drag(borderScale=12.0)
    assert session.can_reset
    session.drag(borderScale=10.0)
    assert not session.can_reset
