"""Short work goes first: a frame that is being computed waits while somebody moves a slider.

Python runs one thread at a time: beside a frame a cell would wait for its turn at every step. And
browsers on the same machine go first: their pages answer while a frame is computed.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from zogy_explorer.engine.cancel import CancelToken

PATIENCE = 0.3
"""[s] Longest wait at one step: long work gets on, however many users move sliders."""


LONG_WORK_NICENESS = 5
"""How far the system puts long work behind what else runs on the machine."""


def step_back() -> None:
    """Let the system put the calling thread behind others, where it knows threads (Linux)."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + LONG_WORK_NICENESS
        os.setpriority(os.PRIO_PROCESS, thread, niceness)


class Courtesy:
    """Counts the short work that is running, for the long work to wait for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0

    @contextmanager
    def first(self) -> Iterator[None]:
        """While this lasts, long work waits at its next step."""
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def wait(self) -> None:
        """Wait until no short work is running, or for `PATIENCE`."""
        if self._running:
            with self._changed:
                self._changed.wait_for(lambda: not self._running, PATIENCE)


@functools.cache
def courtesy() -> Courtesy:
    """The one of this process: its users share the processor."""
    return Courtesy()


class PoliteToken(CancelToken):
    """A token of long work, which lets short work pass when it asks whether to stop."""

    def check(self) -> None:
        """Stop the calling work if that is wanted, else let short work pass."""
        super().check()
        courtesy().wait()
        super().check()
