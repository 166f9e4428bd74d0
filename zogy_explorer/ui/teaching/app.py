"""What a visitor of the lessons gets: a chapter, or the explorer with the pair of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import panel as pn
from panel.viewable import Viewable, Viewer

from zogy_explorer.ui.connection import say_when_lost
from zogy_explorer.ui.explorer import ZogyExplorer
from zogy_explorer.ui.housekeeping import housekeeping
from zogy_explorer.ui.serving import served_document
from zogy_explorer.ui.teaching.lessons import Lessons
from zogy_explorer.ui.teaching.page import TITLE, LessonPage

_EXPLORER = frozenset({"sample", "pair", "science"})
"""Words that only an address of the explorer has."""


class TeachingApp(Viewer):
    """The lessons as a Panel object, for notebooks, ``.servable()`` and ``pn.serve``.

    Parameters
    ----------
    chapter
        To start with, from 1; by default that of the address (``?chapter=5``).
    dark
        Theme at the start.

    Examples
    --------
    >>> TeachingApp(chapter=5).servable()  # doctest: +SKIP
    """

    def __init__(self, chapter: int | None = None, *, dark: bool = True, **params: Any) -> None:
        super().__init__(**params)
        document = served_document()
        if document is not None:
            housekeeping().page_opens(document)  # first: what is there now is never searched again
        self.lessons = Lessons(chapter if chapter is not None else chapter_of(address_words()))
        self.page = LessonPage(
            self.lessons, dark=dark, location=pn.state.location if document is not None else None
        )
        if document is not None:
            say_when_lost(document, "; its address keeps the chapter.")
            pn.state.on_session_destroyed(lambda context: self._close())

    def _close(self) -> None:
        """The browser has gone."""
        self.lessons.close()
        housekeeping().page_closes()

    def servable(self, title: str | None = None, **kwargs: Any) -> Viewer:
        """Add the page to the document being served."""
        return super().servable(title=title or TITLE, **kwargs)

    def __panel__(self) -> Viewable:
        return self.page.view


def teaching_page(*, dark: bool = True) -> Viewer:
    """The page that the address asks for: a chapter, or the explorer if it names a pair."""
    if not _EXPLORER.isdisjoint(address_words()):
        return ZogyExplorer(dark=dark)
    return TeachingApp(dark=dark)


def address_words() -> dict[str, str]:
    """Words of the address of the page being served; empty elsewhere."""
    arguments = pn.state.session_args or {}
    return {name: values[-1].decode("utf-8", "replace") for name, values in arguments.items()}


def chapter_of(words: Mapping[str, str]) -> int:
    """Number of the chapter in an address; the first if it has none, or no number."""
    text = words.get("chapter", "1")
    return int(text) if text.isascii() and text.isdigit() else 1
