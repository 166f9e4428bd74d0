"""Tabs that are made when they first come to the front: a page opens with what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

import panel as pn
import param

from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.panes import FrontAware
from zogy_explorer.ui.style import Lazy, Palette


class LateTab(Protocol):
    """What all tabs of a page have in common."""

    title: str
    view: pn.viewable.Viewable

    def __init__(self, context: PageContext) -> None:
        """Make the tab for a page."""

    def theme(self, colors: Palette) -> None:
        """Take the colours of the page."""


T = TypeVar("T", bound=LateTab)


class LateTabs(Generic[T]):
    """A row of tabs, each made when it is first asked for.

    Parameters
    ----------
    kinds
        Classes of the tabs, in their order.
    context
        Of the page.
    colors
        Of the page at the start.
    **options
        Of `panel.Tabs`.
    """

    def __init__(
        self, kinds: Sequence[type[T]], context: PageContext, colors: Palette, **options: Any
    ) -> None:
        self._kinds = tuple(kinds)
        self._context = context
        self._colors = colors
        self._made: dict[int, T] = {}
        self._places = [Lazy(lambda i=i: self.tab(i).view) for i in range(len(self._kinds))]  # type: ignore[misc]
        for place in self._places:  # else its place would stretch a tab further than its row
            place.view.sizing_mode = options.get("sizing_mode", "stretch_both")
        titled = zip(self._kinds, self._places, strict=True)
        self.view = pn.Tabs(*((kind.title, place.view) for kind, place in titled), **options)
        self.view.param.watch(self._switched, "active")

    @property
    def titles(self) -> list[str]:
        """Titles in order."""
        return [kind.title for kind in self._kinds]

    @property
    def all(self) -> list[T]:
        """All tabs; makes those that were never looked at."""
        return [self.tab(place) for place in range(len(self._kinds))]

    def tab(self, place: int) -> T:
        """The tab at a place, made now if need be."""
        if place not in self._made:
            made = self._kinds[place](self._context)
            made.theme(self._colors)
            self._made[place] = made
        return self._made[place]

    def open(self, title: str) -> None:
        """Bring the tab of this title to the front."""
        self.view.active = self.titles.index(title)

    def front(self) -> T:
        """The tab in front, with its content on the page."""
        place = self.view.active
        self._places[place].fill()
        return self.tab(place)

    def theme(self, colors: Palette) -> None:
        """Colours of the page, also for tabs to come."""
        self._colors = colors
        for tab in self._made.values():
            tab.theme(colors)

    def _switched(self, event: param.parameterized.Event) -> None:
        for place in (event.old, event.new):
            tab = self.tab(place)
            if isinstance(tab, FrontAware):
                tab.in_front(place == event.new)
