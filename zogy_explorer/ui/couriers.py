"""The way back from work off the page's thread to where the page may be written.

A courier is captured when a job is *submitted*, because the current document is unknown in the
thread that finishes it.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

import panel as pn

from zogy_explorer.ui.serving import served_document

Stop = Callable[[], None]
"""Ends what `Courier.every` repeats."""


class Courier(Protocol):
    """Carries calls from any thread to the thread that may touch the page."""

    def post(self, call: Callable[[], Awaitable[None] | None]) -> None:
        """Run ``call`` there soon."""

    def every(self, milliseconds: int, call: Callable[[], None]) -> Stop:
        """Run ``call`` there again and again; returns what stops it."""


class InlineCourier:
    """Calls at once: there is no page."""

    def post(self, call: Callable[[], Awaitable[None] | None]) -> None:
        """Run ``call`` now."""
        outcome = call()
        if inspect.isawaitable(outcome):
            _run_to_end(outcome)

    def every(self, milliseconds: int, call: Callable[[], None]) -> Stop:
        """Nothing to repeat: inline work is over before anybody could look."""
        return lambda: None


def _run_to_end(outcome: Awaitable[None]) -> None:
    """Finish an awaitable from anywhere, also under a running loop such as a notebook's."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(_await(outcome))
        return
    with ThreadPoolExecutor(max_workers=1) as aside:
        aside.submit(asyncio.run, _await(outcome)).result()


@contextmanager
def _written_together(document: Any) -> Iterator[None]:
    """Hold what is written inside and let Bokeh send it, in order, at the end.

    Panel's own hold can lose the race with a message that is still on its way: the later one
    then waits until something else is written, and the page looks dead. While Bokeh holds,
    Panel adds to what is held.
    """
    if document.callbacks.hold_value:
        yield
        return
    document.hold("combine")
    try:
        yield
    finally:
        document.unhold()


class DocumentCourier:
    """To a served page: through its document, which takes its own lock."""

    def __init__(self, document: Any) -> None:
        self._document = document
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    @property
    def _asked_for(self) -> bool:
        """Whether a browser has asked for the page."""
        session = self._document.session_context.session
        return session is not None and session.connection_count > 0

    def post(self, call: Callable[[], Awaitable[None] | None]) -> None:
        """Run ``call`` with the document's lock held; safe from any thread.

        Before a browser has asked for the page, or after it has built it: changes that reach a
        half-built page are lost.
        """

        # Not a coroutine: Bokeh sets the current document for the call only, and Panel needs it.
        def locked() -> Awaitable[None] | None:
            if self._asked_for and not pn.state.loaded:
                pn.state.onload(lambda: self.post(call))
                return None
            with _written_together(self._document):
                return call()

        # Bokeh's list of held events is not safe to add to while the server's thread empties it: a
        # callback that a worker adds just then is lost, and with it the outcome of the work.
        add = functools.partial(self._document.add_next_tick_callback, locked)
        if self._loop is None:
            add()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(add)

    def every(self, milliseconds: int, call: Callable[[], None]) -> Stop:
        """Repeat ``call`` with the document's lock held, once the browser has built the page."""

        def when_loaded() -> None:
            if pn.state.loaded:
                with _written_together(self._document):
                    call()

        callback = self._document.add_periodic_callback(when_loaded, milliseconds)

        def stop() -> None:
            # The page may have gone, and its callbacks with it.
            if callback in self._document.session_callbacks:
                self._document.remove_periodic_callback(callback)

        return stop


class LoopCourier:
    """To a notebook: through the kernel's event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, call: Callable[[], Awaitable[None] | None]) -> None:
        """Run ``call`` in the loop; safe from any thread."""

        def run() -> None:
            outcome = call()
            if inspect.isawaitable(outcome):
                self._keep(self._loop.create_task(_await(outcome)))

        self._loop.call_soon_threadsafe(run)

    def every(self, milliseconds: int, call: Callable[[], None]) -> Stop:
        """Repeat ``call`` in the loop."""

        async def repeat() -> None:
            while True:
                await asyncio.sleep(milliseconds / 1000)
                call()

        task = self._loop.create_task(repeat())
        self._keep(task)

        def stop() -> None:
            self._loop.call_soon_threadsafe(task.cancel)

        return stop

    def _keep(self, task: asyncio.Task[None]) -> None:
        # The loop itself holds tasks only weakly.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def current_courier() -> Courier:
    """The courier of the page, notebook or script in which it is asked for."""
    document = served_document()
    if document is not None:
        return DocumentCourier(document)
    try:
        return LoopCourier(asyncio.get_running_loop())
    except RuntimeError:
        return InlineCourier()


async def _await(outcome: Awaitable[None]) -> None:
    await outcome
