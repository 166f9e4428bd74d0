"""Limits, stretches, mask codes, sky positions and views: the wall without a page."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS

from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box
from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.ui.wall.display import DisplaySettings
from zogy_explorer.ui.wall.mask_codes import MaskCodes
from zogy_explorer.ui.wall.palettes import plane_color
from zogy_explorer.ui.wall.sky import sexagesimal, sky_position, tangent_plane
from zogy_explorer.ui.wall.stretch import Stretch, diverging_limits, sky_limits
from zogy_explorer.ui.wall.viewport import box_view, differs, fitted, paint_window

STRETCHES = ["linear", "asinh", "sqrt", "log"]


@pytest.mark.parametrize("name", STRETCHES)
def test_levels_give_their_values_back_to_half_a_level(name):
    stretch = Stretch(-20.0, 300.0, name)
    values = np.linspace(-20, 300, 5000, dtype=np.float32)
    levels = stretch.levels(values)
    table = stretch.table()
    half_step = np.diff(table[1:], append=table[-1] + np.diff(table[-2:]))[levels - 1]
    before = np.diff(table[1:], prepend=table[1])[levels - 1]
    assert np.all(np.abs(stretch.values(levels) - values) <= np.maximum(half_step, before) + 1e-3)
    assert np.all(np.diff(levels.astype(int)) >= 0)
    assert (levels.min(), levels.max()) == (1, 255)


@pytest.mark.parametrize("name", STRETCHES)
def test_levels_of_levels_are_the_same_levels(name):
    stretch = Stretch(1.0, 9.0, name)
    levels = np.arange(1, 256, dtype=np.uint8)
    np.testing.assert_array_equal(stretch.levels(stretch.values(levels)), levels)


def test_no_data_is_level_zero_and_infinities_are_clipped():
    levels = Stretch(0, 1, "log").levels(np.array([np.nan, -np.inf, np.inf, -5, 5], np.float32))
    assert levels.tolist() == [0, 1, 255, 1, 255]
    assert np.isnan(Stretch(0, 1).table()[0])


def test_zero_is_in_the_middle_of_diverging_limits():
    assert Stretch(-3, 3).levels(np.zeros(1, np.float32)).tolist() == [128]


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (0, np.inf), (np.nan, 1)])
def test_limits_that_are_none_are_refused(low, high):
    with pytest.raises(InputError, match="display limits"):
        Stretch(low, high)


def test_limits_are_those_asked_for():
    values = np.random.default_rng(1).normal(100, 5, 20_000)
    values[:50] = np.nan
    values[50:60] = 1e6
    low, high = sky_limits(values, "sigma", n_sigma=3)
    assert (low, high) == pytest.approx((85, 115), abs=0.6)
    assert sky_limits(values, "percentile", percentile=90) == pytest.approx((91.8, 108.2), abs=0.5)
    low, high = sky_limits(values, "zscale")
    assert 75 < low < 95
    assert 105 < high < 140
    assert diverging_limits(values - 100, 4) == pytest.approx((-20, 20), abs=1)


@pytest.mark.parametrize("how", ["zscale", "percentile", "sigma"])
def test_flat_images_still_have_limits(how):
    low, high = sky_limits(np.full(100, 7.0), how)
    assert low < 7 < high
    assert diverging_limits(np.zeros(100), 5) == (-5, 5)


def test_nothing_has_no_limits():
    assert sky_limits(np.full(9, np.nan), "zscale") is None
    assert diverging_limits(np.empty(0), 5) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"percentile": 0}, "percentile"),
        ({"diverging_sigma": -1}, "diverging_sigma"),
        ({"mask_opacity": 2}, "mask_opacity"),
        ({"sky_limits": "manual"}, "manual limits"),
        ({"sky_limits": "manual", "manual_limits": (3, 2)}, "manual limits"),
    ],
)
def test_display_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        DisplaySettings(**changes)


def test_mask_codes_name_every_plane():
    codes = MaskCodes(MASK_PLANES)
    mask = np.array([[0, 2, 2 | 32], [32, 1 << 14, 2]], np.int32)
    out = codes.encode(mask)
    names = codes.names()
    assert [[names[k] for k in row] for row in out] == [
        ["", "SAT", "SAT DETECTED"],
        ["DETECTED", "bit 14", "SAT"],
    ]
    assert codes.present(out) == ["SAT", "DETECTED"]


def test_mask_codes_keep_their_meaning_as_more_are_met():
    codes = MaskCodes(MASK_PLANES)
    first = codes.encode(np.array([[4, 8]], np.int32))
    codes.encode(np.array([[1, 3, 9]], np.int32))
    np.testing.assert_array_equal(codes.encode(np.array([[4, 8]], np.int32)), first)


def test_the_topmost_plane_that_is_not_hidden_colours_a_pixel():
    codes = MaskCodes(MASK_PLANES)
    code = int(codes.encode(np.array([[2 | 32]], np.int32))[0, 0])
    assert codes.palette()[code] == plane_color("SAT")
    assert codes.palette(hidden={"SAT"})[code] == plane_color("DETECTED")
    assert codes.palette(hidden={"SAT", "DETECTED"}, clean="#123456")[code] == "#123456"
    assert codes.palette()[0].endswith("00")


def test_mask_codes_take_high_bits_and_too_many_combinations():
    planes = {"ONE": 0, "TOP": 31}
    codes = MaskCodes(planes)
    out = codes.encode(np.array([[-(2**31), -(2**31) | 1, 0]], np.int32))
    assert [codes.names()[k] for k in out[0]] == ["TOP", "ONE TOP", ""]
    many = MaskCodes({f"P{k}": k for k in range(12)})
    out = many.encode(np.arange(4096, dtype=np.int32).reshape(64, 64))
    assert out[0, 0] == 1
    assert out.min() == 1
    assert len(many.palette()) == 256


def _wcs(crval=(150.1, 2.2), angle=20.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = crval
    wcs.wcs.crpix = [40, 700]
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.cd = np.array([[-c, s], [s, c]]) * 0.25 / 3600
    return wcs


@pytest.mark.parametrize("crval", [(150.1, 2.2), (0.001, -60.0), (10.0, 89.5)])
def test_the_browsers_plane_agrees_with_the_wcs(crval):
    box = Box(1000, -50, 2000, 1500)
    wcs = _wcs(crval)
    x0, y0, ra0, dec0, a, b, c, d = tangent_plane(wcs, box)
    for x, y in [(1000, -50), (2999, 1449), (1700, 300)]:
        xi, eta = a * (x - x0) + b * (y - y0), c * (x - x0) + d * (y - y0)
        below = np.cos(np.radians(dec0)) - eta * np.sin(np.radians(dec0))
        ra = ra0 + np.degrees(np.arctan2(xi, below))
        dec = np.degrees(
            np.arctan2(
                np.sin(np.radians(dec0)) + eta * np.cos(np.radians(dec0)), np.hypot(xi, below)
            )
        )
        exact = sky_position(wcs, box, x, y)
        off_ra = ((ra - exact[0] + 180) % 360 - 180) * np.cos(np.radians(dec)) * 3600
        assert abs(off_ra) < 0.05
        assert abs(dec - exact[1]) * 3600 < 0.05


def test_no_wcs_is_no_position():
    assert tangent_plane(None, Box(0, 0, 5, 5)) == []
    assert tangent_plane(WCS(naxis=2), Box(0, 0, 5, 5)) == []
    assert sky_position(None, Box(0, 0, 5, 5), 1, 1) is None


@pytest.mark.parametrize(
    ("ra", "dec", "text"),
    [
        (150.0, 2.5, "10:00:00.000 +02:30:00.00"),
        (359.9999999, -0.0001, "00:00:00.000 −00:00:00.36"),
        (0.0, -89.99999999, "00:00:00.000 −90:00:00.00"),
    ],
)
def test_positions_are_written_in_sixties(ra, dec, text):
    assert sexagesimal(ra, dec) == text


def test_a_fitted_view_has_square_pixels_and_shows_what_is_wanted():
    view = fitted((10, 20, 110, 60), 400, 300)
    assert (view[2] - view[0]) / 400 == pytest.approx((view[3] - view[1]) / 300)
    assert view[0] <= 10
    assert view[1] <= 20
    assert view[2] >= 110
    assert view[3] >= 60
    assert not differs(view, fitted(view, 400, 300))


def test_zoomed_in_image_pixels_are_painted_as_they_are():
    window = paint_window((10.2, 10.2, 20.2, 20.2), 400, 400, Box(0, 0, 100, 100), 0)
    assert window.region == (9.5, 9.5, 20.5, 20.5)
    assert window.shape == (11, 11)


def test_zoomed_out_the_lattice_hangs_on_the_image():
    box = Box(0, 0, 4000, 3000)
    one = paint_window((500, 500, 1500, 1250), 400, 300, box, 0)
    other = paint_window((501, 501, 1501, 1251), 400, 300, box, 0)
    assert (other.region[0] - one.region[0]) % 2.5 == pytest.approx(0)
    assert one.shape[1] == pytest.approx(400, abs=2)


def test_nothing_is_painted_of_an_image_out_of_view():
    assert paint_window((500, 500, 600, 600), 400, 400, Box(0, 0, 100, 100), 0.1) is None
    assert box_view(Box(0, 0, 10, 20), 0.5) == (-10.5, -10.5, 19.5, 29.5)
