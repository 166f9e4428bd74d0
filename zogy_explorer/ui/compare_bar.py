"""The line above the images while a result is pinned, and the button that pins one."""

from __future__ import annotations

from html import escape

import panel as pn

from zogy_explorer.ui.context import PageContext
from zogy_explorer.ui.drawer.changes import changed_settings
from zogy_explorer.ui.layers import frame_layers
from zogy_explorer.ui.panes import EdgeButton, text_pane
from zogy_explorer.ui.state import Frame
from zogy_explorer.ui.wall import build_pyramids

MODES = {"B now": "present", "A": "pinned", "Swipe": "swipe", "A − B": "difference"}


class CompareBar:
    """Pin, unpin, and what of A and B is shown.

    Parameters
    ----------
    context
        Of the page.
    """

    def __init__(self, context: PageContext) -> None:
        self._context = context
        session = self._session = context.session
        self._lane = context.lane()
        self._on_wall: Frame | None = None
        self.pin = EdgeButton(
            label="Pin as A", width=82, margin=(0, 6), disabled=True,
            description="Keep the present result to compare later ones with (key p)",
        )  # fmt: skip
        self._words = text_pane(name="compare-words", margin=(4, 8, 0, 0))
        self.mode = pn.widgets.RadioButtonGroup(
            options=MODES, value="present", width=250, margin=0,
        )  # fmt: skip
        self.unpin = pn.widgets.Button(label="Unpin", width=70, margin=(0, 0, 0, 6))
        self.view = pn.Row(
            self._words,
            self.mode,
            self.unpin,
            sizing_mode="stretch_width",
            visible=False,
            margin=(4, 8, 0, 8),
        )
        self.pin.on_click(lambda event: session.pin())
        self.unpin.on_click(lambda event: session.unpin())
        self.mode.param.watch(lambda event: setattr(session, "compare", event.new), "value")
        session.param.watch(
            lambda *events: context.painter.ask(self._show), ["pinned", "compare", "frame"]
        )
        self._show()

    def blink(self, down: bool) -> None:
        """Show A while a key is held."""
        if self._session.pinned is not None:
            self._session.compare = "pinned" if down else "present"

    def _show(self) -> None:
        session = self._session
        pinned, frame = session.pinned, session.frame
        self.pin.disabled = frame is None
        self.view.visible = pinned is not None
        self.mode.value = session.compare
        if pinned is not None and frame is not None:
            self._words.object = compare_words(pinned, frame)
        if pinned is not self._on_wall:
            self._on_wall = pinned
            self._build(pinned)
        elif self._context.wall.comparing != session.compare:
            self._context.wall.compare(session.compare)

    def _build(self, pinned: Frame | None) -> None:
        """Bring A to the wall: its pyramids are made in a worker."""
        wall, session = self._context.wall, self._session
        if pinned is None:
            wall.pin({})
            return

        def land(pyramids: object) -> None:
            if session.pinned is pinned:
                wall.pin(pyramids)  # type: ignore[arg-type]
                wall.compare(session.compare)

        self._context.submit(
            self._lane,
            lambda token, progress: build_pyramids(pinned.plan.bbox, frame_layers(pinned)),
            land,
        )


def compare_words(pinned: Frame, frame: Frame) -> str:
    """Which runs are compared, and the settings in which they differ."""
    changes = changed_settings(pinned.plan, frame.plan)
    text = "; ".join(f"{name} {a} → {b}" for name, a, b in changes) or "same settings"
    return (
        f'<div style="white-space:nowrap;overflow:hidden;text-overflow:ellipsis" '
        f'title="{escape(text)}"><b>A</b> run {pinned.number} · <b>B</b> run {frame.number} '
        f'<span class="muted">{escape(text)}</span></div>'
    )
