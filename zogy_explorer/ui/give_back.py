"""Memory that was let go returns to the system, where the C library would keep it for itself.

The planes of a frame are a few MB each. After the first of that size was let go, glibc takes all
others from its own heap and not from the system, and what is free in a heap only returns from its
end: planes of pages that overlapped in time lie between small objects that stay.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable


def give_back() -> None:
    """Return all free memory of this process, a few milliseconds for a GB; glibc alone can."""
    trim = _trim()
    if trim is not None:
        trim(0)


@functools.cache
def _trim() -> Callable[[int], int] | None:
    """``malloc_trim`` of the C library, or None if it has none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):  # musl, for one
        return None
    return trim
