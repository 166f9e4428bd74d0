"""A line drawn over the panels with Shift and the mouse; the server hears of the finished one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from bokeh import events
from bokeh.models import ColumnDataSource, CustomJS, Segment, Tool
from bokeh.plotting import figure

from zogy_explorer.ui.wall.drawing import Drawing
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
const twice = (value) => [value, value]  // a halo and its line
const data = (done) => (  // what equals the last drawn line would not be sent
  {...line.data, x0: twice(state.start[0]), y0: twice(state.start[1]),
   x1: twice(x), y1: twice(y), done: twice(done)})
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
        self._colors = ["black", "white"]
        self._last: Line | None = None
        self.source = ColumnDataSource(name="cut-line", data=self._line())
        self.source.on_change("data", self._drawn)

    def attach(self, plots: Sequence[figure], tools: Sequence[Tool]) -> None:
        """Draw in these panels; ``tools`` are those that a drag moves the images with."""
        script = CustomJS(args={"line": self.source, "tools": list(tools)}, code=_DRAW)
        drawing = Drawing(self.source)
        glyph = Segment(**dict(zip(_ENDS, _ENDS, strict=True)),
                        line_color="color", line_width="width")  # fmt: skip
        for plot in plots:
            drawing.add_to(plot, glyph, name="cut")
            for event in (events.MouseMove, events.PanStart, events.Pan, events.PanEnd):
                plot.js_on_event(event, script)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        colors = [theme.selection_halo, theme.contour]
        if colors != self._colors:
            self._colors = colors
            self.source.data = dict(self.source.data) | {"color": colors}

    def clear(self) -> None:
        """No line."""
        self._last = None
        self.source.data = self._line()

    def _line(self) -> dict[str, list[Any]]:
        nowhere = {k: [math.nan] * 2 for k in _ENDS}
        return nowhere | {"done": [0, 0], "width": [4.0, 1.6], "color": self._colors}

    def _drawn(self, attr: str, old: Any, new: Any) -> None:
        x0, y0, x1, y1 = line = tuple(float(new[k][0]) for k in _ENDS)
        if line != self._last and all(map(math.isfinite, line)):  # not a mere change of colours
            self._last = (x0, y0, x1, y1)
            self._on_draw(self._last)


_ENDS = ("x0", "y0", "x1", "y1")
