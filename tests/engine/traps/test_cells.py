"""Traps 8, 9, 10 and 12: one bad cell, varying PSFs, P_D, fallbacks and positions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.engine.traps.conftest import EDGE_PLANE, NO_DATA, Factory, layout, subtract
from zogy_explorer import CallablePsf, Exposure, ZogyConfig, plan

# --- 8: one bad cell ------------------------------------------------------------------------------


def test_one_bad_cell_aborts_lsst_and_is_flagged_in_ours(
    noise_pair: Factory, gaussian: Callable[..., np.ndarray]
) -> None:
    science, template = noise_pair((120, 250))

    def shifted_on_the_right(x: float, y: float) -> np.ndarray:
        return gaussian(1.8, 25, (0.8 if x > 170 else 0.0, 0.0))

    pair = (science.replace(psf=CallablePsf(shifted_on_the_right)), template)
    grid = {"doSpatialGrid": True, "gridInnerSize": 2.0}
    with pytest.raises(ValueError, match=r"maxPsfCentroidDist allows 0\.2 px"):
        subtract(pair, ZogyConfig.lsst(**grid))
    result = subtract(pair, ZogyConfig(**grid))
    failed = [cell for cell in result.cells if not cell.ok]
    assert 0 < len(failed) < len(result.cells)
    for cell in failed:
        inside = cell.cell.inner.slices()
        assert (result.diffExp.mask[inside] & NO_DATA).all()
        assert not result.diffExp.image[inside].any()
        assert (result.diffExp.variance[inside] > 0).all()
        assert (result.scoreExp.variance[inside] == 1).all()
        assert not result.scorr[inside].any()
        assert cell.flags[0].name == "CENTROID_DISTANCE"
    good = next(cell for cell in result.cells if cell.ok)
    assert result.diffExp.image[good.cell.inner.slices()].any()


# --- 9 and blendCells: varying PSFs ---------------------------------------------------------------


@pytest.fixture(scope="module")
def varying(gaussian: Callable[..., np.ndarray]) -> tuple[Exposure, Exposure]:
    """Bright stars in a field whose science PSF grows from 1.2 to 2.2 px, stars every 48 px."""
    rng = np.random.default_rng(1)
    exposures = []
    for sigma, psf in (
        (3.0, CallablePsf(lambda x, y: gaussian(1.2 + 0.0025 * x, 31))),
        (2.0, CallablePsf(lambda x, y: gaussian(1.3, 31))),
    ):
        image = rng.normal(0, sigma, (128, 400))
        for x in range(24, 380, 48):
            image[49:80, x - 15 : x + 16] += 3e4 * psf.kernel_image(x=x, y=64)
        exposures.append(Exposure(image, variance=sigma**2, psf=psf))
    return exposures[0], exposures[1]


def test_finer_cells_follow_a_varying_psf(varying: tuple[Exposure, Exposure]) -> None:
    worst = []
    for size in (None, 4.0, 2.0, 1.0):
        grid = {"doSpatialGrid": size is not None, "gridInnerSize": size or 8.0}
        worst.append(np.abs(subtract(varying, ZogyConfig(**grid)).scorr).max())
    assert worst[0] > 300
    assert worst[1] < worst[0] / 2
    assert worst[2] < worst[1] / 2
    assert worst[3] < worst[2] / 1.5


def test_blending_takes_the_step_out_of_the_seams(varying: tuple[Exposure, Exposure]) -> None:
    """Rms of the step of Scorr across seams against that one pixel to the side of them."""
    ratios = {}
    for width in (0, 16):
        config = ZogyConfig(
            doSpatialGrid=True, gridInnerSize=2.0, blendCells=width, background="none"
        )
        result = subtract(varying, config)
        seams = {cell.cell.inner.x0 for cell in result.cells} - {0}
        step = np.diff(result.scorr[49:80], axis=1)
        at, beside = (
            np.sqrt(np.mean([step[:, x - 1 + shift] ** 2 for x in seams for shift in shifts]))
            for shifts in ((0,), (-3, -2, 2, 3))
        )
        ratios[width] = at / beside
    assert ratios[0] > 1.3
    assert ratios[16] < 1.15


def test_the_psf_between_blended_cells_is_their_mixture(
    varying: tuple[Exposure, Exposure],
) -> None:
    grid = {"doSpatialGrid": True, "gridInnerSize": 2.0}
    result = subtract(varying, ZogyConfig(blendCells=16, **grid))
    left, right = (c for c in result.cells if (c.cell.row, c.cell.column) in ((0, 1), (0, 2)))
    y, seam = left.cell.inner.center[1], right.cell.inner.x0 - 0.5
    for distance, share in ((-16, 0.0), (-8, 0.25), (0, 0.5), (8, 0.75), (16, 1.0)):
        ours = result.diffExp.psf.kernel_image(x=seam + distance, y=y)
        expected = (1 - share) * left.psf_diff + share * right.psf_diff
        np.testing.assert_allclose(ours, expected, atol=1e-15)
        assert ours.sum() == pytest.approx(1, abs=1e-12)
    unblended = subtract(varying, ZogyConfig(**grid)).diffExp.psf
    assert np.array_equal(unblended.kernel_image(x=seam - 1, y=y), left.psf_diff)


def test_blending_keeps_the_statistics_and_the_identity_of_scorr(noise_pair: Factory) -> None:
    pair = noise_pair((200, 190))
    result = subtract(
        pair, ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0, blendCells=12, background="none")
    )
    assert len(result.cells) > 4
    assert result.scorr.std() == pytest.approx(1.0, abs=0.04)
    # Where cells agree (constant PSF) blending changes nothing beyond what padding does.
    whole = subtract(pair, ZogyConfig(background="none"))
    inner = np.s_[30:-30, 30:-30]
    np.testing.assert_allclose(result.scorr[inner], whole.scorr[inner], rtol=0, atol=1e-3)
    assert all(
        c.region.contains(c.cell.inner) and c.diff.shape == c.region.shape for c in result.cells
    )


def test_blending_without_a_border_to_blend_over_changes_nothing(
    noise_pair: Factory,
) -> None:
    pair = noise_pair((40, 36), sides=(7, 7))
    config = ZogyConfig(doSpatialGrid=True, borderSize=0, minTotalDims=16, background="none")
    plain, blended = (subtract(pair, config.copy(blendCells=b)) for b in (0, 8))
    assert len(plain.cells) > 1
    np.testing.assert_array_equal(blended.diffExp.image, plain.diffExp.image)
    np.testing.assert_array_equal(blended.scorr, plain.scorr)


# --- 10: P_D cropped ------------------------------------------------------------------------------


def test_p_d_is_cropped_to_the_science_stamp_only_under_lsst_rule(noise_pair: Factory) -> None:
    pair = noise_pair(widths=(1.5, 2.6), sides=(11, 31))
    lsst = subtract(pair, ZogyConfig.lsst()).cells[0]
    ours = subtract(pair, ZogyConfig()).cells[0]
    assert lsst.psf_diff.shape == (11, 11)
    assert ours.psf_diff.shape == (31, 31)
    assert abs(1 - lsst.psf_score_sum) > abs(1 - ours.psf_score_sum)
    assert abs(1 - lsst.psf_diff_sum) > 0.01
    assert "PSF_FLUX_LOST" in {flag.name for flag in lsst.flags}
    assert abs(1 - ours.psf_diff_sum) < 0.01


# --- 12: fallbacks and positions ------------------------------------------------------------------


def test_the_fallback_variance_is_in_calibrated_units_except_under_lsst_rule(
    noise_pair: Factory,
) -> None:
    pair = noise_pair(photo_calib=0.1)
    assert layout(pair).science.fallback_variance == pytest.approx(0.09, rel=1e-6)
    assert plan(*pair, ZogyConfig.lsst()).science.fallback_variance == pytest.approx(9.0, rel=1e-6)


def test_a_cell_without_a_variance_of_its_own_takes_the_frame_s(noise_pair: Factory) -> None:
    science, template = noise_pair((160, 150))
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0)
    mask = science.mask.copy()
    inner = plan(science, template, config).cells[0].inner
    mask[inner.slices()] |= EDGE_PLANE  # ignored in statistics, not filled
    first = subtract((science.replace(mask=mask), template), config).cells[0]
    assert first.ok
    assert first.sigma_science == pytest.approx(3.0)
    assert "VARIANCE_FALLBACK" in {flag.name for flag in first.flags}


@pytest.mark.parametrize("xy0", [(0, 0), (1000, 2000), (-53, -17), (-5000, 7)])
def test_the_position_of_the_frame_does_not_matter(
    noise_pair: Factory, xy0: tuple[int, int]
) -> None:
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0)
    here = subtract(noise_pair(), config)
    there = subtract(noise_pair(xy0=xy0), config)
    np.testing.assert_array_equal(there.scorr, here.scorr)
    assert there.diffExp.xy0 == xy0
