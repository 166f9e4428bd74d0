"""`completeness` tells how faint a source may be, and that fluxes and errors are right."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from scipy.special import ndtr

from zogy_explorer import CancelToken, Exposure, KernelPsf, ZogyConfig, make_pair, plan, run
from zogy_explorer.engine import forced_photometry
from zogy_explorer.errors import CancelledError, InputError, MissingDataError
from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.simulate import Completeness, Moffat, completeness
from zogy_explorer.simulate.detection_curve import binomial_band, fit_curve
from zogy_explorer.simulate.injection_sites import draw_sites, free_pixels

SAMPLING = 4.0

SCENES: dict[str, dict] = {
    # PSFs, σ and F differ; stamps odd or even; the PSF varies over a grid; Poisson noise or none.
    "unequal, Poisson noise": {"gain": 2.0, "flux_ratio": 1.7, "psf_variation": 0.1},
    "wide template, no Poisson noise": {
        "gain": None, "fwhm_science": 2.4, "fwhm_template": 3.4, "sigma_science": 4.0,
        "sigma_template": 9.0, "flux_ratio": 0.6, "psf_variation": 0.0,
    },
    "with defects": {"gain": 2.0, "defects": True, "psf_variation": 0.1},
}  # fmt: skip


def pair(scene: str, shape: tuple[int, int] = (401, 380)) -> tuple[Exposure, Exposure]:
    settings = {"defects": False, "n_stars": 40, "n_galaxies": 5, "n_transients": 2}
    science, template, _ = make_pair(seed=8, shape=shape, **settings | SCENES[scene])
    return science, template


@cache
def recovered(scene: str) -> Completeness:
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=5)
    return completeness(*pair(scene), config, [150, 300, 600, 2500, 20000], trials=80, rng=5)


@pytest.mark.parametrize("scene", SCENES)
def test_fluxes_come_back_unbiased(scene: str) -> None:
    result = recovered(scene)
    assert (np.abs(result.bias) < SAMPLING * result.bias_error).all()
    assert abs(result.bias[-1]) < 0.005
    assert result.bias_error[-1] < 0.003


@pytest.mark.parametrize("scene", SCENES)
def test_pulls_of_fluxes_have_unit_width(scene: str) -> None:
    result = recovered(scene)
    # Beyond, what counts is how much the PSF varies within a cell: 0.4 % of 200 σ.
    faint = result.flux < 5000 if SCENES[scene]["psf_variation"] else result.flux > 0
    sources = result.sources[np.isin(result.sources["flux"], result.flux[faint])]
    pulls = np.asarray((sources["measured"] - sources["flux"]) / sources["error"])
    assert pulls.std() == pytest.approx(1.0, abs=SAMPLING / np.sqrt(2 * pulls.size))
    sampling = SAMPLING / np.sqrt(result.tried[faint])
    assert (abs(result.pull_sigma[faint] - 1) < sampling / np.sqrt(2)).all()
    assert (abs(result.pull_mean[faint]) < sampling).all()


@pytest.mark.parametrize("scene", SCENES)
def test_the_share_found_is_what_gaussian_noise_predicts(scene: str) -> None:
    result = recovered(scene)
    limits = result.limiting_flux_by_cell
    sigma = float(np.median(limits["sigma_flux"]))
    # The highest pixel nearby is compared: a little more is found than at the place itself.
    lowest = ndtr((result.flux - 5 * sigma) / sigma)
    error = np.sqrt(np.maximum(lowest * (1 - lowest), 0.02) / result.tried)
    assert (result.fraction > lowest - SAMPLING * error - 0.1).all()
    assert (np.diff(result.fraction) >= -0.05).all()
    assert result.fraction[-1] == 1.0
    assert result.flux_50 == pytest.approx(5 * sigma, rel=0.25)
    assert result.flux_90 > result.flux_50


def test_bands_hold_the_share() -> None:
    result = recovered("with defects")
    assert (result.low <= result.fraction).all()
    assert (result.fraction <= result.high).all()
    assert (result.high - result.low < 0.13).all()


def test_every_cell_has_its_limit() -> None:
    science, template = pair("unequal, Poisson noise")
    result = recovered("unequal, Poisson noise")
    limits = result.limiting_flux_by_cell
    cells = plan(science, template, ZogyConfig(doSpatialGrid=True, gridInnerSize=5)).cells
    assert list(limits["cell"]) == [cell.name for cell in cells]
    np.testing.assert_allclose(limits["flux_predicted"], 5 * limits["sigma_flux"])
    assert limits["tried"].sum() == result.tried.sum()
    crossed = np.isfinite(limits["flux_50"])
    assert crossed.sum() > len(cells) / 2
    assert np.median((limits["flux_50"] / limits["flux_predicted"])[crossed]) == pytest.approx(
        1.0, abs=0.2
    )


def test_sources_keep_apart_from_each_other_masks_and_real_sources() -> None:
    science, template = pair("with defects")
    difference = run(plan(science, template, ZogyConfig()))
    free = free_pixels(difference)
    assert 0.02 < free.mean() < 0.9
    for exposure in (science, template):
        assert not (free & (exposure.mask != 0)).any()
        assert not (free & ~np.isfinite(exposure.image)).any()
    prepared = difference.plan.science
    assert not (free & (prepared.image > prepared.bright)).any()
    frames = draw_sites(np.random.default_rng(0), free, 100, 31.0)
    assert sum(len(x) for x, _ in frames) == 100
    for x, y in frames:
        distance = np.hypot(x[:, None] - x, y[:, None] - y)
        assert (distance[~np.eye(len(x), dtype=bool)] > 31).all()
        assert free[np.rint(y).astype(int), np.rint(x).astype(int)].all()


# --- running ----------------------------------------------------------------------------------


def small(**changes: object) -> Completeness:
    science, template = pair("unequal, Poisson noise", (200, 210))
    settings = {"trials": 6, "rng": 3} | changes
    return completeness(science, template, ZogyConfig(), [300, 1000], **settings)


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_a_seed_gives_the_same_on_any_executor(pool: type[Executor]) -> None:
    with pool(2) as executor:
        there = small(executor=executor)
    here = small()
    for name in here.sources.colnames:
        np.testing.assert_array_equal(here.sources[name], there.sources[name])


def test_a_generator_and_another_seed_are_understood() -> None:
    one = small(rng=np.random.default_rng(7))
    same, other = small(rng=np.random.default_rng(7)), small(rng=8)
    np.testing.assert_array_equal(one.sources["x"], same.sources["x"])
    assert not np.array_equal(one.sources["x"], other.sources["x"])


def test_progress_counts_frames_up_to_the_last() -> None:
    calls: list[tuple[int, int]] = []
    small(progress=lambda done, total: calls.append((done, total)))
    assert calls[-1][0] == calls[-1][1] == len(calls)


@pytest.mark.parametrize("pool", [None, ThreadPoolExecutor])
def test_cancel_stops_it(pool: type | None) -> None:
    cancel = CancelToken()
    executor = None if pool is None else pool(1)
    with pytest.raises(CancelledError):
        small(trials=60, cancel=cancel, executor=executor, progress=lambda *_: cancel.cancel())
    if executor is not None:
        executor.shutdown()


def test_uncalibrated_images_use_their_flux_scales() -> None:
    science, template = pair("unequal, Poisson noise", (200, 210))
    config = ZogyConfig(scaleByCalibration=False, scienceFluxScaling=1.7, templateFluxScaling=1.0)
    bare = [e.replace(photo_calib=None) for e in (science, template)]
    result = completeness(*bare, config, [5000], trials=10, rng=1)
    assert abs(result.bias[0]) < SAMPLING * result.bias_error[0]


def test_the_noise_terms_are_those_of_the_pair() -> None:
    science, template = pair("unequal, Poisson noise", (200, 210))
    config = ZogyConfig(astrometricNoise=0.3)
    muted = completeness(science, template, config, [20000], trials=10, rng=1)
    plain = completeness(science, template, ZogyConfig(), [20000], trials=10, rng=1)
    assert (muted.sources["error"] > plain.sources["error"]).all()


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize("fluxes", [[0.0, 5.0], [-1.0], [np.nan]])
def test_fluxes_must_be_positive(fluxes: list[float]) -> None:
    science, template = pair("unequal, Poisson noise", (100, 100))
    with pytest.raises(InputError, match="fluxes must be positive"):
        completeness(science, template, ZogyConfig(), fluxes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"trials": 0}, "trials is 0"),
        ({"trials": 2.5}, r"trials is 2\.5"),
        ({"threshold": -1}, "threshold is -1"),
    ],
)
def test_other_numbers_are_checked(changes: dict, text: str) -> None:
    with pytest.raises(InputError, match=text):
        small(**changes)


def test_no_fluxes_are_refused() -> None:
    science, template = pair("unequal, Poisson noise", (100, 100))
    with pytest.raises(InputError, match="no fluxes were given"):
        completeness(science, template, ZogyConfig(), [])


def test_a_pair_that_is_masked_all_over_is_refused() -> None:
    psf = KernelPsf(Moffat(3.0, 3.5, 0.0, 0.0, 10).stamp(21))
    mask = np.full((90, 90), 1 << MASK_PLANES["SUSPECT"], dtype=np.int32)
    rng = np.random.default_rng(0)
    made = [Exposure(rng.normal(0, 1, (90, 90)), 1.0, mask=mask, psf=psf) for _ in range(2)]
    with pytest.raises(InputError, match="sources can be injected nowhere"):
        completeness(*made, ZogyConfig(), [100])


# --- parts ------------------------------------------------------------------------------------


def test_the_fit_finds_the_curve_that_made_the_data() -> None:
    flux = np.linspace(20, 200, 12)
    tried = np.full(12, 20000)
    found = np.rint(tried * ndtr((flux - 100) / 20)).astype(int)
    curve = fit_curve(flux, found, tried)
    assert curve.flux_at(0.5) == pytest.approx(100, rel=0.01)
    assert curve.flux_at(0.9) == pytest.approx(100 + 1.2816 * 20, rel=0.01)
    assert fit_curve(flux, found, tried, width=20.0).half == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize("found", [0, 50])
def test_a_curve_that_does_not_cross_is_not_made_up(found: int) -> None:
    curve = fit_curve(np.array([1.0, 2.0]), np.array([found, found]), np.array([50, 50]))
    assert np.isnan(curve.half)


def test_bands_are_nan_where_nothing_was_tried() -> None:
    low, high = binomial_band(np.array([0, 5]), np.array([0, 10]))
    assert np.isnan([low[0], high[0]]).all()
    assert low[1] < 0.5 < high[1]


def test_forced_photometry_asks_for_a_score_and_a_place_on_the_frame() -> None:
    science, template = pair("unequal, Poisson noise", (100, 100))
    made = plan(science, template, ZogyConfig())
    with pytest.raises(MissingDataError, match="has no S"):
        forced_photometry(run(made, calculate_score=False), 50, 50)
    with pytest.raises(InputError, match=r"\(150, 50\) is off the frame"):
        forced_photometry(run(made), 150, 50)


def test_pulls_of_bright_sources_are_one_in_cells_that_follow_the_psf() -> None:
    """One cell for PSFs that vary scatters their fluxes; nothing else does."""
    science, template, _ = make_pair(
        11, (260, 260), n_stars=5, n_galaxies=0, n_transients=0, psf_variation=1.0, psf_size=21,
        defects=False,
    )  # fmt: skip

    def pulls(**settings: object) -> float:
        config = ZogyConfig(maxPsfCentroidDist=1.0, **settings)
        found = completeness(science, template, config, [8000.0], trials=80, rng=3)
        return float(found.pull_sigma[0])

    assert pulls() > 2
    assert pulls(doSpatialGrid=True, gridInnerSize=1.0) == pytest.approx(1.0, abs=0.25)


def test_fluxes_away_from_the_step_leave_the_curve_open():
    flux, tried = np.array([60.0, 200.0]), np.array([50, 50])
    curve = fit_curve(flux, np.array([1, 50]), tried)
    assert not curve.error_at(0.9) < 20
    many = np.linspace(40, 200, 9)
    shares = ndtr((many - 100) / 20)
    good = fit_curve(many, np.round(500 * shares).astype(int), np.full(9, 500))
    assert 0 < good.error_at(0.5) < good.error_at(0.9) < 3


def test_errors_of_the_curve_are_those_of_repeated_trials():
    rng = np.random.default_rng(4)
    flux, tried = np.linspace(60, 160, 6), np.full(6, 60)
    curves = [
        fit_curve(flux, rng.binomial(tried, ndtr((flux - 100) / 20)), tried) for _ in range(200)
    ]
    for fraction in (0.5, 0.9):
        values = np.array([c.flux_at(fraction) for c in curves])
        expected = np.median([c.error_at(fraction) for c in curves])
        assert values.std() == pytest.approx(expected, rel=0.2)
