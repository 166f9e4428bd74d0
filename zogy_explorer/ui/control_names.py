"""Names of sliders and check boxes for those who listen to a page."""

from __future__ import annotations

from typing import Any

from panel.custom import JSComponent


class ControlNames(JSComponent):
    """Gives handles of sliders and check boxes their labels as accessible names; draws nothing.

    Bokeh hides a slider's label that is not shown from them too, and names no handle; the label
    of a check box stands beside it without belonging to it. A check box may have a longer name
    than its label, as its first tag. One of these serves a whole page; where Bokeh has no such
    widgets, nothing is done.
    """

    _esm = """
    const done = Symbol.for("zogy-explorer: named")

    const namers = {
      Slider(view) {
        const label = (view.model.title ?? "").replace(/ slider$/, "")
        for (const handle of view.slider_el?.querySelectorAll(".noUi-handle") ?? [])
          handle.setAttribute("aria-label", label)
      },
      Checkbox(view) {
        const label = view.model.tags?.[0] ?? view.model.label ?? ""
        view.checkbox_el?.setAttribute("aria-label", label)
      },
    }

    function nameAll(views) {
      for (const view of views) {
        if (view?.slider_el) namers.Slider(view)
        if (view?.checkbox_el) namers.Checkbox(view)
        nameAll(view?.child_views ?? [])
      }
    }

    export function render() {
      for (const [kind, name] of Object.entries(namers)) {
        const prototype = window.Bokeh?.Models?.get(kind, null)?.prototype.default_view.prototype
        if (typeof prototype?.render !== "function" || Object.hasOwn(prototype, done)) continue
        const draw = prototype.render
        prototype.render = function () { draw.call(this); name(this) }
        prototype[done] = true
      }
      nameAll([...(window.Bokeh?.index ?? [])])  // those that were drawn before
    }
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
