"""The lessons in a real browser: every chapter, by keyboard, without a request that leaves."""

from __future__ import annotations

import re

import pytest

from zogy_explorer.ui.explorer import ZogyExplorer
from zogy_explorer.ui.teaching.app import teaching_page
from zogy_explorer.ui.teaching.chapters import CHAPTERS

pytestmark = [
    pytest.mark.browser,
    # Bokeh 3.9 with pandas 3.1, in every table.
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]


@pytest.fixture
def taught(serve, page, until):
    """``taught(query)`` → (browser page, the app that was made for it)."""
    made = []

    def app():
        made.append(teaching_page())
        return made[-1]

    url = serve(app)

    def start(query=""):
        count = len(made)
        browser = page(url + query)
        until(lambda: len(made) > count, "a session is made", page=browser)
        return browser, made[-1]

    return start


def settled(browser, app, until):
    """Wait until the page shows what the lessons have computed."""
    until(lambda: app.lessons.idle and app.lessons.computed, "computed", page=browser)
    browser.get_by_text(f"Chapter {app.lessons.number} of {len(CHAPTERS)}").wait_for()
    link = browser.get_by_text("Open this in the explorer")
    address = app.lessons.computed.shown.address
    until(lambda: link.get_attribute("href") == address, "painted", page=browser)


def test_every_chapter_is_reached_by_the_arrow_key_and_shows_its_pictures(taught, until):
    browser, app = taught()
    for number, chapter in enumerate(CHAPTERS, 1):
        until(lambda n=number: app.lessons.number == n, f"chapter {number}", page=browser)
        settled(browser, app, until)
        title = chapter.title.replace("_", "")  # indices are set below the line
        browser.get_by_role("heading", name=title, exact=True).wait_for()
        count = len(app.lessons.computed.shown.pictures)
        until(lambda c=count: browser.locator(".bk-Canvas").count() >= c, "pictures", page=browser)
        assert browser.evaluate("document.documentElement.scrollWidth") <= 1280
        assert not app.lessons.fault
        browser.keyboard.press("ArrowRight")
    browser.keyboard.press("ArrowLeft")
    until(lambda: app.lessons.number == len(CHAPTERS) - 1, "back", page=browser)


def test_a_chapter_is_opened_by_its_address_which_follows(taught, until):
    browser, app = taught("?chapter=5")
    settled(browser, app, until)
    browser.get_by_role("heading", name="D, and why it is white").wait_for()
    browser.locator("math").first.wait_for()
    browser.get_by_role("button", name="Next →").click()
    until(lambda: "chapter=6" in browser.url, "the address follows", page=browser)


def test_a_prediction_is_made_and_revealed_by_keyboard_alone(taught, until):
    browser, app = taught()
    settled(browser, app, until)
    choice = browser.get_by_role("radio").nth(app.lessons.computed.shown.right)
    choice.focus()
    browser.keyboard.press("Space")
    until(lambda: app.lessons.choice >= 0, "predicted", page=browser)
    button = browser.get_by_role("button", name="Reveal")
    button.focus()
    assert button.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    browser.keyboard.press("Enter")
    browser.get_by_text("As you said").wait_for()


def test_enter_reveals_and_c_shows_the_code_from_anywhere(taught, until):
    browser, app = taught("?chapter=7")
    settled(browser, app, until)
    browser.keyboard.press("Enter")
    until(lambda: app.lessons.revealed, "revealed", page=browser)
    browser.keyboard.press("c")
    browser.locator("pre", has_text="flux_score").wait_for()


def test_a_slider_moved_by_keyboard_changes_the_words(taught, until):
    browser, app = taught()
    settled(browser, app, until)
    browser.get_by_text(re.compile(r"seeing 3\.4 px")).wait_for()
    handle = browser.get_by_role("slider").first
    handle.focus()
    handle.press("ArrowRight")
    until(lambda: app.lessons.knobs.sky.seeing == 3.5, "the knob is turned", page=browser)
    browser.get_by_text(re.compile(r"seeing 3\.5 px")).wait_for()
    assert app.lessons.number == 1  # the arrow moved the slider, not the chapter


