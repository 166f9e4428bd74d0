"""Shortcomings of Bokeh 3.9 and Panel 1.9 that have to be cured in the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import param
from panel.custom import JSComponent

from zogy_explorer.ui import late_scripts


class BrowserCare(JSComponent):
    """Keeps a page fast and its messages small; draws nothing.

    *Style sheets.* Bokeh writes one for every renderer of a figure whenever it paints the figure,
    and reads styles while it paints: each reading makes the browser work out all styles anew, half
    a millisecond a renderer, a hundred a repaint of six panels. Here only what differs is written;
    that changes nothing that is seen.

    *Parts that come later.* A browser takes models that the server added to a page for its own, and
    its first event about one carries all of it back, of which Bokeh's server warns. Models with the
    server's plain ids are the server's.

    *Glyphs on the overlay.* Bokeh does not keep them within the axes.

    *The address.* Panel adds one to the browser's history at each change; Back would then change
    the address and not the page. Here the newest replaces the one before: Back leaves the page.

    *Scripts of tables and uploads* are loaded when the server wants them (see `late_scripts`).

    *Tables that are not there yet.* Panel draws one again whose tab was left before it was
    complete, which Tabulator cannot: an error on the console.

    Where Bokeh has no such things, nothing is done.
    """

    scripts = param.Selector(
        default="late", objects=["late", "wanted", "here"], doc="Those of tables and uploads."
    )

    _esm = (
        late_scripts.LOAD
        + r"""
    const done = Symbol.for("zogy-explorer: cared for")

    function care(prototype, name, wrap) {
      const method = prototype?.[name]
      if (typeof method !== "function" || method[done]) return
      prototype[name] = wrap(method)
      prototype[name][done] = true
    }

    function sheets() {
      try { return window.Bokeh.require("core/dom").InlineStyleSheet.prototype }
      catch { return null }
    }

    function clip() {
      const renderer = window.Bokeh?.Models?.get("GlyphRenderer", null)?.prototype
      const view = renderer?.default_view?.prototype
      if (!view || view[done]) return
      view[done] = true
      Object.defineProperty(view, "needs_clip", {
        get() { return this.model.level === "overlay" }, configurable: true,
      })
    }

    function address() {
      const served = window.Bokeh?.documents?.[0]?.get_model_by_name?.("location")
      care(served ? window.history : null, "pushState", () => function (...how) {
        this.replaceState(...how)
      })
    }

    function tables() {
      care(window.Tabulator?.prototype, "redraw", (redraw) => function (...how) {
        if (this.columnManager?.element && this.rowManager?.element) return redraw.apply(this, how)
      })
    }

    export function render({model}) {
      clip()
      address()
      care(sheets(), "_update", (write) => function (css) {
        if (this.el.textContent !== css) write.call(this, css)
      })
      tables()
      care(window.Bokeh?.documents?.[0]?.constructor.prototype, "create_json_patch", (make) =>
        function (events) {
          for (const model of this._new_models ?? [])
            if (/^p\d+$/.test(model.id)) this._new_models.delete(model)
          return make.call(this, events)
        })
      const late = async () => {
        if (model.scripts !== "wanted") return
        await load_late_scripts()
        tables()
        model.scripts = "here"
      }
      model.on("scripts", late)
      late()  // they may have been wanted before this was here
    }
    """
    )

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)

    def load_scripts(self, then: Callable[[], object]) -> None:
        """Have the late scripts of a served page loaded, and then something done."""
        self.param.watch(lambda event: then() if event.new == "here" else None, "scripts")
        self.scripts = "wanted"
