"""Transfer of a cell: the kernels of D and S on its plane, and what they are in pixel space.

Kernels depend on the PSFs, the weights and the size of the plane, not on the pixels, so a
`TransferCache` lets cells and slider moves that share them share the work.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from zogy_explorer.engine.compact import CompactSpectrum
from zogy_explorer.engine.cutout import CellImage
from zogy_explorer.engine.equations import Kernels, Weights, kernels
from zogy_explorer.engine.floor import automatic_floor
from zogy_explorer.engine.fourier import Plane, backward, full_plane_sum, squared_kernel
from zogy_explorer.engine.grid import padded_length
from zogy_explorer.engine.plan import Settings
from zogy_explorer.engine.variance import SquaredKernel, Squares

_ENTRIES = 12  # cells of the inside, the last column, the last row and the corner differ in size


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
    """What turns images into D and S on planes of ``shape``.

    Parameters
    ----------
    near
        Kernels on a plane just large enough for them, that of ``compact``.
    compact
        Squares of the kernels and the PSFs in pixel space.
    shape
        (ny, nx) of the planes.
    psfs
        Spectra of the science and the template PSF on them; None: ``near`` is on them.
    """

    near: Kernels
    compact: CompactKernels
    shape: tuple[int, int]
    psfs: tuple[CompactSpectrum, CompactSpectrum] | None = None

    @cached_property
    def kernels(self) -> Kernels:
        """Kernels on planes of ``shape``; kept."""
        if self.psfs is None or self.compact.psf_diff.shape == self.shape:
            return self.near
        psf_n, psf_r = self.psfs
        return kernels(psf_n.whole, psf_r.whole, self.near.weights, self.near.floor)

    @property
    def weights(self) -> Weights:
        """Noise and flux scales."""
        return self.near.weights

    @property
    def floor(self) -> float:
        """Frequency floor ε."""
        return self.near.floor

    @property
    def flux_score(self) -> float:
        """F_S (eqs. 41, 42)."""
        ny, nx = self.compact.psf_diff.shape
        return self.near.flux_score(full_plane_sum(self.near.score_power, nx) / (ny * nx))


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
    maker = TransferMaker(science, template, weights, config, cache or TransferCache())
    return maker.on(shape)


class TransferMaker:
    """Makes the kernels of one cell, on planes of any size; arguments as for `cell_transfer`."""

    def __init__(
        self,
        science: CellImage,
        template: CellImage,
        weights: Weights,
        config: Settings,
        cache: TransferCache,
    ) -> None:
        self._stamps = (science.stamp, template.stamp)
        self._weights, self._config, self._cache = weights, config, cache
        self._dtype = np.result_type(science.image.dtype, np.complex64)
        self._stamp_key = (
            *((stamp.tobytes(), stamp.shape) for stamp in self._stamps),
            self._dtype.str,
        )
        given = config.frequencyFloor
        self._floor: float = (
            cache.get((*self._stamp_key, "floor"), lambda: automatic_floor(*self._stamps))
            if given is None
            else given
        )
        self._key = (*self._stamp_key, weights, self._floor)

    def on(self, shape: tuple[int, int]) -> Transfer:
        """Everything on planes of ``shape``."""
        return self._cache.get((*self._key, shape), lambda: self._transfer(shape))

    def squares(self, shape: tuple[int, int]) -> tuple[Plane, ...]:
        """The squared kernels that planes of about ``shape`` have, origin at index 0."""
        return self._near(_compact_shape(self._stamps, shape, self._config))[1]

    def _near(self, small: tuple[int, int]) -> tuple[Kernels, tuple[Plane, ...]]:
        """Kernels on a small plane, and the squares of the four that act on images."""

        def make() -> tuple[Kernels, tuple[Plane, ...]]:
            near = self._kernels(small)
            acting = (near.diff_n, near.diff_r, near.score_n, near.score_r)
            return near, tuple(squared_kernel(kernel, small) for kernel in acting)

        return self._cache.get((*self._key, small, "near"), make)

    def _transfer(self, shape: tuple[int, int]) -> Transfer:
        small = _compact_shape(self._stamps, shape, self._config)
        near, squares = self._near(small)
        diff_n, diff_r, score_n, score_r = (SquaredKernel(square, shape) for square in squares)
        compact = CompactKernels(
            diff_n,
            diff_r,
            score_n,
            score_r,
            psf_diff=backward(near.psf_diff.copy(), small),
            psf_score=backward(near.psf_score.astype(near.psf_diff.dtype), small),
        )
        return Transfer(near, compact, shape, self._psfs(shape))

    def _psfs(self, shape: tuple[int, int]) -> tuple[CompactSpectrum, CompactSpectrum]:
        def make() -> tuple[CompactSpectrum, ...]:
            # D divides by |P|: small |P| must be right to a *relative* precision, which rounding
            # the spectrum of a stamp in double keeps and a transform in single would not.
            return tuple(CompactSpectrum(stamp, shape, self._dtype) for stamp in self._stamps)

        return self._cache.get((*self._stamp_key, shape, "psfs"), make)

    def _kernels(self, shape: tuple[int, int]) -> Kernels:
        psf_n, psf_r = self._psfs(shape)
        return kernels(psf_n.whole, psf_r.whole, self._weights, self._floor)


def _compact_shape(
    stamps: tuple[Plane, Plane], shape: tuple[int, int], config: Settings
) -> tuple[int, int]:
    if config.workingPrecision == "double" or config.frequencyFloor == 0:
        return shape
    side = padded_length(max(4 * max(max(s.shape) for s in stamps), 96), "fast")
    return shape if side >= min(shape) else (side, side)
