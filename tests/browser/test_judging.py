"""Asking the page why, how far to trust it, and what it would find, in a real browser."""

from __future__ import annotations

import pytest

from tests.browser.test_journeys import tap
from zogy_explorer import ZogyConfig
from zogy_explorer.simulate import sample_pair

pytestmark = [
    pytest.mark.browser,
    # Bokeh 3.9 with pandas 3.1, in every table.
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]

MARKS = """(marker) => {
  const source = Bokeh.documents[0].get_model_by_name("source-points");  // not before a mark
  const drawn = [...(source?.data.marker ?? [])].filter((name) => name === marker);
  return drawn.length / 2;  // a halo and its mark
}"""
MOVER = (93, 27)
NEW_SOURCE = (308, 130)
EMPTY = (260, 260)


@pytest.fixture(scope="module")
def pair():
    science, template, _ = sample_pair()
    return science, template


@pytest.fixture
def page(opened, pair):
    return opened(*pair, config=ZogyConfig(doSpatialGrid=True, gridInnerSize=5.0))


def tab(browser, name):
    browser.get_by_role("tab", name=name).or_(browser.get_by_text(name, exact=True)).first.click()


def test_a_click_on_a_residual_says_why_it_is_there(page, until):
    browser, explorer = page
    study = explorer.session.studies.explaining
    tab(browser, "Explain")
    until(lambda: study.wanted, "the tab is in front", page=browser)
    tap(browser, "scorr", *NEW_SOURCE)
    browser.get_by_text("A point source is new or brighter").wait_for()
    browser.get_by_text("Moved by itself?").wait_for()
    until(lambda: browser.evaluate(MARKS, "diamond") == 1, "the place is marked", page=browser)
    browser.mouse.move(0, 0)
    tab(browser, "Numbers")
    tap(browser, "difference", *MOVER)
    browser.keyboard.press("e")
    until(lambda: study.place is not None and study.place[0] < 120, "the key asks", page=browser)
    browser.get_by_text("in r0c0").first.wait_for()
    until(lambda: not study.busy, "the answer is complete", page=browser)


def test_trust_shows_sigmas_quantiles_and_spectrum_of_the_tapped_cell(page, until):
    browser, _ = page
    tap(browser, "scorr", *EMPTY)
    tab(browser, "Trust")
    browser.get_by_text("the noise of the images as measured there predicts").wait_for()
    browser.get_by_role("rowheader", name="|Scorr| > 5").wait_for()
    browser.get_by_text("Error budget at").wait_for()
    drawn = """(name) => Bokeh.documents[0].get_model_by_name(name).data.x.length"""
    for name in ("source-trust-qq-measured", "source-trust-spectrum-power"):
        until(lambda name=name: browser.evaluate(drawn, name) > 5, name, page=browser)


def test_an_injected_source_comes_back_and_a_curve_tells_the_depth(page, until):
    browser, explorer = page
    study = explorer.session.studies.injecting
    tab(browser, "Inject")
    until(lambda: study.wanted, "the tab is in front", page=browser)
    tap(browser, "science", *EMPTY)
    until(lambda: study.injection is not None, "the cell is computed again", page=browser)
    browser.get_by_text("recovered").first.wait_for()
    until(
        lambda: browser.evaluate(MARKS, "inverted_triangle") == 1,
        "the source is marked",
        page=browser,
    )
    (found,) = study.injection.recovered
    assert abs(found.pull) < 5
    study.trials = 6
    browser.get_by_role("button", name="Measure in this cell").click()
    browser.get_by_text("half of them found").wait_for(timeout=60_000)
    browser.get_by_role("button", name="Clear all").click()
    until(lambda: study.injection is None, "the source is gone", page=browser)


def test_rows_and_marks_of_detections_find_each_other(page, until):
    browser, explorer = page
    study = explorer.session.studies.detections
    tab(browser, "Detections")
    until(lambda: study.table is not None, "the frame is searched", page=browser)
    browser.locator(".zx-detection-marks input").click()
    until(lambda: browser.evaluate(MARKS, "circle") > 2, "marks are drawn", page=browser)
    browser.get_by_role("row").nth(3).click()
    until(lambda: study.chosen is not None, "a row is chosen", page=browser)
    x, y = study.position(study.chosen)

    def near():
        left, bottom, right, top = explorer.page.wall.view
        return left < x < right < left + 200 and bottom < y < top

    until(near, "the images show its surroundings", page=browser)
