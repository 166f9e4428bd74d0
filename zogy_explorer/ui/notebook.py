"""The page in a notebook: in JupyterLab's own outputs, or as an ipywidget.

What a kernel sends before the browser listens, or to a half-built page, is lost, and Bokeh then
refuses everything that refers to it. So an `Outbox` keeps all that is sent to an output until a
`Beacon` at its end calls, which it does once everything has been drawn; then it goes, in order.
Python need not wait: results land in the session while the page is being built.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import param
from bokeh.document import Document
from bokeh.models import UIElement
from panel.custom import JSComponent
from panel.io.notebook import ipywidget, patch_inline_stylesheets, render_mimebundle
from panel.io.resources import CDN_DIST, DIST_DIR, set_resource_mode
from panel.models.comm_manager import CommManager
from panel.viewable import Viewable
from pyviz_comms import Comm

from zogy_explorer.ui.couriers import LoopCourier

if TYPE_CHECKING:
    from bokeh.model import Model

_MOVED = "ZOGY Explorer has moved to the output opened last; run this cell to bring it back."

_ANSWER_MS = 1000
"""After so long without an answer the browser speaks again; Panel's own 5 s are felt."""

_PATIENCE_MS = 15_000
"""After so long without a first answer the page says that there was none."""

_NUDGE = 6
"""[px] By which a page grows narrower and higher once it is built: what its panels told of their
size before the kernel listened was lost, and they tell a changed one again."""

_SHEET = re.compile(
    r'"name":"ImportedStyleSheet","id":(?P<id>"[^"]*"),"attributes":'
    rf'{{"url":"{re.escape(CDN_DIST)}(?P<path>[^"?]*)(\?[^"]*)?"}}'
)

_MOST_KEPT = 2**28  # [bytes] for a page that is never built: a notebook run without a browser


class NotebookCourier(LoopCourier):
    """To the loop of a notebook's kernel.

    Parameters
    ----------
    loop
        The kernel's.

    Attributes
    ----------
    after : callable
        Called after what `later` ran: sends changes of Bokeh's models, which a notebook does not
        hear of by itself.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.after: Callable[[], None] = lambda: None

    def later(self, call: Callable[[], None], milliseconds: int) -> None:
        """Run ``call`` in the loop after some time; safe from any thread."""

        def run() -> None:
            call()
            self.after()

        self._loop.call_soon_threadsafe(self._loop.call_later, milliseconds / 1000, run)


class Outbox:
    """Keeps what is sent until it is opened; then, and from then on, all goes out in order.

    Style sheets of Panel's go with the messages: nothing is asked of a CDN.

    Parameters
    ----------
    send
        Takes it to the browser.
    """

    def __init__(self, send: Callable[..., object]) -> None:
        self._send = send
        self._kept: list[tuple[tuple[Any, ...], dict[str, Any]]] | None = []
        self._size = 0

    def send(self, *args: Any, **kwargs: Any) -> None:
        """Send, or keep."""
        args, kwargs = _offline(args), _offline(kwargs)
        if self._kept is None:
            self._send(*args, **kwargs)
        elif self._size <= _MOST_KEPT:
            self._kept.append((args, kwargs))
            self._size += sum(map(_size, (*args, *kwargs.values())))
        else:  # without what is dropped, the rest is of no use to anybody
            self._kept.clear()

    def open(self) -> None:
        """The page is built."""
        kept, self._kept = self._kept or [], None
        for args, kwargs in kept:
            self._send(*args, **kwargs)


def _offline(part: Any) -> Any:
    """A message with the text of Panel's style sheets in place of their address."""
    if isinstance(part, str):
        return _SHEET.sub(_with_text, part) if CDN_DIST in part else part
    if isinstance(part, dict):
        return {name: _offline(value) for name, value in part.items()}
    return tuple(map(_offline, part)) if isinstance(part, tuple) else part


def _with_text(match: re.Match[str]) -> str:
    text = _sheet(match["path"])
    if text is None:
        return match[0]
    attributes = json.dumps({"css": text})
    return f'"name":"InlineStyleSheet","id":{match["id"]},"attributes":{attributes}'


@functools.cache
def _sheet(path: str) -> str | None:
    """Text of a style sheet that comes with Panel."""
    file = DIST_DIR / path
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _size(part: Any) -> int:
    if isinstance(part, str | bytes | memoryview):
        return len(part)
    if isinstance(part, dict):
        return sum(map(_size, part.values()))
    return sum(map(_size, part)) if isinstance(part, list | tuple) else 0


