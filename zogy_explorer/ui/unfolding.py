"""A page that shows its images first: the parts beside them are made when those are seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import panel as pn
from panel.viewable import Viewable

from zogy_explorer.ui.style import Lazy

PATIENCE_MS = 1500
"""How long a page waits for its first images before it makes the rest all the same."""

SCRIPTS_MS = 60_000
"""How long it waits for a browser to say that it has what the rest needs."""


class Unfolding:
    """Places on a page that are filled one after the other.

    Making a widget takes the server a millisecond and the browser as much again: with all of them
    in the first message, the images come a second later.

    Parameters
    ----------
    parts
        What makes the content of each place, in the order in which they are filled.
    post
        Runs a call soon where the page may be written.
    on_filled
        Called after each part with its name: it can be brought up to date now.
    """

    def __init__(
        self,
        parts: Mapping[str, Callable[[], Viewable]],
        post: Callable[[Callable[[], None]], object],
        on_filled: Callable[[str], None],
    ) -> None:
        self.places = {name: Lazy(make) for name, make in parts.items()}
        self._post = post
        self._on_filled = on_filled
        self._waiting = list(parts)
        self._filled: set[str] = set()
        self._loaded = self._started = self._begun = False
        self._prepare: Callable[[Callable[[], None]], object] = lambda then: then()
        self._document: Any = None

    def filled(self, name: str) -> bool:
        """Whether a part is on the page."""
        return name in self._filled

    def after_images(
        self,
        document: Any,
        seen: Callable[[], bool],
        prepare: Callable[[Callable[[], None]], object],
    ) -> None:
        """Start when a served page is there and has shown its images; at once elsewhere.

        Parameters
        ----------
        document
            Of the served page, None if there is none.
        seen
            Whether there are images, or a message in their place.
        prepare
            Has the browser made ready for the rest, and calls then.
        """
        if document is None:
            while self._waiting:
                self._fill_next()
            return

        self._document, self._prepare = document, prepare

        def loaded() -> None:
            self._loaded = True
            if seen():
                self.soon()
            else:
                document.add_timeout_callback(self.soon, PATIENCE_MS)

        pn.state.onload(loaded)

    def soon(self) -> None:
        """Fill what is empty, part by part: the page answers in between."""
        if self._loaded and not self._started:
            self._started = True
            patience = self._document.add_timeout_callback(self._begin, SCRIPTS_MS)

            def ready() -> None:
                if not self._begun:
                    self._document.remove_timeout_callback(patience)  # it holds the page
                    self._begin()

            self._prepare(ready)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._post(self._step)

    def _step(self) -> None:
        try:
            self._fill_next()
        finally:  # a part that fails does not take the others with it
            if self._waiting:
                self._post(self._step)

    def _fill_next(self) -> None:
        name = self._waiting.pop(0)
        self.places[name].fill()
        self._filled.add(name)
        self._on_filled(name)
