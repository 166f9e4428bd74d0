"""`inject` adds the light it says, where it says, with the noise of that light."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import CallablePsf, Exposure, KernelPsf, make_pair
from zogy_explorer.errors import InputError, MissingDataError
from zogy_explorer.simulate import Moffat, PsfField, inject, render_star

PROFILE = Moffat(3.0, 3.5, 0.15, 0.7, 15)


def blank(
    size: int = 31,
    shape: tuple[int, int] = (101, 120),
    *,
    profile: Moffat = PROFILE,
    dtype: type = np.float64,
    **changes: object,
) -> Exposure:
    psf = KernelPsf(profile.stamp(size))
    return Exposure(np.zeros(shape, dtype=dtype), 4.0, psf=psf, **changes)


@pytest.mark.parametrize("size", [30, 31])
def test_at_a_pixel_centre_the_stamp_is_added_as_it_is(size: int) -> None:
    exposure = blank(size)
    lit = inject(exposure, 60, 50, 1000.0).image
    stamp = exposure.psf.stamp
    low = size // 2
    box = lit[50 - low : 50 - low + size, 60 - low : 60 - low + size]
    np.testing.assert_allclose(box, 1000 * stamp, atol=1e-9)
    assert lit.sum() == pytest.approx(1000)


@pytest.mark.parametrize("size", [30, 31])
@pytest.mark.parametrize(
    ("fwhm", "allowed"), [(4.0, 2e-4), (3.0, 1e-3), (2.5, 2.5e-3), (2.0, 1e-2)]
)
def test_between_pixels_it_is_what_pixel_integration_gives(
    size: int, fwhm: float, allowed: float
) -> None:
    profile = Moffat(fwhm, 3.5, 0.05, 0.3, size // 2 - 0.5)
    for dx, dy in ((0.5, 0.5), (0.3, -0.2), (-0.49, 0.05)):
        lit = inject(blank(size, profile=profile), 60 + dx, 50 + dy, 1000.0).image
        exact = render_star(lit.shape, 60 + dx, 50 + dy, 1000.0, profile)
        assert np.abs(lit - exact).max() < allowed * exact.max()
        assert lit.sum() == pytest.approx(1000)


def test_the_psf_of_the_place_is_used() -> None:
    psf = CallablePsf(lambda x, y: Moffat(2.5 + x / 50, 3.5, 0.0, 0.0, 15).stamp(31))
    exposure = Exposure(np.zeros((101, 220)), 1.0, psf=psf)
    lit = inject(exposure, [40, 180], [50, 50], 1000.0).image
    for x in (40, 180):
        np.testing.assert_allclose(
            lit[35:66, x - 15 : x + 16], 1000 * psf.kernel_image(x=x, y=50), atol=1e-9
        )


def test_positions_are_on_the_pixel_grid_of_the_exposure() -> None:
    lit = inject(blank(xy0=(1000, 500)), 1060, 550, 1000.0).image
    assert np.unravel_index(lit.argmax(), lit.shape) == (50, 60)


def test_arrays_of_positions_take_one_flux_or_one_each() -> None:
    one = inject(blank(), [30, 80], [50, 40], 500.0).image
    each = inject(blank(), [30, 80], [50, 40], [500.0, 700.0]).image
    assert one.sum() == pytest.approx(1000)
    assert each.sum() == pytest.approx(1200)


def test_the_input_is_left_alone_and_shares_nothing() -> None:
    exposure = blank(meta={"GAIN": 2.0})
    lit = inject(exposure, 60, 50, 1000.0, rng=1)
    assert not exposure.image.any()
    assert (exposure.variance == 4).all()
    for plane in ("image", "variance", "mask"):
        assert not np.shares_memory(getattr(lit, plane), getattr(exposure, plane))
    assert lit.meta["NINJECT"] == 1
    assert "NINJECT" not in exposure.meta
    assert inject(lit, [1, 2], [3, 4], 5.0).meta["NINJECT"] == 3


def test_the_header_tells_which_sources_were_injected_after_what_it_told_before() -> None:
    lit = inject(blank(meta={"HISTORY": "flat-fielded"}), [60.25, 30], [50, 40], [1000.0, 2.5])
    assert lit.meta["HISTORY"].split("\n") == [
        "flat-fielded",
        "injected x=60.250 y=50.000 flux=1000",
        "injected x=30.000 y=40.000 flux=2.5",
    ]
    many = inject(blank(), np.full(103, 50.0), np.full(103, 50.0), 1.0).meta
    assert many["NINJECT"] == 103
    lines = many["HISTORY"].split("\n")
    assert (len(lines), lines[-1]) == (101, "injected 3 more, which are not listed")


def test_variance_grows_by_light_over_gain_and_the_light_scatters_by_as_much() -> None:
    exposure, gain = blank(shape=(40, 40)), 0.5
    expected = inject(exposure, 20.3, 19.6, 4000.0, gain=np.inf).image
    pixels = expected > 1
    pulls = []
    for seed in range(40):
        lit = inject(exposure, 20.3, 19.6, 4000.0, rng=seed, gain=gain)
        np.testing.assert_allclose(
            lit.variance - 4, np.maximum(expected, 0) / gain, rtol=1e-9, atol=1e-9
        )
        pulls.append((lit.image - expected)[pixels] / np.sqrt(expected[pixels] / gain))
    pulls = np.array(pulls)
    assert pulls.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * pulls.size))
    assert pulls.mean() == pytest.approx(0.0, abs=4 / np.sqrt(pulls.size))


def test_the_gain_of_the_header_is_used_and_an_argument_wins() -> None:
    exposure = blank(meta={"GAIN": 2.0})
    peak = inject(exposure, 60, 50, 1000.0, gain=np.inf).image.max()
    assert inject(exposure, 60, 50, 1000.0).variance.max() == pytest.approx(4 + peak / 2)
    assert inject(exposure, 60, 50, 1000.0, gain=4).variance.max() == pytest.approx(4 + peak / 4)


def test_without_a_gain_there_is_no_noise_and_the_variance_stays() -> None:
    lit = inject(blank(), 60, 50, 1000.0)
    assert (lit.variance == 4).all()
    assert lit.image.sum() == pytest.approx(1000)


def test_one_seed_gives_one_image() -> None:
    exposure = blank(meta={"GAIN": 2.0})
    first, second, other = (inject(exposure, 60, 50, 900.0, rng=seed).image for seed in (3, 3, 4))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_with_a_generator_for_each_the_noise_of_a_source_does_not_know_the_others() -> None:
    exposure = blank(31, meta={"GAIN": 2.0})

    def streams(n: int) -> list[np.random.Generator]:
        return [np.random.default_rng([5, i]) for i in range(n)]

    alone = inject(exposure, [30], [40], [900.0], rng=streams(1))
    both = inject(exposure, [30, 90], [40, 60], [900.0, 5000.0], rng=streams(2))
    here, there = (slice(None), slice(0, 60)), (slice(None), slice(60, None))
    np.testing.assert_array_equal(both.image[here], alone.image[here])
    np.testing.assert_array_equal(both.variance[here], alone.variance[here])
    expected = inject(exposure, 90, 60, 5000.0, gain=np.inf).image[there]
    lit = expected > 0.5
    pulls = (both.image[there] - expected)[lit] / np.sqrt(expected[lit] / 2)
    assert pulls.std() == pytest.approx(1, abs=4 / np.sqrt(2 * pulls.size))
    with pytest.raises(InputError, match="holds 1 generators for 2 sources"):
        inject(exposure, [30, 90], [40, 60], 900.0, rng=streams(1))


@pytest.mark.parametrize(("x", "y"), [(0, 50), (119.4, 50), (60, -0.5), (60, 100), (0, 0)])
def test_a_source_may_hang_over_the_edge(x: float, y: float) -> None:
    lit = inject(blank(), x, y, 1000.0).image
    exact = render_star(lit.shape, x, y, 1000.0, PROFILE)
    assert 200 < lit.sum() < 700
    np.testing.assert_allclose(lit, exact, atol=2e-3 * exact.max())


def test_missing_pixels_stay_missing_and_types_stay() -> None:
    exposure = blank(dtype=np.float32, meta={"GAIN": 2.0})
    exposure.image[50, 61] = np.nan
    exposure.mask[50, 61] = 1
    lit = inject(exposure, 60, 50, 1000.0, rng=0)
    assert np.isnan(lit.image[50, 61])
    assert lit.mask[50, 61] == 1
    assert (lit.image.dtype, lit.variance.dtype) == (np.float32, np.float32)


def test_no_sources_change_nothing() -> None:
    science, _, _ = make_pair(seed=1, shape=(100, 100))
    same = inject(science, [], [], [])
    np.testing.assert_array_equal(same.image, science.image)


@pytest.mark.parametrize("flux", [0.0, -5.0, np.nan, np.inf])
def test_a_flux_that_is_not_positive_is_refused(flux: float) -> None:
    with pytest.raises(InputError, match=r"flux of an injected source is .* must be positive"):
        inject(blank(), 60, 50, flux)


@pytest.mark.parametrize(("x", "y"), [(-1, 50), (119.6, 50), (60, 100.5), (np.nan, 50)])
def test_a_position_off_the_frame_is_refused(x: float, y: float) -> None:
    with pytest.raises(InputError, match=r"is off the frame 120×101 at \(0, 0\): the centre"):
        inject(blank(), x, y, 1000.0)


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(InputError, match="cannot be combined"):
        inject(blank(), [1, 2, 3], [1, 2], 10.0)


@pytest.mark.parametrize("gain", [0.0, -1.0, np.nan])
def test_a_gain_that_is_not_positive_is_refused(gain: float) -> None:
    with pytest.raises(InputError, match=r"gain is .*: it must be a positive number"):
        inject(blank(), 60, 50, 10.0, gain=gain)


def test_without_a_psf_it_says_what_to_give() -> None:
    with pytest.raises(MissingDataError, match="no PSF"):
        inject(Exposure(np.zeros((9, 9)), 1.0), 4, 4, 10.0)


def test_a_field_of_psfs_is_followed() -> None:
    field = PsfField.over((101, 120), lambda u, v: Moffat(2.6 + u, 3.5, 0.1 * v, 0.0, 15), 31)
    exposure = Exposure(np.zeros((101, 120)), 1.0, psf=field.psf())
    lit = inject(exposure, [30.3, 90.1], [40.6, 70.2], 1000.0).image
    exact = np.zeros((101, 120))
    for x, y in ((30.3, 40.6), (90.1, 70.2)):
        field.add_star(exact, x, y, 1000.0)
    assert np.abs(lit - exact).max() < 3e-3 * exact.max()
