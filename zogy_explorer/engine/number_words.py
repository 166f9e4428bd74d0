"""Numbers with their errors, as sentences have them."""

from __future__ import annotations

import math

_LEAST, _MOST = 2, 9  # decimals


def with_error(value: float, error: float, *, sign: bool = False) -> str:
    """``value ± error``: the error with two significant digits, both with the same decimals.

    Parameters
    ----------
    value, error
        In one unit. Without a known error there is none in the text, and the value has three
        decimals.
    sign
        Write that of a positive value, too.

    Examples
    --------
    >>> with_error(1.0612, 0.00123)
    '1.0612 ± 0.0012'
    """
    plus = "+" if sign else ""
    if not (math.isfinite(error) and error > 0):
        return f"{value:{plus}.3f}"
    # Of the rounded error: 0.0999 is 0.10, with two decimals and not three.
    exponent = int(f"{error:.1e}".split("e")[1])
    decimals = min(max(1 - exponent, _LEAST), _MOST)
    return f"{value:{plus}.{decimals}f} ± {error:.{decimals}f}"
