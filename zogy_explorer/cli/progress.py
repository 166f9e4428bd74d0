"""Progress on a terminal; nothing at all where the output is a file or a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(what: str, unit: str, *, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """``show(done, total)`` for a bar on standard error that leaves nothing behind."""
    from tqdm import tqdm

    with tqdm(
        desc=what, unit=unit, disable=True if quiet else None, leave=False, dynamic_ncols=True
    ) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
