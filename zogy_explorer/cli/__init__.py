"""The command line, ``zogy-explorer [COMMAND] …``; `main` is its entry point."""

from __future__ import annotations

from zogy_explorer.cli.main import main

__all__ = ["main"]
