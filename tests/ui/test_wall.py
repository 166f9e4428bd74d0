"""The wall with a Bokeh document and without a browser."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from bokeh.document import Document
from bokeh.events import DoubleTap, Tap

from zogy_explorer.geometry import Box
from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.ui.wall import DisplaySettings, ImageWall, build_pyramids
from zogy_explorer.ui.wall.palettes import DARK

NY, NX = 300, 400


@dataclass(frozen=True)
class Cell:
    index: int
    inner: Box
    outer: Box

    @property
    def name(self):
        return f"cell{self.index}"


def make_layers(seed=0):
    rng = np.random.default_rng(seed)
    names = ("science", "template", "difference", "score", "scorr")
    layers = {name: rng.normal(0, 3, (NY, NX)).astype(np.float32) for name in names}
    mask = np.zeros((NY, NX), np.int32)
    mask[:, :10] = 1 << MASK_PLANES["EDGE"]
    return layers | {"mask": mask}


CELLS = (
    Cell(0, Box(0, 0, 200, 300), Box(-20, -20, 240, 340)),
    Cell(1, Box(200, 0, 200, 300), Box(180, -20, 240, 340)),
)


@pytest.fixture
def layers():
    return make_layers()


@pytest.fixture
def wall(layers):
    made = ImageWall()
    Document().add_root(made.model)
    made.set_frame(Box(0, 0, NX, NY), layers, MASK_PLANES)
    return made


def shown(wall, name):
    return wall.panels[name].source.data["image"][0]


def find(wall, name):
    return wall.model.document.get_model_by_name(name)


def test_models_can_be_found_by_name(wall):
    for layer in wall.layers:
        assert find(wall, f"figure-{layer.name}") is wall.panels[layer.name].figure
        assert find(wall, f"image-{layer.name}") is wall.panels[layer.name].source
    for name in ("wall", "grid", "cells", "selection", "readout", "probe", "exact"):
        assert find(wall, name) is not None


def test_all_panels_share_ranges_grid_and_selection(wall):
    figures = [panel.figure for panel in wall.panels.values()]
    assert len({id(figure.x_range) for figure in figures}) == 1
    assert len({id(figure.y_range) for figure in figures}) == 1
    for name in ("grid", "selection"):
        source = find(wall, name)
        for figure in figures:
            assert any(renderer.data_source is source for renderer in figure.renderers)


def test_a_new_frame_is_shown_whole_with_square_pixels(wall):
    x0, y0, x1, y1 = wall.view
    assert x0 < -0.5
    assert y0 < -0.5
    assert x1 > NX - 0.5
    assert y1 > NY - 0.5
    assert (x1 - x0) / 400 == pytest.approx((y1 - y0) / 300)
    for layer in wall.layers:
        assert shown(wall, layer.name).dtype == np.uint8
        assert shown(wall, layer.name).min() >= 1


def test_a_frame_can_keep_the_view(wall, layers):
    wall.zoom_to(Box(100, 100, 50, 50))
    view = wall.view
    wall.set_frame(Box(0, 0, NX, NY), layers, MASK_PLANES, reset_view=False)
    assert wall.view == view
    wall.set_frame(Box(0, 0, NX, NY), layers, MASK_PLANES, reset_view=True)
    assert wall.view != view


def test_wanted_box_survives_changes_of_size(wall):
    wall.zoom_to(Box(100, 100, 40, 40))
    view = wall.view
    figure = wall.panels["science"].figure
    for width, height in ((100, 600), (700, 50), (400, 300)):
        with_size(figure, width, height)
    assert wall.view == pytest.approx(view)


def with_size(figure, width, height):
    # The properties are read-only from Python: only a browser sets them.
    figure.set_from_json("inner_width", width)
    figure.set_from_json("inner_height", height)


def test_a_pan_in_the_browser_is_what_is_wanted_from_then_on(wall):
    seen = []
    wall.on_view(seen.append)
    painted = wall.painted
    x_range = find(wall, "x-range")
    x_range.update(start=x_range.start + 50, end=x_range.end + 50)
    assert wall.painted > painted
    assert seen[-1] == wall.view
    assert seen[-1][0] == x_range.start


def test_a_patch_changes_its_pixels_and_keeps_the_view(wall):
    wall.zoom_to(Box(0, 0, 100, 75), margin=0)
    view, before = wall.view, shown(wall, "difference").copy()
    untouched = shown(wall, "science")
    box = Box(20, 20, 30, 30)
    wall.patch(box, {"difference": np.full(box.shape, 1e6, np.float32)})
    assert wall.view == view
    after = shown(wall, "difference")
    assert after.shape == before.shape
    data = wall.panels["difference"].source.data
    column, row = round(19.5 - data["x"][0]), round(19.5 - data["y"][0])
    assert (after[row : row + 30, column : column + 30] == 255).all()
    assert (after[:row, :column] == before[:row, :column]).all()
    assert shown(wall, "science") is untouched


def test_a_patch_out_of_view_paints_nothing_now_but_is_there_later(wall):
    wall.zoom_to(Box(0, 0, 50, 50))
    painted = wall.painted
    box = Box(300, 200, 40, 40)
    wall.patch(box, {"score": np.full(box.shape, 1e6, np.float32)})
    assert wall.painted == painted
    wall.zoom_to(box, margin=-0.1)
    assert (shown(wall, "score") == 255).mean() > 0.6


def test_nothing_is_painted_before_a_browser_has_told_the_size(layers):
    wall, views = ImageWall(waits=True), []
    wall.on_view(views.append)
    wall.set_frame(Box(0, 0, NX, NY), layers, MASK_PLANES)
    wall.set_grid(CELLS, ("ok", "ok"), ("", ""))
    wall.set_view((100, 100, 200, 200))
    wall.patch(CELLS[0].inner, {"score": np.zeros((300, 200), np.float32)})
    assert wall.painted == 0
    assert not views  # no address may hold a view that nobody sees
    assert "no data yet" in wall.panels["difference"].header.text
    with_size(wall.panels["science"].figure, 300, 200)
    assert wall.painted == 1
    assert wall.view == pytest.approx((75, 100, 225, 200))
    assert views == [wall.view]
    assert all(shown(wall, layer.name).size > 1 for layer in wall.layers)


def test_layers_can_come_later_cell_by_cell(layers):
    wall = ImageWall()
    wall.set_frame(Box(0, 0, NX, NY), {"science": layers["science"]}, MASK_PLANES)
    assert shown(wall, "difference").max() == 0
    assert "no data yet" in wall.panels["difference"].header.text
    for cell in CELLS:
        wall.patch(cell.inner, {"difference": layers["difference"][cell.inner.slices()]})
    assert shown(wall, "difference").min() >= 1
    assert "no data yet" not in wall.panels["difference"].header.text


def test_limits_hold_still_while_a_cell_is_tuned(wall):
    header = wall.panels["difference"].header.text
    for scale in (1, 5, 50):
        wall.patch(CELLS[0].inner, {"difference": np.full((300, 200), scale, np.float32)})
    assert wall.panels["difference"].header.text == header


def test_pyramids_can_be_made_elsewhere(wall):
    others = make_layers(seed=9)
    view = wall.view
    before = shown(wall, "scorr").copy()
    wall.set_layers(build_pyramids(Box(0, 0, NX, NY), {"scorr": others["scorr"]}))
    assert wall.view == view
    assert (shown(wall, "scorr") != before).any()


def test_science_and_template_share_limits(wall):
    tables = [wall.panels[name].source.data["table"][0] for name in ("science", "template")]
    np.testing.assert_array_equal(*tables)


def test_display_settings_repaint(wall):
    before = shown(wall, "science").copy()
    wall.set_display(DisplaySettings(sky_stretch="log", sky_limits="percentile", percentile=90))
    assert (shown(wall, "science") != before).any()
    painted = wall.painted
    wall.set_display(replace(wall.settings))
    assert wall.painted == painted


def test_masks_lie_over_the_other_panels_on_request(wall):
    assert find(wall, "overlay-science") is None
    wall.set_display(DisplaySettings(mask_overlay=True, mask_opacity=0.3))
    overlay = find(wall, "overlay-science")
    assert overlay.data_source is wall.panels["mask"].source
    assert overlay.level == "image"  # below the lines, though it came after them
    assert overlay.visible
    assert overlay.glyph.global_alpha == 0.3
    assert find(wall, "overlay-mask") is None
    assert "EDGE" in wall.panels["mask"].header.text
    wall.set_display(DisplaySettings())
    assert not overlay.visible


def test_one_image_alone_is_a_matter_of_style(wall):
    grid = wall.model.children[0]
    tracks, style = (grid.cols, grid.rows), grid.stylesheets[0]
    assert style.css == ""
    wall.maximise("scorr")
    place = list(wall.panels).index("scorr")
    assert f".zx-panel:not(.zx-panel-{place}) {{ display: none !important; }}" in style.css
    assert f"zx-panel-{place}" in wall.panels["scorr"].model.css_classes
    # Each of these would lay out the whole page.
    assert (grid.cols, grid.rows) == tracks
    assert all(panel.model.visible for panel in wall.panels.values())
    assert wall.panels["scorr"].figure.yaxis.visible
    wall.maximise("scorr")
    assert style.css == ""
    assert not wall.panels["scorr"].figure.yaxis.visible


def test_hidden_planes_lose_their_colour(wall):
    code = int(shown(wall, "mask")[0, 0])
    assert wall.panels["mask"].mapper.palette[code] != DARK.clean
    wall.set_display(DisplaySettings(hidden_planes=frozenset({"EDGE"})))
    assert wall.panels["mask"].mapper.palette[code] == DARK.clean


def test_failed_cells_are_crossed_and_warnings_cornered(wall):
    counts = []
    for worst in (("ok", "ok"), ("ok", "warning"), ("ok", "failed")):
        wall.set_grid(CELLS, worst, ("", "CAUSE"))
        counts.append(len(find(wall, "grid").data["x0"]))
    assert counts == [8, 9, 10]
    assert find(wall, "grid").data["color"][-1] == DARK.severities["failed"]
    assert list(find(wall, "cells").data["flags"]) == ["", "CAUSE"]


def test_worse_cells_are_drawn_over_better_ones(wall):
    wall.set_grid(CELLS, ("failed", "ok"), ("", ""))
    colors = find(wall, "grid").data["color"]
    assert colors[0] == DARK.severities["ok"]
    assert colors[-1] == DARK.severities["failed"]


def test_the_selected_cell_is_outlined_past_the_image(wall):
    wall.select(CELLS[0])
    data = find(wall, "selection").data
    assert data["kind"] == ["outer", "outer", "inner", "inner"]  # each a halo and its line
    assert data["left"] == [-20.5, -20.5, -0.5, -0.5]
    assert data["top"][:2] == [319.5, 319.5]
    wall.select(None)
    assert np.isnan(find(wall, "selection").data["left"]).all()


def test_taps_and_double_taps_are_told(wall):
    seen = []
    wall.on_tap(lambda x, y: seen.append((x, y)))
    figure = wall.panels["mask"].figure
    for kind in (Tap, DoubleTap):
        figure._trigger_event(kind(figure, x=3.0, y=4.0))
    assert seen == [(3.0, 4.0)] * 2


def test_resting_the_cursor_fetches_exact_values(wall, layers):
    find(wall, "probe").data = {"x": [7.2], "y": [11.9], "n": [42]}
    answer = find(wall, "exact").data
    assert answer["n"] == [42]
    values = answer["values"][0]
    assert float(values[2].replace("−", "-")) == pytest.approx(
        layers["difference"][12, 7], rel=1e-5
    )
    assert values[5] == "EDGE"


def test_a_cursor_that_rests_reads_what_is_on_screen_now(wall, layers):
    find(wall, "probe").data = {"x": [7.0], "y": [11.0], "n": [42]}
    answer = find(wall, "exact")
    told = []
    answer.on_change("data", lambda attr, old, new: told.append(new["values"][0]))
    wall.patch(Box(0, 0, 20, 20), {"difference": np.full((20, 20), 123.0, np.float32)})
    assert told[-1][2] == "123"
    assert answer.data["n"] == [42]  # the same rest of the cursor
    count = len(told)
    wall.patch(Box(40, 40, 9, 9), {"difference": np.full((9, 9), 5.0, np.float32)})
    assert len(told) == count  # nothing new there: no message
    wall.set_layers({"difference": layers["difference"]})
    assert told[-1][2] != "123"


def test_exact_values_beyond_the_image_are_dashes(wall):
    find(wall, "probe").data = {"x": [-7.0], "y": [2.0], "n": [1]}
    assert find(wall, "exact").data["values"][0] == ["–"] * 5 + [""]


def test_the_theme_changes_every_panel(wall):
    before = wall.panels["difference"].mapper.palette
    wall.set_dark(False)
    assert wall.panels["difference"].mapper.palette != before
    backgrounds = {panel.figure.border_fill_color for panel in wall.panels.values()}
    assert backgrounds == {"#ffffff"}


def test_two_walls_share_nothing(layers):
    one, other = ImageWall(), ImageWall()
    one.set_frame(Box(0, 0, NX, NY), layers, MASK_PLANES)
    one.set_grid(CELLS, ("ok", "ok"), ("", ""))
    assert other.painted == 0
    assert len(other.model.select_one({"name": "figure-science"}).renderers) > 0
    assert shown(other, "science").size == 1
