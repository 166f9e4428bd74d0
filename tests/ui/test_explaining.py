"""Asking the page why a residual is there, and whether the noise can be trusted."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.ui.conftest import gaussian
from zogy_explorer import Exposure, KernelPsf, ZogyConfig
from zogy_explorer.diagnostics import CAUSES
from zogy_explorer.errors import InputError
from zogy_explorer.ui.studies.cures import cures, flux_scalings
from zogy_explorer.ui.tabs.explain_words import NAMES
from zogy_explorer.ui.tabs.trust_plots import match_chart, show_match

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")

STAR = (60, 48)


def starry(seed, *, dx=0.0, flux=1.0):
    """Nine bright stars, the same in both images up to a shift and a flux."""
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 3, (96, 120)).astype(np.float32)
    stamp = gaussian(1.6, size=21, dx=dx)
    for y in (18, 48, 78):
        for x in (20, 60, 100):
            image[y - 10 : y + 11, x - 10 : x + 11] += flux * 6000 * stamp / stamp.sum()
    psf = KernelPsf(gaussian(1.6))
    return Exposure(image, np.full(image.shape, 9.0, np.float32), psf=psf, name=f"stars{seed}")


@pytest.fixture
def pair():
    """A shift of 0.2 px, and nothing else."""
    return starry(1, dx=0.2), starry(2)


@pytest.fixture
def study(session):
    return session.studies.explaining


@pytest.fixture
def tab(page):
    page.inspector.front("Explain")
    return next(t for t in page.inspector.tabs if t.title == "Explain")


def test_a_tap_explains_only_while_the_tab_is_in_front(session, study, page):
    session.studies.tap(*STAR)
    assert study.explanation is None
    page.inspector.front("Explain")
    session.studies.tap(*STAR)
    assert study.explanation.first.name == "shift"


def test_the_tab_says_cause_size_advice_and_verdict(tab, session):
    session.studies.tap(*STAR)
    assert "Shift" in tab._causes.object
    assert "science minus template" in tab._causes.object
    assert "Δχ²" in tab._bars.object
    assert "Saturation: no" in tab._bars.object
    assert "Moved by itself?" in tab._verdict.object
    assert tab._trio.visible


def test_data_less_model_is_the_remainder(tab, session, study):
    session.studies.tap(*STAR)
    left = study.explanation.diff - study.explanation.model
    assert np.abs(left).max() < 0.5 * np.abs(study.explanation.diff).max()
    assert all(len(p._source.data["image"]) == 1 for p in tab.pictures.values())


def test_the_place_is_marked_on_the_images(tab, page, session):
    session.studies.tap(*STAR)
    assert [mark.x for mark in page.wall.marks] == [STAR[0]]


def test_the_strongest_residual_of_the_cell_is_found(tab, session, study):
    session.select_at(*STAR)
    study.ask_strongest()
    assert np.hypot(study.place[0] - STAR[0], study.place[1] - STAR[1]) < 4


def test_a_tap_on_a_small_image_means_the_peak_next_to_it(study):
    x, y = study.nearest_peak(STAR[0] + 4, STAR[1], reach=6)
    assert np.hypot(x - STAR[0], y - STAR[1]) < 4
    assert study.nearest_peak(10.3, 11.0, reach=1) == (10.3, 11.0)


def test_the_key_explains_what_the_cursor_rests_on(page, study):
    page.wall._readout.probe.data = {"x": [60.0], "y": [48.0], "n": [1]}
    page.explain_here()
    assert study.place == (60.0, 48.0)
    assert page.inspector.showing == "Explain"


def test_a_row_of_the_detections_is_a_place_that_was_meant(page, session, study):
    found = session.studies.detections
    found.wanted = True
    found.threshold = 5.0
    assert len(found.table) > 0
    page.wall._readout.probe.data = {"x": [60.0], "y": [48.0], "n": [1]}
    study.wanted = False
    session.studies.choose_detection(0)
    assert study.place is None
    page.explain_here()  # the cursor has gone from the images to the table
    assert study.place == found.position(0)
    page.wall._readout.probe.data = {"x": [61.0], "y": [48.0], "n": [2]}
    page.explain_here()
    assert study.place == (61.0, 48.0)
    session.studies.choose_detection(0)  # with the tab in front it is explained at once
    assert study.place == found.position(0)


def test_without_a_place_the_key_says_what_to_do(page, study):
    page.explain_here()
    assert "Point at a residual" in study.message


def test_a_cure_is_one_step_of_undo_and_the_answer_follows(tab, session, study):
    session.studies.tap(*STAR)
    before = study.explanation
    cure = next(c for c in study.cures if "astrometricNoise" in c.changes)
    study.apply(cure)
    assert session.config.astrometricNoise == "measured"
    assert study.explanation is not before
    session.undo()
    assert session.config.astrometricNoise is None


def test_flux_cure_keeps_the_units_of_the_calibration(session):
    session.open_exposures(starry(1, flux=1.05), starry(2).replace(photo_calib=0.5))
    session.edit(scaleByCalibration=False)
    frame = session.frame
    session.studies.explaining.ask(*STAR)
    found = cures(session.studies.explaining.explanation, frame.plan)
    change = next(c for c in found if "scienceFluxScaling" in c.changes)
    assert change.changes["scienceFluxScaling"] == pytest.approx(1.05, rel=0.01)
    session.edit(scaleByCalibration=True)
    assert flux_scalings(session.frame.plan) == (1.0, 2.0)


def test_the_page_has_a_name_for_every_cause():
    assert set(NAMES) == set(CAUSES)


def test_no_smooth_sky_is_offered_against_an_edge(session):
    science, template = starry(1), starry(2)
    image = science.image.copy()
    image[:, int(STAR[0]) - 4 :] += 80.0
    session.open_exposures(science.replace(image=image), template)
    session.studies.explaining.ask(STAR[0] - 4, STAR[1] + 30)
    explanation = session.studies.explaining.explanation
    assert explanation.first.name == "background"
    assert "step" in explanation.first.values
    assert cures(explanation, session.frame.plan) == ()


def test_off_the_frame_is_one_sentence(study):
    study.ask(5000, 3)
    assert "off the frame" in study.message


def test_python_gets_the_explanation_and_the_page_shows_it(pair):
    from zogy_explorer import ZogyExplorer
    from zogy_explorer.ui.session import Session

    explorer = ZogyExplorer.__new__(ZogyExplorer)
    session = Session(ZogyConfig(), live=False)
    from zogy_explorer.ui.page import Page

    explorer.__dict__.update(session=session, _page=Page(session))
    with pytest.raises(InputError, match="nothing to explain"):
        session.studies.explaining.answer(1, 1)
    session.open_exposures(*pair)
    explanation = session.studies.explaining.answer(*STAR)
    assert explanation.first.name == "shift"
    assert session.studies.explaining.explanation is explanation


def test_another_pair_forgets_the_place(session, study):
    study.ask(*STAR)
    session.open_exposures(starry(3), starry(4))
    assert study.place is None


@pytest.fixture
def trust(page, session):
    session.select_at(*STAR)
    page.inspector.front("Trust")
    return next(t for t in page.inspector.tabs if t.title == "Trust")


def test_trust_has_predicted_expected_and_measured_sigma(trust):
    assert "σ(Scorr)" in trust._sigmas.object
    assert "predicts" in trust._why.object
    assert "|Scorr| &gt; 5" in trust._tails.object


def test_trust_draws_quantiles_spectrum_match_and_support(trust):
    for chart in trust.charts:
        assert any(len(s.data["x"]) for s in chart._sources.values()), chart.figure.name
    assert len(trust.correlation._source.data["image"]) == 1


def test_the_match_of_psfs_that_cancel_exactly_is_drawn():
    # One PSF for the cell: its residual is round-off, far below what the axis shows.
    radii, nothing = np.arange(12.0), np.full(12, 1e-12)
    plane = np.zeros((5, 5))
    match = SimpleNamespace(
        science_side=np.ones((5, 5)),
        residual=plane,
        radii=radii,
        profile=nothing,
        rms_profile=nothing,
    )
    chart = match_chart()
    show_match(chart, match)
    assert chart.figure.x_range.end >= 5


def test_trust_tells_the_steps_between_cells(trust):
    assert "seams" in trust._seam_words.object


def test_trust_splits_the_error_of_the_tapped_pixel(trust, session):
    session.studies.tap(*STAR)
    assert "Error budget at (60, 48)" in trust._budget.object
    session.edit(fluxScaleError=0.05)
    assert "flux ratio" in trust._budget.object
    assert session.frame.difference.flux_variance is not None


def test_trust_of_a_failed_cell_says_why(trust, session):
    session.edit(maxPsfCentroidDist=0.0)
    assert "no result" in trust._why.object or session.cell.ok
