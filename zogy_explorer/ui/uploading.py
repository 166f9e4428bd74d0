"""What is dropped on the page: a pair, one file after the other, a session, or regions."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import panel as pn

from zogy_explorer.errors import InputError
from zogy_explorer.io import check_is_fits
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.state import SYMBOLS, Frame

UPLOAD_LIMIT = "500MB"
_START = 80
"""[bytes] Enough of a file to see whether it is FITS."""

_TOLD = 3
"""How many refusals are shown, newest first."""


@dataclass(frozen=True)
class _Half:
    """A file that waits for the other one of its pair.

    Parameters
    ----------
    name, content
        Of the file.
    revision
        That of the session when the file came.
    """

    name: str
    content: bytes
    revision: int


@dataclass(frozen=True)
class _Refusal:
    """Why a file was refused, and the revision of the session then."""

    reason: str
    revision: int


class Uploads:
    """Takes each file as it arrives; two images are a pair.

    Nothing tells which files were dropped together: they arrive one by one, the first perhaps long
    before the second. So the page says which one waits for its other half, and a file that cannot
    be half of a pair is refused at once. What was refused stays in sight beside it until a pair is
    opened, because the next file may come within a moment. What waits is forgotten when another
    pair is opened: it would be paired with a file of a later drop.

    Parameters
    ----------
    session
        Which opens what arrives.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: _Half | None = None
        self._refused: dict[str, _Refusal] = {}  # by name, newest last
        self._alert = ""  # of the newest refusal
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
        session.param.watch(lambda event: self._follow(event.old, event.new), "frame")

    def _arrived(self, files: dict[str, bytes | str] | None) -> None:
        """Take what is new out of the drop area, which would keep it and forget the order."""
        if self._waiting is not None and self._waiting.name not in self.dropper.mime_type:
            self._waiting = None  # it was taken off the drop area
        for name in list(files or {}):
            content = _bytes((files or {}).pop(name))
            self._refused.pop(name, None)  # of a file before, of the same name
            try:
                self._take(name, content)
            except InputError as error:
                self._refuse(name, error)
        self._say()

    def _take(self, name: str, content: bytes) -> None:
        if name.lower().endswith(".json"):
            self._session.open_session_file(content, name)
            return
        if name.lower().endswith(".reg"):
            self._session.studies.importing.mark(content, name)
            return
        check_is_fits(Path(name), content[:_START])
        if self._waiting is None:
            self._waiting = _Half(name, content, self._session.revision)
            return
        first, second = _roles((self._waiting.name, self._waiting.content), (name, content))
        self._waiting = None
        if self._session.alert == self._alert:
            self._session.alert = ""
        self._session.open_uploads(first, second)

    def _refuse(self, name: str, error: InputError) -> None:
        reason = str(error).removeprefix(f"cannot read {name}: ")
        self._refused[name] = _Refusal(reason, self._session.revision)
        self._session.report(error)
        self._alert = self._session.alert

    def _follow(self, old: Frame | None, new: Frame | None) -> None:
        """Another pair was opened: what came before it was asked for has had its time.

        What came later, while that pair was being read, is for the next one.
        """
        if new is None or (old is not None and old.pair.science is new.pair.science):
            return
        self._refused = {n: r for n, r in self._refused.items() if r.revision >= new.revision}
        if self._waiting is not None and self._waiting.revision < new.revision:
            name, self._waiting = self._waiting.name, None
            self._session.say(
                "info", f"{name} waited for its other half and was let go: another pair was opened"
            )
        self._say()

    def _say(self) -> None:
        """Which half of a pair is there, and what was refused."""
        lines = []
        if self._waiting is not None:
            name = escape(self._waiting.name)
            lines.append(f'<span role="status"><b>{name}</b> is here: drop the other image.</span>')
        newest = list(reversed(self._refused.items()))
        lines += [
            f'<span class="failed">{SYMBOLS["failed"]} <b>{escape(name)}</b> was refused: '
            f"{escape(refusal.reason)}</span>"
            for name, refusal in newest[:_TOLD]
        ]
        if len(newest) > _TOLD:
            lines.append(f'<span class="failed">… and {len(newest) - _TOLD} more.</span>')
        self.line.object = "<br>".join(lines)


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
