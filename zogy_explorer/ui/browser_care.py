"""Four shortcomings of Bokeh 3.9 and Panel 1.9 that have to be cured in the browser."""

from __future__ import annotations

from typing import Any

from panel.custom import JSComponent


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

    *Tables that are not there yet.* Panel draws one again whose tab was left before it was
    complete, which Tabulator cannot: an error on the console.

    Where Bokeh has no such things, nothing is done.
    """

    _esm = r"""
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

    export function render() {
      clip()
      care(sheets(), "_update", (write) => function (css) {
        if (this.el.textContent !== css) write.call(this, css)
      })
      care(window.Tabulator?.prototype, "redraw", (redraw) => function (...how) {
        if (this.columnManager?.element && this.rowManager?.element) return redraw.apply(this, how)
      })
      care(window.Bokeh?.documents?.[0]?.constructor.prototype, "create_json_patch", (make) =>
        function (events) {
          for (const model of this._new_models ?? [])
            if (/^p\d+$/.test(model.id)) this._new_models.delete(model)
          return make.call(this, events)
        })
    }
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
