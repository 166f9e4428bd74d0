"""What a cell is computed with: numpy and scipy, or numba and ducc0 where they are installed.

Both do the same in the same order, and differ by round-off alone. Everything that is worth
compiling is a function of this interface; `fast` holds the compiled twins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

import numpy as np

from zogy_explorer.engine.compact import CompactSpectrum, blocks_of, folded
from zogy_explorer.engine.equations import Factors, Weights, difference_and_score
from zogy_explorer.engine.fourier import Plane, Spectrum, backward, forward, weighted_twice
from zogy_explorer.engine.pixels import finish_rows
from zogy_explorer.errors import MissingExtraError


@dataclass(frozen=True)
class Arithmetic:
    """Transforms and inner loops; see the functions of the same names for what they do."""

    name: str
    forward: Callable[[Plane], Spectrum]
    backward: Callable[[Spectrum, tuple[int, int], slice], Plane]
    folded: Callable[[Spectrum, Spectrum, int, Spectrum, Spectrum], None]
    difference_and_score: Callable[
        [Spectrum, Spectrum, Spectrum, Spectrum, Factors, bool, Spectrum | None], None
    ]
    weighted_twice: Callable[[Spectrum, Spectrum, Sequence[Spectrum]], None]
    finish_rows: Callable[[Plane, Plane, Plane, Plane, Plane, float], tuple[bool, bool]]


NUMPY = Arithmetic(
    name="numpy",
    forward=forward,
    backward=backward,
    folded=folded,
    difference_and_score=difference_and_score,
    weighted_twice=weighted_twice,
    finish_rows=finish_rows,
)
"""numpy and scipy."""


@lru_cache(maxsize=1)
def fast_installed() -> bool:
    """Whether the packages of the ``fast`` extra are there."""
    return all(find_spec(package) is not None for package in ("numba", "ducc0"))


def require_arithmetic(name: str) -> None:
    """Check that ``name`` can be used, without importing it.

    Raises
    ------
    MissingExtraError
        If it needs packages that are not installed.
    """
    if name == "fast" and not fast_installed():
        raise MissingExtraError('arithmetic = "fast"', "fast")


def arithmetic_named(name: str) -> Arithmetic:
    """The arithmetic of that name; ``"auto"``: the compiled one if it is installed.

    Raises
    ------
    MissingExtraError
        If it needs packages that are not installed.
    """
    require_arithmetic(name)
    if name == "numpy" or not fast_installed():
        return NUMPY
    from zogy_explorer.engine.fast import FAST

    return FAST


def warm_up() -> None:
    """Load what is compiled, for both precisions, before somebody waits for it.

    Takes seconds on the first use on a machine, a fraction of one later, and nothing where the
    packages are not installed.
    """
    for dtype in (np.complex64, np.complex128):
        _warm_up(arithmetic_named("auto"), np.dtype(dtype))


def _warm_up(arithmetic: Arithmetic, dtype: np.dtype) -> None:
    real = np.empty(0, dtype).real.dtype
    weights, stamp, shape = Weights(1.0, 1.0), np.ones((3, 3)), (64, 64)
    for pixels in (stamp, stamp.astype(real)):
        psf = CompactSpectrum(pixels, shape, dtype)
        images = np.ones((2, shape[0], shape[1] // 2 + 1), dtype)
        for part, (block,) in blocks_of([psf], arithmetic):
            n, r = images[0, part], images[1, part]
            factors = Factors.of(weights, 1e-4, n.real.dtype)
            arithmetic.difference_and_score(block, block, n, r, factors, True, None)
            arithmetic.weighted_twice(n, r, (block,) * 4)
    for columns in (slice(None), slice(1, 3)):  # of a frame in one cell, and of one in many
        diff, diff_variance, score, score_variance, scorr = (
            np.ones((4, 4), real)[:, columns] for _ in range(5)
        )
        arithmetic.finish_rows(diff, diff_variance, score, score_variance, scorr, 1.0)
