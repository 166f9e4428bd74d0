"""The bars beside the images can be put away."""

from __future__ import annotations

import pytest

from zogy_explorer.ui.keys import SHORTCUTS
from zogy_explorer.ui.side_bars import NARROW

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


def bar(page, name):
    return page.bars._bars[name]


def press(page, key):
    page.keys._handle_msg({"key": key})


@pytest.mark.parametrize(("key", "name"), [("s", "settings"), ("i", "inspector")])
def test_a_key_puts_a_bar_away_and_back(page, key, name):
    assert key in SHORTCUTS
    for visible in (False, True):
        press(page, key)
        assert bar(page, name).visible is visible


def test_the_button_puts_the_settings_away(page):
    page.header.settings.clicks += 1
    assert not bar(page, "settings").visible


def test_who_asks_why_sees_the_answer(page):
    press(page, "i")
    press(page, "e")
    assert bar(page, "inspector").visible


@pytest.mark.parametrize(("width", "visible"), [(NARROW - 1, False), (NARROW, True)])
def test_a_narrow_page_begins_without_its_settings(page, width, visible):
    page.bars.measure._handle_msg({"width": width})
    assert bar(page, "settings").visible is visible
    assert bar(page, "inspector").visible
