"""DS9 regions dropped on the page are marked on the images."""

from __future__ import annotations

import pytest
from astropy.wcs import WCS

from zogy_explorer.errors import InputError
from zogy_explorer.io.region_points import read_region_points
from zogy_explorer.ui.imported import mark_regions
from zogy_explorer.ui.page import Page

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
    mark_regions(session, IMAGE.encode(), "list.reg")
    mark_regions(session, b"\xff\xfe\x00", "broken.reg")
    assert "broken.reg is not text" in session.alert
    assert len(page.wall.marks) == 5


def test_marks_belong_to_the_pair_they_were_dropped_on(session, pair):
    page = Page(session)
    mark_regions(session, IMAGE.encode(), "list.reg")
    session.open_exposures(*pair)
    assert page.wall.marks == ()
