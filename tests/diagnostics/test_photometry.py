"""Fluxes from S: unbiased, with errors that are right, and with the parts of the error named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, make_pair, plan, run
from zogy_explorer.diagnostics import error_budget, flux_image, limiting_flux
from zogy_explorer.engine import Difference
from zogy_explorer.errors import InputError

BARE: dict[str, Any] = {"frequencyFloor": 0.0, "background": "none", "scaleByCalibration": False}
FLUXES = (1.3, 0.8)
SCALED = {**BARE, "scienceFluxScaling": FLUXES[0], "templateFluxScaling": FLUXES[1]}


def stamp(width: float, side: int) -> np.ndarray:
    r = np.arange(side) - side // 2
    line = np.exp(-(r**2) / (2 * width**2))
    return line[:, None] * line / line.sum() ** 2


def sources(
    seed: int | None, flux: float, *, n: int = 8, side: int = 40, xy0: tuple[int, int] = (0, 0)
) -> tuple[tuple[Exposure, Exposure], np.ndarray]:
    """n² new sources of a calibrated ``flux`` on an empty sky; without noise if seed is None."""
    rng = np.random.default_rng(seed)
    shape = (n * side, n * side)
    images = [
        np.zeros(shape) if seed is None else rng.normal(0, sigma, shape) for sigma in (3.0, 2.0)
    ]
    light = stamp(1.9, 25) * flux * FLUXES[0]
    places = np.array(
        [(y, x) for y in range(20, shape[0], side) for x in range(20, shape[1], side)]
    )
    for y, x in places:
        images[0][y - 12 : y + 13, x - 12 : x + 13] += light
    pair = tuple(
        Exposure(image, variance=np.full(shape, sigma**2), psf=KernelPsf(stamp(w, s)), xy0=xy0)
        for image, sigma, w, s in zip(images, (3.0, 2.0), (1.9, 1.4), (25, 21), strict=True)
    )
    return pair, places


def subtracted(pair: tuple[Exposure, Exposure], **config: Any) -> Difference:
    return run(plan(*pair, ZogyConfig(**config)))


def test_the_flux_of_an_isolated_source_is_exact_without_noise() -> None:
    pair, places = sources(None, 500.0, n=2)
    result = subtracted(pair, **SCALED, padFill="zero")
    y, x = places.T
    np.testing.assert_allclose(flux_image(result).flux[y, x], 500.0, rtol=1e-6)
    np.testing.assert_allclose(result.score.image[y, x], 500 * result.flux_score[y, x], rtol=1e-6)


def test_flux_is_unbiased_and_its_pull_has_unit_sigma() -> None:
    pulls = []
    for seed in range(3):
        pair, (places) = sources(seed, 150.0)
        image = flux_image(subtracted(pair, **SCALED))
        y, x = places.T
        pulls.append((image.flux[y, x] - 150.0) / image.error[y, x])
    pull = np.concatenate(pulls)
    assert abs(pull.mean()) < 4 / np.sqrt(pull.size)
    assert pull.std() == pytest.approx(1, abs=4 / np.sqrt(2 * pull.size))


def test_flux_and_error_do_not_depend_on_the_grid_where_nothing_varies() -> None:
    pair, places = sources(4, 300.0)
    y, x = places.T
    whole = flux_image(subtracted(pair, **SCALED))
    for extra in ({}, {"blendCells": 10}):
        cells = subtracted(pair, **SCALED, doSpatialGrid=True, gridInnerSize=2.0, **extra)
        assert len(cells.cells) > 9
        image = flux_image(cells)
        np.testing.assert_allclose(image.error, whole.error, rtol=1e-6)
        np.testing.assert_allclose(
            image.flux[y, x], whole.flux[y, x], atol=0.01 * whole.error[0, 0]
        )


def test_a_source_of_the_limiting_flux_reaches_the_threshold() -> None:
    pair, places = sources(None, 1.0, n=2)
    limit = limiting_flux(subtracted(pair, **SCALED, padFill="zero"), 5.0)
    assert limit[0, 0] == pytest.approx(limit[60, 60], rel=1e-6)
    pair, places = sources(None, float(limit[0, 0]), n=2)
    result = subtracted(pair, **SCALED, padFill="zero")
    np.testing.assert_allclose(result.scorr[tuple(places.T)], 5.0, rtol=1e-5)


def test_flux_is_unknown_where_data_are_missing_or_the_cell_failed() -> None:
    science, template, _ = make_pair(
        4, (150, 170), psf_size=15, n_transients=1, centroid_offset=0.4
    )
    image = science.image.copy()
    image[70:74, 80:90] = np.nan
    result = subtracted(
        (science.replace(image=image), template), doSpatialGrid=True, gridInnerSize=2.0
    )
    assert result.failed
    flux = flux_image(result)
    unknown = np.isnan(image)
    for cell in result.failed:
        unknown[cell.cell.inner.slices((0, 0))] = True
    for plane in (flux.flux, flux.error, limiting_flux(result)):
        np.testing.assert_array_equal(np.isnan(plane), unknown)


def test_the_error_budget_is_the_planes_at_the_pixel() -> None:
    pair, places = sources(5, 900.0, xy0=(100, 200))
    result = subtracted(pair, **SCALED, astrometricNoise=(0.2, 0.1), fluxScaleError=0.02)
    y, x = places[9]
    budget = error_budget(result, x + 100 + 1.3, y + 200 - 0.4)
    assert (budget.x, budget.y) == (x + 101, y + 200)
    at = (y, x + 1)
    assert budget.source == result.score.variance[at]
    assert budget.astrometric == result.astrometric_variance[at] > 0
    assert budget.flux_ratio == result.flux_variance[at]
    assert budget.total == pytest.approx(result.total_variance[at])
    assert sum(budget.fractions.values()) == pytest.approx(1)
    assert budget.scorr == pytest.approx(result.scorr[at])
    assert budget.scorr_source_noise == pytest.approx(result.scorr_source_noise()[at])
    assert budget.scorr_source_noise > 1.1 * budget.scorr
    image = flux_image(result)
    assert budget.flux == pytest.approx(image.flux[at])
    assert budget.flux_error == pytest.approx(image.error[at])


def test_without_terms_the_budget_is_source_noise() -> None:
    pair, _ = sources(6, 100.0, n=2)
    budget = error_budget(subtracted(pair, **SCALED), 20, 20)
    assert budget.fractions == {"source": 1.0, "astrometric": 0.0, "flux_ratio": 0.0}
    assert budget.scorr == budget.scorr_source_noise


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (-3, 10, "is off the frame"),
        (10, 400, "is off the frame"),
        (np.nan, 5, "two finite numbers"),
        (np.inf, 5, "two finite numbers"),
    ],
)
def test_a_position_off_the_frame_is_refused(x: float, y: float, says: str) -> None:
    pair, _ = sources(7, 100.0, n=2)
    with pytest.raises(InputError, match=says):
        error_budget(subtracted(pair, **SCALED), x, y)


def test_a_failed_cell_has_no_budget_and_says_why() -> None:
    science, template, _ = make_pair(
        4, (150, 170), psf_size=15, n_transients=1, centroid_offset=0.4
    )
    result = subtracted((science, template), doSpatialGrid=True, gridInnerSize=2.0)
    x, y = result.failed[0].cell.inner.center
    with pytest.raises(InputError, match="which failed: the PSF centroids are"):
        error_budget(result, x, y)


@pytest.mark.parametrize("threshold", [0, -1, float("nan"), float("inf")])
def test_a_threshold_that_is_not_positive_is_refused(threshold: float) -> None:
    pair, _ = sources(8, 100.0, n=2)
    with pytest.raises(InputError, match="positive number of σ"):
        limiting_flux(subtracted(pair, **SCALED), threshold)


def test_without_s_there_are_no_fluxes() -> None:
    pair, _ = sources(9, 100.0, n=2)
    result = run(plan(*pair, ZogyConfig(**SCALED)), calculate_score=False)
    for measure in (flux_image, limiting_flux, lambda d: error_budget(d, 5, 5)):
        with pytest.raises(InputError, match="has no S"):
            measure(result)
