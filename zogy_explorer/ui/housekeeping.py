"""Python looks for garbage when nobody waits, not while a page opens.

A search through all objects of the libraries and of all pages stops the server for up to half a
second, and one in five pages opened during such a search. Here the libraries' objects are left
out, and the search is made when no page has changed for a while. After a page has gone, what it
had then goes back to the system.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import time
from collections.abc import Callable
from typing import Any

from zogy_explorer.ui.give_back import give_back

QUIET = 0.5
"""[s] Nobody works if no page has changed for so long."""

LOOK_EVERY = 0.25
"""[s] How often to look whether it is quiet."""

GIVE_BACK_AFTER = 5.0
"""[s] Memory returns to the system so long after the last page has gone: all of it is let go then,
and the next visitor of a busy server does not have to fetch it again."""

GIVE_BACK_AT_LAST = 30.0
"""[s] It is not put off for longer than this by pages that go one after the other."""

SELDOM = 10
"""So many times rarer does Python itself search everything, for a server that is never quiet."""


class Housekeeping:
    """Chooses when a server searches for garbage.

    Parameters
    ----------
    often
        After so many smaller searches Python would make a full one.
    clock
        Gives the time [s].
    """

    def __init__(self, often: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._often = often
        self._clock = clock
        self._changed = clock()
        self._pages = 0
        self._left = False  # whether a page has gone since the last search
        self._owing: tuple[float, float] | None = None  # first and last end of a page since then
        self._loop: asyncio.AbstractEventLoop | None = None  # in which the next look is due

    def page_opens(self, document: Any) -> None:
        """A served page is made: wait while it changes."""
        self._pages += 1
        self._note()
        document.on_change(lambda event: self._note())
        self._look_later()

    def page_closes(self) -> None:
        """Its browser has gone: what it had can be let go."""
        self._pages -= 1
        self._left = True
        now = self._clock()
        self._owing = (now if self._owing is None else self._owing[0], now)
        self._look_later()

    def look(self) -> None:
        """Search now if there may be something to be found and nobody would notice."""
        if self._clock() - self._changed > QUIET:
            if self._left or gc.get_count()[2] >= self._often:
                self._left = False
                gc.collect()
            self._give_back_if_due()
        self._loop = None
        if self._pages > 0 or self._left or self._owing is not None:
            self._look_later()

    def _give_back_if_due(self) -> None:
        if self._owing is None:
            return
        first, last = self._owing
        now = self._clock()
        if now - last > GIVE_BACK_AFTER or now - first > GIVE_BACK_AT_LAST:
            self._owing = None
            give_back()

    def _note(self) -> None:
        self._changed = self._clock()

    def _look_later(self) -> None:
        if self._loop is not None and self._loop.is_running():
            return
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:  # no server's thread: Python's own search must do
            return
        self._loop.call_later(LOOK_EVERY, self.look)


@functools.cache
def housekeeping() -> Housekeeping:
    """The one of this process, whose garbage is looked for as a whole.

    What is there at the first call stays for good: ask before anything of a page is made. Python
    itself searches everything more seldom.
    """
    gc.freeze()
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, SELDOM * old)
    return Housekeeping(old)
