"""PSF-match residual, Fourier support and stacked residuals of stars."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from zogy_explorer import CallablePsf, Exposure, KernelPsf, ZogyConfig, make_pair, plan, run
from zogy_explorer.diagnostics import (
    fourier_support,
    psf_match,
    psf_match_over_cell,
    stacked_residuals,
)
from zogy_explorer.errors import InputError
from zogy_explorer.masks import MASK_PLANES


def gaussian(sigma: float, side: int = 25) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - side // 2
    stamp = np.exp(-(x * x + y * y) / (2 * sigma**2))
    return stamp / stamp.sum()


def varying_pair(shape: tuple[int, int] = (120, 150), flux: float = 0.0) -> list[Exposure]:
    """The science PSF widens along x; a star of ``flux`` lies at (110, 60) in both, noise-free."""
    science = CallablePsf(lambda x, y: gaussian(1.5 + 0.004 * x))
    pair = []
    for psf, sigma in ((science, 2.0), (KernelPsf(gaussian(1.3)), 1.5)):
        image = np.zeros(shape)
        image[48:73, 98:123] += flux * psf.kernel_image(x=110, y=60)
        pair.append(Exposure(image, variance=sigma**2, psf=psf))
    return pair


def test_the_residual_is_what_d_shows_of_a_constant_star() -> None:
    flux = 1e4
    pair = varying_pair(flux=flux)
    difference = run(plan(*pair, ZogyConfig(background="none", padFill="zero")))
    (cell,) = difference.cells
    match = psf_match(cell, difference.plan, x=110, y=60)
    n = match.residual.shape[0] // 2
    seen = difference.diff.image[60 - n : 60 + n + 1, 110 - n : 110 + n + 1]
    np.testing.assert_allclose(seen, flux * match.residual, atol=1e-9 * flux)
    assert match.peak > 0.02
    np.testing.assert_allclose(match.science_side - match.template_side, match.residual)
    # 5σ in a pixel of D, and in Scorr, at the fluxes that it names
    sigma = np.sqrt(difference.diff.variance[60, 110])
    assert np.abs(seen).max() / sigma == pytest.approx(5 * flux / match.flux_diff, rel=1e-3)
    assert np.abs(difference.scorr).max() == pytest.approx(5 * flux / match.flux_scorr, rel=1e-3)


@pytest.mark.parametrize("stamps", [(25, 21), (24, 21), (20, 30)])
def test_at_the_centre_both_sides_are_p_d(stamps: tuple[int, int]) -> None:
    pair = [
        Exposure(np.zeros((90, 91)), variance=v, psf=KernelPsf(gaussian(w, s)), photo_calib=c)
        for v, w, s, c in zip((4.0, 1.0), (1.8, 1.2), stamps, (0.5, 2.0), strict=True)
    ]
    difference = run(plan(*pair, ZogyConfig(background="none", frequencyFloor=0.0)))
    match = psf_match(difference.cells[0])
    assert match.peak < 1e-6
    assert match.science_side.sum() == pytest.approx(1, abs=1e-3)
    peak = difference.cells[0].psf_diff.max() * difference.cells[0].psf_diff_sum
    assert match.science_side.max() == pytest.approx(peak, rel=1e-6)
    assert match.side_profile[0] == pytest.approx(peak, rel=1e-6)


def test_the_worst_corner_comes_last_and_finer_cells_match_better() -> None:
    def worst(**settings: object) -> float:
        difference = run(plan(*varying_pair((200, 300)), ZogyConfig(background="none", **settings)))
        found = [psf_match_over_cell(cell, difference.plan) for cell in difference.cells]
        for matches in found:
            assert len(matches) == 5
            assert matches[-1].peak == max(match.peak for match in matches)
        return max(matches[-1].peak for matches in found)

    assert worst(doSpatialGrid=True, gridInnerSize=2.0) < 0.5 * worst()


def test_a_place_needs_the_plan_and_the_frame() -> None:
    difference = run(plan(*varying_pair(), ZogyConfig(background="none")))
    with pytest.raises(InputError, match="give its plan"):
        psf_match(difference.cells[0], x=3, y=4)
    with pytest.raises(InputError, match="off the frame"):
        psf_match(difference.cells[0], difference.plan, x=-3, y=4)


def test_support_ends_where_the_stamp_is_noise(subtracted: Callable, sky_pair: Callable) -> None:
    rng = np.random.default_rng(2)
    noise = 3e-6
    pair = [
        e.replace(psf=KernelPsf(gaussian(w, 41) + noise * rng.normal(size=(41, 41))))
        for e, w in zip(sky_pair((120, 120)), (2.4, 1.6), strict=True)
    ]
    support = fourier_support(subtracted(pair).cells[0])
    level = noise * 41  # white noise of a pixel times √pixels
    assert support.noise_science == pytest.approx(level, rel=0.15)
    for width, lost in ((2.4, support.lost_science), (1.6, support.lost_template)):
        expected = np.sqrt(-np.log(level) / 2) / np.pi / width
        assert lost == pytest.approx(expected, rel=0.12)
    assert support.where_lost == support.lost_template
    assert support.share_lost > 0.1
    assert support.floor > 0
    assert support.power_science[0] == pytest.approx(1, abs=0.02)
    assert support.where_floored < 0.6


def test_sharp_psfs_have_support_everywhere(subtracted: Callable, sky_pair: Callable) -> None:
    support = fourier_support(subtracted(sky_pair((100, 100), widths=(0.8, 0.7))).cells[0])
    assert np.isinf(support.where_lost)
    assert np.isinf(support.where_floored)
    assert support.share_lost == 0


STARS = [(x, y) for x in range(30, 290, 40) for y in range(30, 290, 40)]


def star_pair(change: float = 0.0, seed: int = 1) -> list[Exposure]:
    """Stars of different flux in noise, all fainter by a fraction ``change`` in the template."""
    rng = np.random.default_rng(seed)
    fluxes = rng.uniform(2e3, 2e4, len(STARS))
    pair = []
    for width, sigma, scale in ((1.8, 3.0, 1.0), (1.3, 2.0, 1 - change)):
        image = rng.normal(0, sigma, (300, 300))
        for (x, y), flux in zip(STARS, fluxes, strict=True):
            image[y - 12 : y + 13, x - 12 : x + 13] += scale * flux * gaussian(width)
        pair.append(Exposure(image, variance=sigma**2, psf=KernelPsf(gaussian(width))))
    return [*pair, fluxes]


@pytest.mark.parametrize("change", [0.0, 0.02])
def test_the_stack_shows_the_common_fraction_of_the_fluxes(change: float) -> None:
    *pair, fluxes = star_pair(change)
    difference = run(plan(*pair, ZogyConfig(background="none")))
    stack = stacked_residuals(difference, STARS, fluxes)
    assert (stack.n_used, stack.n_left_out) == (len(STARS), 0)
    expected = change * difference.cells[0].psf_diff
    np.testing.assert_allclose(
        stack.diff[12, 12], expected.max(), atol=5 * stack.diff_error[12, 12]
    )
    residual = (stack.diff - expected) / stack.diff_error
    assert residual.std() == pytest.approx(1, abs=5 / np.sqrt(2 * residual.size))
    assert np.median(stack.scatter / stack.diff_error) == pytest.approx(1, abs=0.15)
    assert stack.profile[0] == pytest.approx(stack.diff[12, 12])
    assert stack.scorr[12, 12] == pytest.approx(0, abs=5 * stack.scorr_error[12, 12]) or change
    if change:
        assert stack.chi2 > 1.5
        assert stack.scorr_profile[0] > 5 * stack.scorr_error[12, 12]
    else:
        assert stack.chi2 == pytest.approx(1, abs=0.3)


def test_fluxes_are_fitted_to_the_template_if_not_given() -> None:
    *pair, fluxes = star_pair()
    stack = stacked_residuals(run(plan(*pair, ZogyConfig(background="none"))), STARS)
    np.testing.assert_allclose(stack.flux, fluxes, rtol=0.05)


def test_stars_off_the_frame_or_on_bad_pixels_are_left_out() -> None:
    science, template, fluxes = star_pair()
    mask = np.zeros(science.shape, np.int32)
    x, y = STARS[0]
    mask[y, x] = 1 << MASK_PLANES["SAT"]
    difference = run(plan(science.replace(mask=mask), template, ZogyConfig(background="none")))
    places = [*STARS[:4], (-20, 40), (2, 3)]
    stack = stacked_residuals(difference, places, [*fluxes[:4], 1e4, 1e4])
    assert (stack.n_used, stack.n_left_out) == (4, 2)
    assert np.isfinite(stack.diff).all()
    nothing = stacked_residuals(difference, [])
    assert nothing.n_used == 0
    assert np.isnan(nothing.diff).all()
    assert np.isnan(nothing.chi2)
    with pytest.raises(InputError, match=r"shape \(n, 2\)"):
        stacked_residuals(difference, [1.0, 2.0])
    with pytest.raises(InputError, match="one for each"):
        stacked_residuals(difference, STARS[:2], [1.0])


def test_a_shifted_field_stacks_to_a_dipole() -> None:
    science, template, _ = make_pair(
        seed=3, shape=(256, 256), n_transients=0, n_galaxies=0, defects=False, shift=(0.3, 0.0)
    )
    difference = run(plan(science, template, ZogyConfig()))
    bright = np.argwhere(template.image == maximum(template.image))[:, ::-1]
    bright = [(x, y) for x, y in bright if template.image[y, x] > 300]
    stack = stacked_residuals(difference, bright, radius=6)
    assert stack.n_used > 5
    middle = stack.diff[6]
    assert middle[3:6].mean() * middle[7:10].mean() < 0


def maximum(image: np.ndarray) -> np.ndarray:
    from scipy.ndimage import maximum_filter

    return maximum_filter(image, 11)
