"""The Log tab: what happened, newest first."""

from __future__ import annotations

import panel as pn

from zogy_explorer.ui import words
from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.style import Palette


class LogTab:
    """Notices of the session.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Log"

    def __init__(self, context: PageContext) -> None:
        self._session = context.session
        self._log = text_pane(name="log", margin=(4, 8))
        self.view = pn.Column(self._log, scroll="y-auto", sizing_mode="stretch_both", margin=0)
        self._session.param.watch(lambda *events: self._show_log(), "notices")
        self._show_log()

    def show(self) -> None:
        """Nothing to do: the log follows the session at once."""

    def theme(self, colors: Palette) -> None:
        """Text follows the page by itself."""

    def _show_log(self) -> None:
        self._log.object = words.log_lines(self._session.notices)
