"""The wall in a real browser: painted, linked, tapped, patched, read."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import panel as pn
import pytest

from zogy_explorer.geometry import Box
from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.ui.wall import DisplaySettings, ImageWall

pytestmark = pytest.mark.browser

SIDE = 600
NAMES = ("science", "template", "difference", "score", "scorr", "mask")

# Colours on the canvas of a panel: how many there are, and a sum that changes with the image.
PAINTED = """([name, layer]) => {
  const figure = Bokeh.documents.map(d => d.get_model_by_name("figure-" + name)).find(f => f);
  const view = figure && Bokeh.index.find_one(figure);
  const canvas = view?.canvas_view?.[layer].canvas;
  if (!canvas || !canvas.width) return null;
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colors = new Set(); let sum = 0;
  for (let k = 0; k < data.length; k += 4) {
    const c = (data[k] << 16) | (data[k + 1] << 8) | data[k + 2];
    colors.add(c); sum = (sum * 31 + c) % 2147483647;
  }
  return {colors: colors.size, sum};
}"""
RANGES = """() => {
  const d = Bokeh.documents[0];
  return ["science", "template", "difference", "score", "scorr", "mask"].map(name => {
    const f = d.get_model_by_name("figure-" + name);
    return [f.x_range.start, f.x_range.end, f.y_range.start, f.y_range.end];
  });
}"""
# Page position of a point of the pixel grid in a panel.
WHERE = """([name, x, y]) => {
  const figure = Bokeh.documents[0].get_model_by_name("figure-" + name);
  const view = Bokeh.index.find_one(figure), box = view.el.getBoundingClientRect();
  const {frame} = view;
  return [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)];
}"""
READOUT = """() => {
  const {text} = Bokeh.documents[0].get_model_by_name("readout");
  return new DOMParser().parseFromString(text, "text/html").documentElement.textContent;
}"""
# Counts messages to the server, and lets the cursor never be at rest: that would ask for values.
COUNT_SENT = """() => {
  window.sent = 0;
  const later = window.setTimeout;
  window.setTimeout = (f, ms, ...rest) => ms === 150 ? 0 : later(f, ms, ...rest);
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function(data) { window.sent += 1; send.call(this, data); };
}"""


@dataclass(frozen=True)
class Cell:
    index: int
    inner: Box
    outer: Box
    name: str


def make_layers():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE]
    sky = 400 * np.exp(-((x - 200) ** 2 + (y - 350) ** 2) / 800)
    layers = {
        "science": 100 + sky + rng.normal(0, 5, x.shape),
        "template": 100 + sky + rng.normal(0, 3, x.shape),
        "difference": rng.normal(0, 6, x.shape),
        "score": rng.normal(0, 20, x.shape),
        "scorr": rng.normal(0, 1, x.shape),
    }
    mask = np.where(sky > 200, 1 << MASK_PLANES["SAT"], 0)
    mask[:20] |= 1 << MASK_PLANES["EDGE"]
    return {k: v.astype(np.float32) for k, v in layers.items()} | {"mask": mask.astype(np.int32)}


class App:
    """Serves one wall a session and keeps the last one for the test to look at."""

    def __init__(self):
        self.layers = make_layers()
        self.taps: list[tuple[float, float]] = []
        self.document = None

    def view(self):
        self.wall = ImageWall()
        self.wall.set_frame(Box(0, 0, SIDE, SIDE), self.layers, MASK_PLANES)
        half = SIDE // 2
        cells = [
            Cell(k, Box(x, y, half, half), Box(x - 20, y - 20, half + 40, half + 40), f"r{y}c{x}")
            for k, (y, x) in enumerate([(0, 0), (0, half), (half, 0), (half, half)])
        ]
        self.wall.set_grid(cells, ["ok", "info", "warning", "failed"], ["", "", "DIPOLES", "X"])
        self.wall.on_tap(lambda x, y: self.taps.append((x, y)))
        self.cells = cells
        self.document = pn.state.curdoc
        return pn.Column(
            pn.pane.Bokeh(self.wall.model, sizing_mode="stretch_both"),
            pn.pane.Bokeh(self.wall.readout, sizing_mode="stretch_width"),
            sizing_mode="stretch_both",
            styles={"height": "96vh"},
        )

    def write(self, change):
        """Run a change where writes to models are allowed."""
        self.document.add_next_tick_callback(change)


@pytest.fixture
def app():
    return App()


@pytest.fixture
def wall_page(app, serve, page, until):
    """A page on which all six images are painted at their final size."""
    made = page(serve(app.view))
    made.wait_for_function("() => window.Bokeh?.documents?.[0]?.get_model_by_name('figure-mask')")

    def steady():
        known = [panel.size for panel in app.wall.panels.values()]
        return None not in known and len(set(known)) == 1

    until(steady, "all panels have told the same size", page=made)
    for name in NAMES:
        until(lambda name=name: colors(made, name) > 2, f"{name} is painted", page=made)
    return made


def colors(page, name):
    painted = page.evaluate(PAINTED, [name, "primary"])
    return painted["colors"] if painted else 0


def pictures(page, layer="primary"):
    return {name: page.evaluate(PAINTED, [name, layer])["sum"] for name in NAMES}


def hover(page, name, x, y):
    page.mouse.move(*page.evaluate(WHERE, [name, x, y]))


def test_six_images_are_painted_with_square_pixels(wall_page, app, until):
    def square():
        x0, x1, y0, y1 = wall_page.evaluate(RANGES)[0]
        width, height = app.wall.panels["science"].size
        return abs((x1 - x0) / width / ((y1 - y0) / height) - 1) < 0.01

    until(square, "pixels are square", page=wall_page)
    x0, y0, x1, y1 = app.wall.view
    assert x0 < 0
    assert y0 < 0
    assert x1 > SIDE
    assert y1 > SIDE


def test_wheel_zooms_all_panels_alike_and_repaints(wall_page, app, until):
    before, painted = pictures(wall_page), app.wall.painted
    width = app.wall.view[2] - app.wall.view[0]
    hover(wall_page, "score", 300, 300)
    wall_page.mouse.wheel(0, -240)
    until(lambda: app.wall.painted > painted, "the server has repainted", page=wall_page)
    until(
        lambda: all(pictures(wall_page)[name] != before[name] for name in NAMES),
        "all panels show another picture",
        page=wall_page,
    )
    ranges = wall_page.evaluate(RANGES)
    assert all(other == ranges[0] for other in ranges)
    assert ranges[0][1] - ranges[0][0] < 0.95 * width
    x0, y0, x1, y1 = app.wall.view
    until(lambda: wall_page.evaluate(RANGES)[0] == [x0, x1, y0, y1], "both sides agree")


def test_pan_moves_the_view_and_keeps_its_scale(wall_page, app, until):
    app.write(lambda: app.wall.zoom_to(Box(200, 200, 200, 200)))
    until(lambda: 150 < app.wall.view[0] + app.wall.view[2] < 700, "zoomed", page=wall_page)
    x0, _, x1, _ = app.wall.view
    until(lambda: wall_page.evaluate(RANGES)[0][0] == x0, "the browser follows", page=wall_page)
    start = wall_page.evaluate(WHERE, ["science", 300, 300])
    wall_page.mouse.move(*start)
    wall_page.mouse.down()
    wall_page.mouse.move(start[0] + 60, start[1], steps=6)
    wall_page.mouse.up()
    scale = (x1 - x0) / app.wall.panels["science"].size[0]
    until(
        lambda: abs(app.wall.view[0] - (x0 - 60 * scale)) < 2 * scale,
        "the view has moved by the drag",
        page=wall_page,
    )
    assert app.wall.view[2] - app.wall.view[0] == pytest.approx(x1 - x0)


@pytest.mark.parametrize("name", ["science", "scorr"])
def test_tap_tells_the_pixel(wall_page, app, until, name):
    wall_page.mouse.click(*wall_page.evaluate(WHERE, [name, 412, 233]))
    until(lambda: app.taps, "the tap has arrived", page=wall_page)
    scale = (app.wall.view[2] - app.wall.view[0]) / app.wall.panels[name].size[0]
    assert app.taps[0] == pytest.approx((412, 233), abs=1.5 * scale)


def test_two_quick_taps_are_both_told(wall_page, app, until):
    wall_page.mouse.click(*wall_page.evaluate(WHERE, ["science", 100, 100]))
    wall_page.mouse.click(*wall_page.evaluate(WHERE, ["template", 500, 500]))
    until(lambda: len(app.taps) >= 2, "both taps have arrived", page=wall_page)
    assert app.taps[-1] == pytest.approx((500, 500), abs=5)


def test_selection_is_outlined_in_every_panel(wall_page, app, until):
    before = pictures(wall_page, "overlays")
    app.write(lambda: app.wall.select(app.cells[1]))
    until(
        lambda: all(pictures(wall_page, "overlays")[name] != before[name] for name in NAMES),
        "all panels show the outline",
        page=wall_page,
    )


def test_patch_repaints_its_layers_and_keeps_the_zoom(wall_page, app, until):
    app.write(lambda: app.wall.zoom_to(Box(100, 100, 200, 200)))
    until(lambda: app.wall.view[0] > 0, "the server has zoomed", page=wall_page)
    until(
        lambda: wall_page.evaluate(RANGES)[0][0] == app.wall.view[0],
        "the browser follows",
        page=wall_page,
    )
    settled = until(lambda: _twice_the_same(wall_page), "painting is over", page=wall_page)
    ranges, view = wall_page.evaluate(RANGES), app.wall.view
    box = Box(150, 150, 60, 60)
    bright = np.full(box.shape, 500, np.float32)
    app.write(lambda: app.wall.patch(box, {"difference": bright, "score": -bright}))
    until(
        lambda: all(pictures(wall_page)[n] != settled[n] for n in ("difference", "score")),
        "the patch is seen",
        page=wall_page,
    )
    after = pictures(wall_page)
    assert after["science"] == settled["science"]
    assert after["scorr"] == settled["scorr"]
    assert wall_page.evaluate(RANGES) == ranges
    assert app.wall.view == view


def _twice_the_same(page):
    first = pictures(page)
    page.wait_for_timeout(100)
    return first if pictures(page) == first else None


def test_display_change_is_seen(wall_page, app, until):
    before = pictures(wall_page)
    app.write(lambda: app.wall.set_display(DisplaySettings(sky_stretch="log", sky_map="gray")))
    until(
        lambda: all(pictures(wall_page)[n] != before[n] for n in ("science", "template")),
        "skies look different",
        page=wall_page,
    )


def test_readout_follows_without_messages_and_is_exact_at_rest(wall_page, app, until):
    hover(wall_page, "template", 200, 350)
    text = until(lambda: wall_page.evaluate(READOUT), "the readout shows", page=wall_page)
    for word in ("Science", "Template", "D", "S", "Scorr", "r300c0", "DIPOLES", "SAT"):
        assert word in text
    until(lambda: "≈" not in wall_page.evaluate(READOUT), "values are exact", page=wall_page)
    text = wall_page.evaluate(READOUT)
    x, y = (int(number) for number in re.findall(r"<i>[xy]</i> (\d+)", text))
    assert f"{app.layers['science'][y, x]:.6g}" in text
    assert app.wall.readout.text == ""


def test_moving_the_cursor_sends_nothing(wall_page):
    wall_page.evaluate(COUNT_SENT)
    here = wall_page.evaluate(WHERE, ["science", 100, 100])
    wall_page.mouse.move(*here)
    sent = wall_page.evaluate("() => window.sent")
    wall_page.mouse.move(here[0] + 40, here[1], steps=20)
    moved = wall_page.evaluate("() => window.sent")
    assert re.search(r"x</i> 1[1-9]\d", wall_page.evaluate(READOUT))
    assert moved == sent == 0
