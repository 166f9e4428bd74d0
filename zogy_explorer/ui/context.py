"""What a page hands to each tab of its inspector and of its drawer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.ui.live import Job, Lane, Painter, Progress, cell_pool
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.wall import ImageWall


@dataclass(frozen=True, eq=False)
class PageContext:
    """The parts of a page that a tab may use.

    Parameters
    ----------
    session
        State of the user; tabs watch its parameters and call its methods.
    painter
        Where to ask for anything that writes Bokeh models.
    wall
        The images.
    """

    session: Session
    painter: Painter
    wall: ImageWall
    _lanes: list[Lane] = field(default_factory=list)

    def lane(self, *, cancel_running: bool = False) -> Lane:
        """A lane of one's own on the page's threads for cells; closed with the page."""
        made = Lane(cell_pool, cancel_running=cancel_running)
        self._lanes.append(made)
        return made

    def submit(
        self,
        lane: Lane,
        work: Callable[[CancelToken, Progress], Any],
        land: Callable[[Any], None],
        *,
        on_cancel: Callable[[], None] = lambda: None,
        on_error: Callable[[Exception], None] | None = None,
        on_poll: Callable[[Progress], None] | None = None,
    ) -> None:
        """Have ``work`` done off the page's thread and its result handed to ``land`` on it."""
        failed = on_error or self.session.report
        courier = self.session.courier()
        lane.submit(Job(work, land, failed, on_cancel, on_poll, courier=courier))

    def close(self) -> None:
        """The page is gone: stop the work of its tabs."""
        for lane in self._lanes:
            lane.close()
