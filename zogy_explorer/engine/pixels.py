"""Which pixels are bad, without a plane of flags where none is.

Most planes have no bad pixel of a kind. Finding that out takes one pass and no memory; then None
stands for "nowhere", and nobody has to make, combine or keep planes of False.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Plane = NDArray[np.floating]


def is_finite(plane: Plane) -> bool:
    """Whether all pixels are numbers, from their sum: one pass, nothing allocated."""
    # A sum in single precision is faster, and may overflow where pixels do not.
    return bool(np.isfinite(plane.sum()) or np.isfinite(plane.sum(dtype=np.float64)))


def finish_rows(
    diff: Plane,
    diff_variance: Plane,
    score: Plane,
    score_variance: Plane,
    scorr: Plane,
    flux_diff: float,
) -> tuple[bool, bool]:
    """D / F_D, V_D / F_D², Scorr. Returns whether D and S are finite, and all of V_S positive."""
    finite = is_finite(diff) and is_finite(score)
    diff /= flux_diff
    diff_variance /= flux_diff**2
    np.sqrt(score_variance, out=scorr)
    np.divide(score, scorr, out=scorr)
    return finite, bool(score_variance.min() > np.finfo(score_variance.dtype).tiny)


def not_finite(plane: Plane) -> Flags | None:
    """Pixels that are NaN or infinite; None: nowhere."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(plane.sum()):  # NaN and infinity would show in the sum
            return None
    flags = ~np.isfinite(plane)  # the sum may also have overflowed
    return flags if flags.any() else None


def not_positive(plane: Plane) -> Flags | None:
    """Pixels that are not finite and positive; None: nowhere."""
    with np.errstate(invalid="ignore"):
        if plane.min() > 0 and plane.max() < np.inf:  # NaN would be the minimum
            return None
        return ~(np.isfinite(plane) & (plane > 0))


def with_bits(mask: NDArray[np.int32], bits: np.int32, flagged: int = -1) -> Flags | None:
    """Pixels of which one of ``bits`` is set; None if no pixel's is, going by ``flagged``.

    Parameters
    ----------
    flagged
        All bits that are known to occur; every bit by default.
    """
    present = np.int32(int(bits) & flagged)
    return (mask & present) != 0 if present else None


def either(first: Flags | None, second: Flags | None) -> Flags | None:
    """Pixels of either kind; None: nowhere."""
    if first is None or second is None:
        return second if first is None else first
    return first | second


def inverse(flags: Flags | None) -> Flags | None:
    """All other pixels; None, for nowhere, becomes None, for everywhere."""
    return None if flags is None else ~flags
