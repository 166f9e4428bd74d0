"""What comes back to a served page is written when the browser cannot miss it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from zogy_explorer.ui import couriers
from zogy_explorer.ui.couriers import DocumentCourier


class Document:
    """A served document with as many browsers as the test says."""

    def __init__(self):
        self.session = SimpleNamespace(connection_count=0)
        self.session_context = SimpleNamespace(session=self.session)
        self.callbacks = SimpleNamespace(hold_value=None)
        self.held = 0

    def add_next_tick_callback(self, call):
        call()

    def hold(self, how):
        assert how == "combine"
        self.held += 1

    def unhold(self):
        self.held -= 1


@pytest.fixture
def state(monkeypatch):
    """Whether the browser has built the page, and what waits for that."""
    state = SimpleNamespace(loaded=False, waiting=[], curdoc=None)
    state.onload = state.waiting.append
    monkeypatch.setattr(couriers, "pn", SimpleNamespace(state=state))
    return state


def test_what_is_there_before_a_browser_asks_goes_with_the_page(state):
    document, done = Document(), []
    DocumentCourier(document).post(lambda: done.append(document.held))
    assert done == [1]  # and held together
    assert document.held == 0
    assert not state.waiting


def test_nothing_is_written_while_a_browser_builds_the_page(state):
    document, done = Document(), []
    courier = DocumentCourier(document)
    document.session.connection_count = 1
    courier.post(lambda: done.append("written"))
    assert not done
    state.loaded = True
    for call in state.waiting:
        call()
    assert done == ["written"]
