"""The Code tab: the script that gives the same result."""

from __future__ import annotations

from html import escape

import panel as pn

from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.script import script
from zogy_explorer.ui.style import Palette

_COPY = """
const text = new DOMParser().parseFromString(pane.text, "text/html");
const plain = new DOMParser().parseFromString(text.body.textContent, "text/html");
navigator.clipboard.writeText((plain.querySelector("pre") ?? text.body).textContent);
"""


class CodeTab:
    """Script of the frame on screen, with a button that copies it.

    Parameters
    ----------
    context
        Of the page.
    """

    title = "Code"

    def __init__(self, context: PageContext) -> None:
        self._session = context.session
        self._code = text_pane(name="code", margin=(4, 8))
        self._copy = pn.widgets.Button(label="Copy", margin=(4, 8))
        self._copy.js_on_click(args={"pane": self._code}, code=_COPY)
        self.view = pn.Column(
            self._copy, self._code, scroll="y-auto", sizing_mode="stretch_both", margin=0
        )
        self._session.param.watch(lambda *events: self._show_code(), "frame")
        self._show_code()

    def show(self) -> None:
        """Nothing to do: the script follows the session at once."""

    def theme(self, colors: Palette) -> None:
        """Text follows the page by itself."""

    def _show_code(self) -> None:
        frame = self._session.frame
        if frame is None:
            self._code.object = '<p class="muted">Open a pair to see the script.</p>'
            return
        text = script(frame)
        self._code.object = f"<pre>{escape(text)}</pre>"
