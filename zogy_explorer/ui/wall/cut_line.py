"""A line drawn over the panels with Shift and the mouse; the server hears of the finished one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bokeh import events
from bokeh.models import ColumnDataSource, CustomJS, Tool
from bokeh.plotting import figure

from zogy_explorer.ui.wall.palettes import Theme

Line = tuple[float, float, float, float]
"""x, y of the start and of the end on the pixel grid."""

_DRAW = """
// While Shift is down the tools that drag the images rest, and the drag draws a line instead.
const state = line.zogy ?? (line.zogy = {resting: null, start: null})
const rest = (on) => {
  if (on && state.resting === null) {
    state.resting = tools.filter((tool) => tool.active)
    for (const tool of state.resting) tool.active = false
  } else if (!on && state.resting !== null) {
    for (const tool of state.resting) tool.active = true
    state.resting = null
  }
}
if (!state.listening) {
  state.listening = true
  document.addEventListener("keydown", (e) => { if (e.key === "Shift") rest(true) })
  document.addEventListener("keyup", (e) => { if (e.key === "Shift") rest(false) })
}
const {x, y, modifiers} = cb_obj, shift = modifiers?.shift ?? false
const name = cb_obj.event_name
const data = (done) => (  // what equals the last drawn line would not be sent
  {x0: [state.start[0]], y0: [state.start[1]], x1: [x], y1: [y], done: [done]})
if (name === "mousemove") rest(shift)
else if (name === "panstart") state.start = shift ? [x, y] : null
else if (state.start !== null && Number.isFinite(x + y)) {
  if (name === "pan") line.setv({data: data(0)}, {sync: false})
  else {
    line.data = data(1)
    state.start = null
  }
}
"""


class CutLine:
    """Source and renderers of the line.

    Parameters
    ----------
    on_draw
        Called with each new line.
    """

    def __init__(self, on_draw: Callable[[Line], None]) -> None:
        self._on_draw = on_draw
        self._halos: list[Any] = []
        self._lines: list[Any] = []
        self.source = ColumnDataSource(name="cut-line", data=_line())
        self.source.on_change("data", self._drawn)

    def attach(self, plots: Sequence[figure], tools: Sequence[Tool]) -> None:
        """Draw in these panels; ``tools`` are those that a drag moves the images with."""
        script = CustomJS(args={"line": self.source, "tools": list(tools)}, code=_DRAW)
        for plot in plots:
            for width, renderers in ((4, self._halos), (1.6, self._lines)):
                renderers.append(
                    plot.segment(*_ENDS, source=self.source, line_width=width, name="cut")
                )
            for event in (events.MouseMove, events.PanStart, events.Pan, events.PanEnd):
                plot.js_on_event(event, script)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        for renderers, color in (
            (self._halos, theme.selection_halo),
            (self._lines, theme.contour),
        ):
            for renderer in renderers:
                renderer.glyph.line_color = color

    def clear(self) -> None:
        """No line."""
        self.source.data = _line()

    def _drawn(self, attr: str, old: Any, new: Any) -> None:
        if len(new["x0"]):
            x0, y0, x1, y1 = (float(new[k][0]) for k in _ENDS)
            self._on_draw((x0, y0, x1, y1))


_ENDS = ("x0", "y0", "x1", "y1")


def _line() -> dict[str, list[float]]:
    return {k: [] for k in (*_ENDS, "done")}
