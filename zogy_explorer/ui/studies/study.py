"""`Study`: a question about a session's results whose answer takes a while."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import param
from param import Parameter

from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.ui.live import Job, Lane, Progress, cell_pool

if TYPE_CHECKING:
    from zogy_explorer.ui.session import Session

Work = Callable[[CancelToken, Progress], Any]


class Study(param.Parameterized):
    """One lane of work, whether it is busy, and what went wrong, as one sentence.

    Views watch the parameters. An answer that comes after its question has changed is dropped:
    every question carries what it was asked of.

    Parameters
    ----------
    session
        Whose results are looked at.
    pool
        Where the work is done.
    cancel_running
        Whether a new question stops the one that is being answered.
    """

    busy = param.Boolean(default=False, doc="Whether an answer is being worked out.")
    message = param.String(default="", doc="Why there is no answer; empty if there is nothing.")
    progress = param.Number(default=0.0, bounds=(0, 1), doc="Share of the work done.")

    def __init__(
        self,
        session: Session,
        pool: Callable[[], Executor] = cell_pool,
        *,
        cancel_running: bool = True,
    ) -> None:
        super().__init__()
        self._session = session
        self._lanes: list[Lane] = []
        self._lane = self._new_lane(pool, cancel_running=cancel_running)

    def cancel(self) -> None:
        """Stop the work."""
        for lane in self._lanes:
            lane.cancel()

    def close(self) -> None:
        """The page is gone."""
        for lane in self._lanes:
            lane.close()
        # Whoever still holds this object does not hold the images of its answers, which are the
        # parameters of no narrower class.
        answers = [name for name, kind in self.param.objects().items() if type(kind) is Parameter]
        with param.parameterized.discard_events(self):
            self.param.update(**dict.fromkeys(answers))

    def _new_lane(
        self, pool: Callable[[], Executor] = cell_pool, *, cancel_running: bool = True
    ) -> Lane:
        lane = Lane(pool, cancel_running=cancel_running, on_idle=self._rest)
        self._lanes.append(lane)
        return lane

    def _ask(
        self,
        work: Work,
        land: Callable[[Any], None],
        *,
        lane: Lane | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Have ``work`` done off the page's thread and its outcome handed to ``land`` on it."""
        self.param.update(busy=True, message="", progress=0.0)
        courier = self._session.courier()
        (lane or self._lane).submit(
            Job(work, land, on_error or self._failed, on_poll=self._poll, courier=courier)
        )

    def _failed(self, error: Exception) -> None:
        self.message = " ".join(str(error).split()) or type(error).__name__

    def _poll(self, progress: Progress) -> None:
        self.progress = progress.fraction

    def _rest(self) -> None:
        if all(lane.idle for lane in self._lanes):
            self.param.update(busy=False, progress=0.0)
