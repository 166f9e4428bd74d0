"""Journeys of the eye: a threshold by sight, a comparison, a cut, one image alone."""

from __future__ import annotations

import pytest

from zogy_explorer import ZogyConfig

pytestmark = [
    pytest.mark.browser,
    # Bokeh 3.9 with pandas 3.1, in every table.
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]

# Page position of a point of a figure's axes.
WHERE = """([name, x, y]) => {
  const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name(name));
  const box = view.el.getBoundingClientRect(), {frame} = view;
  return [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)];
}"""
DRAWN = """(name) => {
  const model = Bokeh.documents[0].get_model_by_name(name);
  return model != null && (Bokeh.index.find_one(model)?.frame?.bbox?.width ?? 0) > 20;
}"""
FRAME = """(name) => {
  const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name(name));
  return [view.frame.bbox.width, view.frame.bbox.height];
}"""
COLUMN = """([name, column]) => {
  const value = Bokeh.documents[0].get_model_by_name(name).data[column];
  return value?.length ? JSON.parse(JSON.stringify(value[0]?.length ? [...value[0]] : [...value]))
    : null;
}"""
# Boxes of a panel of the wall and of the toolbar beside it, and what of the wall is its own room.
BOXES = """(name) => {
  const wall = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name("wall"));
  const [grid, toolbar] = wall.child_views;
  const panel = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name(name)).parent;
  return [panel, grid, toolbar, wall].map(({el}) => {
    const {left, top, right, bottom} = el.getBoundingClientRect();
    return {left, top, right, bottom};
  });
}"""
START = '() => Bokeh.documents[0].get_model_by_name("x-range").start'


def drag(browser, start, end):
    browser.mouse.move(*start)
    browser.mouse.down()
    browser.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
    browser.mouse.move(*end, steps=4)


def test_the_threshold_is_dragged_and_what_would_fail_is_counted(opened, until):
    browser, explorer = opened()
    browser.get_by_text("Threshold", exact=True).click()
    browser.get_by_text("1 of 16 cells would fail").wait_for()
    until(lambda: browser.evaluate(DRAWN, "distance-histogram"), "drawn", page=browser)
    start = browser.evaluate(WHERE, ["distance-histogram", 0.2, 1])
    end = browser.evaluate(WHERE, ["distance-histogram", 0.1, 1])
    drag(browser, start, end)
    until(lambda: explorer.config.maxPsfCentroidDist < 0.11, "the setting", page=browser)
    browser.get_by_text("of 16 cells would fail").filter(has_not_text="1 of").first.wait_for()
    assert explorer.session.frame.number == 1
    browser.mouse.up()
    until(lambda: explorer.session.frame.number == 2, "the frame on release", page=browser)
    assert len(explorer.result.failed) == sum(
        c.centroid_distance > explorer.config.maxPsfCentroidDist for c in explorer.result.cells
    )


def test_a_result_is_pinned_blinked_swiped_subtracted_and_let_go(opened, until):
    browser, explorer = opened(config=ZogyConfig(doSpatialGrid=True, minBorder=12))
    session, wall = explorer.session, explorer.page.wall
    browser.keyboard.press("p")
    browser.get_by_text("same settings").wait_for()
    wall.model.document.add_next_tick_callback(lambda: session.edit(padFill="mirror"))
    browser.get_by_text("padFill noise → mirror").wait_for()
    until(lambda: wall._frame.comparison.active, "A is on the wall", page=browser)
    browser.keyboard.down("b")
    until(lambda: wall.comparing == "pinned", "A while the key is held", page=browser)
    browser.keyboard.up("b")
    until(lambda: wall.comparing == "present", "B again", page=browser)
    browser.get_by_text("Swipe", exact=True).click()
    until(lambda: wall.comparing == "swipe", "the divider", page=browser)
    until(
        lambda: browser.evaluate('() => Bokeh.documents[0].get_model_by_name("divider")?.visible'),
        "the divider is drawn",
        page=browser,
    )
    where = wall.overlays.divider.line.location

    def dragged():
        # The panels may still be finding their size: take the divider where it is now.
        x, y = browser.evaluate(WHERE, ["figure-scorr", wall.overlays.divider.line.location, 200])
        drag(browser, (x, y), (x + 40, y))
        browser.mouse.up()
        return wall._frame.comparison.divider > where + 10

    until(dragged, "the divider is dragged", page=browser)
    browser.get_by_text("A − B", exact=True).first.click()
    until(lambda: wall.comparing == "difference", "B less A", page=browser)
    browser.get_by_text("Compare", exact=True).click()
    browser.get_by_text("Whole frame", exact=True).wait_for()
    browser.get_by_role("button", name="Unpin").click()
    until(lambda: wall.comparing == "present", "let go", page=browser)
    assert session.pinned is None


