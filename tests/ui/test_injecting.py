"""Injecting sources by hand, and measuring how faint they may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zogy_explorer import CancelToken
from zogy_explorer.ui.studies.injecting import Injected, _injected

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")

PLACE = (60, 47)


@pytest.fixture
def study(session):
    session.select_at(*PLACE)
    return session.studies.injecting


@pytest.fixture
def tab(page, study):
    page.inspector.front("Inject")
    return next(t for t in page.inspector.tabs if t.title == "Inject")


def test_a_tap_injects_only_while_the_tab_is_in_front_and_armed(page, study, session):
    session.studies.tap(*PLACE)
    assert study.sources == ()
    page.inspector.front("Inject")
    session.studies.tap(*PLACE)
    assert len(study.sources) == 1
    study.armed = False
    session.studies.tap(*PLACE)
    assert len(study.sources) == 1


def test_the_flux_comes_back_within_its_error(study):
    study.inject(*PLACE, flux=30 * study.sigma_flux())
    (found,) = study.injection.recovered
    gain = found.flux - found.flux_before
    assert gain == pytest.approx(found.source.flux, rel=0.02)  # no gain: no photon noise
    assert found.scorr - found.scorr_before == pytest.approx(30, rel=0.05)


def test_only_the_touched_cell_is_computed_and_the_frame_stays(study, session):
    frame = session.frame
    study.inject(*PLACE, flux=100)
    assert [r.cell.name for r in study.injection.cells] == [session.cell.cell.name]
    assert session.frame is frame
    assert frame.pair.science.meta.get("NINJECT") is None


def test_the_cell_with_the_source_is_shown_and_taken_back(tab, page, study, session):
    before = page.wall._frame.exact(*PLACE)
    study.inject(*PLACE, flux=50 * study.sigma_flux())
    assert page.wall._frame.exact(*PLACE) != before
    assert [mark.marker for mark in page.wall.marks] == ["inverted_triangle"]
    assert "recovered" in tab._found.object
    study.clear()
    assert page.wall._frame.exact(*PLACE) == before
    assert page.wall.marks == ()


def test_a_source_in_another_cell_does_not_change_what_came_back(study, session):
    lit = session.pair.science.replace(meta={"GAIN": 0.5})  # photons make noise
    frame = replace(session.frame, pair=replace(session.pair, science=lit))
    flux = 50 * study.sigma_flux()
    first, other = Injected(*PLACE, flux), Injected(20, 20, flux)
    alone = _injected(frame, (first,), CancelToken())
    both = _injected(frame, (first, other), CancelToken())
    assert len({found.cell for found in both.recovered}) == 2
    assert alone.recovered[0].flux != pytest.approx(flux, rel=1e-4)
    assert both.recovered[0].flux == pytest.approx(alone.recovered[0].flux, rel=1e-6)
    assert both.recovered[0].error == pytest.approx(alone.recovered[0].error, rel=1e-6)


def test_undo_takes_the_last_source_out(study):
    study.inject(*PLACE, flux=100)
    study.inject(30, 20, flux=100)
    study.undo()
    assert [(s.x, s.y) for s in study.sources] == [PLACE]
    assert len(study.injection.recovered) == 1


def test_sources_follow_new_settings(study, session):
    study.inject(*PLACE, flux=100)
    before = study.injection
    session.edit(minBorder=44)
    assert study.injection is not before
    assert study.injection.frame is session.frame


def test_off_the_frame_is_one_sentence_and_nothing_stays(study):
    study.inject(5000, 5, flux=100)
    assert "off the frame" in study.message
    assert study.sources == ()


def test_the_slider_is_logarithmic_and_the_hint_speaks_of_sigma(tab, study):
    tab.slider.value = 3.0
    assert study.flux == 1000
    assert tab.flux.value == 1000
    assert "σ" in tab._hint.object
    tab.flux.value = 100.0
    assert tab.slider.value == pytest.approx(2.0)


@pytest.mark.parametrize("typed", [-500.0, 0.0, None])
def test_a_flux_that_cannot_be_is_taken_back_and_said(tab, study, typed):
    tab.flux.value = 100.0
    tab.flux.value = typed
    assert tab.flux.value == study.next_flux() == 100
    assert "above 0" in tab._hint.object
    assert "σ</b>" in tab._hint.object
    tab.flux.value = 200.0
    assert study.flux == 200
    assert "above 0" not in tab._hint.object


def test_without_a_flux_there_is_none_as_before(tab, study, session):
    session.anchor = None
    assert not np.isfinite(study.next_flux())
    tab.flux.value = -5.0
    assert tab.flux.value is None
    assert "-5 is no flux that can be injected: give a number above 0.</p>" in tab._hint.object
    assert "nan" not in tab._hint.object
    tab.flux.value = 200.0
    assert study.flux == 200


@pytest.mark.parametrize("whole_frame", [False, True])
def test_a_curve_rises_and_its_half_is_where_five_sigma_are(tab, study, whole_frame):
    study.trials = 8
    study.measure(whole_frame=whole_frame)
    curve = study.curve
    assert not study.curve_busy
    assert curve.fraction[0] <= curve.fraction[-1]
    assert curve.flux_50 == pytest.approx(5 * study.sigma_flux(), rel=0.25)
    assert np.all(curve.low <= curve.high)
    assert "half of them found" in tab._curve_words.object
    assert tab._chart_pane.visible


@pytest.mark.parametrize("xy0", [(40, 0), (-7, 3), (1000, 1000)])
def test_a_curve_in_a_cell_pairs_the_pixels_as_the_frame_does(session, study, xy0):
    study.trials = 8
    study.measure()
    same_grid = study.curve
    science, template = session.pair.science, session.pair.template
    session.open_exposures(science, template.replace(xy0=xy0))
    session.select_at(*PLACE)
    study.measure()
    assert not study.message
    assert study.curve_of == f"cell {session.cell.cell.name}"
    assert np.array_equal(study.curve.found, same_grid.found)
    assert study.curve.flux_50 == same_grid.flux_50


def test_without_a_cell_there_is_a_sentence_in_place_of_a_curve(session, study):
    session.anchor = None
    study.measure()
    assert "Select a cell" in study.message
    assert study.curve is None
