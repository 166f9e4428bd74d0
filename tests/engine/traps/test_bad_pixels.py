"""Traps 3, 4 and 6: flagged pixels, filled and grown; NaN."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.traps.conftest import (
    CR,
    EDGE_PLANE,
    NO_DATA,
    Factory,
    layout,
    subtract,
    with_cosmic_ray,
)
from zogy_explorer import Exposure, ZogyConfig, plan, run
from zogy_explorer.engine import Struct
from zogy_explorer.engine.growth import kernel_radius

# --- 3 and 6: flagged pixels, filled and grown ----------------------------------------------------


def unmasked_detections(result: Struct) -> int:
    """Pixels with |Scorr| > 5 that no mask bit explains."""
    return int((np.abs(result.scorr[result.diffExp.mask == 0]) > 5).sum())


def test_a_flagged_cosmic_ray_leaves_unmasked_detections_in_lsst_and_none_in_ours(
    pair: tuple[Exposure, Exposure],
) -> None:
    struck = (with_cosmic_ray(pair[0], 2e4, flagged=True), pair[1])
    assert unmasked_detections(subtract(struck, ZogyConfig.lsst())) > 100
    assert unmasked_detections(subtract(struck, ZogyConfig())) == 0
    # Growing the mask alone does not do it, filling is needed.
    assert unmasked_detections(subtract(struck, ZogyConfig(fillMasked=False))) > 20


def test_filling_also_works_beside_lsst_rule_for_nan(pair: tuple[Exposure, Exposure]) -> None:
    struck = (with_cosmic_ray(pair[0], 2e4, flagged=True), pair[1])
    assert plan(*struck, ZogyConfig.lsst()).science.image[100, 96] > 1e4
    assert abs(plan(*struck, ZogyConfig.lsst(fillMasked=True)).science.image[100, 96]) < 9


def test_variance_under_a_filled_pixel_is_kept_honest(pair: tuple[Exposure, Exposure]) -> None:
    """A cosmic ray's own, larger variance stays; a smaller one is raised to its neighbours'."""
    struck = with_cosmic_ray(pair[0], 2e4, flagged=True)
    variance = struck.variance.copy()
    variance[100, 95], variance[100, 96] = 1e4, 1e-3
    prepared = layout((struck.replace(variance=variance), pair[1])).science
    assert prepared.variance[100, 95] == 1e4
    assert prepared.variance[100, 96] == pytest.approx(9.0, rel=0.01)


def test_masks_are_grown_by_the_reach_of_the_kernels(pair: tuple[Exposure, Exposure]) -> None:
    struck = (with_cosmic_ray(pair[0], 2e4, flagged=True), pair[1])
    only_combined = subtract(struck, ZogyConfig(growMask=0.0)).diffExp.mask
    np.testing.assert_array_equal(only_combined, struck[0].mask)
    radii = []
    for share in (0.1, 0.01, 0.001):
        grown = subtract(struck, ZogyConfig(growMask=share)).diffExp.mask & CR != 0
        rows = np.flatnonzero(grown.any(axis=1))
        radii.append((rows[-1] - rows[0]) // 2)
        assert grown[100, 95:99].all()
        # A disc around each of four pixels in a row is 3 px wider than high.
        columns = np.flatnonzero(grown.any(axis=0))
        assert np.ptp(columns) == np.ptp(rows) + 3
    assert 2 <= radii[0] <= radii[1] <= radii[2] <= 31
    assert radii[0] < radii[2]


def test_masks_grow_across_the_seams_of_cells(pair: tuple[Exposure, Exposure]) -> None:
    science, template = pair
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0)
    seam = plan(science, template, config).cells[0].inner.end_x
    mask = science.mask.copy()
    mask[30, seam - 1] |= CR
    grown = subtract((science.replace(mask=mask), template), config).diffExp.mask & CR != 0
    assert grown[30, seam - 1 : seam + 2].all()
    columns = np.flatnonzero(grown[30])
    assert columns[0] + columns[-1] == 2 * (seam - 1)  # as far to either side


def test_planes_that_do_not_spoil_are_not_grown(pair: tuple[Exposure, Exposure]) -> None:
    mask = pair[0].mask.copy()
    mask[50, 50] |= EDGE_PLANE
    result = subtract((pair[0].replace(mask=mask), pair[1]), ZogyConfig()).diffExp.mask
    np.testing.assert_array_equal(result, mask)


def test_kernel_radius_shrinks_as_more_may_lie_outside() -> None:
    y, x = np.fft.fftfreq(64, 1 / 64)[:, None], np.fft.fftfreq(64, 1 / 64)[None, :]
    square = np.exp(-(x**2 + y**2) / (2 * 2.0**2))
    shares = [1e-300, 1e-18, 1e-12, 1e-6, 1e-2, 0.5]
    radii = [kernel_radius([square], share) for share in shares]
    assert radii == sorted(radii, reverse=True)
    assert radii[0] > radii[3] > radii[-1] > 0
    # ∫ of the tail: e^(-r²/2σ²) = 1e-2 at r = 6.07
    assert radii[4] == pytest.approx(6.07, abs=1.0)


# --- 4: NaN ---------------------------------------------------------------------------------------


def test_nan_becomes_the_mean_of_the_plane_in_lsst_and_a_local_value_in_ours(
    pair: tuple[Exposure, Exposure],
) -> None:
    science, template = (e.replace(image=e.image + 1000.0) for e in pair)
    image = science.image.copy()
    image[50:60, 50:60] += 2e6  # one bright object
    image[100, 95:99] = np.nan
    image[3, 3] = np.inf
    struck = (science.replace(image=image), template)
    lsst = plan(*struck, ZogyConfig.lsst())
    assert lsst.science.image[100, 95] > 5000
    assert not lsst.science.mask.any()
    ours = plan(*struck, ZogyConfig())
    noise = 3.0
    assert np.abs(ours.science.image[100, 95:99]).max() < 3 * noise  # sky is subtracted
    result = run(ours)
    for y, x in ((100, 95), (100, 98), (3, 3)):
        assert result.diff.mask[y, x] & NO_DATA
        assert result.score.image[y, x] == 0
        assert result.score.variance[y, x] == 1
    assert result.diff.mask[100, 93] & NO_DATA  # grown
    assert np.isfinite(result.diff.image).all()
    around = np.s_[90:110, 85:110]
    assert np.abs(result.scorr[around]).max() < 5.5
    assert np.abs(run(lsst).scorr[around]).max() > 50


def test_missing_pixels_are_marked_even_if_the_mask_has_no_such_plane(
    noise_pair: Factory,
) -> None:
    science, template = noise_pair(mask_planes={"BAD": 0})
    image = science.image.copy()
    image[40, 40] = np.nan
    result = subtract((science.replace(image=image), template), ZogyConfig())
    bit = 1 << result.diffExp.mask_planes["NO_DATA"]
    assert result.diffExp.mask[40, 40] & bit
