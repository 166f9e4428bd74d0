"""Small cases computed by the reference implementation, against single functions of the engine."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, subtract_cell
from zogy_explorer.engine import generate_grid, plan, split_border
from zogy_explorer.engine.config import PLANES_IGNORED
from zogy_explorer.engine.equations import Weights, kernels, proper_difference, score
from zogy_explorer.engine.fourier import pad_center_origin, squared_kernel
from zogy_explorer.engine.moments import adaptive_moments, centroid
from zogy_explorer.engine.padding import (
    cut_with_constant,
    cut_with_noise,
    lsst_noise,
    variance_seed,
)
from zogy_explorer.engine.statistics import clipped_statistics
from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box
from zogy_explorer.masks import MASK_PLANES, bit_mask

pytestmark = pytest.mark.shared_data

ROUND_OFF = 1e-14
"""Relative agreement of formulas that differ only in the order of their operations."""
MOMENTS_TOLERANCE = 2e-5
"""Relative: the reference stops its iteration at about 1e-6…1e-5, ours when it stands still."""
LEAST_SIGMA = 0.7  # [px] below, the reference integrates over pixels; ours by design does not


@cache
def _entries(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "goldens" / "unit" / "zogy_unit.json").read_text())


@pytest.fixture
def entries(shared_data: Path) -> dict[str, Any]:
    return _entries(shared_data)


def _spectrum(value: dict[str, Any]) -> np.ndarray:
    return np.array(value["re"]) + 1j * np.array(value["im"])


def test_defaults_of_the_documented_fields_and_mask_bits_agree(entries: dict[str, Any]) -> None:
    for name, expected in entries["configDefaults"].items():
        assert getattr(ZogyConfig(), name) == expected, name
    assert dict(MASK_PLANES) == entries["maskPlanes"]
    assert bit_mask(MASK_PLANES, PLANES_IGNORED) == entries["ignoreBitMask"]


def test_clipped_statistics_agree_to_the_bit_in_the_mean(entries: dict[str, Any]) -> None:
    for case in entries["statistics"]:
        values = np.array(case["values"], dtype=case["dtype"])
        use = (np.array(case["mask"]) & case["andMask"]) == 0
        ours = clipped_statistics(
            values, use, n_sigma=case["numSigmaClip"], iterations=case["numIter"]
        )
        label = case["label"]
        # Equal bits: the noise of the padding is seeded from them.
        np.testing.assert_equal(ours.mean, case["MEANCLIP"], err_msg=label)
        np.testing.assert_equal(ours.variance, case["VARIANCECLIP"], err_msg=label)
        np.testing.assert_equal(ours.median, case["MEDIAN"], err_msg=label)
        np.testing.assert_allclose(ours.iqr, case["IQRANGE"], rtol=ROUND_OFF, err_msg=label)
        assert ours.n_used == case["NPOINT"], label
        assert ours.n_clipped == case["NCLIPPED"], label


def test_grids_agree(entries: dict[str, Any]) -> None:
    for case in entries["generateGrid"]:
        cells = generate_grid(
            Box(*case["imageBox"]),
            tuple(case["minEdgeDims"]),
            tuple(case["innerBoxDims"]),
            tuple(case["minTotalDims"]) if case["minTotalDims"] else None,
            sizing="powerOfTwo" if case["powerOfTwo"] else "exact",
        )
        ours = [{"inner": list(cell.inner), "outer": list(cell.outer)} for cell in cells]
        assert ours == case["cells"], case["imageBox"]


def test_borders_are_split_alike(entries: dict[str, Any]) -> None:
    for case in entries["splitBorder"]:
        inner, outer = Box(*case["innerBox"]), Box(*case["outerBox"])
        if "raises" in case:
            with pytest.raises(InputError, match="does not exceed inner box"):
                split_border(inner, outer)
        else:
            assert [list(box) for box in split_border(inner, outer)] == case["borders"]


def test_stamps_move_to_the_origin_and_back_alike(entries: dict[str, Any]) -> None:
    for case in entries["padCenterOriginArray"]:
        array, shape = np.array(case["input"]), tuple(case["newShape"])
        if "raises" in case:
            if 1 in (*array.shape, *shape):
                continue  # the reference refuses lines of one pixel; we have no reason to
            with pytest.raises(InputError, match="must not be larger"):
                pad_center_origin(array, shape, inverse=case["useInverse"])
        else:
            moved = pad_center_origin(array, shape, inverse=case["useInverse"])
            np.testing.assert_array_equal(moved, case["output"])


def test_centroids_agree(entries: dict[str, Any]) -> None:
    for case in entries["getCentroid"]:
        x, y = centroid(np.array(case["array"]))
        np.testing.assert_allclose((y, x), case["centroid_y_x"], rtol=ROUND_OFF, atol=1e-14)


def test_centroid_limit_passes_and_fails_the_same_pairs(entries: dict[str, Any]) -> None:
    for case in entries["checkCentroids"]:
        config = ZogyConfig.lsst(
            maxPsfCentroidDist=case["maxPsfCentroidDist"], strict=False, scaleByCalibration=False
        )
        flat = np.zeros((32, 32))
        pair = [Exposure(flat, variance=1.0, psf=KernelPsf(case[p])) for p in ("psf1", "psf2")]
        steps = plan(*pair, config)
        names = {flag.name for flag in subtract_cell(steps, steps.cells[0]).flags}
        assert ("CENTROID_DISTANCE" not in names) == case["passes"]


def test_adaptive_moments_agree_for_sampled_psfs(entries: dict[str, Any]) -> None:
    for case in entries["estimateMatchingKernelSize"]:
        for n in "12":
            sigmas = case[f"gauss{n}"][1:3]
            if min(sigmas[:1] if len(case[f"gauss{n}"]) < 4 else sigmas) < LEAST_SIGMA:
                continue  # undersampled: differs by design, see LEAST_SIGMA
            stamp = np.array(case[f"psf{n}"])
            center = ((stamp.shape[0] - 1) // 2, (stamp.shape[1] - 1) // 2)
            moments = adaptive_moments(stamp, center)
            np.testing.assert_allclose(
                (moments.xx, moments.yy, moments.xy),
                case[f"quadrupole{n}"],
                rtol=MOMENTS_TOLERANCE,
                atol=MOMENTS_TOLERANCE * moments.xx,
            )
            assert moments.determinant_radius == pytest.approx(
                case[f"determinantRadius{n}"], rel=MOMENTS_TOLERANCE
            )


def test_borders_agree_in_whole_pixels(entries: dict[str, Any]) -> None:
    for case in entries["estimateMatchingKernelSize"]:
        flat = np.zeros((64, 64))
        pair = [Exposure(flat, variance=1.0, psf=KernelPsf(case[p])) for p in ("psf1", "psf2")]
        assert plan(*pair, ZogyConfig.lsst()).border == case["sizeInt"]


def test_squared_kernels_agree(entries: dict[str, Any]) -> None:
    for case in entries["pixelSpaceSquare"]:
        full = _spectrum(case["input"])
        if np.abs(np.fft.ifft2(full).imag).max() > 1e-12:
            continue  # not the spectrum of a real kernel, which a half spectrum cannot hold
        half = full[:, : full.shape[1] // 2 + 1]
        ours = np.fft.fft2(squared_kernel(half, full.shape))
        expected = _spectrum(case["output"])
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


def test_padded_cells_agree_to_the_bit(entries: dict[str, Any]) -> None:
    for case in entries["initializeSubImage"]:
        full, inner, outer = (Box(*case[b]) for b in ("fullBox", "innerBox", "outerBox"))
        mean = case["noiseMeanVar"]
        assert variance_seed(mean) == case["seed"]
        image = cut_with_noise(
            np.array(case["image"]),
            full,
            inner,
            outer,
            sigma=float(np.sqrt(mean)),
            noise=lsst_noise(mean) if case["useNoise"] else None,
        )
        np.testing.assert_array_equal(image, case["subImage"])
        variance = cut_with_constant(np.array(case["variance"]), full, outer, mean)
        np.testing.assert_array_equal(variance, case["subVariance"])


def test_the_equations_agree_frequency_by_frequency(entries: dict[str, Any]) -> None:
    for case in entries["calculateFourierDiffim"]:
        label = case["label"]
        psf_n, psf_r, image_n, image_r = (
            _spectrum(case[key]) for key in ("psf1", "psf2", "im1", "im2")
        )
        weights = Weights(case["varMean1"], case["varMean2"], case["F1"], case["F2"])
        k = kernels(psf_n, psf_r, weights)
        assert weights.flux_diff == pytest.approx(case["Fd"], rel=ROUND_OFF)
        ours = {
            "D": proper_difference(image_n, image_r, k),
            "S": score(image_n, image_r, k),
            "Pd": k.psf_diff,
            "Ps": k.psf_score,
        }
        for plane, (kernel_n, kernel_r) in {
            "varPlaneD": (k.diff_n, k.diff_r),
            "varPlaneS": (k.score_n, k.score_r),
        }.items():
            ours[plane] = _square_spectrum(kernel_n) * _spectrum(
                case["varPlane1"]
            ) + _square_spectrum(kernel_r) * _spectrum(case["varPlane2"])
        for name, value in ours.items():
            expected = _spectrum(case[name])
            np.testing.assert_allclose(
                value, expected, rtol=0, atol=1e-13 * np.abs(expected).max(), err_msg=label + name
            )


def _square_spectrum(kernel: np.ndarray) -> np.ndarray:
    """Spectrum of the square, pixel by pixel, of a real kernel given by its full spectrum."""
    return np.fft.fft2(np.fft.ifft2(kernel).real ** 2)


def test_non_finite_pixels_take_the_mean_of_the_plane(entries: dict[str, Any]) -> None:
    for case in entries["removeNonFinitePixels"]:
        image = np.array(case["input"])
        exposure = Exposure(image, variance=1.0, psf=KernelPsf(np.ones((1, 1))))
        prepared = plan(exposure, exposure, ZogyConfig.lsst()).science
        np.testing.assert_array_equal(prepared.image, case["output"])
        bad = np.array(case["filtInf"]) | np.array(case["filtNaN"])
        np.testing.assert_array_equal(prepared.missing, bad)
        assert not prepared.mask.any()  # LSST sets no bit
