"""What a cell is computed with: numpy and scipy, or numba and ducc0 where they are installed.

Both do the same in the same order, and differ by round-off alone. Everything that is worth
compiling is a function of this interface; `fast` holds the compiled twins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zogy_explorer.engine.compact import folded
from zogy_explorer.engine.equations import Factors, difference_and_score
from zogy_explorer.engine.fourier import Plane, Spectrum, backward, forward, weighted_twice


@dataclass(frozen=True)
class Arithmetic:
    """Transforms and inner loops; see the functions of the same names for what they do."""

    name: str
    forward: Callable[[Plane], Spectrum]
    backward: Callable[[Spectrum, tuple[int, int], slice], Plane]
    folded: Callable[[Spectrum, Spectrum, int, Spectrum, Spectrum], None]
    difference_and_score: Callable[
        [
            Spectrum,
            Spectrum,
            Spectrum,
            Spectrum,
            Factors,
            Spectrum,
            Spectrum | None,
            Spectrum | None,
        ],
        None,
    ]
    weighted_twice: Callable[[Spectrum, Spectrum, Sequence[Spectrum], Spectrum, Spectrum], None]


NUMPY = Arithmetic(
    name="numpy",
    forward=forward,
    backward=backward,
    folded=folded,
    difference_and_score=difference_and_score,
    weighted_twice=weighted_twice,
)
"""numpy and scipy."""
