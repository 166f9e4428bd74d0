"""Work off the page's thread: latest wins, cancel, progress, and a safe way back.

A `Lane` runs one job and keeps at most one waiting: while a slider moves, stale values are
dropped, never queued. Results come back through a `Courier`. Nothing here knows about images or
subtraction.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from zogy_explorer.engine.arithmetic import warm_up
from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.errors import CancelledError
from zogy_explorer.ui.couriers import Courier, InlineCourier, Stop, current_courier
from zogy_explorer.ui.courtesy import step_back

Landing = Callable[[Any], Awaitable[None] | None]

POLL_MS = 100
"""How often the page reads the progress of a running job."""


@functools.cache
def cell_pool() -> Executor:
    """Threads for live cells, shared by all users of the process."""
    pool = ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1), thread_name_prefix="cell")
    pool.submit(warm_up)  # so that no slider waits for a compiler
    return pool


@functools.cache
def frame_pool() -> Executor:
    """The one lane for whole frames and files, shared by all users of the process."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="frame", initializer=step_back)


class InlineExecutor(Executor):
    """Runs what is submitted at once, in the caller's thread: for scripts and tests."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Future that is already done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Painter:
    """Runs what paints the page: together, each once, and only where the page may be written.

    Events of Panel's widgets come without the document's lock, and writing to Bokeh models then
    fails. Whoever wants to paint asks here.

    Parameters
    ----------
    courier
        Of the page.
    on_error
        Called with whatever goes wrong.

    Attributes
    ----------
    after : callable
        Called when all is painted.
    """

    def __init__(self, courier: Courier, on_error: Callable[[Exception], None]) -> None:
        self._courier = courier
        self._on_error = on_error
        self.after: Callable[[], None] = lambda: None
        self._wanted: dict[Callable[[], object], None] = {}

    def ask(self, paint: Callable[[], object]) -> None:
        """Have ``paint`` called soon; once, however often it was asked for."""
        first = not self._wanted
        self._wanted[paint] = None
        if first:
            self._courier.post(self._paint)

    def _paint(self) -> None:
        wanted, self._wanted = self._wanted, {}
        for paint in wanted:
            try:
                paint()
            except Exception as error:  # one broken view must not take the others with it
                self._on_error(error)
        self.after()


@dataclass
class Progress:
    """Two numbers that the work writes and the page reads."""

    done: int = 0
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        """Called by the work."""
        self.done, self.total = done, total

    @property
    def fraction(self) -> float:
        """Between 0 and 1."""
        return self.done / self.total if self.total else 0.0


@dataclass
class Job:
    """One piece of work and where its outcome goes.

    Parameters
    ----------
    work
        Called in a worker thread with a cancel token and a progress to write.
    on_result
        Called on the page's thread with what ``work`` returned; may be awaitable.
    on_error
        Called there with the exception instead; not for cancelled work.
    on_cancel
        Called there when the work stopped on request.
    on_poll
        Called there every 100 ms while the work runs.
    """

    work: Callable[[CancelToken, Progress], Any]
    on_result: Landing
    on_error: Callable[[Exception], None]
    on_cancel: Callable[[], None] = lambda: None
    on_poll: Callable[[Progress], None] | None = None
    token: CancelToken = field(default_factory=CancelToken)
    progress: Progress = field(default_factory=Progress)
    courier: Courier = field(default_factory=current_courier)


class Lane:
    """One job runs, one may wait, the latest wins.

    Use it from the page's thread only.

    Parameters
    ----------
    pool
        Gives the executor, when first needed.
    cancel_running
        Whether a new job stops the running one (long jobs) or lets it land (short ones, whose
        results are worth seeing while a slider moves).
    on_idle
        Called when the last job has landed or stopped.
    """

    def __init__(
        self,
        pool: Callable[[], Executor],
        *,
        cancel_running: bool = False,
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._cancel_running = cancel_running
        self._on_idle = on_idle
        self._running: Job | None = None
        self._waiting: Job | None = None
        self._closed = False

    @property
    def idle(self) -> bool:
        """Whether everything submitted has landed, been dropped or been cancelled."""
        return self._running is None and self._waiting is None

    @property
    def waiting(self) -> bool:
        """Whether a job waits for the running one."""
        return self._waiting is not None

    def submit(self, job: Job) -> None:
        """Run ``job`` now, or after the running one in place of whatever waits."""
        if self._running is None:
            self._start(job)
            return
        self._waiting = job
        if self._cancel_running:
            self._running.token.cancel()

    def cancel(self) -> None:
        """Drop what waits and stop what runs at its next step."""
        self._waiting = None
        if self._running is not None:
            self._running.token.cancel()

    def close(self) -> None:
        """Stop, and let nothing land any more: the page has gone."""
        self._closed = True
        self.cancel()

    def _start(self, job: Job) -> None:
        self._running = job
        stop = (
            job.courier.every(POLL_MS, functools.partial(job.on_poll, job.progress))
            if job.on_poll
            else lambda: None
        )
        # Without a page there is no thread to come back to: the work is done here and now.
        pool = InlineExecutor() if isinstance(job.courier, InlineCourier) else self._pool()
        future = pool.submit(_run, job)

        def done(finished: Future[Any]) -> None:
            if self._closed:
                self._running = None  # it holds what it worked on
            else:
                job.courier.post(functools.partial(self._land, job, finished, stop))

        future.add_done_callback(done)

    def _land(self, job: Job, future: Future[Any], stop: Stop) -> Awaitable[None] | None:
        """Hand over the outcome, then let the next job start: a slow page is not flooded."""
        stop()
        error = future.exception()
        if isinstance(error, CancelledError) or (error is None and job.token.cancelled):
            job.on_cancel()
        elif isinstance(error, Exception):
            job.on_error(error)
        else:
            try:
                outcome = job.on_result(future.result())
            except Exception as fault:
                job.on_error(fault)
            else:
                if inspect.isawaitable(outcome):
                    return self._land_later(job, outcome)
        self._next()
        return None

    async def _land_later(self, job: Job, outcome: Awaitable[None]) -> None:
        try:
            await outcome
        except Exception as fault:
            job.on_error(fault)
        self._next()

    def _next(self) -> None:
        job, self._running, self._waiting = self._waiting, None, None
        if job is not None:
            self._start(job)
        else:
            self._on_idle()


def _run(job: Job) -> Any:
    job.token.check()
    return job.work(job.token, job.progress)
