"""Transfer of a cell: the kernels of D and S on its plane, and what they are in pixel space.

Kernels depend on the PSFs, the weights and the size of the plane, not on the pixels, so a
`TransferCache` lets cells and slider moves that share them share the work.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from zogy_explorer.engine.cutout import CellImage
from zogy_explorer.engine.equations import Kernels, Weights, kernels
from zogy_explorer.engine.floor import automatic_floor
from zogy_explorer.engine.fourier import (
    Plane,
    Spectrum,
    backward,
    squared_kernel,
    stamp_spectrum,
)
from zogy_explorer.engine.grid import padded_length
from zogy_explorer.engine.plan import Settings
from zogy_explorer.engine.variance import SquaredKernel, Squares

_ENTRIES = 4  # cells of the inside, the last column, the last row and the corner differ in size


class TransferCache:
    """Least-recently-used store of kernels; safe to share between threads."""

    def __init__(self, entries: int = _ENTRIES) -> None:
        self._entries = entries
        self._lock = threading.Lock()
        self._store: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def get(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """The stored value of ``key``, made now if it is not there."""
        with self._lock:
            if key in self._store:
                self._store.move_to_end(key)
                return self._store[key]
        value = make()
        with self._lock:
            self._store[key] = value
            while len(self._store) > self._entries:
                self._store.popitem(last=False)
        return value


@dataclass(frozen=True, eq=False)
class CompactKernels:
    """Pixel-space results of the PSFs and weights alone, origin at index 0."""

    square_diff_n: SquaredKernel
    square_diff_r: SquaredKernel
    square_score_n: SquaredKernel
    square_score_r: SquaredKernel
    psf_diff: Plane
    psf_score: Plane

    @property
    def diff_squares(self) -> Squares:
        """Squared kernels of D."""
        return (self.square_diff_n, self.square_diff_r)

    @property
    def score_squares(self) -> Squares:
        """Squared kernels of S."""
        return (self.square_score_n, self.square_score_r)

    @property
    def squares(self) -> tuple[SquaredKernel, ...]:
        """All squared kernels."""
        return (*self.diff_squares, *self.score_squares)


@dataclass(frozen=True, eq=False)
class Transfer:
    """Kernels on planes of ``shape``, and their squares and the PSFs in pixel space."""

    kernels: Kernels
    compact: CompactKernels
    shape: tuple[int, int]


def cell_transfer(
    science: CellImage,
    template: CellImage,
    weights: Weights,
    config: Settings,
    shape: tuple[int, int],
    cache: TransferCache | None = None,
) -> Transfer:
    """What turns the images of a cell into D and S, on planes of ``shape``.

    Squares and PSFs are compact, so they are made on a plane just large enough for them; the
    LSST preset uses the plane of the cell.
    """
    stamps = (science.stamp, template.stamp)
    small = _compact_shape(stamps, shape, config)
    floor = config.frequencyFloor
    if floor is None:
        floor = automatic_floor(*stamps)
    dtype = np.result_type(science.image.dtype, np.complex64)

    def make() -> Transfer:
        return _make_transfer(stamps, dtype, weights, floor, small, shape)

    if cache is None:
        return make()
    identity = tuple((stamp.tobytes(), stamp.shape) for stamp in stamps)
    return cache.get((*identity, dtype.str, weights, floor, small, shape), make)


def _make_transfer(
    stamps: tuple[Plane, Plane],
    dtype: np.dtype,
    weights: Weights,
    floor: float,
    small: tuple[int, int],
    shape: tuple[int, int],
) -> Transfer:
    def on(plane: tuple[int, int]) -> Kernels:
        # D divides by |P|: small |P| must be right to a *relative* precision, which rounding the
        # finished spectrum keeps and a transform in single precision would not.
        psf_n, psf_r = (stamp_spectrum(s, plane).astype(dtype, copy=False) for s in stamps)
        return kernels(psf_n, psf_r, weights, floor)

    near = on(small)
    full = near if small == shape else on(shape)

    def squared(kernel: Spectrum) -> SquaredKernel:
        return SquaredKernel(squared_kernel(kernel, small), shape)

    compact = CompactKernels(
        square_diff_n=squared(near.diff_n),
        square_diff_r=squared(near.diff_r),
        square_score_n=squared(near.score_n),
        square_score_r=squared(near.score_r),
        psf_diff=backward(near.psf_diff.copy(), small),
        psf_score=backward(near.psf_score.astype(near.psf_diff.dtype), small),
    )
    return Transfer(full, compact, shape)


def _compact_shape(
    stamps: tuple[Plane, Plane], shape: tuple[int, int], config: Settings
) -> tuple[int, int]:
    if config.workingPrecision == "double" or config.frequencyFloor == 0:
        return shape
    side = padded_length(max(4 * max(max(s.shape) for s in stamps), 96), "fast")
    return shape if side >= min(shape) else (side, side)