@pytest.mark.parametrize("gap", [0, 33])
def test_no_step_of_a_slider_is_lost_however_fast_the_keys(taught, until, gap):
    browser, app = taught("?chapter=6")
    settled(browser, app, until)
    handle = browser.get_by_role("slider").first
    handle.focus()
    for _ in range(6):
        browser.keyboard.press("ArrowRight")
        browser.wait_for_timeout(gap)  # [ms] 33: a key held down
    until(lambda: app.lessons.knobs.sky.noise_template == 7.0, "six steps", page=browser)
    settled(browser, app, until)
    browser.wait_for_timeout(200)  # a late answer would come now
    assert float(handle.get_attribute("aria-valuenow")) == 7.0
    assert app.lessons.knobs.sky.noise_template == 7.0


def test_indices_of_equations_are_below_the_line(taught, until):
    browser, app = taught("?chapter=6")
    settled(browser, app, until)
    drop = """(index) => {
      const [base, low] = [...index.children].map((part) => part.getBoundingClientRect())
      return low.bottom - base.bottom
    }"""
    for index in browser.locator("math msub").all():
        assert index.evaluate(drop) > 2  # [px]


def test_sliders_have_names_and_the_header_of_all_knobs_shows_its_focus(taught, until):
    browser, app = taught("?chapter=6")
    settled(browser, app, until)
    names = ["Noise of the template σᵣ [flux]", "Seeing of the science image [px]"]
    for name in names:
        browser.get_by_role("slider", name=name, exact=True).wait_for()
    header = browser.get_by_role("button", name="The simulated sky: more knobs")
    for _ in range(40):
        browser.keyboard.press("Tab")
        if header.evaluate("e => e.getRootNode().activeElement === e"):
            break
    assert header.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    browser.keyboard.press("Enter")
    browser.get_by_role("slider", name="Seeing of the template [px]", exact=True).wait_for()
    browser.get_by_role("button", name="Next →").click()
    until(lambda: app.lessons.number == 7, "the next chapter", page=browser)
    settled(browser, app, until)
    browser.get_by_role("slider", name="Flux of the new source", exact=True).wait_for()


@pytest.mark.parametrize("chapter", [4, 5, 11])
def test_the_code_is_seen_where_it_is_opened(taught, until, chapter):
    browser, app = taught(f"?chapter={chapter}")
    settled(browser, app, until)
    browser.keyboard.press("Enter")
    browser.locator(".answer").wait_for()
    browser.keyboard.press("c")
    code = browser.locator("pre").last
    code.wait_for()

    def seen():
        box = code.bounding_box()
        return box is not None and box["y"] > 50 and box["y"] + box["height"] <= 775

    until(seen, "the code is within the page", page=browser)
    footer = browser.locator(".shortcuts").bounding_box()
    assert footer["y"] + footer["height"] <= 800


def test_dark_and_light_are_a_key_apart(taught, until):
    browser, app = taught("?chapter=2")
    settled(browser, app, until)
    background = "() => getComputedStyle(document.querySelector('.zx-root')).backgroundColor"
    dark = browser.evaluate(background)
    browser.keyboard.press("d")
    until(lambda: browser.evaluate(background) != dark, "light", page=browser)


def test_the_link_opens_the_explorer_with_the_pair_of_the_chapter(taught, until):
    browser, app = taught("?chapter=13")
    settled(browser, app, until)
    address = browser.get_by_text("Open this in the explorer").get_attribute("href")
    other, explorer = taught(address)
    assert isinstance(explorer, ZogyExplorer)
    until(lambda: explorer.result is not None, "the frame lands", page=other)
    assert explorer.session.pair.science_name == "shifted science"
    other.get_by_text("The science image lies 0.4 px", exact=False).first.wait_for()
