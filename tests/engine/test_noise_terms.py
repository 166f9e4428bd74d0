"""Noise terms of S: analytic checks, identities, and the ways that a frame is computed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.ndimage

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, ZogyTask, plan, run, subtract_cell
from zogy_explorer.engine import AstrometricNoise, Difference
from zogy_explorer.engine.noise_terms import gradient

Pair = tuple[Exposure, Exposure]
BARE: dict[str, Any] = {
    "frequencyFloor": 0.0,
    "background": "none",
    "scaleByCalibration": False,
    "maxPsfCentroidDist": 10.0,
}
ON: dict[str, Any] = {"astrometricNoise": ((0.2, 0.1), (0.05, 0.15)), "fluxScaleError": 0.03}


def difference(pair: Pair, **config: Any) -> Difference:
    return run(plan(*pair, ZogyConfig(**config)))


def gaussian_star(
    shape: tuple[int, int], x: float, y: float, flux: float, width: float
) -> np.ndarray:
    rows, columns = np.indices(shape)
    r2 = (rows - y) ** 2 + (columns - x) ** 2
    return flux / (2 * np.pi * width**2) * np.exp(-r2 / (2 * width**2))


@pytest.fixture
def starry(noise_pair: Callable[..., Pair], add_star: Callable[..., Exposure]) -> Pair:
    """Two skies with the same three bright stars."""

    def stars(exposure: Exposure) -> Exposure:
        for x, y in ((30, 40), (60, 20), (8, 90)):
            exposure = add_star(exposure, x, y, 20_000.0)
        return exposure

    science, template = noise_pair()
    return stars(science), stars(template)


# --- the gradient ------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [24, 25])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_gradient_of_a_wave_is_that_of_the_wave(length: int, axis: int) -> None:
    shape = (length, 18) if axis == 0 else (18, length)
    k = 2 * np.pi * 3 / length
    at = np.indices(shape)[axis]
    np.testing.assert_allclose(
        gradient(np.sin(k * at), axis), k * np.cos(k * at), atol=k * k**6 / 140 * 1.1
    )


@pytest.mark.parametrize(("fwhm", "loss"), [(2.0, 0.034), (3.0, 0.005)])
def test_the_variance_of_a_star_by_gradients_is_nearly_complete(fwhm: float, loss: float) -> None:
    width = np.sqrt(2) * fwhm / 2.3548  # S shows a star as wide as two equal PSFs one after another
    star = gaussian_star((61, 61), 30.3, 29.8, 1.0, width)
    exact = -(np.indices((61, 61))[1] - 30.3) / width**2 * star
    assert 1 - loss < (gradient(star, 1) ** 2).sum() / (exact**2).sum() < 1


# --- what the planes are -----------------------------------------------------------------------


def brute_force(pair: Pair, sigmas: tuple[float, float], fluxes: tuple[float, float]) -> Any:
    """S_N and S_R and their derivatives in Fourier space, on the periodic plane."""
    fft, shape = np.fft.fft2, pair[0].shape

    def at_origin(exposure: Exposure) -> np.ndarray:
        stamp = np.asarray(exposure.psf.kernel_image(x=0, y=0))
        plane = np.zeros(shape)
        plane[: stamp.shape[0], : stamp.shape[1]] = stamp
        return fft(np.roll(plane, (-(stamp.shape[0] // 2), -(stamp.shape[1] // 2)), axis=(0, 1)))

    pn, pr = (at_origin(exposure) for exposure in pair)
    an, ar = abs(pn) ** 2, abs(pr) ** 2
    (sn, sr), (fn, fr) = sigmas, fluxes
    den = sn**2 * fr**2 * ar + sr**2 * fn**2 * an
    parts = (
        fn * fr**2 * np.conj(pn) * ar / den * fft(pair[0].image),
        fr * fn**2 * np.conj(pr) * an / den * fft(pair[1].image),
    )
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :]
    return [
        [np.fft.ifft2(part * factor).real for factor in (1, 2j * np.pi * fx, 2j * np.pi * fy)]
        for part in parts
    ]


def test_planes_are_those_of_the_equations(starry: Pair) -> None:
    fluxes = (1.3, 0.8)
    result = difference(
        starry, **BARE, **ON, scienceFluxScaling=1.3, templateFluxScaling=0.8, borderSize=0,
        padFill="zero",
    )  # fmt: skip
    (s_n, nx, ny), (s_r, rx, ry) = brute_force(starry, (3.0, 2.0), fluxes)
    scale = abs(s_n).max()
    np.testing.assert_allclose(result.score.image, s_n - s_r, atol=1e-9 * scale)
    np.testing.assert_allclose(result.flux_variance, (0.03 * s_r) ** 2, atol=1e-9 * scale**2)
    expected = (0.2 * nx) ** 2 + (0.1 * ny) ** 2 + (0.05 * rx) ** 2 + (0.15 * ry) ** 2
    tolerance = 0.004 * expected.max()  # of the finite differences
    np.testing.assert_allclose(result.astrometric_variance, expected, atol=tolerance)


def test_total_variance_is_the_sum_and_scorr_divides_by_its_root(starry: Pair) -> None:
    result = difference(starry, **BARE, **ON)
    parts = (result.score.variance, result.astrometric_variance, result.flux_variance)
    np.testing.assert_allclose(result.total_variance, sum(parts), rtol=1e-12)
    np.testing.assert_allclose(
        result.scorr, result.score.image / np.sqrt(result.total_variance), rtol=1e-12
    )
    (cell,) = result.cells
    np.testing.assert_array_equal(cell.total_variance, result.total_variance)
    np.testing.assert_allclose(
        result.scorr_source_noise(), difference(starry, **BARE).scorr, rtol=1e-12
    )


def test_the_plan_knows_the_registration_errors(starry: Pair) -> None:
    steps = plan(*starry, ZogyConfig(**ON))
    assert steps.astrometric == AstrometricNoise((0.2, 0.1), (0.05, 0.15))
    assert plan(*starry, ZogyConfig()).astrometric is None


# --- off ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [{}, {"doSpatialGrid": True, "gridInnerSize": 1.0}])
def test_terms_change_nothing_but_scorr(starry: Pair, config: dict[str, Any]) -> None:
    off, on = difference(starry, **config), difference(starry, **config, **ON)
    assert off.astrometric_variance is None
    assert off.flux_variance is None
    assert off.total_variance is off.score.variance
    for name in ("image", "variance", "mask"):
        for exposure in ("diff", "score"):
            np.testing.assert_array_equal(
                getattr(getattr(on, exposure), name), getattr(getattr(off, exposure), name)
            )
    assert (abs(on.scorr) <= abs(off.scorr)).all()
    assert on.cells[0].config_hash != off.cells[0].config_hash


def test_without_a_score_there_are_no_planes(starry: Pair) -> None:
    result = run(plan(*starry, ZogyConfig(**ON)), calculate_score=False)
    assert result.total_variance is None
    assert result.scorr_source_noise() is None
    assert result.astrometric_variance is None
    assert result.flux_variance is None


# --- identities --------------------------------------------------------------------------------


def test_scaling_both_images_leaves_scorr_alone(starry: Pair) -> None:
    factor = 1e-3
    scaled = tuple(
        e.replace(image=e.image * factor, variance=e.variance * factor**2) for e in starry
    )
    plain, other = difference(starry, **BARE, **ON), difference(scaled, **BARE, **ON)
    np.testing.assert_allclose(other.scorr, plain.scorr, atol=1e-8)


def test_swapping_the_images_and_their_errors_negates_scorr(starry: Pair) -> None:
    noise = ((0.2, 0.1), (0.05, 0.15))
    plain = difference(starry, **BARE, astrometricNoise=noise, borderSize=0, padFill="zero")
    swapped = difference(
        starry[::-1], **BARE, astrometricNoise=noise[::-1], borderSize=0, padFill="zero"
    )
    np.testing.assert_allclose(swapped.scorr, -plain.scorr, atol=1e-9)


def test_a_term_of_one_axis_hides_shifts_along_that_axis_only(starry: Pair) -> None:
    along_x = difference(starry, **BARE, astrometricNoise=(0.2, 0.0)).astrometric_variance
    # On the column through a star there is no slope along x, on its row none along y.
    assert along_x[42, 30] < 0.01 * along_x[40, 32]


# --- every way to compute a frame ----------------------------------------------------------------


def test_cells_blended_cells_threads_and_steps_agree(starry: Pair) -> None:
    grid = {**BARE, **ON, "doSpatialGrid": True, "gridInnerSize": 1.0, "borderSize": 30}
    serial = difference(starry, **grid)
    assert len(serial.cells) > 4
    with ThreadPoolExecutor(2) as executor:
        threaded = run(plan(*starry, ZogyConfig(**grid)), executor=executor)
    for name in ("astrometric_variance", "flux_variance", "scorr"):
        np.testing.assert_array_equal(getattr(threaded, name), getattr(serial, name))
    alone = subtract_cell(serial.plan, serial.plan.cells[1])
    inside = alone.cell.inner.slices((0, 0))
    np.testing.assert_array_equal(alone.astrometric_variance, serial.astrometric_variance[inside])
    blended = difference(starry, **grid, blendCells=8)
    np.testing.assert_allclose(
        blended.scorr, blended.score.image / np.sqrt(blended.total_variance), rtol=1e-12
    )
    # A seam changes what a star's wing adds, not what the star does.
    np.testing.assert_allclose(
        blended.astrometric_variance,
        serial.astrometric_variance,
        atol=0.02 * serial.astrometric_variance.max(),
    )


def test_task_steps_give_the_planes_of_a_run(starry: Pair) -> None:
    config = ZogyConfig(**BARE, **ON, doSpatialGrid=True, gridInnerSize=1.5)
    whole = ZogyTask(config=config).run(*starry)
    task = ZogyTask(config=config)
    task.prepareFullExposure(*starry)
    from zogy_explorer.engine.cell import complete_cell, describe_cell
    from zogy_explorer.engine.lsst_task.difference import planes_and_transfer

    cell = whole.difference.plan.cells[2]
    task._enter(cell)
    spectra = task.calculateFourierDiffim(
        task.psfFft1, task.subImgFft1, task.subVarImgFft1, task.F1, task.subExpVar1,
        task.psfFft2, task.subImgFft2, task.subVarImgFft2, task.F2, task.subExpVar2,
    )  # fmt: skip
    inputs = task._require_cell()
    planes, transfer = planes_and_transfer(spectra, inputs, True)
    result = complete_cell(describe_cell(inputs), inputs, planes, transfer)
    expected = whole.cells[2]
    for name in ("astrometric_variance", "flux_variance"):
        plane = getattr(expected, name)
        np.testing.assert_allclose(getattr(result, name), plane, atol=1e-9 * plane.max())
    np.testing.assert_allclose(result.scorr, expected.scorr, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pieces_give_the_planes_of_one_transform(
    noise_pair: Callable[..., Pair], add_star: Callable[..., Exposure], dtype: type
) -> None:
    pair = noise_pair((300, 310), dtype=dtype)
    pair = tuple(add_star(add_star(e, 100, 90, 2e4), 101, 211, 2e4) for e in pair)
    whole = difference(pair, pieceSize=0, **ON)
    pieces = difference(pair, pieceSize=128, **ON)
    assert pieces.astrometric_variance.dtype == dtype
    for name in ("astrometric_variance", "flux_variance"):
        plane = getattr(whole, name)
        np.testing.assert_allclose(getattr(pieces, name), plane, atol=2e-5 * plane.max())
    np.testing.assert_allclose(pieces.scorr, whole.scorr, atol=2e-3)


def test_nothing_is_added_where_data_are_missing_or_a_cell_failed(starry: Pair) -> None:
    science, template = starry
    image = science.image.copy()
    image[38:42, 28:32] = np.nan
    image[:, :30] = np.nan
    holed = science.replace(image=image)
    result = difference(
        (holed, template), **BARE, **ON, doSpatialGrid=True, gridInnerSize=1.0, borderSize=30
    )
    assert result.failed
    missing = ~np.isfinite(image)
    for plane in (result.astrometric_variance, result.flux_variance):
        assert np.isfinite(plane).all()
        assert (plane[missing] == 0).all()
        assert (plane >= 0).all()
    assert np.isfinite(result.scorr).all()
    assert np.isnan(result.flux_score[:, 0]).all()
    assert np.isfinite(result.flux_score[:, -1]).all()


# --- statistics --------------------------------------------------------------------------------


def jittered_stars(seed: int, *, jitter: float, scatter: float, n: int = 12) -> tuple[Pair, Any]:
    """A pair of one star field, registration and flux ratio drawn anew for each star."""
    rng = np.random.default_rng(seed)
    side, (width_n, width_r), (sigma_n, sigma_r) = 40 * n, (1.9, 1.4), (3.0, 2.0)
    shape = (side, side)
    n_image, r_image = rng.normal(0, sigma_n, shape), rng.normal(0, sigma_r, shape)
    r = np.arange(31) - 15
    places = []
    for y in range(20, side, 40):
        for x in range(20, side, 40):
            cut = (slice(y - 20, y + 20), slice(x - 20, x + 20))
            dx, dy = rng.normal(0, jitter, 2) if jitter else (0.0, 0.0)
            ratio = 1 + rng.normal(0, scatter) if scatter else 1.0
            n_image[cut] += gaussian_star((40, 40), 20 + dx, 20 + dy, 3e4, width_n)
            r_image[cut] += gaussian_star((40, 40), 20, 20, 3e4 * ratio, width_r)
            places.append((y, x))

    def exposure(image: np.ndarray, sigma: float, width: float) -> Exposure:
        line = np.exp(-(r**2) / (2 * width**2))
        stamp = line[:, None] * line
        return Exposure(
            image, variance=np.full(shape, sigma**2), psf=KernelPsf(stamp / stamp.sum())
        )

    pair = (exposure(n_image, sigma_n, width_n), exposure(r_image, sigma_r, width_r))
    return pair, np.array(places)


def around(plane: np.ndarray, places: np.ndarray, offsets: list[tuple[int, int]]) -> np.ndarray:
    return np.array([plane[places[:, 0] + dy, places[:, 1] + dx] for dy, dx in offsets])


def test_stars_with_registration_jitter_have_unit_scorr_with_the_term_and_not_without() -> None:
    pair, places = jittered_stars(3, jitter=0.1, scatter=0)
    result = difference(pair, **BARE, astrometricNoise=((0.1, 0.1), (0, 0)))
    flanks = [(0, 2), (2, 0), (0, -2), (-2, 0)]
    with_term = around(result.scorr, places, flanks)
    without = around(result.scorr_source_noise(), places, flanks)
    assert without.std() > 5
    # Opposite flanks move together: 2 independent numbers a star.
    error = 1 / np.sqrt(2 * 2 * len(places))
    assert with_term.std() == pytest.approx(1, abs=4 * error + 0.02)
    sky = scipy.ndimage.distance_transform_edt(
        scipy.ndimage.gaussian_filter(result.astrometric_variance, 2) < 0.01
    )
    assert result.scorr[sky > 0].std() == pytest.approx(1, abs=0.02)


def test_stars_with_scattered_flux_ratio_have_unit_scorr_with_the_term_and_not_without() -> None:
    pair, places = jittered_stars(4, jitter=0, scatter=0.03)
    result = difference(pair, **BARE, fluxScaleError=0.03)
    with_term = around(result.scorr, places, [(0, 0)])
    without = around(result.scorr_source_noise(), places, [(0, 0)])
    assert without.std() > 5
    assert with_term.std() == pytest.approx(1, abs=4 / np.sqrt(2 * len(places)) + 0.02)


def test_a_new_source_on_empty_sky_keeps_its_significance(
    noise_pair: Callable[..., Pair], add_star: Callable[..., Exposure]
) -> None:
    science, template = noise_pair(seed=5)
    pair = (add_star(science, 40, 50, 200.0), template)
    plain, term = difference(pair, **BARE), difference(pair, **BARE, astrometricNoise=0.05)
    assert plain.scorr[50, 40] > 8
    assert term.scorr[50, 40] > 0.98 * plain.scorr[50, 40]