def test_a_line_is_drawn_with_shift_and_the_view_stays(opened, until):
    browser, explorer = opened()
    browser.get_by_text("Cut", exact=True).click()
    browser.get_by_text("drag a line over an image").wait_for()
    before = browser.evaluate(START)
    browser.keyboard.down("Shift")
    start = browser.evaluate(WHERE, ["figure-science", 100, 100])
    end = browser.evaluate(WHERE, ["figure-science", 300, 100])
    drag(browser, start, end)
    browser.mouse.up()
    browser.keyboard.up("Shift")
    browser.get_by_text("Scorr −").wait_for()
    tab = next(t for t in explorer.page.drawer.tabs if t.title == "Cut")
    assert abs(tab.source.data["distance"][-1] - 200) < 8
    assert browser.evaluate(START) == before


def test_one_image_alone_is_larger_and_all_come_back(opened, until):
    browser, _ = opened()
    before = browser.evaluate(FRAME, "figure-scorr")
    browser.keyboard.press("5")
    until(lambda: browser.evaluate(FRAME, "figure-scorr")[0] > 2 * before[0], "alone", page=browser)
    panel, grid, toolbar, wall = browser.evaluate(BOXES, "figure-scorr")
    assert panel == pytest.approx(grid, abs=1)  # all the room, and no more of it
    assert panel["right"] <= toolbar["left"] + 0.5
    assert panel["bottom"] <= wall["bottom"] + 0.5
    browser.keyboard.press("5")
    until(lambda: browser.evaluate(FRAME, "figure-scorr") == before, "all", page=browser)


def test_the_images_follow_the_window_beside_the_plots_of_the_drawer(opened, until):
    browser, _ = opened()
    browser.get_by_text("Threshold", exact=True).click()
    until(lambda: browser.evaluate(DRAWN, "distance-histogram"), "drawn", page=browser)
    before = browser.evaluate(FRAME, "figure-scorr")
    browser.set_viewport_size({"width": 1700, "height": 1000})
    until(
        lambda: browser.evaluate(FRAME, "figure-scorr")[0] > 1.3 * before[0], "grown", page=browser
    )


def test_the_spectra_of_the_cell_are_shown_and_follow_the_tapped_one(opened, until):
    browser, explorer = opened()
    browser.get_by_text("Fourier", exact=True).click()
    until(lambda: browser.evaluate(DRAWN, "spectrum-difference"), "drawn", page=browser)
    image = ["source-spectrum-science", "image"]
    until(lambda: browser.evaluate(COLUMN, image), "the spectrum of N", page=browser)
    before = browser.evaluate(COLUMN, image)
    browser.mouse.click(*browser.evaluate(WHERE, ["figure-scorr", 60, 60]))
    browser.get_by_role("heading", name="Cell r0c0").wait_for()
    until(lambda: browser.evaluate(COLUMN, image) != before, "of another cell", page=browser)
    assert explorer.cell.cell.name == "r0c0"


def test_several_paddings_of_the_cell_give_pictures_and_a_curve(opened, until):
    browser, explorer = opened()
    browser.locator(".bk-tab", has_text="Padding").click()
    browser.get_by_text("Padded to", exact=True).wait_for()
    until(lambda: browser.evaluate(DRAWN, "padded-science"), "the cut-out", page=browser)
    browser.get_by_role("button", name="Try several paddings").click()
    browser.get_by_text("D less D with twice the border").wait_for()
    until(lambda: browser.evaluate(DRAWN, "padding-curve"), "the curve", page=browser)
    borders = browser.evaluate(COLUMN, ["source-padding-curve", "border"])
    assert borders == sorted(borders)
    assert min(borders) < explorer.session.plan.border < max(borders)


def test_contours_of_science_are_drawn_over_the_results_and_go_again(opened, until):
    browser, explorer = opened()
    browser.get_by_text("Display", exact=True).click()
    lines = explorer.page.wall.overlays.contours.source
    box = browser.locator('input[type=checkbox]:near(:text("Contours of science on D"), 30)').first
    box.check()
    until(lambda: len(lines.data["xs"]) > 0, "drawn", page=browser)
    box.uncheck()
    until(lambda: len(lines.data["xs"]) == 0, "gone", page=browser)
    assert explorer.session.frame.number == 1
