"""Values along a line and around a position."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer.diagnostics.profiles import (
    line_box,
    line_cut,
    peak_near,
    psf_amplitude,
    radial_profile,
)
from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box


def gaussian(sigma, shape=(31, 31), at=(15.0, 15.0)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    r2 = (x - at[0]) ** 2 + (y - at[1]) ** 2
    return np.exp(-r2 / (2 * sigma**2)) / (2 * np.pi * sigma**2)


def test_a_cut_along_a_row_gives_the_row():
    plane = np.arange(20.0).reshape(4, 5)
    cut = line_cut({"a": plane}, Box(10, 20, 5, 4), (10, 22), (14, 22))
    assert cut.values["a"] == pytest.approx(plane[2])
    assert cut.distance == pytest.approx([0, 1, 2, 3, 4])


def test_a_slanted_cut_interpolates_a_slope_exactly_and_is_nan_off_the_image():
    y, x = np.mgrid[:30, :40]
    cut = line_cut({"a": 2.0 * x - y}, Box(0, 0, 40, 30), (3.5, 2.25), (50, 20))
    inside = cut.x <= 39
    assert cut.values["a"][inside] == pytest.approx(2 * cut.x[inside] - cut.y[inside])
    assert np.isnan(cut.values["a"][~inside]).all()


def test_a_line_without_length_is_refused():
    with pytest.raises(InputError, match="draw a longer one"):
        line_cut({}, Box(0, 0, 5, 5), (1, 1), (1, 1))


def test_a_line_beside_the_image_has_no_box():
    assert line_box(Box(0, 0, 10, 10), (30, 30), (40, 40)) is None
    assert line_box(Box(0, 0, 10, 10), (-5, 4), (40, 6)).width == 10


def test_the_profile_of_a_gaussian_is_the_gaussian():
    found = radial_profile(gaussian(3.0), 15, 15, 8)
    expected = np.exp(-(found.radius**2) / 18) / (18 * np.pi)
    assert found.profile == pytest.approx(expected, rel=0.05)
    assert np.isnan(found.error).all()


def test_the_origin_shifts_the_centre_and_nan_pixels_are_left_out():
    plane = gaussian(3.0)
    plane[15, 17] = np.nan
    shifted = radial_profile(plane, 115, 215, 8, origin=(100, 200), variance=np.ones((31, 31)))
    assert shifted.profile == pytest.approx(
        radial_profile(gaussian(3.0), 15, 15, 8).profile, rel=0.05
    )
    assert np.isfinite(shifted.error).all()
    assert shifted.error[-1] < shifted.error[0]


def test_an_image_without_a_pixel_has_no_profile():
    assert np.isnan(radial_profile(np.full((9, 9), np.nan), 4, 4, 3).profile).all()


@pytest.mark.parametrize(("x", "y", "radius"), [(40, 5, 5), (5, 5, 0.5), (np.nan, 5, 5)])
def test_a_centre_off_the_image_or_no_radius_is_refused(x, y, radius):
    with pytest.raises(InputError):
        radial_profile(gaussian(3.0), x, y, radius)


def test_the_brightest_spot_near_a_position_is_found_to_a_fraction_of_a_pixel():
    plane = gaussian(1.5, at=(17.3, 12.6))
    assert peak_near(plane, 115, 214, 5, origin=(100, 200)) == pytest.approx(
        (117.3, 212.6), abs=0.15
    )
    assert peak_near(np.full((9, 9), np.nan), 4, 4, 2) == (4, 4)


def test_the_amplitude_of_a_scaled_psf_is_the_scale():
    psf = radial_profile(gaussian(2.0), 15, 15, 10)
    star = radial_profile(250 * gaussian(2.0), 15, 15, 8)
    assert psf_amplitude(star, psf) == pytest.approx(250)
