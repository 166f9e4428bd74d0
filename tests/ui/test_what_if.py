"""The selected cell for a pair that were a little different, and registering by what was found."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ui.conftest import make_exposure
from tests.ui.test_explaining import STAR, starry
from zogy_explorer import ZogyConfig
from zogy_explorer.errors import InputError
from zogy_explorer.ui.location import search_of, spec_of_query
from zogy_explorer.ui.script import script
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.session_file import spec_from_dict, spec_of

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


@pytest.fixture
def pair():
    """A shift of 0.2 px, and nothing else."""
    return starry(1, dx=0.2), starry(2)


@pytest.fixture
def study(session):
    session.select_at(*STAR)
    return session.studies.asking


@pytest.fixture
def tab(page, study):
    page.inspector.front("What-if")
    return next(t for t in page.inspector.tabs if t.title == "What-if")


def test_nothing_is_computed_before_the_tab_is_in_front(study):
    study.dx = 0.1
    assert study.answer is None


def test_knobs_at_rest_change_nothing(tab, study):
    assert np.abs(study.answer.diff_change).max() == 0
    assert study.answer.chi2 == study.answer.chi2_before


def test_the_right_shift_leaves_least_and_the_pictures_follow(tab, study):
    tab.knobs["dx"].slider.value = 0.2
    assert study.answer.chi2 < 1.05 < 1.15 < study.answer.chi2_before
    assert all(len(p._source.data["image"]) == 1 for p in tab.pictures.values())
    assert "largest |Scorr|" in tab._words.object


def test_the_best_shift_is_found_and_shown_on_the_knobs(tab, study, session):
    session.studies.tap(*STAR)
    study.find_shift()
    assert tab.knobs["dx"].slider.value == pytest.approx(0.2, abs=0.02)
    assert tab.knobs["dy"].slider.value == pytest.approx(0.0, abs=0.02)
    assert "Best shift" in tab._words.object
    study.reset()
    assert tab.knobs["dx"].slider.value == 0


def test_every_knob_reaches_the_engine(tab, study):
    for knob, value in {"width": 2.0, "ratio": 3.0, "background": 1.0}.items():
        study.reset()
        setattr(study, knob, value)
        assert np.abs(study.answer.diff_change).max() > 0


def test_registering_subtracts_again_and_says_so_everywhere(tab, study, session):
    original = session.pair.template
    cell = session.cell.cell.name
    before = np.abs(session.frame.difference.scorr).max()
    study.param.update(dx=0.2, dy=0.0)
    study.register()
    assert np.abs(session.frame.difference.scorr).max() < 0.5 * before
    assert session.pair.template is not original
    assert session.cell.cell.name == cell
    assert study.dx == 0
    assert any("template was moved by" in notice.text for notice in session.notices)
    assert "template = moved_template(template, 0.2, 0.0)" in script(session.frame)
    assert tab.unregister.visible


def test_registering_twice_moves_the_original_once(study, session):
    original = session.pair.template
    study.param.update(dx=0.2)
    study.register()
    study.param.update(dx=0.05, dy=-0.1)
    study.register()
    moved = session.pair.registered
    assert (moved.dx, moved.dy) == pytest.approx((0.25, -0.1))
    assert moved.original is original
    study.unregister()
    assert session.pair.template is original
    assert session.pair.registered is None


def test_undo_brings_the_template_back_as_it_came_and_redo_moves_it_again(tab, study, session):
    original, number = session.pair.template, session.frame.number
    cell = session.cell.cell.name
    session.edit(maxPsfCentroidDist=0.4)
    study.param.update(dx=0.2)
    study.register()
    session.edit(maxPsfCentroidDist=0.5)
    session.undo()
    assert session.config.maxPsfCentroidDist == pytest.approx(0.4)
    assert session.pair.registered.dx == pytest.approx(0.2)
    session.undo()
    assert session.pair.registered is None
    assert session.pair.template is original
    assert session.config.maxPsfCentroidDist == pytest.approx(0.4)
    assert session.cell.cell.name == cell
    assert not tab.unregister.visible
    session.undo()
    assert session.config.maxPsfCentroidDist == pytest.approx(0.2)
    assert not session.can_undo
    session.redo()
    session.redo()
    assert session.pair.registered.dx == pytest.approx(0.2)
    assert session.pair.registered.original is original
    session.redo()
    assert session.config.maxPsfCentroidDist == pytest.approx(0.5)
    assert session.frame.number > number
    assert not session.can_redo


def test_settings_stay_as_they_are_when_a_sample_is_registered_and_back():
    session = Session(ZogyConfig(doSpatialGrid=True), live=False)
    session.open_sample("perfect")
    session.edit(doSpatialGrid=False)
    settings = session.config.to_dict()
    assert session.can_reset
    session.move_template(0.1, 0.0)
    assert session.config.to_dict() == settings
    assert session.runs[0].changes == "opened, its template moved by (+0.1, +0) px"
    session.move_template(0.0, 0.0)
    assert session.config.to_dict() == settings
    assert session.can_redo  # as if it had been undone
    session.reset()
    assert session.config.doSpatialGrid
    assert session.pair.registered is None
    session.open_sample("flux")
    assert not session.can_undo


def test_a_registration_that_fails_changes_no_history(study, session, monkeypatch):
    study.param.update(dx=0.2)
    study.register()

    def fail(*args):
        raise InputError("not this time")

    monkeypatch.setattr("zogy_explorer.ui.session.registered_pair", fail)
    session.undo()
    assert session.alert == "not this time"
    assert session.pair.registered.dx == pytest.approx(0.2)
    monkeypatch.undo()
    session.undo()
    assert session.pair.registered is None


def test_without_a_shift_there_is_nothing_to_register(study, session):
    frame = session.frame
    study.register()
    assert session.frame is frame
    assert "0" in study.message


def test_session_and_address_remember_the_shift(study, session):
    study.param.update(dx=0.2, dy=0.1)
    study.register()
    spec = spec_of(session)
    assert spec.shift == (0.2, 0.1)
    assert spec_from_dict(spec.to_dict()).shift == (0.2, 0.1)
    assert "shift=0.2,0.1" in search_of(spec)


def test_an_address_with_a_shift_moves_the_sample_pair(session):
    session.open_session(spec_of_query({"pair": "sample", "shift": "0.1,0.2"}))
    assert (session.pair.registered.dx, session.pair.registered.dy) == (0.1, 0.2)


def test_a_shift_too_large_is_one_sentence(tab, study):
    study.dx = 500.0
    assert "register the pair first" in study.message


def test_a_failed_cell_says_why(tab, study, session):
    session.open_exposures(make_exposure(1, 1.6, dx=0.4), make_exposure(2, 1.3))
    session.edit(maxPsfCentroidDist=0.1)
    assert "no result" in study.message
