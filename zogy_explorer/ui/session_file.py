"""A session in plain values: what a file or a URL holds, and the page made from it again.

No Panel here: the command line reads session files, too.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zogy_explorer.engine import ZogyConfig
from zogy_explorer.engine.overrides import check_cell_fields
from zogy_explorer.errors import InputError, ReadError
from zogy_explorer.io._atomic import atomic_file

if TYPE_CHECKING:
    from zogy_explorer.ui.session import Session

VERSION = 1
"""Of the format; a reader refuses what is newer."""

ORIGINS = ("files", "upload", "sample", "python")
_PAIR_KEYS = ("origin", "science", "template", "shift")
_KEYS = ("zogyExplorerSession", "pair", "config", "cells", "view", "cell", "display", "threshold")
_THRESHOLD = 5.0  # [σ] of the detections where a session does not say
_LEAST_THRESHOLD = 3.0  # [σ] that the page offers

View = tuple[float, float, float, float]


@dataclass(frozen=True)
class SessionSpec:
    """What it takes to show the same page again.

    Parameters
    ----------
    origin
        Where the pair came from: ``"files"``, ``"upload"``, ``"sample"`` or ``"python"``.
    science, template
        Paths of files, else the names that the pair had.
    shift
        By which the template was moved on the page (x, y) [px]; None: not.
    config
        Settings that differ from the defaults of `ZogyConfig`.
    overrides
        Settings of single cells by the name of the cell.
    view
        Left, bottom, right and top of what the wall shows [px], or None: all.
    cell
        Name of the selected cell, or "".
    display
        Fields of the wall's `DisplaySettings` that differ from its defaults.
    threshold
        Of the detections [σ].
    """

    origin: str = "sample"
    science: str = ""
    template: str = ""
    shift: tuple[float, float] | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    view: View | None = None
    cell: str = ""
    display: Mapping[str, Any] = field(default_factory=dict)
    threshold: float = _THRESHOLD

    def zogy_config(self) -> ZogyConfig:
        """The settings.

        Raises
        ------
        InputError
            If a name is unknown or a value not allowed.
        """
        return ZogyConfig.from_dict(self.config)

    def file_paths(self) -> tuple[str, str]:
        """Paths of science and template.

        Raises
        ------
        InputError
            If the pair did not come from files.
        """
        if self.origin != "files":
            raise InputError(
                f"the pair of this session ({self.science or self.origin}) did not come from "
                "files on this machine: name the files instead"
            )
        return self.science, self.template

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as `spec_from_dict` takes them."""
        return {
            "zogyExplorerSession": VERSION,
            "pair": {
                "origin": self.origin,
                "science": self.science,
                "template": self.template,
                **({} if self.shift is None else {"shift": list(self.shift)}),
            },
            "config": dict(self.config),
            "cells": {name: dict(values) for name, values in self.overrides.items()},
            "view": list(self.view) if self.view is not None else None,
            "cell": self.cell,
            "display": dict(self.display),
            **({} if self.threshold == _THRESHOLD else {"threshold": self.threshold}),
        }


def spec_from_dict(values: Mapping[str, Any]) -> SessionSpec:
    """The session that plain values describe; everything in it is checked.

    Raises
    ------
    InputError
        If a field is unknown, missing or not allowed, or the version is newer than this program.
    """
    version = values.get("zogyExplorerSession")
    if version is None:
        raise InputError("this is no session: it has no field zogyExplorerSession")
    if version != VERSION:
        raise InputError(
            f"the session has version {version!r} but this program reads version {VERSION}: "
            "open it with the program that wrote it"
        )
    check_names(values, _KEYS, "a session")
    pair = _mapping(values, "pair")
    check_names(pair, _PAIR_KEYS, "the pair of a session")
    origin = str(pair.get("origin", "sample"))
    if origin not in ORIGINS:
        raise InputError(f"the pair's origin is {origin!r}: it must be one of {', '.join(ORIGINS)}")
    science, template = str(pair.get("science", "")), str(pair.get("template", ""))
    if origin == "files" and not (science and template):
        raise InputError("the session names no files: it must hold pair.science and pair.template")
    spec = SessionSpec(
        origin=origin,
        science=science,
        template=template,
        shift=_shift(pair.get("shift")),
        config=_mapping(values, "config"),
        overrides=_mapping(values, "cells"),
        view=_view(values.get("view")),
        cell=str(values.get("cell") or ""),
        display=_mapping(values, "display"),
        threshold=_threshold(values.get("threshold", _THRESHOLD)),
    )
    config = spec.zogy_config()
    for name, own in spec.overrides.items():
        if not isinstance(own, Mapping):
            raise InputError(f"the settings of cell {name} are {own!r}: they must be an object")
        check_cell_fields(own)
        ZogyConfig.from_dict(config.to_dict() | dict(own))
    display_from(spec.display)
    return spec


def spec_of(session: Session) -> SessionSpec:
    """What is on a page now.

    Raises
    ------
    InputError
        If nothing is.
    """
    pair = session.pair
    if pair is None:
        raise InputError("there is no pair on the page yet: open one first")
    names = pair.paths if pair.paths is not None else (pair.science_name, pair.template_name)
    cell, moved = session.cell, pair.registered
    return SessionSpec(
        origin=pair.origin,
        science=str(names[0]),
        template=str(names[1]),
        shift=None if moved is None else (moved.dx, moved.dy),
        config=session.config.changed(),
        overrides=session.overrides,
        view=session.view,
        cell=cell.cell.name if cell is not None else "",
        display=display_changes(session.display),
        threshold=float(session.studies.detections.threshold),
    )


