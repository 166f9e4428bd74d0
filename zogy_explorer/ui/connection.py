"""A served page says when its server no longer answers: it would look alive for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh.events import ConnectionLost
from bokeh.models import CustomJS

if TYPE_CHECKING:
    from bokeh.document import Document

_SAY = r"""
// A page that is being left loses its connection, too, and is gone before this.
setTimeout(() => {
  if (document.getElementById("zx-lost")) return
  const line = document.createElement("div"), reload = document.createElement("button")
  line.id = "zx-lost"
  line.setAttribute("role", "alert")
  line.textContent = "The server no longer answers: what you see is as it was, and nothing here " +
    "has an effect. Reload the page when the server runs again" + keeps
  reload.textContent = "Reload"
  reload.onclick = () => location.reload()
  Object.assign(line.style, {
    position: "fixed", left: "50%", top: "56px", transform: "translateX(-50%)", zIndex: 10000,
    maxWidth: "min(720px, 90vw)", display: "flex", gap: "14px", alignItems: "center",
    padding: "10px 14px", borderRadius: "6px", font: "14px/1.4 system-ui, sans-serif",
    color: "#1a1a1a", background: "#f6c343", boxShadow: "0 4px 18px rgba(0, 0, 0, 0.45)",
  })
  Object.assign(reload.style, {
    flex: "none", padding: "4px 12px", borderRadius: "4px", border: "1px solid #1a1a1a",
    background: "transparent", color: "inherit", font: "inherit", cursor: "pointer",
  })
  line.append(reload)
  document.body.append(line)
}, 400)
"""


def say_when_lost(document: Document, keeps: str) -> None:
    """Have the page of this document tell that its server has gone.

    Parameters
    ----------
    document
        Of a served page.
    keeps
        What is still there after a reload; goes on with the sentence.
    """
    document.js_on_event(ConnectionLost, CustomJS(args={"keeps": keeps}, code=_SAY))
