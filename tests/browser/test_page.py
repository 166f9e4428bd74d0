"""The page in a real browser: it opens, looks after itself, and speaks in words."""

from __future__ import annotations

import re
import urllib.request

import panel as pn
import pytest

from tests.browser.conftest import click_row
from zogy_explorer import ZogyConfig, ZogyExplorer

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

ASKED_FOR = """() =>
  performance.getEntriesByType("resource").map((entry) => [entry.name, entry.startTime])"""
BUILT = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def test_without_files_the_sample_pair_opens(opened):
    browser, explorer = opened()
    status = browser.get_by_role("status").inner_text()
    assert "sample science ▸ sample template" in status
    assert "16 cells" in status
    assert "✕ 1 fail" in status
    assert re.search(r"σ\(Scorr\) (0\.9|1\.0)", status)
    assert "run 1" in status
    assert explorer.cell is not None


def test_scripts_of_tables_and_uploads_come_after_the_images(opened):
    browser, _ = opened()
    browser.get_by_role("columnheader", name="PSF Δ [px]").wait_for()
    asked = {name.rsplit("/", 1)[-1].split("?")[0]: at for name, at in browser.evaluate(ASKED_FOR)}
    assert asked["tabulator.min.js"] > browser.evaluate(BUILT) > asked["panel.min.js"]
    assert asked["filepond.min.js"] > asked["panel.min.js"]
    assert "bokeh-gl.min.js" not in asked


def test_tables_wait_for_their_scripts_however_long_those_take(chromium, serve):
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    browser, held, faults = context.new_page(), [], []

    def hold(route):
        held.append(route)

    browser.on("pageerror", lambda error: faults.append(str(error)))
    browser.route("**/tabulator.min.js", hold)
    browser.goto(serve(ZogyExplorer))
    browser.wait_for_function("window.FilePond")  # comes before it
    assert browser.get_by_role("button", name="Recompute").count() == 0
    held[0].continue_()
    browser.get_by_role("columnheader", name="PSF Δ [px]").wait_for()
    assert not faults
    context.close()


def test_what_stands_beside_the_explorer_has_its_scripts_at_once(serve):
    url = serve(lambda: pn.Column(ZogyExplorer(), pn.widgets.Tabulator()))
    with urllib.request.urlopen(url) as response:
        html = response.read().decode()
    assert "tabulator.min.js" in html
    assert "text/late" not in html
    assert 'rel="late"' not in html


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
def test_nothing_overflows_the_window(opened, width, height):
    browser, _ = opened(width=width, height=height)
    for name in ("Recompute", "Light", "Open"):
        box = browser.get_by_role("button", name=name, exact=True).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("document.documentElement.scrollHeight") <= height


def test_help_of_a_setting_is_shown_where_the_mark_is_hovered(opened):
    browser, _ = opened()
    browser.locator("label", has_text="maxPsfCentroidDist").locator(".bk-icon").hover()
    browser.get_by_text("Largest distance between the centroids").wait_for()


def test_light_and_dark_are_a_click_apart_and_keep_the_view(opened, until):
    browser, _ = opened()
    explorer_background = (
        "() => getComputedStyle(document.querySelector('.zx-root')).backgroundColor"
    )
    dark, view = browser.evaluate(explorer_background), browser.evaluate(VIEW)
    browser.get_by_role("button", name="Light", exact=True).click()
    until(lambda: browser.evaluate(explorer_background) != dark, "the page is light", page=browser)
    assert browser.evaluate(VIEW) == view
    browser.get_by_role("button", name="Dark", exact=True).click()
    until(lambda: browser.evaluate(explorer_background) == dark, "the page is dark", page=browser)


def test_the_address_follows_and_back_leaves_the_page(opened, until):
    browser, _ = opened()
    until(lambda: "cell=r2c2" in browser.evaluate("location.search"), "address", page=browser)
    entries = browser.evaluate("history.length")
    browser.keyboard.press("ArrowLeft")
    until(lambda: "cell=r2c1" in browser.evaluate("location.search"), "it follows", page=browser)
    assert browser.evaluate("history.length") == entries
    browser.go_back()
    assert browser.url == "about:blank"


def test_the_question_mark_shows_the_shortcuts(opened):
    browser, _ = opened()
    browser.keyboard.press("?")
    browser.get_by_text("select the neighbouring cell").wait_for()
    browser.keyboard.press("Escape")
    browser.get_by_text("select the neighbouring cell").wait_for(state="hidden")


