"""Files that appear under their name when they are complete, and not before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
        If the file exists and may not be overwritten, is none that can be replaced, or the folder
        cannot be written to.
    """
    path = check_target(path)
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


@contextmanager
def placed_together(*paths: str | Path) -> Iterator[tuple[Path, ...]]:
    """Paths to write to, one for each of ``paths``; all are put in place at the end, in order.

    What is written to them has the right extension, but another name in the same folder. An
    exception in the block leaves none of the files, and the first of them is never missing beside
    the others.

    Raises
    ------
    InputError
        If one of them cannot be written.
    """
    targets = [check_target(path) for path in paths]
    staged = tuple(path.with_name(f".{secrets.token_hex(4)}.{path.name}") for path in targets)
    with ExitStack() as stack:
        for temporary in staged:
            stack.callback(temporary.unlink, missing_ok=True)
        try:
            yield staged
        except InputError as error:
            text = str(error)
            for temporary, target in zip(staged, targets, strict=True):
                text = text.replace(str(temporary), str(target))
            raise InputError(text) from error
        for temporary, target in zip(staged, targets, strict=True):
            try:
                os.replace(temporary, target)
            except OSError as error:
                reason = error.strerror or error
                raise InputError(
                    f"cannot write {target}: {reason}; choose another folder"
                ) from error


def check_target(path: str | Path) -> Path:
    """The file that is meant by ``path``, symbolic links followed.

    Raises
    ------
    InputError
        If something is there that is no regular file: replacing a device would break it.
    """
    path = Path(path).expanduser()
    if path.is_symlink():
        path = path.resolve()
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give a file name")
    if path.exists() and not path.is_file():
        raise InputError(
            f"cannot write {path}: it is a device or a pipe, not a regular file; "
            "give another file name"
        )
    return path
