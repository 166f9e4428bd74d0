"""Files on their way to a browser: by a handler of the web server, else through the page itself.

The handler streams a file from a folder of the session, under a path that nobody can guess and
behind the server's own login. Where there is no web server of ours (a notebook), or it cannot be
found, the bytes travel with the page's messages and the browser makes the file.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import panel as pn
import param
from bokeh.server.views.auth_request_handler import AuthRequestHandler
from panel.custom import JSComponent
from tornado.web import HTTPError, authenticated

from zogy_explorer.ui.picture_script import DRAW_PICTURE

_CHUNK = 1 << 20  # bytes


class FileShelf:
    """Files of one session, each under a word that nobody can guess; gone with the session."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._files: dict[str, Path] = {}

    def new_place(self, name: str) -> Path:
        """A path for a file called ``name``; files of earlier exports are removed."""
        self.clear()
        self._folder = Path(tempfile.mkdtemp(prefix="zogy-explorer-"))
        return self._folder / name

    def offer(self, path: Path) -> str:
        """The word under which a file can be had."""
        word = secrets.token_urlsafe(24)
        self._files[word] = path
        return word

    def find(self, word: str) -> Path | None:
        """The file of that word."""
        return self._files.get(word)

    def clear(self) -> None:
        """Remove all files."""
        self._files.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


class DownloadHandler(AuthRequestHandler):
    """Streams the files of one session's shelf."""

    def initialize(self, *, shelf: FileShelf) -> None:
        """Called by Tornado for each request."""
        self._shelf = shelf

    @authenticated
    async def get(self, word: str) -> None:
        """Send a file."""
        path = self._shelf.find(word)
        if path is None or not path.is_file():
            raise HTTPError(404, "this download has expired: export again")
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Length", str(path.stat().st_size))
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(path.name)}")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                self.write(chunk)
                await self.flush()


class Route:
    """The place of a shelf on a web server."""

    def __init__(self, application: Any, shelf: FileShelf) -> None:
        self._application = application
        place = secrets.token_urlsafe(12)
        self.prefix = f"{application.prefix}/zogy-explorer-files/{place}"
        rules = application.default_router.rules
        before = list(rules)
        application.add_handlers(
            ".*", [(rf"{self.prefix}/([\w-]+)", DownloadHandler, {"shelf": shelf})]
        )
        self._added = [rule for rule in rules if rule not in before]

    def close(self) -> None:
        """Take the place away."""
        rules = self._application.default_router.rules
        for rule in self._added:
            if rule in rules:
                rules.remove(rule)


def web_application(document: Any) -> Any | None:
    """The Tornado application that serves a document; None if there is none, or none is found.

    Bokeh does not say it; the websocket of the page knows. If a release of Bokeh hides it, files
    travel through the page.
    """
    context = getattr(document, "session_context", None)
    session = getattr(context, "session", None) or getattr(context, "_session", None)
    for connection in getattr(session, "_subscribed_connections", ()):
        application = getattr(getattr(connection, "_socket", None), "application", None)
        if hasattr(application, "add_handlers") and hasattr(application, "prefix"):
            return application
    return None


class Handover(JSComponent):
    """Saves a file in the browser: from an address, or from bytes that came with the page."""

    address = param.String(default="")
    content = param.Bytes(default=b"")
    filename = param.String(default="")
    count = param.Integer(default=0, doc="Raised for each file.")
    picture = param.String(default="", doc="The picture to draw, see `picture.picture_order`.")
    pictures = param.Integer(default=0, doc="Raised for each picture.")

    _esm = (
        DRAW_PICTURE
        + """
    export function render({model, el}) {
      const save = (href, name) => {
        const link = document.createElement("a")
        link.href = href
        link.download = name
        el.appendChild(link)
        link.click()
        link.remove()
      }
      model.on("count", () => {
        if (model.address) { save(model.address, model.filename); return }
        const blob = new Blob([model.content], {type: "application/octet-stream"})
        const href = URL.createObjectURL(blob)
        save(href, model.filename)
        setTimeout(() => URL.revokeObjectURL(href), 60000)
      })
      model.on("pictures", async () => {
        const blob = await drawPicture(JSON.parse(model.picture))
        if (blob == null) return
        const href = URL.createObjectURL(blob)
        save(href, model.filename)
        setTimeout(() => URL.revokeObjectURL(href), 60000)
      })
    }
    """
    )


class Downloads:
    """Hands files over to one page.

    Attributes
    ----------
    view
        Invisible; to be placed on the page.
    """

    def __init__(self) -> None:
        self.view = Handover(width=0, height=0, margin=0)
        self.shelf = FileShelf()
        self._route: Route | None = None

    def hand_over(self, path: Path) -> None:
        """Have the browser save a file of the shelf; where the page may be written."""
        if self._route is None:
            application = web_application(pn.state.curdoc)
            if application is not None:
                self._route = Route(application, self.shelf)
        if self._route is not None:
            address, content = f"{self._route.prefix}/{self.shelf.offer(path)}", b""
        else:
            address, content = "", path.read_bytes()
        self.view.param.update(address=address, content=content, filename=path.name)
        self.view.count += 1

    def hand_over_picture(self, order: str, filename: str) -> None:
        """Have the browser save a picture of what it shows, see `picture.picture_order`."""
        self.view.param.update(picture=order, filename=filename)
        self.view.pictures += 1

    def close(self) -> None:
        """The page has gone: so do its files."""
        if self._route is not None:
            self._route.close()
        self.shelf.clear()
