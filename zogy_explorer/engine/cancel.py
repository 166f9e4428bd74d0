"""Cooperative cancel: work asks between its steps whether it should stop."""

from __future__ import annotations

import threading

from zogy_explorer.errors import CancelledError


class CancelToken:
    """Set from any thread; checked by the work between Fourier transforms."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop; harmless if repeated."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def check(self) -> None:
        """Stop the calling work if `cancel` was called.

        Raises
        ------
        CancelledError
            If so.
        """
        if self._event.is_set():
            raise CancelledError("stopped on request: results so far were dropped")
