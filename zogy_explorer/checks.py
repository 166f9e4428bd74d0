"""Values that people give, as what they are meant to be, or an error in plain words."""

from __future__ import annotations

import math
import reprlib
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import InputError

T = TypeVar("T")


def real(value: Any) -> float:
    """The number that a value is; NaN where it is none.

    For rules such as "must be positive", which NaN never keeps.
    """
    # float() reads "12" as well, but a number that is text was not yet converted.
    if isinstance(value, str | bytes) or np.ndim(value) > 0:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def is_positive(value: Any) -> bool:
    """Whether a value is a finite number above zero."""
    return 0 < real(value) < math.inf


def reals(name: str, values: Any) -> NDArray[np.float64]:
    """One or more numbers as an array of one dimension.

    Parameters
    ----------
    name
        What they are, for the error: "x of the positions".
    values
        A number or a sequence of them.

    Raises
    ------
    InputError
        If they are none.
    """
    try:
        return np.atleast_1d(np.asarray(values, dtype=np.float64)).ravel()
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name} is {shown(values)}: give a number, or a sequence of numbers"
        ) from error


def instance(name: str, value: Any, kind: type[T], remedy: str) -> T:
    """The value itself, if it is of a kind.

    Raises
    ------
    InputError
        If not.
    """
    if isinstance(value, kind):
        return value
    raise InputError(f"{name} is {shown(value)}, not {kind.__name__}: {remedy}")


def generator(rng: Any) -> np.random.Generator:
    """A random generator: ``rng`` itself, or a new one with it as its seed.

    Raises
    ------
    InputError
        If it is neither a generator, a seed, nor None.
    """
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"rng is {shown(rng)}: give a numpy Generator, a whole number of at least 0 as its "
            "seed, or None"
        ) from error


def shown(value: Any) -> str:
    """A value in one short line."""
    try:
        text = reprlib.repr(value)
    except Exception:  # a repr is anybody's code: the error about the value matters more
        text = object.__repr__(value)
    return " ".join(text.split())
