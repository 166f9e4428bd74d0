"""The command line, ``zogy-explorer [COMMAND] …``; `main` is its entry point."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn


def _imported() -> Callable[..., int]:
    """The entry point; numerical libraries take a second to import: Ctrl+C in it is one line, too.

    The signal is noted: numpy turns an interrupt in the midst of its import into an ImportError.
    """
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> NoReturn:
        noted.append(number)
        raise KeyboardInterrupt

    ours = False
    try:
        # Whoever has a handler of their own, or ignores the signal, keeps it.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, note)
            ours = True
    except ValueError:  # not in the main thread: no signal comes here
        pass
    try:
        from zogy_explorer.cli.main import main
    except BaseException as error:
        if not noted and not isinstance(error, KeyboardInterrupt):
            raise
        noted.append(signal.SIGINT)
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if noted:
        print("zogy-explorer: interrupted before it began", file=sys.stderr)
        raise SystemExit(130)
    return main


main = _imported()

__all__ = ["main"]
