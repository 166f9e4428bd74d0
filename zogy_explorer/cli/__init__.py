"""The command line, ``zogy-explorer [COMMAND] …``; `main` is its entry point."""

from __future__ import annotations

import sys

try:
    from zogy_explorer.cli.main import main
except KeyboardInterrupt:
    # Numerical libraries take a second to import: Ctrl+C in it is one line, too.
    print("zogy-explorer: interrupted before it began", file=sys.stderr)
    raise SystemExit(130) from None

__all__ = ["main"]
