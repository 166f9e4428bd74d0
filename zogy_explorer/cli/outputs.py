"""Files that a command is to write, checked before it works: none may be one that it reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from zogy_explorer.errors import InputError
from zogy_explorer.io._atomic import check_target

NamedPath = tuple[str, str | Path | None]
"""What a file is to the command, such as "the report", and its path; None: there is none."""


def check_outputs(outputs: Iterable[NamedPath], inputs: Iterable[NamedPath]) -> None:
    """Refuse to write over an input, the same file twice, or what is no regular file.

    Raises
    ------
    InputError
        For the first of the outputs that may not be written.
    """
    taken: dict[object, str] = {}
    for role, path in inputs:
        if path is not None:
            taken |= dict.fromkeys(_identities(path), role)
    for role, path in outputs:
        if path is None:
            continue
        check_target(path)
        keys = _identities(path)
        other = next((taken[key] for key in keys if key in taken), None)
        if other is not None:
            raise InputError(
                f"{role} would be written over {other}, {path}: give one of them another name"
            )
        taken |= dict.fromkeys(keys, role)


def _identities(path: str | Path) -> list[object]:
    """What tells that two paths mean one file: where it lies, and what it is on the disk."""
    path = Path(path).expanduser()
    try:
        found = path.stat()
    except OSError:  # not there yet, or a fault that reading or writing it will tell
        return [path.resolve()]
    return [path.resolve(), (found.st_dev, found.st_ino)]
