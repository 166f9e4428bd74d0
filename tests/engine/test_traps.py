"""LSST's traps (measured), and what the defaults make of them.

Each test shows both sides: the preset or switch that reproduces the trap, so that we know that
the test could fail, and the default, which mends it. Numbers are bounds with room for other
noise, not the values themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from zogy_explorer import CallablePsf, Exposure, KernelPsf, ZogyConfig, ZogyTask, plan, run
from zogy_explorer.engine import Struct, SubtractionPlan, cut_cell, generate_grid
from zogy_explorer.engine.flags import Flag
from zogy_explorer.engine.floor import automatic_floor, spectral_noise
from zogy_explorer.engine.fourier import forward
from zogy_explorer.engine.grid import padded_length
from zogy_explorer.engine.growth import kernel_radius
from zogy_explorer.geometry import Box
from zogy_explorer.masks import MASK_PLANES

Factory = Callable[..., tuple[Exposure, Exposure]]

CR = np.int32(1 << MASK_PLANES["CR"])
NO_DATA = np.int32(1 << MASK_PLANES["NO_DATA"])
EDGE_PLANE = np.int32(1 << MASK_PLANES["EDGE"])


def subtract(pair: tuple[Exposure, Exposure], config: ZogyConfig) -> Struct:
    return ZogyTask(config=config).run(*pair)


def layout(pair: tuple[Exposure, Exposure], **settings: object) -> SubtractionPlan:
    return plan(*pair, ZogyConfig(**settings))


def noisy_stamp(stamp: np.ndarray, level: float, seed: int) -> KernelPsf:
    """PSF with white noise of ``level`` of its peak, as measured PSFs have."""
    rng = np.random.default_rng(seed)
    return KernelPsf(stamp + level * stamp.max() * rng.normal(size=stamp.shape))


@pytest.fixture
def pair(noise_pair: Factory, gaussian: Callable[..., np.ndarray]) -> tuple[Exposure, Exposure]:
    """200×190 px of empty sky, PSFs of σ 2.5 and 1.8 px with noise of 2e-6 of the peak."""
    science, template = noise_pair((200, 190))
    return (
        science.replace(psf=noisy_stamp(gaussian(2.5, 31), 2e-6, 1)),
        template.replace(psf=noisy_stamp(gaussian(1.8, 31), 2e-6, 2)),
    )


def with_cosmic_ray(exposure: Exposure, counts: float, *, flagged: bool) -> Exposure:
    """Four pixels of ``counts`` around (96, 100)."""
    image, mask = exposure.image.copy(), exposure.mask.copy()
    image[100, 95:99] += counts
    if flagged:
        mask[100, 95:99] |= CR
    return exposure.replace(image=image, mask=mask)


# --- 2: small |P| spreads one cosmic ray over all of D --------------------------------------


def change_beyond_30_px(pair: tuple[Exposure, Exposure], config: ZogyConfig) -> tuple[float, float]:
    """Rms of what one 1e5-count pixel changes in D and Scorr beyond 30 px [σ]."""
    struck = pair[0].image.copy()
    struck[100, 96] += 1e5
    after = subtract((pair[0].replace(image=struck), pair[1]), config)
    before = subtract(pair, config)
    y, x = np.indices(struck.shape)
    far = np.hypot(y - 100, x - 96) > 30
    sigma = np.sqrt(before.diffExp.variance)
    diff = (after.diffExp.image - before.diffExp.image) / sigma
    return float(diff[far].std()), float((after.scorr - before.scorr)[far].std())


def test_one_unflagged_cosmic_ray_spoils_all_of_d_without_a_floor(
    pair: tuple[Exposure, Exposure],
) -> None:
    for config in (ZogyConfig.lsst(), ZogyConfig(frequencyFloor=0.0)):
        diff, score = change_beyond_30_px(pair, config)
        assert diff > 5
        assert score < 0.01  # S is immune


def test_the_frequency_floor_keeps_a_cosmic_ray_where_it_fell(
    pair: tuple[Exposure, Exposure],
) -> None:
    diff, score = change_beyond_30_px(pair, ZogyConfig())
    assert diff < 0.1
    assert score < 0.01


def test_the_frequency_floor_follows_the_noise_of_the_stamps(
    pair: tuple[Exposure, Exposure],
) -> None:
    (noisy,) = subtract(pair, ZogyConfig()).cells
    assert 2e-5 < noisy.frequency_floor <= 1e-3
    assert "FREQUENCY_FLOOR" not in {flag.name for flag in noisy.flags}
    (forced,) = subtract(pair, ZogyConfig(frequencyFloor=5e-3)).cells
    assert "FREQUENCY_FLOOR" in {flag.name for flag in forced.flags}


@pytest.mark.parametrize("widths", [(1.3, 1.25), (1.8, 1.3), (2.5, 1.6), (1.2, 1.0)])
def test_true_power_of_a_psf_is_not_taken_for_noise(widths: tuple[float, float]) -> None:
    y, x = np.mgrid[:25, :25] - 12
    stamps = [np.exp(-(x * x + y * y) / (2 * w * w)) for w in widths]
    assert max(spectral_noise(stamp / stamp.sum()) for stamp in stamps) < 1e-6
    assert automatic_floor(*(stamp / stamp.sum() for stamp in stamps)) < 5e-5


@pytest.mark.parametrize("noise", [2e-6, 1e-4])
def test_the_noise_of_a_stamp_is_measured_from_its_rim(noise: float) -> None:
    y, x = np.mgrid[:25, :25] - 12
    stamp = np.exp(-(x * x + y * y) / (2 * 2.0**2))
    stamp += noise * np.random.default_rng(4).standard_normal(stamp.shape)
    expected = noise / stamp.sum() * stamp.shape[0]  # rms of the spectrum of white noise
    assert spectral_noise(stamp / stamp.sum()) == pytest.approx(expected, rel=0.4)


def test_the_floor_leaves_s_to_the_bit(pair: tuple[Exposure, Exposure]) -> None:
    with_floor = subtract(pair, ZogyConfig(frequencyFloor=0.01, workingPrecision="double"))
    without = subtract(pair, ZogyConfig(frequencyFloor=0.0, workingPrecision="double"))
    np.testing.assert_array_equal(with_floor.scoreExp.image, without.scoreExp.image)
    assert np.abs(with_floor.diffExp.image - without.diffExp.image).max() > 0


# --- 3 and 6: flagged pixels, filled and grown -----------------------------------------------


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


# --- 4: NaN ----------------------------------------------------------------------------------


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


# --- 5: seeds --------------------------------------------------------------------------------


def padding_of(steps: SubtractionPlan, number: int) -> np.ndarray:
    cut = cut_cell(steps, steps.cells[0])
    return (cut.science, cut.template)[number].image


def test_padding_noise_is_the_same_in_both_images_only_under_lsst_rule(
    noise_pair: Factory,
) -> None:
    pair = noise_pair((64, 60), sigmas=(3.0, 3.0))
    corner = np.s_[:10, :10]
    for seed, same in ((None, True), (5, False)):
        steps = layout(pair, noiseSeed=seed, padSky=False)
        first, second = (padding_of(steps, n)[corner] for n in (0, 1))
        assert (np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.99) == same


def test_one_seed_gives_one_result_and_another_seed_another(noise_pair: Factory) -> None:
    pair = noise_pair((64, 60))
    first, again, other = (subtract(pair, ZogyConfig(noiseSeed=s)).scorr for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


# --- 7: padded sizes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizing", "most"), [("powerOfTwo", 8192), ("fast", 1.01 * 4146), ("exact", 4146)]
)
def test_padded_size_of_a_large_frame(sizing: str, most: float) -> None:
    (cell,) = generate_grid(Box(0, 0, 4096, 4096), (25, 25), (4096, 4096), sizing=sizing)
    assert cell.outer.shape == (padded_length(4146, sizing),) * 2
    assert 4146 <= cell.outer.width <= most
    assert cell.outer.width % 2 == 0
    assert (cell.outer.width == 8192) == (sizing == "powerOfTwo")


@pytest.mark.parametrize("sizing", ["powerOfTwo", "fast", "exact"])
def test_the_padded_size_does_not_change_scorr_inside(noise_pair: Factory, sizing: str) -> None:
    pair = noise_pair((140, 131))
    inner = np.s_[30:-30, 30:-30]
    expected = subtract(pair, ZogyConfig(fftSizing="exact")).scorr[inner]
    scorr = subtract(pair, ZogyConfig(fftSizing=sizing)).scorr[inner]
    # Only what the kernels carry across 30 px of padding noise: nothing.
    np.testing.assert_allclose(scorr, expected, rtol=0, atol=1e-6)


# --- 9 and blendCells: varying PSFs ----------------------------------------------------------


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


# --- 10: P_D cropped -------------------------------------------------------------------------


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


# --- 11: sky left in -------------------------------------------------------------------------


def test_sky_left_in_makes_edges_unless_the_padding_lies_around_it(
    pair: tuple[Exposure, Exposure],
) -> None:
    skies = tuple(e.replace(image=e.image + s) for e, s in zip(pair, (300.0, 200.0), strict=True))

    def edge(**settings: object) -> float:
        scorr = subtract(skies, ZogyConfig(**settings)).scorr
        return float(
            np.abs(
                np.concatenate([scorr[:6].ravel(), scorr[:, :6].ravel()]) - np.median(scorr)
            ).max()
        )

    assert edge(padSky=False, background="none") > 11
    assert edge(padSky=True, background="none") < 5
    assert edge(padSky=False, background="auto") < 5
    assert edge(padSky=False, background="constant") < 5


def test_auto_background_leaves_a_subtracted_sky_alone(pair: tuple[Exposure, Exposure]) -> None:
    assert layout(pair).science.sky == 0.0
    raised = (pair[0].replace(image=pair[0].image + 50.0), pair[1])
    steps = layout(raised)
    assert steps.science.sky == pytest.approx(50.0, abs=0.1)
    assert "SKY_SUBTRACTED" in {f.name for f in run(steps).cells[0].flags}


# --- 12: fallbacks and positions -------------------------------------------------------------


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


# --- 8: one bad cell -------------------------------------------------------------------------


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


# --- 13: borders -----------------------------------------------------------------------------


def test_the_border_is_ten_sigma_or_the_largest_stamp(noise_pair: Factory) -> None:
    assert layout(noise_pair(widths=(1.8, 1.3), sides=(25, 21))).border == 25
    wide = layout(noise_pair(widths=(3.0, 1.3), sides=(25, 21)))
    assert wide.border == int(10 * max(wide.psf_sigma))
    assert 28 <= wide.border <= 30


@pytest.mark.parametrize(
    ("settings", "border"),
    [
        ({"borderScale": 20.0}, 35),
        ({"borderScale": 1.0}, 25),
        ({"minBorder": 60}, 60),
        ({"minBorder": 3}, 25),
        ({"borderSize": 7}, 7),
        ({"borderSize": 0}, 0),
        ({"borderSize": 7, "minBorder": 60}, 7),
    ],
)
def test_border_settings_do_what_they_say(
    noise_pair: Factory, settings: dict[str, object], border: int
) -> None:
    steps = layout(noise_pair(), **settings)
    assert steps.border == border
    for cell in steps.cells:
        assert cell.inner.x0 - cell.outer.x0 >= border
        assert cell.outer.end_y - cell.inner.end_y >= border


def test_a_border_shorter_than_the_kernels_is_flagged(noise_pair: Factory) -> None:
    short = subtract(noise_pair(), ZogyConfig(borderSize=2)).cells[0]
    assert "BORDER_SHORT" in {flag.name for flag in short.flags}
    usual = subtract(noise_pair(), ZogyConfig()).cells[0]
    assert "BORDER_SHORT" not in {flag.name for flag in usual.flags}


@pytest.mark.parametrize(
    ("settings", "field"), [({"borderScale": 1.0}, "minBorder"), ({"borderSize": 2}, "borderSize")]
)
def test_the_advice_on_a_short_border_helps(
    noise_pair: Factory, settings: dict[str, object], field: str
) -> None:
    pair = noise_pair(widths=(3.0, 1.0), sides=(9, 9))

    def short(**changes: object) -> list[Flag]:
        (cell,) = subtract(pair, ZogyConfig(**settings | changes)).cells
        return [flag for flag in cell.flags if flag.name == "BORDER_SHORT"]

    (flag,) = short()
    wanted = re.fullmatch(rf"Raise {field} to at least (\d+) px\.", flag.advice)
    assert wanted
    assert not short(**{field: int(wanted[1])})


def test_the_smallest_padded_side_is_kept(noise_pair: Factory) -> None:
    (cell,) = layout(noise_pair(), minTotalDims=301, fftSizing="exact").cells
    assert cell.outer.shape == (302, 302)


@pytest.mark.parametrize("fill", ["noise", "mirror", "zero"])
def test_padding_is_filled_as_asked(noise_pair: Factory, fill: str) -> None:
    pair = noise_pair((64, 60))
    steps = layout(pair, padFill=fill, padSky=False, background="none")
    padded, outer = padding_of(steps, 0), steps.cells[0].outer
    above = padded[: -outer.y0, -outer.x0 : -outer.x0 + 60]
    if fill == "zero":
        assert not above.any()
    elif fill == "mirror":
        np.testing.assert_array_equal(above[::-1], pair[0].image[1 : 1 + len(above)])
    else:
        assert above.std() == pytest.approx(3.0, rel=0.1)
    np.testing.assert_array_equal(padded[steps.bbox.slices((outer.x0, outer.y0))], pair[0].image)
    assert np.isfinite(forward(padded)).all()