def write_session_file(spec: SessionSpec, path: str | Path) -> None:
    """Write a session, all or nothing.

    Raises
    ------
    InputError
        If it cannot be written there.
    """
    with atomic_file(path, overwrite=True) as file:
        file.write(session_text(spec).encode())


def session_text(spec: SessionSpec) -> str:
    """The content of a session file."""
    return json.dumps(spec.to_dict(), indent=2, ensure_ascii=False) + "\n"


def read_session_file(path: str | Path) -> SessionSpec:
    """Read what `write_session_file` or the page's export wrote.

    Raises
    ------
    ReadError
        If it cannot be read or is no session.
    """
    path = Path(path).expanduser()
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ReadError(path, "there is no such file") from error
    except OSError as error:
        raise ReadError(path, f"{error.strerror or error}") from error
    return parse_session(content, str(path))


def parse_session(content: bytes | str, name: str) -> SessionSpec:
    """The session in the content of a file called ``name``.

    Raises
    ------
    ReadError
        If it is no session.
    """
    try:
        values = json.loads(content)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ReadError(name, f"it is not a session, which is JSON ({error})") from error
    if not isinstance(values, dict):
        raise ReadError(name, "it is not a session, which is a JSON object")
    try:
        return spec_from_dict(values)
    except InputError as error:
        raise ReadError(name, str(error)) from error


def display_from(values: Mapping[str, Any]) -> Any:
    """`DisplaySettings` with these fields.

    Raises
    ------
    InputError
        If a field is unknown or a value not allowed.
    """
    from zogy_explorer.ui.wall.display import DisplaySettings

    known = {item.name: item for item in dataclasses.fields(DisplaySettings)}
    check_names(values, known, "the display")
    plain = dict(values)
    if plain.get("manual_limits") is not None:
        plain["manual_limits"] = tuple(plain["manual_limits"])
    if "hidden_planes" in plain:
        plain["hidden_planes"] = frozenset(plain["hidden_planes"])
    for name, options in _choices().items():
        if name in plain and plain[name] not in options:
            raise InputError(f"{name} is {plain[name]!r}: it must be one of {', '.join(options)}")
    try:
        return DisplaySettings(**plain)
    except TypeError as error:
        raise InputError(f"a setting of the display is not allowed: {error}") from error


def display_changes(settings: Any) -> dict[str, Any]:
    """Fields of `DisplaySettings` that differ from the defaults, as plain values."""
    from zogy_explorer.ui.wall.display import DisplaySettings

    default, changed = DisplaySettings(), {}
    for item in dataclasses.fields(DisplaySettings):
        value = getattr(settings, item.name)
        if value != getattr(default, item.name):
            plain = sorted(value) if isinstance(value, frozenset) else value
            changed[item.name] = list(plain) if isinstance(plain, tuple) else plain
    return changed


def check_names(given: Iterable[str], known: Iterable[str], where: str) -> None:
    """Refuse unknown names.

    Raises
    ------
    InputError
        With the name that was probably meant.
    """
    names = list(known)
    for name in given:
        if name not in names:
            close = difflib.get_close_matches(str(name), names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(names)}"
            raise InputError(f"{where} has no field {name}: {hint}")


def _choices() -> dict[str, tuple[str, ...]]:
    """What the display's texts may be, from their types."""
    from typing import get_args

    from zogy_explorer.ui.wall.display import SkyMap
    from zogy_explorer.ui.wall.stretch import LimitsName, StretchName

    types = {"sky_stretch": StretchName, "sky_limits": LimitsName, "sky_map": SkyMap}
    return {name: get_args(kind) for name, kind in types.items()}


def _mapping(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name) or {}
    if not isinstance(found, Mapping):
        raise InputError(f"{name} is {found!r}: it must be an object, {{NAME: VALUE, …}}")
    return dict(found)


def _shift(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    try:
        dx, dy = (float(part) for part in value)
    except (TypeError, ValueError):
        dx = dy = float("nan")
    if not (math.isfinite(dx) and math.isfinite(dy)):
        raise InputError(f"the shift of the template is {value!r}: two numbers [px] are needed")
    return dx, dy


def _threshold(value: Any) -> float:
    number = isinstance(value, int | float) and math.isfinite(value)
    if not number or value < _LEAST_THRESHOLD:
        raise InputError(
            f"threshold is {value!r}: it must be a number of at least {_LEAST_THRESHOLD:g} [σ]"
        )
    return float(value)


def _view(value: Any) -> View | None:
    if value is None:
        return None
    numbers = value if isinstance(value, list | tuple) else ()
    good = len(numbers) == 4 and all(
        isinstance(n, int | float) and math.isfinite(n) for n in numbers
    )
    if not good or not (numbers[0] < numbers[2] and numbers[1] < numbers[3]):
        raise InputError(f"view is {value!r}: it must be [left, bottom, right, top] in pixels")
    left, bottom, right, top = map(float, numbers)
    return (left, bottom, right, top)
