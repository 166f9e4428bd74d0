"""Painting in the browser without laying the page out again and again."""

from __future__ import annotations

from typing import Any

from panel.custom import JSComponent


class LeanPaint(JSComponent):
    """Spares the browser style sheets that Bokeh replaces by the same text.

    Bokeh 3.9 writes a style sheet for every renderer of a figure whenever it paints the figure,
    and reads styles while it paints: each reading makes the browser work out all styles anew,
    half a millisecond a renderer, a hundred a repaint of six panels. Writing only what differs
    changes nothing that is seen. Where Bokeh has no such class, nothing is done.
    """

    _esm = """
    const same = Symbol.for("zogy-explorer: writes only what differs")
    export function render() {
      let sheet
      try { sheet = window.Bokeh?.require?.("core/dom")?.InlineStyleSheet?.prototype }
      catch { return }
      const write = sheet?._update
      if (typeof write !== "function" || sheet[same]) return
      sheet._update = function (css) { if (this.el.textContent !== css) write.call(this, css) }
      sheet[same] = true
    }
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
