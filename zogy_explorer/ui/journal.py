"""What a session has to say: the log, and the one sentence that needs attention now."""

from __future__ import annotations

import logging

import param

from zogy_explorer.errors import InputError
from zogy_explorer.ui.state import Notice

_log = logging.getLogger(__name__)

NOTICES_KEPT = 200


class Journal(param.Parameterized):
    """Log and alert of one user."""

    alert = param.String(default="", doc="One sentence that needs the user's attention.")
    notices = param.ClassSelector(class_=tuple, default=(), doc="The log, oldest first.")

    def say(self, severity: str, text: str, advice: str = "") -> None:
        """Add a line to the log."""
        self.tell(Notice(severity, text, advice))

    def tell(self, *notices: Notice) -> None:
        """Add lines to the log."""
        self.notices = (*self.notices, *notices)[-NOTICES_KEPT:]

    def report(self, error: Exception) -> None:
        """Show an error as one sentence; details of unexpected ones go to the program's log."""
        if isinstance(error, InputError | ValueError):
            text = str(error)
        else:
            text = f"something unexpected went wrong ({type(error).__name__}: {error})"
            _log.error("unexpected error in the page", exc_info=error)
        text = " ".join(text.split())
        # A fault of the settings stops the live cell and the frame alike: say it once.
        if not self.notices or self.notices[-1].text != text:
            self.say("failed", text)
        self.alert = text
