"""DS9 regions dropped on the page are marked on the images."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from astropy.wcs import WCS

from tests.ui.conftest import make_exposure
from zogy_explorer.errors import InputError
from zogy_explorer.io.detections import detection_regions
from zogy_explorer.io.region_points import read_region_points
from zogy_explorer.ui.page import Page
from zogy_explorer.ui.wall.palettes import DARK, LIGHT, halo_of
from zogy_explorer.ui.wall.points import PointMark, PointMarks

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")

IMAGE = """# Region file format: DS9
image
circle(31,41,5) # text={first}
box(11,12,4,4,0)
polygon(1,1,5,1,5,5,1,5)
line(1,1,3,5)
point(21,31)
"""


def test_centres_are_zero_based_and_on_the_frames_grid():
    points = read_region_points(IMAGE, "a.reg", xy0=(100, 200))
    found = [(p.x, p.y) for p in points]
    assert found == [(130, 240), (110, 211), (102, 202), (101, 202), (120, 230)]
    assert points[0].label == "first"


def test_sky_positions_go_through_the_wcs():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [150, 2], [11, 21], [-1e-4, 1e-4]
    text = '# Region file format: DS9\nicrs\ncircle(150.0,2.0,5")\n'
    (point,) = read_region_points(text, "sky.reg", wcs=wcs)
    assert (point.x, point.y) == pytest.approx((10, 20), abs=1e-6)
    with pytest.raises(InputError, match=r"sky\.reg has sky positions but .* has no WCS"):
        read_region_points(text, "sky.reg")


def test_no_region_file_is_refused_in_words():
    with pytest.raises(InputError, match="save it from DS9 as a region file"):
        read_region_points("once upon a time", "tale.reg")


def test_dropped_regions_are_marked_until_they_are_cleared(session):
    page = Page(session)
    page.sidebar.uploads.dropper.value = {"list.reg": IMAGE.encode()}
    assert [mark.x for mark in page.wall.marks] == [30, 10, 2, 1, 20]
    assert "5 regions of list.reg marked" in session.notices[-1].text
    assert page.sidebar.unmark.visible
    page.sidebar.unmark.clicks += 1
    assert page.wall.marks == ()
    assert not page.sidebar.unmark.visible


def test_a_bad_region_file_is_one_sentence_and_the_marks_stay(session):
    page = Page(session)
    session.studies.importing.mark(IMAGE.encode(), "list.reg")
    session.studies.importing.mark(b"\xff\xfe\x00", "broken.reg")
    assert "broken.reg is not text" in session.alert
    assert len(page.wall.marks) == 5


def test_marks_belong_to_the_pair_they_were_dropped_on(session, pair):
    page = Page(session)
    session.studies.importing.mark(IMAGE.encode(), "list.reg")
    session.open_exposures(pair[0], make_exposure(4, 1.3))  # as when the template is moved
    assert len(page.wall.marks) == 5
    session.open_exposures(make_exposure(3, 1.6), pair[1])
    assert page.wall.marks == ()
    assert session.imported is None
    assert not page.sidebar.unmark.visible


def sky_exposures(ra):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [ra, 2], [61, 49], [-1e-4, 1e-4]
    return make_exposure(1, 1.6, wcs=wcs), make_exposure(2, 1.3, wcs=wcs)


def test_regions_on_the_sky_are_marked_on_the_next_pair_if_they_lie_there(session):
    page = Page(session)
    session.open_exposures(*sky_exposures(150.0))
    content = b'# Region file format: DS9\nicrs\ncircle(150.0,2.0,1")\nimage\npoint(3,4)\n'
    session.studies.importing.mark(content, "sky.reg")
    assert len(page.wall.marks) == 2
    session.open_exposures(*sky_exposures(150.001))
    (mark,) = page.wall.marks
    assert (mark.x, mark.y) == pytest.approx((70, 48), abs=0.1)
    assert page.sidebar.unmark.visible
    session.open_exposures(*sky_exposures(10.0))
    assert page.wall.marks == ()
    assert session.imported is None


def test_regions_keep_their_shape_and_size():
    text = (
        "# Region file format: DS9\nimage\ncircle(31,41,5) # dash=1\nbox(11,12,8,4,90)\n"
        "ellipse(11,12,8,4,0)\nannulus(21,21,3,6)\nline(1,1,3,5)\npoint(21,31)\n"
    )
    circle, box, ellipse, ring, line, point = read_region_points(text, "a.reg", xy0=(100, 200))
    ((x, y),) = circle.outlines
    assert np.hypot(np.subtract(x, 130), np.subtract(y, 240)) == pytest.approx(5.0)
    ((x, y),) = box.outlines
    assert (min(x), max(x), min(y), max(y)) == pytest.approx((108, 112, 207, 215))
    ((x, y),) = ellipse.outlines
    assert (min(x), max(x), min(y), max(y)) == pytest.approx((102, 118, 207, 215))
    assert [max(x) - 120 for x, _ in ring.outlines] == pytest.approx([3, 6])
    assert line.outlines == (((100.0, 102.0), (200.0, 204.0)),)
    assert point.outlines == ()
    assert (circle.dashed, box.dashed) == (True, False)


def test_exported_detections_come_back_with_colour_size_and_text(session):
    page = Page(session)
    table = QTable(
        {
            "id": [1, 2], "x": [30.0, 60.0] * u.pix, "y": [40.0, 50.0] * u.pix,
            "scorr": [8.25, -6.5], "sign": [1, -1], "flags": ["", "EDGE"],
        }
    )  # fmt: skip
    content = detection_regions(table, radius=7.0).serialize(format="ds9").encode()
    session.studies.importing.mark(content, "detections.reg")
    brighter, fainter = page.wall.marks
    assert (brighter.color, fainter.color) == ("cyan", "magenta")
    assert brighter.text == "1: +8.2"
    assert brighter.extent == pytest.approx(14.0, rel=1e-3)
    drawn = page.wall.overlays.points.outlines
    assert drawn.lines.data["color"][2:] == ["cyan", "magenta"]
    assert drawn.texts.data["text"] == ["1: +8.2", "2: -6.5"]
    page.sidebar.unmark.clicks += 1
    assert drawn.lines.data["xs"] == []


def test_a_shape_that_is_too_small_on_the_screen_has_a_marker():
    marks = PointMarks(DARK)
    square = ((0.0, 10.0, 10.0), (0.0, 0.0, 10.0))
    marks.show("regions", [PointMark(5, 5, outlines=(square,), color="cyan")])
    assert marks.source.data["x"] == []
    marks.follow(4.0)
    assert marks.source.data["x"] == [5, 5]
    marks.follow(0.5)
    assert marks.source.data["x"] == []


def test_halos_are_light_below_dark_colours_and_there_is_none_of_an_unknown_colour():
    assert halo_of("cyan") == halo_of("#00ff00") == DARK.selection_halo
    assert halo_of("blue") == LIGHT.selection_halo
    assert halo_of("no such colour") is None
    assert halo_of("#12") is None
