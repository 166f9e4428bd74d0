"""The equations themselves: an independent evaluation in double precision, and their identities.

`brute_force` evaluates eqs. 12-17, 25-29, 41-42 of the ZOGY paper on a periodic plane with
`numpy.fft` and nothing of the package. With ``borderSize=0`` and an even image without padding
the engine works on just that plane; with odd images it is compared on the padded plane.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from zogy_explorer import CellResult, Exposure, KernelPsf, ZogyConfig, ZogyTask, plan, subtract_cell

Pair = tuple[Exposure, Exposure]
Factory = Callable[..., Pair]

ROUND_OFF = 1e-10
"""Relative to the plane's largest value: thousands of additions in another order, in double."""
SINGLE = 1e-4
"""[σ] what single precision may cost D and Scorr."""

# Bare equations: no floor, no repair, no sky, and the fluxes as given.
BARE = {
    "frequencyFloor": 0.0,
    "background": "none",
    "scaleByCalibration": False,
    "maxPsfCentroidDist": 10.0,
}

PARITIES = [
    pytest.param((ny, nx), stamp_n, stamp_r, id=f"{ny}x{nx}-{stamp_n}-{stamp_r}")
    for ny, nx in ((64, 60), (61, 64), (64, 57), (63, 61))
    for stamp_n, stamp_r in (
        ((17, 17), (17, 17)),
        ((16, 16), (18, 18)),
        ((17, 16), (14, 19)),
        ((20, 13), (13, 20)),
    )
]


