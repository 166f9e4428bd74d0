"""DS9 regions are put on an image where `regions` puts them one by one, all at once."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS
from regions import Regions

from zogy_explorer.errors import InputError
from zogy_explorer.io.region_points import read_region_points, region_points
from zogy_explorer.io.region_shapes import read_region_shapes

SKY = """# Region file format: DS9
icrs
circle(150.003,2.002,3") # text={a} dash=1
ellipse(150.001,1.998,4",2",30)
box(149.998,2.001,6",3",70) # color=cyan
annulus(150.0,2.0,2",5")
ellipse(150.002,2.003,2",1",4",2",20)
polygon(150.0,2.0,150.001,2.0,150.001,2.001)
line(150.0,2.0,150.002,2.001)
point(150.002,1.999)
galactic
circle(236.0712,42.1877,4")
point(236.0713,42.1878)
"""


@pytest.fixture
def wcs():
    """Turned by 25°, 0.36″ a pixel, east to the left."""
    made = WCS(naxis=2)
    made.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    made.wcs.crval, made.wcs.crpix, made.wcs.cdelt = [150, 2], [51, 61], [-1e-4, 1e-4]
    turn = np.radians(25)
    made.wcs.pc = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    return made


def corners(region):
    """Where the width and the height of a pixel region end, and its centre."""
    x, y = region.center.x, region.center.y
    turn = region.angle.to_value("rad")
    ways = (region.width, turn), (region.height, turn + np.pi / 2)
    return [(x + s / 2 * np.cos(a), y + s / 2 * np.sin(a)) for s, a in ways]


def nearest(point, place):
    """How near an outline comes to a place [px]."""
    ((x, y),) = point.outlines
    x, y = (np.interp(np.linspace(0, 1, 4801), np.linspace(0, 1, len(v)), v) for v in (x, y))
    return np.hypot(x - place[0], y - place[1]).min()


def test_all_shapes_lie_where_the_library_puts_them(wcs):
    points = read_region_points(SKY, "a.reg", wcs=wcs)
    placed = [region.to_pixel(wcs) for region in Regions.parse(SKY, format="ds9")]
    assert len(points) == len(placed) == 10
    for point, region in zip(points, placed, strict=True):
        if hasattr(region, "center"):
            assert (point.x, point.y) == pytest.approx((region.center.x, region.center.y), abs=1e-4)
        if hasattr(region, "radius"):
            ((x, y),) = point.outlines
            assert np.hypot(np.subtract(x, point.x), np.subtract(y, point.y)) == pytest.approx(
                region.radius, abs=1e-3
            )
        if hasattr(region, "width"):
            assert [nearest(point, place) for place in corners(region)] == pytest.approx(
                [0, 0], abs=0.02
            )
    ring = placed[3]
    widths = [np.ptp(x) / 2 for x, _ in points[3].outlines]
    assert widths == pytest.approx([ring.inner_radius, ring.outer_radius], rel=2e-3)
    triangle, line = placed[5], placed[6]
    assert points[5].outlines[0][0][:3] == pytest.approx(triangle.vertices.x)
    assert points[5].x == pytest.approx(np.mean(triangle.vertices.x))
    assert points[6].outlines[0][1] == pytest.approx((line.start.y, line.end.y))
    assert points[7].outlines == ()
    assert (points[0].label, points[0].dashed, points[2].color) == ("a", True, "cyan")
    assert all(point.sky for point in points)


def test_positions_begin_at_the_first_pixel_of_the_array(wcs):
    shapes = read_region_shapes(SKY, "a.reg")
    there, here = (region_points(shapes, "a.reg", wcs=wcs, xy0=xy0) for xy0 in ((9, 7), (0, 0)))
    for moved, point in zip(there, here, strict=True):
        assert (moved.x, moved.y) == pytest.approx((point.x + 9, point.y + 7))


def test_angles_are_counted_in_the_frame_of_the_region(wcs):
    """As DS9 does; `regions` 0.12 counts them from the axes of the image's own frame."""
    (line, ellipse) = read_region_points(
        'galactic\nline(236.0712,42.1877,236.0702,42.1877)\nellipse(236.0712,42.1877,9",1",0)\n',
        "a.reg", wcs=wcs,
    )  # fmt: skip
    ((x, y),) = line.outlines
    along = np.arctan2(np.diff(y), np.diff(x))
    ((x, y),) = ellipse.outlines
    far = np.argmax(np.hypot(np.subtract(x, ellipse.x), np.subtract(y, ellipse.y)))
    turn = np.arctan2(y[far] - ellipse.y, x[far] - ellipse.x)
    assert np.sin(turn - along) == pytest.approx(0, abs=1e-3)


def test_all_of_one_frame_go_through_the_wcs_together(wcs, monkeypatch):
    calls = []
    whole = WCS.world_to_pixel
    monkeypatch.setattr(
        WCS, "world_to_pixel", lambda self, *sky: (calls.append(len(sky[0])), whole(self, *sky))[1]
    )
    rows = "".join(f'circle({150 + 1e-5 * number},2,1")\n' for number in range(50))
    shapes = read_region_shapes(f"icrs\n{rows}fk5\n{rows}", "many.reg")
    assert not calls
    assert len(region_points(shapes, "many.reg", wcs=wcs)) == 100
    assert calls == [50 * 50, 50 * 50]  # a centre and 49 points of its circle each


def test_a_pole_and_the_other_side_of_the_sky_do_no_harm(wcs):
    wcs.wcs.crval = [150, 90]
    near, far = read_region_points(
        'icrs\ncircle(10,90,3.6")\ncircle(10,-80,3.6")\n', "a.reg", wcs=wcs
    )
    ((x, y),) = near.outlines
    assert np.hypot(np.subtract(x, 50), np.subtract(y, 60)) == pytest.approx(10, abs=1e-3)
    assert not np.isfinite(far.x)


def test_a_wcs_that_is_not_of_the_sky_is_said():
    with pytest.raises(InputError, match=r"sky\.reg has sky positions but .* has no WCS"):
        read_region_points('icrs\ncircle(10,20,1")\n', "sky.reg", wcs=WCS(naxis=2))
