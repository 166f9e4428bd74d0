"""The line on top: what is shown, how it went, and three buttons."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import panel as pn

from zogy_explorer.ui import words
from zogy_explorer.ui.panes import EdgeButton, text_pane
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.state import Pair

_CSS = """
:host { white-space: nowrap; overflow: hidden; line-height: 30px; font-size: 13px; }
.title { font-weight: 600; font-size: 15px; letter-spacing: 0.01em; }
.bar { display: flex; gap: 22px; overflow: hidden; }
.bar > span { overflow: hidden; text-overflow: ellipsis; }
.pair { flex: 0 1 auto; } .rest { flex: 0 0 auto; font-variant-numeric: tabular-nums; }
"""


class Header:
    """Title, pair, status, σ(Scorr), run, and the buttons.

    Parameters
    ----------
    session
        What it tells about.
    toggle_settings, toggle_theme, toggle_help
        Called by the buttons.
    ask
        Runs what writes to the page, in order: an event that is still being handled could else
        send an old state after a new one.
    """

    def __init__(
        self,
        session: Session,
        toggle_settings: Callable[[], None],
        toggle_theme: Callable[[], None],
        toggle_help: Callable[[], None],
        ask: Callable[[Callable[[], object]], None],
    ) -> None:
        self._session = session
        css = {"stylesheets": [words.TEXT_CSS, _CSS], "margin": 0}
        title = pn.pane.HTML('<span class="title">ZOGY Explorer</span>', width=132, **css)
        self.status = pn.pane.HTML("", sizing_mode="stretch_width", name="status", **css)
        self.settings = pn.widgets.Button(
            label="☰", width=32, margin=(0, 10, 0, 0),
            description="Show or hide the settings (s); the inspector: i",
        )  # fmt: skip
        self.theme = pn.widgets.Button(label="Light", width=58, margin=(0, 6))
        self.help = EdgeButton(label="?", width=32, margin=0, description="Keyboard shortcuts")
        self.settings.on_click(lambda event: toggle_settings())
        self.theme.on_click(lambda event: toggle_theme())
        self.help.on_click(lambda event: toggle_help())
        self.view = pn.Row(
            self.settings,
            title,
            self.status,
            self.theme,
            self.help,
            sizing_mode="stretch_width",
            height=46,
            margin=0,
            styles={
                "border-bottom": "1px solid var(--zx-border)",
                "background": "var(--zx-surface)",
                "padding": "7px 12px",
            },
        )
        session.param.watch(
            lambda *events: ask(self._show), ["frame", "activity", "busy", "stale", "live_cell"]
        )
        self._show()

    def _show(self) -> None:
        self.status.object = status_line(self._session)


def pair_names(pair: Pair) -> tuple[str, str]:
    """What a pair is called, and where it is from.

    Of files the folder is named too: many pairs are called science.fits and template.fits.
    """
    names = f"{pair.science_name} ▸ {pair.template_name}"
    if pair.paths is None:
        return names, names
    folders = {path.parent for path in pair.paths}
    if len(folders) == 1:
        names = f"{folders.pop().name}: {names}"
    return names, " ▸ ".join(map(str, pair.paths))


def status_line(session: Session) -> str:
    """The header's text for the state of a session."""
    frame: Any = session.frame
    parts = []
    if frame is not None:
        names, where = pair_names(frame.pair)
        parts.append(f'<span class="pair" title="{escape(where)}">{escape(names)}</span>')
        parts.append(f'<span class="rest">{words.frame_status(frame)}</span>')
        parts.append(f'<span class="rest">{words.noise_status(frame)}</span>')
        run = f"run {frame.number} · {frame.seconds:.2f} s"
        if session.stale and not session.busy:
            run += ' · <span class="warning">settings changed</span>'
        parts.append(f'<span class="rest muted">{run}</span>')
    if session.busy:
        parts.append(f'<span class="rest info">{escape(session.activity)} …</span>')
    return f'<div class="bar" role="status">{"".join(parts)}</div>'


def help_pane() -> pn.viewable.Viewable:
    """What the keys do."""
    from zogy_explorer.ui.keys import SHORTCUTS

    rows = "".join(
        f"<tr><th>{' '.join(f'<kbd>{k}</kbd>' if k != 'or' else k for k in keys.split())}</th>"
        f'<td style="white-space:normal">{text}</td></tr>'
        for keys, text in SHORTCUTS.items()
    )
    body = (
        '<div style="padding:12px 16px"><h3>Keys and mouse</h3><table>'
        f"{rows}"
        "<tr><th>Tap an image</th><td>select the cell there</td></tr>"
        "<tr><th>Wheel, drag</th><td>zoom and pan all six images together</td></tr>"
        "<tr><th>Shift and drag</th><td>cut through all layers, drawn in the Cut tab</td></tr>"
        "</table>"
        '<p class="muted">While a slider moves, the selected cell is computed again; '
        "when you let go, the rest of the frame follows.</p></div>"
    )
    return text_pane(
        body,
        visible=False,
        width=420,
        sizing_mode=None,
        margin=0,
        styles={
            "position": "absolute",
            "top": "54px",
            "right": "12px",
            "z-index": "100",
            "background": "var(--zx-surface)",
            "border": "1px solid var(--zx-border)",
            "border-radius": "6px",
            "box-shadow": "0 6px 24px rgba(0, 0, 0, 0.35)",
        },
    )
