"""Whether code runs for a page that a server hands out, and for which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import panel as pn

if TYPE_CHECKING:
    from bokeh.document import Document


def served_document() -> Document | None:
    """Document of the page being served; None in a notebook or a script."""
    document: Document | None = pn.state.curdoc
    return document if document is not None and document.session_context is not None else None
