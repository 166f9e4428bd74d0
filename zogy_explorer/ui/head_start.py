"""The server makes a page while the browser loads its scripts, not before.

A page is handed out when its function has returned: a browser then takes as long to load and read
the scripts as the server takes to make the content, and asks for the content after that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

SCRIPTS_FIRST_MS = 60
"""The server sends the scripts in this time; while it makes the content it sends nothing."""


def while_scripts_load(document: Any, make: Callable[[], None]) -> None:
    """Make the content of a served page when the page has been handed out.

    Parameters
    ----------
    document
        Of the page, which has an empty root.
    make
        Fills the root.
    """

    def soon() -> None:
        session = document.session_context.session
        if session is not None and session.connection_count and not pn.state.loaded:
            pn.state.onload(make)  # what reaches a half-built page is lost
        else:
            make()

    document.add_timeout_callback(soon, SCRIPTS_FIRST_MS)
