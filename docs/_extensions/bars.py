"""Lets a vertical bar in docstrings be an absolute value; in reStructuredText it substitutes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LITERAL_OR_BAR = re.compile(r"(``.*?``)|(?<!\\)\|")


def escape_bars(
    app: Sphinx, what: str, name: str, item: Any, options: Any, lines: list[str]
) -> None:
    """Escape bars outside of literals; ``lines`` is changed in place."""
    lines[:] = [_LITERAL_OR_BAR.sub(lambda m: m.group(1) or "\\|", line) for line in lines]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", escape_bars)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
