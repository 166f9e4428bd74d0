"""A served page shows its images first; what stands beside them follows when they are seen."""

from __future__ import annotations

import panel as pn
import pytest

from zogy_explorer.ui import unfolding
from zogy_explorer.ui.unfolding import Unfolding


class Document:
    """What a served document is to the unfolding."""

    session_context = object()

    def __init__(self):
        self.waiting = []

    def add_timeout_callback(self, call, milliseconds):
        self.waiting.append((milliseconds, call))
        return call

    def remove_timeout_callback(self, call):
        self.waiting[:] = [(wait, other) for wait, other in self.waiting if other != call]


class Browser:
    """Loads the page when told so, and keeps the order of what was made."""

    def __init__(self, monkeypatch):
        self.document, self.made, self.told, self.posted = Document(), [], [], []
        self.prepared = None
        monkeypatch.setattr(
            unfolding.pn, "state", type("State", (), {"onload": staticmethod(self.keep)})
        )
        parts = {name: self.part(name) for name in ("bar", "drawer")}
        self.unfolding = Unfolding(parts, self.posted.append, self.told.append)

    def keep(self, call):
        self.load = call

    def part(self, name):
        def make():
            self.made.append(name)
            return pn.pane.HTML(name)

        return make

    def prepare(self, then):
        self.prepared = then

    def after_images(self, seen):
        self.unfolding.after_images(self.document, lambda: seen, self.prepare)

    def turn(self):
        """One turn of the page's loop."""
        now, self.posted[:] = list(self.posted), []
        for call in now:
            call()


@pytest.fixture
def browser(monkeypatch):
    return Browser(monkeypatch)


def test_parts_are_made_one_by_one_when_the_images_are_there(browser):
    browser.after_images(seen=True)
    browser.turn()
    assert browser.made == []
    browser.load()
    browser.turn()
    assert browser.made == []  # the browser paints them, and gets what the rest needs
    browser.prepared()
    assert browser.document.waiting == []  # nothing holds the page
    browser.turn()
    assert (browser.made, browser.told) == (["bar"], ["bar"])
    assert browser.unfolding.filled("bar")
    assert not browser.unfolding.filled("drawer")
    browser.turn()
    browser.turn()
    assert browser.made == browser.told == ["bar", "drawer"]
    assert browser.posted == []


def test_images_that_come_after_the_page_start_it(browser):
    browser.after_images(seen=False)
    browser.unfolding.soon()
    browser.turn()
    assert browser.made == []  # images, but no browser
    browser.load()
    browser.turn()
    assert browser.made == []  # a browser, but no images
    browser.unfolding.soon()
    browser.prepared()
    browser.turn()
    assert browser.made == ["bar"]


def test_without_images_the_page_is_complete_after_a_while(browser):
    browser.after_images(seen=False)
    browser.load()
    ((wait, call),) = browser.document.waiting
    assert wait == unfolding.PATIENCE_MS
    call()
    browser.unfolding.soon()  # the images come just then: nothing is made twice
    browser.prepared()
    for _ in range(4):
        browser.turn()
    assert browser.made == ["bar", "drawer"]


def test_a_browser_that_never_says_it_is_ready_is_not_waited_for_without_end(browser):
    browser.after_images(seen=True)
    browser.load()
    ((wait, call),) = browser.document.waiting
    assert wait == unfolding.SCRIPTS_MS
    call()
    browser.turn()
    browser.prepared()  # late, after all: nothing is made twice
    browser.turn()
    browser.turn()
    assert browser.made == ["bar", "drawer"]


def test_elsewhere_everything_is_there_at_once(browser):
    browser.unfolding.after_images(None, lambda: False, browser.prepare)
    assert browser.made == ["bar", "drawer"]


def test_a_part_that_fails_does_not_take_the_others_with_it(browser):
    def broken():
        raise RuntimeError("no side bar")

    parts = {"bar": broken, "drawer": browser.part("drawer")}
    unfolding_ = Unfolding(parts, browser.posted.append, browser.told.append)
    unfolding_.after_images(browser.document, lambda: True, browser.prepare)
    browser.load()
    browser.prepared()
    with pytest.raises(RuntimeError, match="no side bar"):
        browser.turn()
    browser.turn()
    assert browser.made == browser.told == ["drawer"]
    assert not unfolding_.filled("bar")
