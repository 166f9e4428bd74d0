"""The one view of all panels: the ranges that they share, what was asked of them, when to paint.

A person pans and zooms in the browser, which tells of it end by end, sixty times a second. Here it
becomes a view with square pixels, and one repaint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bokeh.models import Range1d

from zogy_explorer.ui.wall.pyramid import View
from zogy_explorer.ui.wall.viewport import differs, fitted

_SETTLE_MS = 20  # repaints are at least so far apart; a half-told change of the view waits so long
_LEAST_VIEW = 4.0  # [px of the image] as far as one can zoom in


class LinkedView:
    """The ranges of all panels, kept at square pixels.

    Parameters
    ----------
    size
        Gives width and height of each panel's frame [px].
    paint
        Paints the panels for the present view; called within ``hold``.
    hold
        Sends what is written inside as one message.
    later
        Runs a call after some milliseconds, where models may be written.
    blank
        Whether there is nothing to be painted yet.
    sized
        Whether the size is known: before, views are only kept.

    Attributes
    ----------
    x_range, y_range : Range1d
        Shared by all panels.
    wanted : View
        What was asked for: the ranges show at least this.
    later : callable
        The one given.
    """

    def __init__(
        self,
        size: Callable[[], tuple[int, int]],
        paint: Callable[[], None],
        hold: Callable[[], AbstractContextManager[None]],
        later: Callable[[Callable[[], None], int], object],
        blank: Callable[[], bool],
        sized: Callable[[], bool],
    ) -> None:
        self._size = size
        self._paint = paint
        self._hold = hold
        self.later = later
        self._blank = blank
        self._sized = sized
        # The limit is never changed: a browser that hears of one before the range that goes with
        # it moves the old range inside, and its answer would pass for a user's pan.
        self.x_range = Range1d(0, _LEAST_VIEW, min_interval=_LEAST_VIEW, name="x-range")
        self.y_range = Range1d(0, _LEAST_VIEW, min_interval=_LEAST_VIEW, name="y-range")
        self.wanted: View = self.shown
        self._told = self.shown
        self._writing = False
        self._due: float | None = None  # when the next repaint is, by `time.monotonic` [s]
        self._settled = 0.0  # when the last one was
        self._callbacks: list[Callable[[View], None]] = []
        for axis in (self.x_range, self.y_range):
            for end in ("start", "end"):
                axis.on_change(end, self._on_range)

    @property
    def shown(self) -> View:
        """Left, bottom, right and top of what the panels show, on the pixel grid."""
        return (self.x_range.start, self.y_range.start, self.x_range.end, self.y_range.end)

    @property
    def step(self) -> float:
        """Image pixels a screen pixel."""
        return (self.x_range.end - self.x_range.start) / self._size()[0]

    def on_change(self, callback: Callable[[View], None]) -> None:
        """Call with the view after it has changed and was painted."""
        self._callbacks.append(callback)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Changes of the ranges inside are our own, and no person's."""
        outer, self._writing = self._writing, True
        try:
            yield
        finally:
            self._writing = outer

    def show(self, view: View) -> None:
        """Show at least this part of the pixel grid."""
        self.wanted = view
        with self._hold():
            self.fit()
        self.tell()

    def zoom(self, factor: float) -> None:
        """Show so many times as much, about the centre."""
        left, bottom, right, top = self.shown
        x, y = (left + right) / 2, (bottom + top) / 2
        half_x, half_y = factor * (right - left) / 2, factor * (top - bottom) / 2
        if min(half_x, half_y) * 2 >= _LEAST_VIEW:
            self.show((x - half_x, y - half_y, x + half_x, y + half_y))

    def fit(self) -> None:
        """Set the ranges to the wanted view at the panels' present size, and paint."""
        if not self._sized():
            return
        x0, y0, x1, y1 = fitted(self.wanted, *self._size())
        self.x_range.update(start=x0, end=x1)
        self.y_range.update(start=y0, end=y1)
        self._paint()

    def tell(self) -> None:
        """Call back if the view is another than the last that was told."""
        if self.shown != self._told:
            self._told = self.shown
            for callback in self._callbacks:
                callback(self.shown)

    def soon(self, wait: float = _SETTLE_MS) -> None:
        """Answer a change at once, but the last of a burst: a pan sends sixty a second."""
        now = time.monotonic()
        due = max(now + wait / 1000, self._settled + _SETTLE_MS / 1000)
        if self._due is None or due < self._due:
            self._due = due
            self.later(lambda: self._settle_if(due), round(1000 * (due - now)))

    def _on_range(self, attr: str, old: float, new: float) -> None:
        if self._sized() and not self._writing:
            self.wanted = self.shown
            # The four ends come one by one: pixels are square again when all have come.
            halfway = differs(self.shown, fitted(self.wanted, *self._size()))
            self.soon(_SETTLE_MS if halfway else 0)

    def _settle_if(self, due: float) -> None:
        if self._due == due:  # else another change asked for it earlier
            self._settle()

    def _settle(self) -> None:
        """Paint what the browser shows now; ranges change only if pixels are no longer square."""
        self._due = None
        if self._blank() or not self._sized():
            return  # the first images are fitted to the panels' size, and on their way
        with self._hold():
            if differs(self.shown, fitted(self.wanted, *self._size())):
                self.fit()
            else:
                self._paint()
        self._settled = time.monotonic()
        self.tell()
