"""Keyboard shortcuts: one listener in the browser, one message a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import param
from panel.custom import JSComponent

SHORTCUTS: Mapping[str, str] = {
    "← → ↑ ↓": "select the neighbouring cell",
    "z": "zoom to the selected cell",
    "r or 0": "show the whole frame",
    "+ -": "zoom in or out",
    "1 … 6": "one image alone, and back to all",
    "e": "explain the residual under the cursor, or the one tapped last",
    "Shift + drag": "draw a line over an image for the Cut tab",
    "p": "pin the present result as A",
    "b": "while held, show A in place of the present result",
    "s": "show or hide the settings",
    "i": "show or hide the inspector",
    "d": "dark or light",
    "Ctrl+Z": "undo the last change of settings",
    "Ctrl+Y": "redo it",
    "Esc": "cancel the running work, or close this help; in a box, leave it",
    "?": "show or hide this help",
}
"""What the help lists."""


class Keys(JSComponent):
    """Tells which key was pressed, unless the user is typing or moving a slider.

    Parameters
    ----------
    everywhere
        Listen on the whole page; False (a notebook): only while the focus is inside the page's
        own element.
    """

    everywhere = param.Boolean(default=True)
    names = param.List(default=[], item_type=str, doc="Keys that mean something.")

    _esm = """
    export function render({model, el}) {
      const known = new Set(model.names)
      const listen = (event) => {
        const path = event.composedPath()
        const host = el.getRootNode().host?.getRootNode().host
        if (!model.everywhere && !path.includes(host)) return
        const busy = 'input, textarea, select, [contenteditable], [role="slider"], [role="listbox"]'
        if (path.some((node) => node.matches?.(busy))) {
          // A value that was typed is done with: the next key is the page's again.
          if (["Enter", "Escape"].includes(event.key) && path[0].matches("input")) path[0].blur()
          return
        }
        const chord = event.ctrlKey || event.metaKey
        const plain = event.key === "=" ? "+" : event.key
        const key = chord ? `Ctrl+${event.key.toLowerCase()}` : plain
        if (!known.has(key) || event.altKey) return
        if (key === "Enter" && path.some((node) => node.matches?.("button, a, summary"))) return
        event.preventDefault()
        if (known.has(`${key} up`)) {  // held down: told when it is let go
          if (event.repeat) return
          const up = (other) => {
            if (other.type === "keyup" && other.key !== event.key) return
            document.removeEventListener("keyup", up)
            window.removeEventListener("blur", up)
            model.send_msg({key: `${key} up`})
          }
          document.addEventListener("keyup", up)
          window.addEventListener("blur", up)
        }
        model.send_msg({key})
      }
      document.addEventListener("keydown", listen)
      model.on("remove", () => document.removeEventListener("keydown", listen))
    }
    """

    def __init__(self, actions: Mapping[str, Callable[[], object]], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, names=list(actions), **params)
        self._actions = dict(actions)

    def _handle_msg(self, data: Any) -> None:
        action = self._actions.get(data.get("key", ""))
        if action is not None:
            action()