def test_arrow_keys_select_and_z_zooms_and_r_shows_all(opened, until):
    browser, explorer = opened()
    whole = browser.evaluate(VIEW)
    before = explorer.cell.cell
    browser.keyboard.press("ArrowLeft")
    until(lambda: explorer.cell.cell.column == before.column - 1, "left", page=browser)
    browser.keyboard.press("ArrowDown")
    until(lambda: explorer.cell.cell.row == before.row - 1, "down", page=browser)
    browser.get_by_role("heading", name=f"Cell {explorer.cell.cell.name}").wait_for()
    browser.keyboard.press("z")
    until(lambda: browser.evaluate(VIEW)[1] < whole[1] - 50, "zoomed", page=browser)
    browser.keyboard.press("r")
    until(lambda: browser.evaluate(VIEW) == whole, "the whole frame again", page=browser)


def test_keys_typed_into_a_field_stay_there(opened):
    browser, explorer = opened()
    before = explorer.cell.cell.index
    field = browser.get_by_label("Science file")
    field.fill("zr?")
    field.press("ArrowLeft")
    assert field.input_value() == "zr?"
    assert explorer.cell.cell.index == before
    assert not explorer.page.help.visible


@pytest.mark.parametrize("key", ["Enter", "Escape"])
def test_a_box_that_is_done_with_hands_the_keys_back(opened, until, key):
    browser, explorer = opened()
    before = explorer.cell.cell.name
    field = browser.get_by_label("maxPsfCentroidDist", exact=False).first
    field.fill("0.25")
    field.press(key)
    until(lambda: explorer.config.maxPsfCentroidDist == 0.25, "the value is in", page=browser)
    browser.keyboard.press("ArrowLeft")
    until(lambda: explorer.cell.cell.name != before, "the next cell is selected", page=browser)
    assert explorer.config.maxPsfCentroidDist == 0.25
    browser.keyboard.press("Control+z")
    until(lambda: explorer.config.maxPsfCentroidDist == 0.2, "undone", page=browser)


def test_the_drawer_lists_cells_log_and_code(opened, until):
    browser, explorer = opened(config=ZogyConfig(doSpatialGrid=True, minBorder=12))
    click_row(browser, "r0c1")
    until(lambda: explorer.cell.cell.name == "r0c1", "a row selects its cell", page=browser)
    browser.get_by_text("Log", exact=True).click()
    browser.get_by_text("opened sample science", exact=False).wait_for()
    browser.get_by_text("Code", exact=True).click()
    browser.locator("pre", has_text="minBorder=12").wait_for()
    code = browser.locator("pre").inner_text()
    assert "doSpatialGrid=True" in code
    assert "sample_pair()" in code


def test_the_page_says_when_its_server_has_gone(serve, page, until):
    browser = page(serve(ZogyExplorer), allow=("WebSocket", "ERR_CONNECTION_REFUSED"))
    browser.get_by_text("predicted", exact=False).first.wait_for()
    assert browser.get_by_text("no longer answers").count() == 0
    serve.stop()
    browser.get_by_text("no longer answers").wait_for()
    browser.get_by_role("button", name="Reload").wait_for()


def test_a_table_is_not_drawn_again_before_it_is_there(opened):
    browser, _ = opened()
    browser.evaluate(
        """() => new Promise((resolve, reject) => {
          const table = new Tabulator(document.createElement("div"), {data: []})
          try { table.redraw(true) } catch (error) { reject(error) }
          table.on("tableBuilt", resolve)
        })"""
    )


def test_noise_that_is_not_what_was_predicted_is_said_on_the_page(opened):
    from zogy_explorer.simulate import sample_pair

    science, template, _ = sample_pair()
    browser, _ = opened(*(e.replace(variance=e.variance / 2) for e in (science, template)))
    browser.get_by_text("the pixels scatter more than the variance planes predict").wait_for()
    browser.get_by_text("correlated noise from resampling").first.wait_for()


def test_two_visitors_share_nothing(serve, page, until):
    made = []

    def app():
        made.append(ZogyExplorer())
        return made[-1]

    url = serve(app)
    first = page(url)
    until(lambda: len(made) == 1 and made[0].result is not None, "first", page=first)
    second = page(url)
    until(lambda: len(made) == 2 and made[1].result is not None, "second", page=second)
    made_by = made[:2]
    number = first.get_by_role("textbox", name="maxPsfCentroidDist [px]")
    number.fill("0.01")
    number.press("Enter")
    until(lambda: made_by[0].config.maxPsfCentroidDist == 0.01, "edited", page=first)
    until(lambda: made_by[0].session.frame.number == 2, "computed", page=first)
    assert made_by[1].config.maxPsfCentroidDist == 0.2
    assert made_by[1].session.frame.number == 1
    assert "run 1" in second.get_by_role("status").inner_text()
