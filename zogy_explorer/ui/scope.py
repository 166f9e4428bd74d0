"""Whether the controls are for all cells or for the selected one, and what that one has."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import panel as pn

from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.session import Session

SCOPES = {"All cells": "all", "This cell": "cell"}
"""Label to scope."""


class ScopeControl:
    """A switch, and the settings that the selected cell has of its own.

    Parameters
    ----------
    session
        Whose settings.
    ask
        Runs what writes to the page, in order.
    """

    def __init__(self, session: Session, ask: Callable[[Callable[[], object]], None]) -> None:
        self._session = session
        self.scope = pn.widgets.RadioButtonGroup(
            label="Apply to", options=SCOPES, value="all", sizing_mode="stretch_width",
            margin=(3, 4, 3, 0),
            description="Whether the settings below are for all cells or for the selected one "
            "alone. Grid, flux calibration, noise terms, background and bad pixels are the whole "
            "frame's.",
        )  # fmt: skip
        button = {"sizing_mode": "stretch_width", "margin": (0, 4, 3, 0)}
        self.own = text_pane(name="own-settings", margin=(2, 4, 2, 0))
        self.clear = pn.widgets.Button(label="Set back", **button)
        self.spread = pn.widgets.Button(label="Apply to all", **button)
        self.buttons = pn.Row(
            self.clear, self.spread, sizing_mode="stretch_width", margin=0, visible=False
        )
        self.view = pn.Column(
            self.scope, self.own, self.buttons, sizing_mode="stretch_width", margin=0
        )
        self.scope.param.watch(lambda event: session.param.update(scope=event.new), "value")
        self.clear.on_click(lambda event: session.clear_override())
        self.spread.on_click(lambda event: session.apply_to_all())
        session.param.watch(
            lambda *events: ask(self._show), ["scope", "overrides", "anchor", "frame"]
        )
        self._show()

    def _show(self) -> None:
        session = self._session
        self.scope.value = session.scope
        cell = session.cell
        name = cell.cell.name if cell is not None else ""
        own = session.overrides.get(name, {})
        others = sorted(set(session.overrides) - {name})
        lines = []
        if own:
            settings = ", ".join(f"{field} {value}" for field, value in own.items())
            lines.append(f'<b class="info">◆ {escape(name)}</b> {escape(settings)}')
        elif session.scope == "cell":
            lines.append(f'<span class="muted">{escape(name)} is as all cells are.</span>')
        if others:
            more = f" and {len(others) - 4} more" if len(others) > 4 else ""
            listed = escape(", ".join(others[:4]) + more)
            lines.append(f'<span class="muted">◆ also with settings of their own: {listed}</span>')
        self.own.object = "".join(f"<div>{line}</div>" for line in lines)
        self.own.visible = bool(lines)
        self.buttons.visible = bool(own)
