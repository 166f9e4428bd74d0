"""Moving an exposure by a fraction of a pixel: sources, noise, masks, sky positions."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, make_pair, plan, run
from zogy_explorer.diagnostics import measure_registration
from zogy_explorer.errors import InputError
from zogy_explorer.prepare import shift_exposure


def gaussian(shape: tuple[int, int], x: float, y: float, width: float) -> np.ndarray:
    rows, columns = np.indices(shape)
    r2 = (rows - y) ** 2 + (columns - x) ** 2
    return np.exp(-r2 / (2 * width**2)) / (2 * np.pi * width**2)


def exposure(image: np.ndarray, sigma: float = 1.0, width: float = 1.5) -> Exposure:
    return Exposure(
        image,
        variance=np.full(image.shape, sigma**2, image.dtype),
        psf=KernelPsf(gaussian((21, 21), 10, 10, width)),
    )


@pytest.mark.parametrize(("dx", "dy"), [(0.5, 0.5), (-0.3, 0.7), (2.4, -3.6), (0.0, 0.5), (3, -2)])
@pytest.mark.parametrize("shape", [(60, 61), (61, 60)])
def test_a_star_goes_where_it_is_sent(shape: tuple[int, int], dx: float, dy: float) -> None:
    width = 2.0 / 2.3548
    moved = shift_exposure(exposure(1e4 * gaussian(shape, 30, 31, width)), dx, dy)
    expected = 1e4 * gaussian(shape, 30 + dx, 31 + dy, width)
    known = np.isfinite(moved.image)
    assert abs(moved.image - expected)[known].max() < 0.004 * expected.max()
    assert np.nansum(moved.image) == pytest.approx(1e4, rel=1e-4)


def test_whole_pixels_move_as_they_are() -> None:
    rng = np.random.default_rng(1)
    given = exposure(rng.normal(0, 1, (20, 30)).astype(np.float32))
    given.mask[3, 4] = 5
    moved = shift_exposure(given, 2, -1)
    np.testing.assert_array_equal(moved.image[:-1, 2:], given.image[1:, :-2])
    np.testing.assert_array_equal(moved.variance[:-1, 2:], given.variance[1:, :-2])
    assert moved.mask[2, 6] == 5
    assert moved.image.dtype == np.float32
    back = shift_exposure(given, 0, 0)
    np.testing.assert_array_equal(back.image, given.image)
    np.testing.assert_array_equal(back.mask, given.mask)


def test_what_comes_from_beyond_the_frame_is_missing() -> None:
    moved = shift_exposure(exposure(np.ones((20, 30))), 1.5, -0.25)
    outside = np.zeros((20, 30), bool)
    outside[:, :2] = outside[-1] = True
    np.testing.assert_array_equal(np.isnan(moved.image), outside)
    np.testing.assert_array_equal(np.isnan(moved.variance), outside)
    np.testing.assert_array_equal(moved.masked(["NO_DATA"]), outside)


def test_a_defect_does_not_ring_and_marks_the_pixels_that_it_touches() -> None:
    image = np.zeros((31, 31))
    image[15, 15], image[8, 20] = 1e5, np.nan
    given = exposure(image)
    given.mask[15, 15] |= 1 << given.mask_planes["CR"]
    moved = shift_exposure(given, 0.5, 0.0)
    assert np.nanmax(abs(moved.image)) < 1e-6
    assert set(zip(*np.nonzero(moved.masked(["CR"])), strict=True)) == {(15, 15), (15, 16)}
    assert moved.masked(["NO_DATA"])[8, 20:22].all()
    assert np.isfinite(moved.image[:, 1:]).all()


def test_the_given_exposure_is_not_changed() -> None:
    rng = np.random.default_rng(2)
    given = exposure(rng.normal(0, 1, (30, 30)))
    image, mask = given.image.copy(), given.mask.copy()
    shift_exposure(given, 0.4, 1.0)
    np.testing.assert_array_equal(given.image, image)
    np.testing.assert_array_equal(given.mask, mask)


def test_sources_keep_their_sky_positions() -> None:
    science, _, _ = make_pair(1, (64, 64))
    moved = shift_exposure(science, 0.6, -1.2)
    before = science.wcs.pixel_to_world(20.0, 30.0)
    after = moved.wcs.pixel_to_world(20.6, 28.8)
    assert before.separation(after).arcsec < 1e-6


def test_interpolation_lowers_the_noise_of_pixels_but_not_of_s() -> None:
    """Why the variance plane is not lowered: S weighs the frequencies that keep their noise."""
    rng = np.random.default_rng(3)
    pair = [exposure(rng.normal(0, 1, (400, 400)), width=w) for w in (1.5, 1.2)]
    moved = shift_exposure(pair[1], 0.5, 0.5)
    assert np.nanstd(moved.image) == pytest.approx(0.836, abs=0.01)
    result = run(plan(pair[0], moved, ZogyConfig(background="none")))
    inside = result.scorr[30:-30, 30:-30]
    assert inside.std() == pytest.approx(1, abs=0.025)


def test_registering_a_pair_by_its_measured_shift_leaves_none() -> None:
    rng = np.random.default_rng(4)
    shape = (200, 200)
    images = [rng.normal(0, sigma, shape) for sigma in (3.0, 2.0)]
    for x, y in np.array(np.meshgrid(range(20, 200, 40), range(20, 200, 40))).reshape(2, -1).T:
        at = np.array([x, y]) + rng.uniform(-3, 3, 2)
        images[0] += 2e4 * gaussian(shape, at[0] + 0.43, at[1] - 0.21, 1.8)
        images[1] += 2e4 * gaussian(shape, *at, 1.5)
    science, template = exposure(images[0], 3.0, 1.8), exposure(images[1], 2.0, 1.5)
    before = measure_registration(science, template)
    np.testing.assert_allclose(before.shift, (0.43, -0.21), atol=0.005)
    moved = shift_exposure(template, *before.shift)
    after = measure_registration(science, moved)
    np.testing.assert_allclose(after.shift, (0, 0), atol=0.005)
    config = ZogyConfig(background="none")
    plain, registered = (run(plan(science, t, config)).scorr for t in (template, moved))
    assert abs(plain).max() > 50
    assert abs(registered[10:-10, 10:-10]).max() < 6


@pytest.mark.parametrize(
    ("dx", "dy", "rule"),
    [
        (np.nan, 0, "finite numbers"),
        (0, np.inf, "finite numbers"),
        (30, 0, "smaller than the frame"),
        (0, -25, "smaller than the frame"),
    ],
)
def test_a_shift_that_leaves_nothing_is_refused(dx: float, dy: float, rule: str) -> None:
    with pytest.raises(InputError, match=rule):
        shift_exposure(exposure(np.zeros((25, 30))), dx, dy)


@pytest.mark.parametrize("variance", [None, np.nan])
def test_an_exposure_without_known_variance_is_moved(variance: float | None) -> None:
    given = Exposure(np.zeros((20, 20)))
    if variance is not None:
        given = given.replace(variance=np.full((20, 20), variance))
    moved = shift_exposure(given, 0.5, 0.0)
    assert (moved.variance is None) == (variance is None)
