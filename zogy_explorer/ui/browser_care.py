"""Two shortcomings of Bokeh 3.9 that have to be cured in the browser."""

from __future__ import annotations

from typing import Any

import param
from panel.custom import JSComponent


class BrowserCare(JSComponent):
    """Keeps a page fast and its messages small; draws nothing.

    *Style sheets.* Bokeh writes one for every renderer of a figure whenever it paints the figure,
    and reads styles while it paints: each reading makes the browser work out all styles anew, half
    a millisecond a renderer, a hundred a repaint of six panels. Here only what differs is written;
    that changes nothing that is seen. Where Bokeh has no such class, nothing is done.

    *Parts that come later.* Until it has sent anything, a browser takes models that the server made
    for its own, and its first event about one carries all of it back, which Bokeh's server warns
    of. So the browser answers each part, see `told`.
    """

    told = param.Integer(default=0, doc="Raised by the server when it has added to the page.")
    heard = param.Integer(default=0, doc="What the browser answers.")

    _esm = """
    const same = Symbol.for("zogy-explorer: writes only what differs")
    const lean = () => {
      let sheet
      try { sheet = window.Bokeh?.require?.("core/dom")?.InlineStyleSheet?.prototype }
      catch { return }
      const write = sheet?._update
      if (typeof write !== "function" || sheet[same]) return
      sheet._update = function (css) { if (this.el.textContent !== css) write.call(this, css) }
      sheet[same] = true
    }
    export function render({model}) {
      lean()
      model.on("told", () => { model.heard = model.told })
    }
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)

    def tell(self) -> None:
        """Have the browser answer."""
        self.told += 1
