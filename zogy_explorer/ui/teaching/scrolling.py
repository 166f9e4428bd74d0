"""Brings into view what has just been opened."""

from __future__ import annotations

from typing import Any

import param
from panel.custom import JSComponent


class Scroller(JSComponent):
    """Scrolls a part of the page into view, as little as it takes; draws nothing.

    The part may have been made visible by the same message: it is waited for until it has a
    height, some frames at most.
    """

    place = param.String(default="", doc="CSS class of the part.")
    count = param.Integer(default=0, doc="Raised each time.")

    _esm = """
    const PATIENCE = 60  // frames

    function find(name, root) {
      for (const node of root.querySelectorAll("*")) {
        if (node.classList.contains(name)) return node
        const inside = node.shadowRoot && find(name, node.shadowRoot)
        if (inside) return inside
      }
      return null
    }

    export function render({model}) {
      const bring = (frames) => {
        const part = find(model.place, document)
        if (part?.offsetHeight > 0) part.scrollIntoView({block: "nearest"})
        else if (frames > 0) requestAnimationFrame(() => bring(frames - 1))
      }
      model.on("count", () => requestAnimationFrame(() => bring(PATIENCE)))
    }
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)

    def bring(self, place: str) -> None:
        """Show the part with this CSS class."""
        self.param.update(place=place, count=self.count + 1)
