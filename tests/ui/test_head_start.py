"""A served page is handed out empty and filled while the browser loads its scripts."""

from __future__ import annotations

from types import SimpleNamespace

import panel as pn
import pytest

from zogy_explorer.ui import head_start
from zogy_explorer.ui.head_start import while_scripts_load


class Document:
    """A served document, whose clock is turned by the test."""

    def __init__(self, connections):
        session = SimpleNamespace(connection_count=connections)
        self.session_context = SimpleNamespace(session=session)
        self.waiting = []

    def add_timeout_callback(self, call, milliseconds):
        assert milliseconds >= 0
        self.waiting.append(call)


@pytest.fixture
def onload(monkeypatch):
    """Calls that wait for the browser to have built the page."""
    calls = []
    monkeypatch.setattr(
        head_start, "pn", SimpleNamespace(state=SimpleNamespace(loaded=False, onload=calls.append))
    )
    return calls


def test_content_is_made_after_the_page_was_handed_out(onload):
    document, made = Document(connections=0), []
    while_scripts_load(document, lambda: made.append(True))
    assert not made
    document.waiting.pop()()
    assert made
    assert not onload


def test_a_browser_that_is_half_way_builds_what_it_has_first(onload):
    document, made = Document(connections=1), []
    while_scripts_load(document, lambda: made.append(True))
    document.waiting.pop()()
    assert not made
    onload.pop()()
    assert made


def test_views_are_not_there_before_they_are_made():
    from zogy_explorer import ZogyExplorer
    from zogy_explorer.errors import InputError

    explorer = object.__new__(ZogyExplorer)
    explorer.__dict__["_page"] = None
    with pytest.raises(InputError, match="still being made"):
        _ = explorer.page
    assert pn.state.curdoc is None