def roll_to_origin(stamp: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Stamp in the corner of a plane, rolled so that its pixel n // 2 is the origin."""
    plane = np.zeros(shape)
    plane[: stamp.shape[0], : stamp.shape[1]] = stamp
    return np.roll(plane, (-(stamp.shape[0] // 2), -(stamp.shape[1] // 2)), axis=(0, 1))


def brute_force(
    science: np.ndarray,
    template: np.ndarray,
    variance_n: np.ndarray,
    variance_r: np.ndarray,
    stamp_n: np.ndarray,
    stamp_r: np.ndarray,
    sigma_n: float,
    sigma_r: float,
    flux_n: float,
    flux_r: float,
) -> SimpleNamespace:
    """Everything of SCIENCE eqs. 12-17, 25-29, 41-42 on a periodic plane."""
    fft, shape = np.fft.fft2, science.shape
    n, r = fft(science), fft(template)
    pn, pr = fft(roll_to_origin(stamp_n, shape)), fft(roll_to_origin(stamp_r, shape))
    an, ar = np.abs(pn) ** 2, np.abs(pr) ** 2
    den = sigma_n**2 * flux_r**2 * ar + sigma_r**2 * flux_n**2 * an
    q = sigma_n**2 * flux_r**2 + sigma_r**2 * flux_n**2
    d = (flux_r * pr * n - flux_n * pn * r) / np.sqrt(den)
    pd = np.sqrt(q) * pn * pr / np.sqrt(den)
    fd = flux_n * flux_r / np.sqrt(q)
    kn = flux_n * flux_r**2 * np.conj(pn) * ar / den
    kr = flux_r * flux_n**2 * np.conj(pr) * an / den
    s = kn * n - kr * r

    def real(spectrum: np.ndarray) -> np.ndarray:
        return np.fft.ifft2(spectrum).real

    def spread(kernel_n: np.ndarray, kernel_r: np.ndarray) -> np.ndarray:
        return real(
            fft(real(kernel_n) ** 2) * fft(variance_n) + fft(real(kernel_r) ** 2) * fft(variance_r)
        )

    variance_s = spread(kn, kr)
    return SimpleNamespace(
        raw_diff=real(d),
        diff=real(d) / fd,
        diff_variance=spread(flux_r * pr / np.sqrt(den), flux_n * pn / np.sqrt(den)) / fd**2,
        score=real(s),
        score_from_diff=real(fd * np.conj(pd) * d),
        score_variance=variance_s,
        scorr=real(s) / np.sqrt(variance_s),
        psf_diff=real(pd),
        psf_score=real(np.abs(pd) ** 2),
        flux_diff=fd,
        flux_score=float((flux_n**2 * flux_r**2 * an * ar / den).mean()),
    )


def subtract(pair: Pair, **changes: object) -> CellResult:
    steps = plan(*pair, ZogyConfig(**(BARE | changes)))
    (cell,) = steps.cells
    result = subtract_cell(steps, cell)
    assert result.ok, result.flags
    return result


def varied_pair(
    gaussian: Callable[..., np.ndarray],
    shape: tuple[int, int],
    stamp_n: tuple[int, int],
    stamp_r: tuple[int, int],
) -> Pair:
    """Images with structure and variances that vary, PSFs of unequal, elliptical shape."""
    rng = np.random.default_rng(5)
    planes = []
    for sigma, widths, stamp in ((3.0, (1.2, 0.9), stamp_n), (2.0, (0.8, 1.1), stamp_r)):
        variance = sigma**2 * rng.uniform(0.9, 1.1, shape)
        image = rng.normal(0, np.sqrt(variance))
        image[shape[0] // 3, shape[1] // 4] += 500.0
        planes.append(Exposure(image, variance=variance, psf=KernelPsf(gaussian(widths, stamp))))
    return planes[0], planes[1]


def brute_force_of(pair: Pair, result: CellResult) -> SimpleNamespace:
    """Brute force on the padded plane of the single cell, padded with zero and σ²."""
    outer, box = result.cell.outer, pair[0].bbox
    inside = box.slices((outer.x0, outer.y0))
    planes = []
    for exposure, sigma in zip(pair, (result.sigma_science, result.sigma_template), strict=True):
        image, variance = np.zeros(outer.shape), np.full(outer.shape, sigma**2)
        image[inside], variance[inside] = exposure.image, exposure.variance
        planes.append((image, variance))
    (n, var_n), (r, var_r) = planes
    stamps = [exposure.psf.stamp for exposure in pair]
    fluxes = (result.flux_science, result.flux_template)
    expected = brute_force(
        n, r, var_n, var_r, *stamps, result.sigma_science, result.sigma_template, *fluxes
    )
    for name in ("diff", "diff_variance", "score", "score_variance", "scorr"):
        setattr(expected, name, getattr(expected, name)[inside])
    return expected


@pytest.mark.parametrize(("shape", "stamp_n", "stamp_r"), PARITIES)
def test_all_planes_agree_with_an_independent_evaluation(
    gaussian: Callable[..., np.ndarray],
    shape: tuple[int, int],
    stamp_n: tuple[int, int],
    stamp_r: tuple[int, int],
) -> None:
    pair = varied_pair(gaussian, shape, stamp_n, stamp_r)
    result = subtract(
        pair,
        padFill="zero",
        padSky=False,
        scienceFluxScaling=1.3,
        templateFluxScaling=0.7,
        fftSizing="exact",
    )
    expected = brute_force_of(pair, result)
    for name in ("diff", "diff_variance", "score", "score_variance", "scorr"):
        ours, theirs = getattr(result, name), getattr(expected, name)
        np.testing.assert_allclose(
            ours, theirs, rtol=0, atol=ROUND_OFF * np.abs(theirs).max(), err_msg=name
        )
    assert result.flux_diff == pytest.approx(expected.flux_diff, rel=1e-13)
    assert result.flux_score == pytest.approx(expected.flux_score, rel=1e-12)


@pytest.mark.parametrize("side", [16, 17])
def test_without_border_an_even_image_is_a_periodic_plane(
    gaussian: Callable[..., np.ndarray], side: int
) -> None:
    pair = varied_pair(gaussian, (64, 60), (side, side), (side, side))
    result = subtract(pair, borderSize=0, fftSizing="exact")
    assert result.cell.outer == result.cell.inner
    expected = brute_force_of(pair, result)
    for name in ("diff", "diff_variance", "score", "score_variance", "scorr"):
        theirs = getattr(expected, name)
        np.testing.assert_allclose(
            getattr(result, name), theirs, rtol=0, atol=ROUND_OFF * np.abs(theirs).max()
        )


def test_the_kernel_form_of_s_equals_its_difference_form(
    gaussian: Callable[..., np.ndarray],
) -> None:
    """Eq. 12 both ways: S = F_D P_D ⋆ D, with D and P_D as published."""
    pair = varied_pair(gaussian, (64, 60), (17, 17), (17, 17))
    result = subtract(pair, borderSize=0, fftSizing="exact", psfShape="both", minTotalDims=0)
    expected = brute_force_of(pair, result)
    # The published D is over F_D, so S = F_D² P_D ⋆ (D / F_D); P_D taken on the whole plane.
    p_d = np.fft.fft2(expected.psf_diff)
    score = np.fft.ifft2(result.flux_diff**2 * np.conj(p_d) * np.fft.fft2(result.diff)).real
    scale = np.abs(result.score).max()
    np.testing.assert_allclose(result.score, score, rtol=0, atol=ROUND_OFF * scale)


def test_exchanging_the_images_negates_d_and_s(gaussian: Callable[..., np.ndarray]) -> None:
    pair = varied_pair(gaussian, (61, 64), (17, 16), (14, 19))
    there = subtract(pair, padFill="zero", scienceFluxScaling=1.3, templateFluxScaling=0.7)
    back = subtract(pair[::-1], padFill="zero", scienceFluxScaling=0.7, templateFluxScaling=1.3)
    for name in ("diff", "score", "scorr"):
        ours, theirs = getattr(there, name), -getattr(back, name)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * np.abs(ours).max())
    for name in ("diff_variance", "score_variance", "psf_diff", "psf_score"):
        ours, theirs = getattr(there, name), getattr(back, name)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * np.abs(ours).max())


@pytest.mark.parametrize("unit", [1e-17, 1e-3, 1e9])
def test_the_unit_of_the_images_leaves_scorr_alone(noise_pair: Factory, unit: float) -> None:
    pair = noise_pair()
    scaled = tuple(e.replace(image=e.image * unit, variance=e.variance * unit**2) for e in pair)
    one, other = subtract(pair), subtract(scaled)
    np.testing.assert_allclose(other.scorr, one.scorr, rtol=0, atol=1e-10)
    # D is in the image's unit, also under the floor.
    atol = 1e-10 * unit * np.abs(one.diff).max()
    np.testing.assert_allclose(other.diff, unit * one.diff, rtol=0, atol=atol)


@pytest.mark.parametrize(("side_n", "side_r"), [(25, 21), (24, 22), (25, 22), (20, 25)])
def test_published_psfs_have_unit_sum_and_their_centre_at_half_the_size(
    noise_pair: Factory, side_n: int, side_r: int
) -> None:
    result = subtract(noise_pair(sides=(side_n, side_r)))
    for stamp in (result.psf_diff, result.psf_score):
        assert stamp.shape == (max(side_n, side_r),) * 2
        assert stamp.sum() == pytest.approx(1.0, abs=1e-12)
        peak = np.unravel_index(stamp.argmax(), stamp.shape)
        assert peak == (stamp.shape[0] // 2, stamp.shape[1] // 2)
    # Before they were brought to unit sum: nothing of P_D's flux may be lost or made.
    assert result.psf_diff_sum == pytest.approx(1.0, abs=2e-3)
    assert result.psf_score_sum == pytest.approx(1.0, abs=2e-3)


def test_d_is_white_with_unit_variance_before_the_division(noise_pair: Factory) -> None:
    shape = (256, 250)
    pair = noise_pair(shape)
    result = subtract(pair, borderSize=0, fftSizing="exact")
    d = result.diff * result.flux_diff
    n = d.size
    assert d.var() == pytest.approx(1.0, abs=4 * np.sqrt(2 / n))
    for shift in ((0, 1), (1, 0), (1, 1), (0, 2), (3, 0)):
        correlation = (d * np.roll(d, shift, axis=(0, 1))).mean()
        assert abs(correlation) < 4.5 / np.sqrt(n), shift


@pytest.mark.parametrize(("shape", "stamp_n", "stamp_r"), PARITIES)
def test_s_of_a_lone_source_peaks_at_flux_times_f_s_on_its_pixel(
    gaussian: Callable[..., np.ndarray],
    add_star: Callable[..., Exposure],
    shape: tuple[int, int],
    stamp_n: tuple[int, int],
    stamp_r: tuple[int, int],
) -> None:
    flux, flux_n, x, y = 1000.0, 1.3, 31, 26
    empty = [
        Exposure(np.zeros(shape), variance=v, psf=KernelPsf(gaussian(w, s)))
        for v, w, s in ((9.0, 1.3, stamp_n), (4.0, 1.0, stamp_r))
    ]
    # A source of calibrated flux f has F_n·f counts.
    pair = (add_star(empty[0], x, y, flux * flux_n), empty[1])
    # Periodic plane at least as large as the images, with nothing random in it.
    result = subtract(pair, padFill="zero", scienceFluxScaling=flux_n, templateFluxScaling=0.7)
    assert np.unravel_index(result.score.argmax(), shape) == (y, x)
    assert np.unravel_index(result.diff.argmax(), shape) == (y, x)
    assert result.score[y, x] == pytest.approx(flux * result.flux_score, rel=1e-9)
    # D / F_D holds the source with its calibrated flux and the shape P_D.
    assert result.diff.sum() == pytest.approx(flux, rel=1e-3)


def test_doubled_science_counts_with_scaling_2_leave_nothing(
    gaussian: Callable[..., np.ndarray], add_star: Callable[..., Exposure]
) -> None:
    rng = np.random.default_rng(3)
    shape, flux = (90, 90), 3e4
    pair = []
    for counts, sigma in ((2.0, 4.0), (1.0, 2.0)):
        exposure = Exposure(
            rng.normal(0, sigma, shape), variance=sigma**2, psf=KernelPsf(gaussian(1.5))
        )
        pair.append(add_star(exposure, 45, 40, counts * flux))
    ours = subtract(tuple(pair), scienceFluxScaling=2.0)
    assert np.abs(ours.scorr).max() < 5.5
    as_lsst = subtract(tuple(pair), scienceFluxScaling=2.0, swapFluxScaling=True)
    assert np.abs(as_lsst.scorr[40, 45]) > 240
    mended = subtract(tuple(pair), templateFluxScaling=2.0, swapFluxScaling=True)
    np.testing.assert_array_equal(mended.scorr, ours.scorr)


def test_a_photometric_calibration_acts_like_its_flux_scale(noise_pair: Factory) -> None:
    """photo_calib c makes F = 1/c: D and Scorr are the same either way."""
    c_n, c_r = 0.37, 2.9
    plain = noise_pair()
    calibrated = tuple(e.replace(photo_calib=c) for e, c in zip(plain, (c_n, c_r), strict=True))
    by_calibration = subtract(calibrated, scaleByCalibration=True)
    by_flux = subtract(plain, scienceFluxScaling=1 / c_n, templateFluxScaling=1 / c_r)
    assert (by_calibration.flux_science, by_calibration.flux_template) == (1.0, 1.0)
    for name in ("diff", "diff_variance", "scorr"):
        ours, theirs = getattr(by_calibration, name), getattr(by_flux, name)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10 * np.abs(ours).max())


@pytest.mark.parametrize("unit", [1e-17, 1e-6, 1.0, 1e5, 1e9])
def test_single_precision_costs_less_than_a_ten_thousandth_of_sigma(
    noise_pair: Factory, add_star: Callable[..., Exposure], unit: float
) -> None:
    double = noise_pair((150, 141), sides=(31, 27))
    double = tuple(add_star(e, 70, 60, 5e4) for e in double)
    double = tuple(e.replace(image=e.image * unit, variance=e.variance * unit**2) for e in double)
    single = tuple(
        e.replace(image=e.image.astype(np.float32), variance=e.variance.astype(np.float32))
        for e in double
    )
    # The rounded pixels themselves, computed in double: what is tested is the arithmetic.
    double = tuple(e.replace(image=e.image.astype(np.float64)) for e in single)
    runs = []
    for pair in (single, double):
        runs.append(ZogyTask(config=ZogyConfig(**BARE | {"frequencyFloor": None})).run(*pair))
    ours, theirs = runs
    assert ours.diffExp.image.dtype == np.float32
    assert ours.scoreExp.image.dtype == ours.scorr.dtype == np.float32
    assert theirs.scorr.dtype == np.float64
    sigma = np.sqrt(theirs.diffExp.variance)
    assert (np.abs(ours.diffExp.image - theirs.diffExp.image) / sigma).max() < SINGLE
    assert np.abs(ours.scorr - theirs.scorr).max() < SINGLE
    assert np.abs(ours.scoreExp.variance / theirs.scoreExp.variance - 1).max() < SINGLE


def test_double_precision_on_request_gives_double_planes(noise_pair: Factory) -> None:
    pair = noise_pair(dtype=np.float32)
    result = ZogyTask(config=ZogyConfig(workingPrecision="double")).run(*pair)
    assert result.diffExp.image.dtype == result.scorr.dtype == np.float64


@pytest.mark.parametrize("shape", [(260, 250), (60, 700), (701, 50)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_cells_in_pieces_are_the_same_as_whole(
    noise_pair: Factory, add_star: Callable[..., Exposure], shape: tuple[int, int], dtype: type
) -> None:
    science, template = noise_pair(shape, widths=(1.0, 0.95), dtype=dtype)
    variance = science.variance * np.linspace(0.8, 1.2, shape[1], dtype=dtype)
    star = add_star(science, shape[1] // 2, shape[0] // 2, 3e3)
    science = star.replace(variance=variance)
    pieces = subtract((science, template), pieceSize=96, frequencyFloor=None)
    whole = subtract((science, template), pieceSize=0, frequencyFloor=None)
    assert np.abs(pieces.diff - whole.diff).max() > 0  # it did work in pieces
    sigma = np.sqrt(whole.diff_variance)
    assert (np.abs(pieces.diff - whole.diff) / sigma).max() < SINGLE
    assert np.abs(pieces.scorr - whole.scorr).max() < SINGLE
    for name in ("diff_variance", "score_variance"):
        np.testing.assert_allclose(getattr(pieces, name), getattr(whole, name), rtol=SINGLE)
    assert pieces.flux_score == pytest.approx(whole.flux_score, rel=1e-5)
