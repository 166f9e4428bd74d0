"""Looking at pixels: cuts, radial profiles, contours, mask planes, compass and scale."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from bokeh.plotting import figure

from zogy_explorer.ui.display_controls import DisplayControls
from zogy_explorer.ui.plane_controls import PlaneControls
from zogy_explorer.ui.wall.contours import contour_levels, contour_lines
from zogy_explorer.ui.wall.sky_marks import SkyMarks, bar_length, directions, pixel_scale
from zogy_explorer.ui.wall.viewport import Window

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


def front(page, title):
    page.drawer.front(title)
    return next(t for t in page.drawer.tabs if t.title == title)


def draw(page, x0, y0, x1, y1):
    line = {"x0": x0, "y0": y0, "x1": x1, "y1": y1, "done": 1}
    before = dict(page.wall.overlays.cut_line.source.data)
    page.wall.overlays.cut_line.source.data = before | {k: [v, v] for k, v in line.items()}


def test_a_line_over_the_images_is_plotted_in_every_layer(page, session):
    tab = front(page, "Cut")
    draw(page, 10, 20, 60, 20)
    data = tab.source.data
    assert data["distance"] == pytest.approx(np.arange(51))
    row = session.frame.difference.diff.image[20, 10:61]
    assert data["difference"] == pytest.approx(row, abs=1e-4)
    assert data["score"] == pytest.approx(session.frame.difference.score.image[20, 10:61], rel=1e-4)
    sigma = np.sqrt(session.frame.difference.diff.variance[20, 10:61])
    assert data["difference_high"] == pytest.approx(sigma, rel=1e-4)
    assert data["science_high"] - data["science"] == pytest.approx(np.full(51, 3.0))
    assert "50.0 px" in tab._words.object


def test_the_cut_follows_a_new_result(page, session):
    tab = front(page, "Cut")
    draw(page, 2, 2, 60, 2)
    before = np.array(tab.source.data["difference"])
    session.edit(padFill="mirror")
    assert not np.array_equal(tab.source.data["difference"], before)


def test_what_was_drawn_and_tapped_goes_with_its_pair(page, session):
    cut = front(page, "Cut")
    draw(page, 2, 2, 60, 2)
    radial = front(page, "Radial")
    page.wall._on_tap(SimpleNamespace(x=40.0, y=30.0))
    session.open_sample()
    assert "Tap a source" in radial._words.object
    assert not len(radial.sources["science"].data["radius"])
    front(page, "Cut")
    assert "drag a line" in cut._words.object
    assert not len(cut.source.data["distance"])


def test_a_line_beside_the_image_says_so(page):
    tab = front(page, "Cut")
    draw(page, 500, 500, 600, 600)
    assert "misses the image" in tab._words.object


def test_a_tap_draws_the_radial_profiles_with_their_psf(page):
    tab = front(page, "Radial")
    page.wall._on_tap(SimpleNamespace(x=40.0, y=30.0))
    data = tab.sources["science"].data
    assert len(data["radius"]) == 14
    assert np.isfinite(data["psf"][:6]).all()
    assert "PSF flux" in tab._words.object


def test_limits_by_hand_begin_with_those_on_screen(page, session):
    limits = page.wall.sky_limits
    DisplayControls(session).widgets["sky_limits"].value = "manual"
    assert session.display.manual_limits == pytest.approx(limits, rel=1e-3)


def test_contours_are_drawn_when_wanted_and_go_again(page, session):
    session.display = replace(session.display, contours=True)
    assert page.wall.overlays.contours.source.data["xs"] is not None
    session.display = replace(session.display, contours=False)
    assert page.wall.overlays.contours.source.data["xs"] == []


def test_a_contour_of_a_source_runs_around_it():
    y, x = np.mgrid[:40, :50]
    pixels = np.exp(-((x - 20) ** 2 + (y - 15) ** 2) / 18)
    xs, ys = contour_lines(pixels, Window((100.0, 200.0, 150.0, 240.0), (40, 50)), [0.5])
    radius = np.hypot(xs[0] - 120.5, ys[0] - 215.5)
    assert radius == pytest.approx(np.sqrt(18 * np.log(2)), abs=0.15)


def test_an_image_without_spread_has_no_contours():
    assert contour_levels(np.zeros(100)) == []
    assert contour_levels(np.full(5, np.nan)) == []


def test_a_mask_plane_is_hidden_and_coloured_by_its_own_controls(page, session):
    controls = PlaneControls(session)
    name = next(iter(controls.shown))
    controls.shown[name].value = False
    assert name in session.display.hidden_planes
    controls.shown[name].value = True
    controls.colors[name].value = "#123456"
    assert (name, "#123456") in session.display.plane_colors
    assert name not in session.display.hidden_planes


def test_north_and_east_of_an_image_with_east_to_the_left():
    arcsec = np.radians(1 / 3600)
    north, east = directions(np.array([[-0.2 * arcsec, 0.0], [0.0, 0.2 * arcsec]]))
    assert north == pytest.approx((0, 1))
    assert east == pytest.approx((-1, 0))
    assert pixel_scale(np.array([[-0.2 * arcsec, 0], [0, 0.2 * arcsec]])) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("most", "text"), [(24.0, "20″"), (130.0, "2′"), (0.7, "500 mas"), (9000.0, "2°"), (1.0, "1″")]
)
def test_the_scale_bar_has_a_round_length(most, text):
    length, written = bar_length(most)
    assert written == text
    assert most / 2.51 < length <= most


def test_without_a_wcs_there_is_no_compass(page):
    assert not page.wall.overlays.sky_marks._length.visible


def test_tabs_are_made_when_looked_at_and_show_what_was_drawn_and_tapped_before(page):
    assert len(page.drawer._tabs._made) == len(page.inspector._tabs._made) == 1
    draw(page, 10, 20, 60, 20)
    page.wall._on_tap(SimpleNamespace(x=40.0, y=30.0))
    assert len(front(page, "Cut").source.data["distance"]) == 51
    assert len(front(page, "Radial").sources["difference"].data["radius"]) > 3


@pytest.mark.parametrize("angle", range(0, 360, 30))
@pytest.mark.parametrize("mirror", [1, -1])
@pytest.mark.parametrize("width", [160, 190, 400])
def test_compass_and_scale_bar_are_inside_the_panel_on_their_plates(angle, mirror, width):
    marks = SkyMarks(figure(width=200, height=160))
    turn = np.radians(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = np.radians(0.2 / 3600) * matrix @ np.diag([mirror, 1])
    marks.set_plane((0.0, 0.0, 0.0, 0.0, *matrix.ravel()))
    for step in (0.02, 0.5, 7.0):
        marks.follow(step, width)
        compass, bar = marks._plate, marks._bar_plate
        assert 0 < compass.left < compass.right < bar.left < bar.right < width
        assert min(compass.bottom, bar.bottom) > 0
        assert max(compass.top, bar.top) < 64
        assert bar.left < marks._bar.x_start < marks._bar.x_end < bar.right
        for label in marks._labels:  # letters of 10 px
            assert compass.left + 6 < label.x < compass.right - 6
            assert compass.bottom + 6 < label.y < compass.top - 6