class KeepingComm(Comm):
    """The way of Panel's messages to an output, through an `Outbox`.

    Panel itself, where the browser does not listen yet, tries again after a while: in any order.

    Parameters
    ----------
    comm
        The way that Panel has made.
    """

    def __init__(self, comm: Comm) -> None:
        super().__init__(id=comm.id)
        self._comm = comm  # Panel asks whether there is one
        self.outbox = Outbox(comm.send)

    def init(self, on_msg: Any = None) -> None:
        """The browser listens."""
        self._comm.init()

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = ()) -> None:
        """Send to the browser, sooner or later."""
        self.outbox.send(data, metadata=metadata, buffers=list(buffers))

    def close(self) -> None:
        """The output is gone."""
        self._comm.close()


class Beacon(JSComponent):
    """Calls once it, and all that stands before it, has been drawn in a browser, until heard.

    JupyterLab announces a connection in the kernel's main thread and uses it in another: what the
    browser says before the announcement is read, which a busy kernel does late, is lost.

    It also says when the page is dead: a saved output, which no kernel answers, and one whose
    kernel was restarted, of which JupyterLab's extension for Panel then no longer knows. Whether a
    kernel that once answered is only busy cannot be told from outside, so nobody asks it.
    """

    heard = param.Boolean(default=False, doc="Whether the kernel has heard the call.")

    _esm = """
    export function render({model, el}) {
      el.style.display = "none"
      // Panel's comms send what came from the kernel back to it, late, and with the rest of its
      // message refused if Bokeh does not take it.
      for (const page of Bokeh.documents.filter((d) => d.get_model_by_name("zogy-explorer"))) {
        for (const comms of page.roots().filter((r) => r.client_comm_id && !r.tells_news_only)) {
          const tell = comms._document_changed.bind(comms)
          comms._document_changed = (event) => { if (event.sync !== false) tell(event) }
          comms.tells_news_only = true
        }
      }
      let gone = false, line = null
      const host = el.getRootNode().host
      const say = (text) => {
        line ??= document.createElement("div")
        line.setAttribute("role", "alert")
        line.textContent = text
        line.style.cssText = "padding: 8px 12px; font: 14px/1.4 system-ui, sans-serif; " +
          "color: #1a1a1a; background: #f6c343"
        el.replaceChildren(line)
        el.style.cssText = "display: block; width: 100%; height: auto"
        // Above the page, which is higher than many a window.
        host.style.cssText = "order: -1; flex: none; width: 100%; height: auto"
      }
      const be_silent = () => {
        line?.remove()
        line = null
        el.style.display = "none"
        host.style.cssText = ""
      }
      setTimeout(() => {
        if (!gone && !model.heard) say(
          "The kernel has not answered yet. If it is busy, this page works when it is done; in a " +
          "notebook that was opened again, or after a restart, run this cell again.")
      }, WAIT_MS)
      let known = false
      const look = setInterval(() => {
        let node = el
        while (node && !node.dataset?.rootId) node = node.parentNode ?? node.host
        const there = window.PyViz?.kernels?.[node?.dataset.rootId] !== undefined
        if (known && !there) say(
          "The kernel was restarted: what you see is as it was, and nothing here has an effect. " +
          "Run this cell again.")
        if (gone || known && !there) clearInterval(look)
        known = there
      }, 1000)
      const call = () => {
        if (gone || model.heard) return
        model.send_msg({key: "ready"})
        setTimeout(call, 500)
      }
      model.on("remove", () => { gone = true })
      const drawn = (then) => requestAnimationFrame(() => requestAnimationFrame(then))
      // Axes that were drawn before their panel had its size are drawn again.
      const resized = () => window.dispatchEvent(new Event("resize"))
      model.on("heard", () => { be_silent(); drawn(resized) })
      drawn(() => { resized(); call() })
    }
    """.replace("WAIT_MS", str(_PATIENCE_MS))

    def __init__(self, on_ready: Callable[[], None], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
        self._on_ready = on_ready

    def _handle_msg(self, data: Any) -> None:
        if not self.heard:
            self._on_ready()
            self.heard = True


class Output(pn.Column):
    """What a cell shows; the browser's messages to it are dealt with in the kernel's loop.

    JupyterLab may deliver them in a thread of their own, and Panel's answers from there would
    mix with what the loop sends: a patch travels in several pieces.

    Parameters
    ----------
    page
        What to show; of a height of its own.
    courier
        To the loop.
    """

    def __init__(self, page: Viewable, courier: NotebookCourier, **params: Any) -> None:
        beacon = Beacon(self._open)
        super().__init__(page, beacon, sizing_mode="stretch_width", margin=0, **params)
        self._page = page
        self._height = page.height
        page.height -= _NUDGE
        self._beacon = beacon
        self._courier = courier
        self._outboxes: list[Outbox] = []
        self._comms_kept: dict[str, KeepingComm] = {}

    def widget(self) -> Any:
        """The output as an ipywidget, for hosts that know those but not Panel."""
        widget = ipywidget(self)
        outbox = Outbox(widget.send)
        self._outboxes.append(outbox)
        widget.send = outbox.send
        told = widget._sync_model  # jupyter_bokeh has no public place for this
        widget.on_msg(told, remove=True)
        widget.on_msg(lambda *args: self._courier.post(lambda: told(*args)))
        return widget

    def leave(self) -> None:
        """The page goes elsewhere; the beacon stays, as the browser may not have built it yet."""
        self._page.height = self._height
        self[:] = [pn.pane.HTML(f"<p>{_MOVED}</p>", margin=4), self._beacon]

    def _open(self) -> None:
        for outbox in self._outboxes:
            outbox.open()
        self.margin = (0, _NUDGE, 0, 0)
        if self._page in self.objects:
            self._page.height = self._height

    def get_root(
        self, doc: Document | None = None, comm: Comm | None = None, preprocess: bool = True
    ) -> Model:
        """Model of the output with its style sheets inside: nothing is asked of a CDN.

        Panel would do that to each model on its own, and Bokeh go through all of them each time.
        """
        doc = doc or Document()
        with set_resource_mode("inline"), doc.models.freeze():
            root = super().get_root(doc, comm, preprocess)
            for model in root.select({"type": UIElement}):
                patch_inline_stylesheets(model)
        return root

    # Panel has no public place for these.

    def _render_mimebundle(
        self, model: Model, doc: Document, comm: Comm, location: Any = None
    ) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        ref, kept = model.ref["id"], self._keeping(comm)
        manager = CommManager(comm_id=comm.id, plot_id=ref, timeout=_ANSWER_MS)
        client = pn.state._comm_manager.get_client_comm(
            on_msg=functools.partial(self._on_msg, ref, manager),
            on_error=functools.partial(self._on_error, ref),
            on_stdout=functools.partial(self._on_stdout, ref),
            on_open=lambda message: kept.init(),
        )
        self._comms[ref] = (kept, client)
        manager.client_comm_id = client.id
        resources = "inline" if pn.config.inline else "cdn"
        return render_mimebundle(model, doc, kept, manager, location, resources=resources)

    def _render_model(self, doc: Document | None = None, comm: Comm | None = None) -> Model:
        return super()._render_model(doc, None if comm is None else self._keeping(comm))

    def _keeping(self, comm: Comm) -> KeepingComm:
        if comm.id not in self._comms_kept:
            self._comms_kept[comm.id] = made = KeepingComm(comm)
            self._outboxes.append(made.outbox)
        return self._comms_kept[comm.id]

    def _on_msg(self, *args: Any) -> None:
        self._courier.post(lambda: super(Output, self)._on_msg(*args))


class NotebookOutputs:
    """Shows one page in the output of a notebook that was opened last.

    Bokeh's models live in one document only, so a page cannot stand in two outputs.

    Parameters
    ----------
    page
        What to show.
    courier
        To the thread that may write the page.
    """

    def __init__(self, page: Viewable, courier: NotebookCourier) -> None:
        self._page = page
        self._courier = courier
        self._here: Output | None = None

    def open(self) -> Output:
        """A new output with the page, which leaves the one where it was before."""
        if self._here is not None:
            self._here.leave()
        self._here = Output(self._page, self._courier)
        return self._here


def notebook_courier() -> NotebookCourier | None:
    """The courier of the notebook in whose kernel this runs; None elsewhere."""
    try:
        return NotebookCourier(asyncio.get_running_loop())
    except RuntimeError:
        return None
