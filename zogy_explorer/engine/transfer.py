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

_ENTRIES = 12  # spectra of a few PSFs and kernels of the cells in work


class TransferCache:
    """Least-recently-used store of PSF spectra and kernels; safe to share between threads."""

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
    """Pixel-space results of the PSFs alone, origin at index 0, on a plane of ``shape``."""

    square_diff_n: Plane
    square_diff_r: Plane
    square_score_n: Plane
    square_score_r: Plane
    psf_diff: Plane
    psf_score: Plane

    @property
    def squares(self) -> tuple[Plane, Plane, Plane, Plane]:
        """All squared kernels."""
        return (self.square_diff_n, self.square_diff_r, self.square_score_n, self.square_score_r)


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
    if cache is None:
        cache = TransferCache()
    psfs = _PsfSpectra(stamps, science.image.dtype, cache)
    small = _compact_shape(stamps, shape, config)
    floor = config.frequencyFloor
    if floor is None:
        floor = automatic_floor(*stamps)
    key = (*psfs.key, weights, floor, small, shape)
    return cache.get(key, lambda: _make_transfer(psfs, weights, floor, small, shape))


class _PsfSpectra:
    """Spectra of both PSFs on planes of any size, kept in a cache."""

    def __init__(self, stamps: tuple[Plane, Plane], dtype: np.dtype, cache: TransferCache) -> None:
        self._stamps, self._cache = stamps, cache
        self._dtype = np.result_type(dtype, np.complex64)
        self._keys = tuple((stamp.tobytes(), stamp.shape, self._dtype.str) for stamp in stamps)
        self.key = (*self._keys[0], *self._keys[1])

    def on(self, shape: tuple[int, int]) -> tuple[Spectrum, Spectrum]:
        """Science and template spectrum on a plane of ``shape``."""
        return self._of(0, shape), self._of(1, shape)

    def _of(self, image: int, shape: tuple[int, int]) -> Spectrum:
        key = (*self._keys[image], shape)
        return self._cache.get(key, lambda: self._spectrum(self._stamps[image], shape))

    def _spectrum(self, stamp: Plane, shape: tuple[int, int]) -> Spectrum:
        # D divides by |P|: small |P| must be right to a *relative* precision, which rounding the
        # finished spectrum keeps and a transform in single precision would not.
        return stamp_spectrum(stamp, shape).astype(self._dtype, copy=False)


def _make_transfer(
    psfs: _PsfSpectra,
    weights: Weights,
    floor: float,
    small: tuple[int, int],
    shape: tuple[int, int],
) -> Transfer:
    near = kernels(*psfs.on(small), weights, floor)
    full = near if small == shape else kernels(*psfs.on(shape), weights, floor)
    compact = CompactKernels(
        square_diff_n=squared_kernel(near.diff_n, small),
        square_diff_r=squared_kernel(near.diff_r, small),
        square_score_n=squared_kernel(near.score_n, small),
        square_score_r=squared_kernel(near.score_r, small),
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
