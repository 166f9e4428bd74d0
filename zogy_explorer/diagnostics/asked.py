"""What a question to the diagnostics is about, checked once and in plain words.

What is typed first is often nearly right: the Struct of `ZogyTask.run` for the difference that it
holds, or a position with units. What can be understood is; the rest is an `InputError`.
"""

from __future__ import annotations

import math
import reprlib
from typing import Any

from zogy_explorer.engine.result import Difference
from zogy_explorer.errors import InputError


def position(x: Any, y: Any) -> tuple[float, float]:
    """A position as two finite floats.

    Parameters
    ----------
    x, y
        Position in the frame of the science image [px]; numbers, or quantities in pixels.

    Raises
    ------
    InputError
        If one of them is no finite number.
    """
    return _coordinate("x", x), _coordinate("y", y)


def _coordinate(name: str, value: Any) -> float:
    number = as_number(value)
    if not math.isfinite(number):
        raise InputError(
            f"{name} is {in_short(value)}, but a position must be two finite numbers: give x and "
            "y in pixels of the science image, xy0 included"
        )
    return number


def as_number(value: Any) -> float:
    """A single number; NaN for anything else, and for what `float` would take but nobody meant.

    Parameters
    ----------
    value
        Of a quantity, its size in pixels is taken.
    """
    try:
        if hasattr(value, "to_value"):  # a Quantity, as in the table of `detect`
            value = value.to_value("pix")
        # float() reads "12" as well, but a number that is text was a column not yet converted.
        if isinstance(value, str | bytes) or getattr(value, "ndim", 0) > 0:
            return math.nan
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def difference_of(subject: Any) -> Difference:
    """The `Difference` that is meant.

    Parameters
    ----------
    subject
        A `Difference`, or what `ZogyTask.run` returns, whose ``difference`` is one.

    Raises
    ------
    InputError
        If it is neither.
    """
    if isinstance(subject, Difference):
        return subject
    held = getattr(subject, "difference", None)
    if isinstance(held, Difference):
        return held
    raise InputError(
        f"{in_short(subject)} is a {type(subject).__name__}, not a Difference: give what "
        "run(plan(science, template)) returns, or ZogyTask().run(science, template).difference"
    )


def in_short(value: Any) -> str:
    """A value in one short line."""
    try:
        text = reprlib.repr(value)
    except Exception:  # a repr is anybody's code: the error about the value matters more
        text = object.__repr__(value)
    return " ".join(text.split())
