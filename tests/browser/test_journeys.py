"""What a person does on the page, in a real browser."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from zogy_explorer import ZogyConfig
from zogy_explorer.errors import CancelledError
from zogy_explorer.simulate import sample_pair

pytestmark = [
    pytest.mark.browser,
    # Bokeh 3.9 with pandas 3.1, in every table.
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]

VIEW = """() => {
  const d = Bokeh.documents[0];
  const x = d.get_model_by_name("x-range"), y = d.get_model_by_name("y-range");
  return [x.start, x.end, y.start, y.end];
}"""
# Page position of a point of the pixel grid in a panel.
WHERE = """([name, x, y]) => {
  const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name("figure-" + name));
  const box = view.el.getBoundingClientRect(), {frame} = view;
  return [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)];
}"""
OUTER = """() => {
  const {data} = Bokeh.documents[0].get_model_by_name("selection");
  return JSON.stringify(Object.fromEntries(Object.entries(data).map(([k, v]) => [k, [...v]])));
}"""


@pytest.fixture(scope="module")
def pair():
    science, template, _ = sample_pair()
    return science, template


def tap(browser, panel, x, y):
    browser.mouse.click(*browser.evaluate(WHERE, [panel, x, y]))


def type_number(browser, label, value):
    number = browser.get_by_role("textbox", name=label)
    number.fill(str(value))
    number.press("Enter")


def zoom_in(browser, until, panel="science"):
    before = browser.evaluate(VIEW)
    browser.mouse.move(*browser.evaluate(WHERE, [panel, 200, 200]))
    browser.mouse.wheel(0, -240)
    until(lambda: browser.evaluate(VIEW) != before, "zoomed", page=browser)
    settled = []

    def still():
        settled.append(browser.evaluate(VIEW))
        return len(settled) > 20 and settled[-1] == settled[-20]

    until(still, "the zoom settles", page=browser)
    return settled[-1]


def test_a_tap_on_any_image_selects_the_cell_and_fills_the_inspector(opened, pair, until):
    browser, explorer = opened(*pair, config=ZogyConfig(doSpatialGrid=True, gridInnerSize=5.0))
    for panel, cell in (("science", "r0c0"), ("scorr", "r1c2"), ("mask", "r2c1")):
        box = next(c.cell.inner for c in explorer.result.cells if c.cell.name == cell)
        tap(browser, panel, *box.center)
        browser.get_by_role("heading", name=f"Cell {cell}").wait_for()
        assert explorer.cell.cell.name == cell
    browser.get_by_text("px allowed").wait_for()
    browser.get_by_role("rowheader", name="σ(Scorr)").wait_for()


def test_centroid_tolerance_fails_the_cell_in_words_and_recovers_it(opened, pair, until):
    browser, explorer = opened(*pair, config=ZogyConfig(doSpatialGrid=True, gridInnerSize=5.0))
    cell = next(c for c in explorer.result.cells if 0.05 < c.centroid_distance < 0.15)
    tap(browser, "difference", *cell.cell.inner.center)
    browser.get_by_role("heading", name=f"Cell {cell.cell.name}").wait_for()
    view = zoom_in(browser, until)
    distance = cell.centroid_distance
    type_number(browser, "maxPsfCentroidDist [px]", round(distance / 2, 3))
    browser.get_by_text(f"the PSF centroids are {distance:.3f} px apart").first.wait_for()
    until(lambda: not explorer.cell.ok, "the cell fails", page=browser)
    until(lambda: explorer.session.frame.number == 2, "the frame follows", page=browser)
    heading = browser.locator("h3", has_text=f"Cell {cell.cell.name}")
    assert "✕ fail" in heading.inner_text()
    assert browser.evaluate(VIEW) == view
    type_number(browser, "maxPsfCentroidDist [px]", round(distance * 2, 3))
    until(lambda: explorer.session.frame.number == 3, "computed again", page=browser)
    until(lambda: "fail" not in heading.inner_text(), "the cell recovers", page=browser)
    assert explorer.cell.ok
    assert browser.evaluate(VIEW) == view


def test_border_and_fft_size_change_the_outer_box_d_and_time_and_keep_the_zoom(opened, pair, until):
    browser, explorer = opened(*pair, config=ZogyConfig(doSpatialGrid=False))
    view = zoom_in(browser, until)
    before, drawn = explorer.cell, browser.evaluate(OUTER)
    number = browser.get_by_role("textbox", name="borderSize [px]")
    browser.locator(".zx-auto-borderSize input").click()
    until(number.is_enabled, "the border is by hand", page=browser)
    type_number(browser, "borderSize [px]", 60)
    until(lambda: explorer.config.borderSize == 60, "border set", page=browser)
    browser.get_by_label("fftSizing").select_option("powerOfTwo")
    until(lambda: explorer.cell.cell.outer.shape == (1024, 1024), "the FFT is larger", page=browser)
    until(lambda: explorer.session.idle, "the frame follows", page=browser)
    until(lambda: browser.evaluate(OUTER) != drawn, "the outer box is drawn anew", page=browser)
    after = explorer.cell
    assert after.cell.inner == before.cell.inner
    assert not np.array_equal(after.diff, before.diff)
    assert after.timings["total"] != before.timings["total"]
    browser.get_by_text("Numbers", exact=True).click()
    browser.get_by_text("1024 × 1024 px (powerOfTwo)").wait_for()
    assert browser.evaluate(VIEW) == view


def test_the_cell_is_computed_while_the_slider_moves_and_the_frame_on_release(opened, pair, until):
    browser, explorer = opened(*pair, config=ZogyConfig(doSpatialGrid=True, gridInnerSize=5.0))
    view = browser.evaluate(VIEW)
    handle = browser.get_by_role("slider", name="maxPsfCentroidDist [px]")
    box = handle.first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    browser.mouse.move(x, y)
    browser.mouse.down()
    browser.mouse.move(x - 40, y, steps=5)
    until(lambda: explorer.session.live_cell is not None, "the live cell", page=browser)
    until(lambda: not explorer.cell.ok, "the cell fails while dragging", page=browser)
    assert explorer.session.frame.number == 1
    assert explorer.session.stale
    browser.mouse.up()
    until(lambda: explorer.session.frame.number == 2, "the frame on release", page=browser)
    until(lambda: "run 2" in browser.get_by_role("status").inner_text(), "said", page=browser)
    assert browser.evaluate(VIEW) == view


def test_cancel_stops_the_frame_and_keeps_what_was_there(opened, pair, until, monkeypatch):
    browser, explorer = opened(*pair, config=ZogyConfig(doSpatialGrid=True, gridInnerSize=5.0))
    from zogy_explorer.ui import work as module

    stopped = threading.Event()

    def endless(plan, *, progress, cancel, **options):
        progress(1, 16)
        try:
            while True:
                cancel.check()
        except CancelledError:
            stopped.set()
            raise

    monkeypatch.setattr(module, "run", endless)
    before = explorer.session.frame
    browser.get_by_label("fftSizing").select_option("exact")
    browser.get_by_text("1 of 16 cells").first.wait_for()
    browser.get_by_role("button", name="Cancel").click()
    until(stopped.is_set, "the work stops", page=browser)
    until(lambda: explorer.session.idle, "idle", page=browser)
    assert explorer.session.frame is before
    browser.get_by_text("settings changed").wait_for()
    monkeypatch.undo()
    browser.get_by_role("button", name="Recompute").click()
    until(lambda: explorer.session.frame.number == 2, "recomputed", page=browser)
    browser.get_by_text("settings changed").wait_for(state="hidden")


def test_undo_takes_a_change_back_and_redo_brings_it_again(opened, pair, until):
    browser, explorer = opened(*pair, config=ZogyConfig(doSpatialGrid=True, gridInnerSize=5.0))
    type_number(browser, "maxPsfCentroidDist [px]", 0.5)
    until(lambda: explorer.session.can_undo, "a change", page=browser)
    browser.get_by_role("heading", name="Cell").click()
    browser.keyboard.press("Control+z")
    until(lambda: explorer.config.maxPsfCentroidDist == 0.2, "undone", page=browser)
    until(
        lambda: (
            browser.get_by_role("textbox", name="maxPsfCentroidDist [px]").input_value() == "0.200"
        ),
        "shown",
        page=browser,
    )
    browser.keyboard.press("Control+y")
    until(lambda: explorer.config.maxPsfCentroidDist == 0.5, "redone", page=browser)


def test_opening_by_path_and_a_bad_path_keeps_the_pair(opened, pair, until, tmp_path):
    browser, explorer = opened(*pair)
    paths = [tmp_path / "new.fits", tmp_path / "ref.fits"]
    for exposure, path in zip(pair, paths, strict=True):
        exposure.write(path)
    before = explorer.session.frame
    browser.get_by_label("Science file").fill(str(tmp_path / "nowhere.fits"))
    browser.get_by_label("Template file").fill(str(paths[1]))
    browser.get_by_role("button", name="Open", exact=True).click()
    browser.get_by_role("alert").get_by_text("nowhere.fits").wait_for()
    assert explorer.session.frame is before
    browser.get_by_label("Science file").fill(str(paths[0]))
    browser.get_by_role("button", name="Open", exact=True).click()
    until(lambda: explorer.session.pair.origin == "files", "opened", page=browser)
    browser.get_by_text("new.fits ▸ ref.fits").wait_for()
    browser.get_by_text("nowhere.fits").wait_for(state="hidden")
    browser.get_by_text("Code", exact=True).click()
    browser.locator("pre", has_text=str(paths[0])).wait_for()


def test_uploading_two_files_opens_them(opened, pair, until, tmp_path):
    browser, explorer = opened(*pair)
    paths = [tmp_path / "reference.fits", tmp_path / "new.fits"]
    for exposure, path in zip(pair[::-1], paths, strict=True):
        exposure.write(path)
    browser.get_by_text("Upload", exact=True).click()
    browser.locator("input[type=file]").set_input_files([str(path) for path in paths])
    until(lambda: explorer.session.pair.origin == "upload", "opened", page=browser, patience=40)
    browser.get_by_text("new.fits ▸ reference.fits").wait_for()


def test_stretch_is_a_change_of_the_images_only(opened, pair, until):
    browser, explorer = opened(*pair)
    painted = explorer.page.wall.painted
    browser.get_by_text("Display", exact=True).click()
    browser.get_by_label("Stretch").select_option("log")
    until(lambda: explorer.page.wall.painted > painted, "painted", page=browser)
    assert explorer.session.display.sky_stretch == "log"
    assert explorer.session.frame.number == 1


def test_a_setting_from_python_moves_the_page(opened, pair, until):
    browser, explorer = opened(*pair)
    document = explorer.page.wall.model.document
    document.add_next_tick_callback(lambda: setattr(explorer.config, "maxPsfCentroidDist", 0.01))
    until(
        lambda: (
            browser.get_by_role("textbox", name="maxPsfCentroidDist [px]").input_value() == "0.010"
        ),
        "the number follows",
        page=browser,
    )
    until(lambda: explorer.session.frame.number == 2, "the frame follows", page=browser)
