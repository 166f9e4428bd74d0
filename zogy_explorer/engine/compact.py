"""Half spectra of compact planes (PSF stamps, squared kernels) on the large plane of a cell.

A stamp fills a few dozen rows and columns of a plane of hundreds, so its spectrum is two short
products with matrices of cosines and sines (one along x, one along y) instead of a transform of
zeros. Rows ``k`` and ``-k`` share their products: only their sign of the odd part differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.fourier import BLOCK, Plane, Spectrum, stamp_spectrum

if TYPE_CHECKING:
    from zogy_explorer.engine.arithmetic import Arithmetic

_COMPACT = 5  # sides of a stamp in the plane's from which products are cheaper than a transform

# Linear-algebra libraries hand larger products to threads of their own, which then wait for each
# other on a machine that already computes a cell on every core: 0.1 ms becomes 10.
_LARGEST_PRODUCT = 1 << 18

Folded = Callable[[Spectrum, Spectrum, int, Spectrum, Spectrum], None]
Rows = tuple[slice, slice]
"""Rows of a half spectrum: some frequencies ``k ≥ 0``, and of those all that differ, ``-k``."""


def row_blocks(shape: tuple[int, int]) -> Iterator[Rows]:
    """The rows of half spectra of planes of ``shape``, in blocks that fit into a core's cache."""
    ny, nh = shape[0], shape[1] // 2 + 1
    step = max(BLOCK // (2 * nh), 1)
    for first in range(0, ny // 2 + 1, step):
        last = min(first + step, ny // 2 + 1)
        yield slice(first, last), slice(ny - min(last, (ny + 1) // 2) + 1, ny - max(first, 1) + 1)


class CompactSpectrum:
    """Half spectrum of a compact plane on planes of ``shape``, made block by block.

    What is asked for a second time is kept: pieces of a cell and moves of a slider share it.

    Parameters
    ----------
    pixels : (h, w) array
        Centre at pixel n // 2; not larger than ``shape``.
    shape
        (ny, nx) of the plane, on which the centre moves to index 0.
    dtype
        Complex type of the result. The products are made in the precision of ``pixels``, so
        that small values are right to *relative* single precision if those are double.
    """

    def __init__(self, pixels: Plane, shape: tuple[int, int], dtype: np.dtype) -> None:
        (h, w), (ny, nx) = pixels.shape, shape
        self.shape, self.dtype = shape, dtype
        self._used = False
        self._whole: Spectrum | None = None
        if ny < _COMPACT * h or nx < _COMPACT * w:
            self._whole = stamp_spectrum(pixels, shape).astype(dtype, copy=False)
            return
        real = pixels.dtype
        along_x = _waves(w, nx, np.result_type(real, np.complex64).str)
        lines = _product(pixels, along_x.view(real)).view(along_x.dtype)
        centre, after = h // 2, h - 1 - h // 2
        self._even = np.zeros((centre + 1, lines.shape[1]), dtype=lines.dtype)
        self._even[: after + 1] = lines[centre:]
        self._odd = -1j * self._even[1:].astype(lines.dtype)
        before = lines[:centre][::-1]
        self._even[1:] += before
        self._odd += (1j * before).astype(lines.dtype)
        self._tables = _cosines(centre, ny, real.str)

    @property
    def whole(self) -> Spectrum:
        """All of it, (ny, nx // 2 + 1); kept."""
        if self._whole is None:
            ny, nx = self.shape
            whole = np.empty((ny, nx // 2 + 1), dtype=self.dtype)
            for rows in row_blocks(self.shape):
                for part, block in zip(rows, self._made(rows, folded), strict=True):
                    whole[part] = block
            self._whole = whole
        return self._whole

    def begin(self) -> None:
        """Say that all blocks will be asked for: from the second time on they are kept."""
        if self._used:
            _ = self.whole
        self._used = True

    def blocks(self, rows: Rows, arithmetic: Arithmetic) -> tuple[Spectrum, Spectrum]:
        """The rows of one block; not to be changed."""
        if self._whole is not None:
            return self._whole[rows[0]], self._whole[rows[1]]
        return self._made(rows, arithmetic.folded)

    def _made(self, rows: Rows, fold: Folded) -> tuple[Spectrum, Spectrum]:
        positive, negative = rows
        cosines, sines = (table[positive] for table in self._tables)
        even = _product(cosines, self._even.view(cosines.dtype)).view(self._even.dtype)
        odd = _product(sines, self._odd.view(sines.dtype)).view(self._odd.dtype)
        above = np.empty(even.shape, self.dtype)
        below = np.empty((max(negative.stop - negative.start, 0), even.shape[1]), self.dtype)
        fold(even, odd, 1 if positive.start == 0 else 0, above, below)
        return above, below


def folded(even: Spectrum, odd: Spectrum, first: int, above: Spectrum, below: Spectrum) -> None:
    """Rows ``k`` of a spectrum and, in their order, rows ``-k``, from its even and odd parts.

    ``first`` is the first row that has another one opposite: ``k`` = 0 has not.
    """
    np.add(even, odd, out=above, casting="same_kind")
    last = first + below.shape[0]
    np.subtract(even[first:last], odd[first:last], out=below[::-1], casting="same_kind")


def blocks_of(
    spectra: Sequence[CompactSpectrum], arithmetic: Arithmetic
) -> Iterator[tuple[slice, tuple[Spectrum, ...]]]:
    """Rows of a half spectrum, block by block, and several spectra on them."""
    for spectrum in spectra:
        spectrum.begin()
    for rows in row_blocks(spectra[0].shape):
        pairs = [spectrum.blocks(rows, arithmetic) for spectrum in spectra]
        for part, blocks in zip(rows, zip(*pairs, strict=True), strict=True):
            if part.start < part.stop:
                yield part, blocks


def _product(left: Plane, right: Plane) -> Plane:
    """Matrix product in parts too small for the threads of a linear-algebra library."""
    n, k = right.shape[1], left.shape[1]
    step = max(_LARGEST_PRODUCT // max(n * k, 1), 1)
    out = np.empty((left.shape[0], n), dtype=right.dtype)
    for first in range(0, left.shape[0], step):
        part = slice(first, first + step)
        np.matmul(left[part], right, out=out[part])
    return out


@lru_cache(maxsize=64)
def _waves(size: int, length: int, dtype: str) -> Spectrum:
    """exp(-2πi k x / length) for x of a centred stamp of ``size`` and the half axis of k."""
    x = np.arange(size) - size // 2
    phase = np.outer(x, np.arange(length // 2 + 1)) % length
    waves = np.exp(-2j * np.pi / length * phase).astype(dtype)
    waves.flags.writeable = False
    return waves


@lru_cache(maxsize=64)
def _cosines(reach: int, length: int, dtype: str) -> tuple[NDArray, NDArray]:
    """Cosines (half axis of k, 0…reach) and sines (…, 1…reach) of 2π k y / length."""
    phase = np.outer(np.arange(length // 2 + 1), np.arange(reach + 1)) % length
    angle = 2 * np.pi / length * phase
    tables = np.cos(angle).astype(dtype), np.sin(angle[:, 1:]).astype(dtype)
    for table in tables:
        table.flags.writeable = False
    return tables
