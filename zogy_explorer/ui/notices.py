"""Sentences above the images: what went wrong, and what is noteworthy about the pair."""

from __future__ import annotations

from html import escape

import panel as pn

from zogy_explorer.ui import words
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.state import SYMBOLS, Notice, pair_notices


class Notices:
    """The alert, which can be dismissed, and the notices of the frame on screen.

    Parameters
    ----------
    session
        Whose.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._alert = text_pane(name="alert", margin=0)
        dismiss = pn.widgets.Button(label="Dismiss", margin=(0, 0, 0, 8))
        dismiss.on_click(lambda event: session.param.update(alert=""))
        self._alert_row = pn.Row(
            self._alert,
            dismiss,
            sizing_mode="stretch_width",
            visible=False,
            margin=(6, 8, 0, 8),
            styles={
                "border": "1px solid var(--zx-failed)",
                "border-radius": "4px",
                "padding": "6px 10px",
                "background": "var(--zx-surface)",
            },
        )
        self._pair = text_pane(
            name="noise-notice",
            visible=False,
            margin=(6, 8, 0, 8),
            styles={"border-left": "3px solid var(--zx-warning)", "padding-left": "8px"},
        )
        self.views = (self._alert_row, self._pair)

    def show(self) -> None:
        """What is to be said now."""
        text, frame = self._session.alert, self._session.frame
        symbol = f'<span class="failed">{SYMBOLS["failed"]}</span>'
        self._alert.object = f'<div role="alert">{symbol} {escape(text)}</div>'
        self._alert_row.visible = bool(text)
        said: tuple[Notice, ...] = ()
        if frame is not None:
            said = (*frame.pair.remarks, *pair_notices(frame.plan), *frame.noise.notices)
        self._pair.object = "".join(
            f"<div>{words.mark(notice.severity)} {escape(notice.text)} "
            f'<span class="muted">{escape(notice.advice)}</span></div>'
            for notice in said
        )
        self._pair.visible = bool(said)
