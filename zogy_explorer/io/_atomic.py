"""Files that appear under their name when they are complete, and not before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from zogy_explorer.errors import InputError


@contextmanager
def atomic_file(path: str | Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """A temporary file in the same folder, to be written to; renamed to ``path`` at the end.

    A reader, or a crash, never sees half a file; an exception in the block leaves nothing.

    Raises
    ------
    InputError
        If the file exists and may not be overwritten, or the folder cannot be written to.
    """
    path = Path(path).expanduser()
    if path.is_symlink():
        path = path.resolve()
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give a file name")
    if path.exists() and not overwrite:
        raise InputError(
            f"cannot write {path}: the file exists; choose another name or allow overwriting"
        )
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist; make it")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        temporary.touch(exist_ok=False)
        with temporary.open("wb") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"cannot write {path}: {reason}; choose another folder") from error
    finally:
        temporary.unlink(missing_ok=True)
