"""What is dropped on the page: a pair, one file after the other, a session, or regions."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import panel as pn

from zogy_explorer.errors import InputError
from zogy_explorer.io import check_is_fits
from zogy_explorer.ui.imported import mark_regions
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.session import Session

UPLOAD_LIMIT = "500MB"
_START = 80
"""[bytes] Enough of a file to see whether it is FITS."""


class Uploads:
    """Takes each file as it arrives; two images are a pair.

    Nothing tells which files were dropped together: they arrive one by one, the first perhaps long
    before the second. So the page says which one waits for its other half, and a file that cannot
    be half of a pair is refused at once.

    Parameters
    ----------
    session
        Which opens what arrives.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: tuple[str, bytes] | None = None
        self.dropper = pn.widgets.FileDropper(
            label="A pair, a session or regions",
            multiple=True,
            max_file_size=UPLOAD_LIMIT,
            height=84,
            margin=(3, 0),
            sizing_mode="stretch_width",
        )
        self.line = text_pane(name="upload", margin=(2, 0))
        self.view = pn.Column(self.dropper, self.line, sizing_mode="stretch_width", margin=0)
        self.dropper.param.watch(lambda event: self._arrived(event.new), "value")

    def _arrived(self, files: dict[str, bytes | str] | None) -> None:
        """Take what is new out of the drop area, which would keep it and forget the order."""
        if self._waiting is not None and self._waiting[0] not in self.dropper.mime_type:
            self._waiting = None  # it was taken off the drop area
        for name in list(files or {}):
            self._session.alert = ""  # of the file before
            try:
                self._take(name, _bytes((files or {}).pop(name)))
            except InputError as error:
                self._session.report(error)
        self._say()

    def _take(self, name: str, content: bytes) -> None:
        if name.lower().endswith(".json"):
            self._session.open_session_file(content, name)
            return
        if name.lower().endswith(".reg"):
            mark_regions(self._session, content, name)
            return
        check_is_fits(Path(name), content[:_START])
        if self._waiting is None:
            self._waiting = (name, content)
            return
        first, second = _roles(self._waiting, (name, content))
        self._waiting = None
        self._session.open_uploads(first, second)

    def _say(self) -> None:
        """Which half of a pair is there."""
        text = ""
        if self._waiting is not None:
            name = escape(self._waiting[0])
            text = f'<span role="status"><b>{name}</b> is here: drop the other image.</span>'
        self.line.object = text


def _roles(
    first: tuple[str, bytes], second: tuple[str, bytes]
) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    """Science and template: by their names if these say it, else in order of arrival."""
    words = ("templ", "tmp", "ref")
    is_template = [any(word in name.lower() for word in words) for name, _ in (first, second)]
    return (second, first) if is_template == [True, False] else (first, second)


def _bytes(content: Any) -> bytes:
    """What the file holds: Panel has decoded what is sent as text, always as UTF-8."""
    return content.encode("utf-8") if isinstance(content, str) else bytes(content)
