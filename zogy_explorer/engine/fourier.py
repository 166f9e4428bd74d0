"""Real Fourier transforms of stamps and cells: origins, padding, squares, sums.

Half spectra of shape (ny, nx // 2 + 1) as `scipy.fft.rfft2` gives. A stamp's centre is pixel
n // 2 for odd and even n; in a padded plane it lies at index 0, so that multiplying spectra does
not shift images.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from zogy_explorer.errors import InputError

Spectrum = NDArray[np.complexfloating]
Plane = NDArray[np.floating]

BLOCK = 40_000
"""Frequencies: the arrays of one formula over so many fit into a core's cache, where all is much
faster. Shorter blocks would make threads wait for each other between the steps."""


def pad_center_origin(array: Plane, shape: tuple[int, int], *, inverse: bool = False) -> Plane:
    """Move a stamp's centre to index 0 of a larger plane, or (``inverse``) cut it out again.

    Parameters
    ----------
    array : (h, w) array
        Stamp with its centre at pixel n // 2; with ``inverse`` a plane with its centre at 0.
    shape
        (ny, nx) of the result: not smaller than ``array``, or with ``inverse`` not larger.

    Raises
    ------
    InputError
        If the sizes do not go together.
    """
    small, large = (shape, array.shape) if inverse else (array.shape, shape)
    if any(s > t for s, t in zip(small, large, strict=True)):
        verb = "cut from" if inverse else "padded to"
        raise InputError(
            f"a {small[0]}×{small[1]} stamp cannot be {verb} a {large[0]}×{large[1]} plane: "
            "the stamp must not be larger; use a larger border or a smaller stamp"
        )
    rows, columns = (_origin_indices(s, t) for s, t in zip(small, large, strict=True))
    if inverse:
        return array[np.ix_(rows, columns)]
    padded = np.zeros(shape, dtype=array.dtype)
    padded[np.ix_(rows, columns)] = array
    return padded


def stamp_spectrum(stamp: Plane, shape: tuple[int, int]) -> Spectrum:
    """Half spectrum of a stamp whose centre is moved to the origin of a plane of ``shape``.

    Only the stamp's own rows are transformed along x before all columns are along y: half the
    work of transforming the padded plane.
    """
    h, w = stamp.shape
    if h > shape[0] or w > shape[1]:
        pad_center_origin(stamp, shape)  # says what is wrong
    rows = np.zeros((h, shape[1]), dtype=stamp.dtype)
    rows[:, _origin_indices(w, shape[1])] = stamp
    half = scipy.fft.rfft(rows, axis=1)
    padded = np.zeros((shape[0], half.shape[1]), dtype=half.dtype)
    padded[_origin_indices(h, shape[0])] = half
    return scipy.fft.fft(padded, axis=0, overwrite_x=True)


def forward(plane: Plane) -> Spectrum:
    """Half spectrum of a plane."""
    return scipy.fft.rfft2(plane)


def backward(spectrum: Spectrum, shape: tuple[int, int], rows: slice = slice(None)) -> Plane:
    """The ``rows`` of the plane of ``shape`` from its half spectrum, which is spoilt.

    Axis by axis, in place along the columns: `scipy.fft.irfft2` would copy the spectrum.
    """
    columns = scipy.fft.ifft(spectrum, axis=0, overwrite_x=True)
    return scipy.fft.irfft(columns[rows], n=shape[1], axis=1)


def weighted_twice(first: Spectrum, second: Spectrum, factors: Sequence[Spectrum]) -> None:
    """Two spectra become a·first + b·second and c·first + d·second, with ``factors`` a, b, c, d."""
    a, b, c, d = factors
    into_first, product = a * first, b * second
    into_first += product
    np.multiply(c, first, out=product)
    np.multiply(d, second, out=second)
    second += product
    first[...] = into_first


def weighted(
    kernel_n: Spectrum,
    image_n: Spectrum,
    kernel_r: Spectrum,
    image_r: Spectrum,
    *,
    subtract: bool = False,
) -> Spectrum:
    """k_n N + k_r R, or k_n N - k_r R."""
    combine = np.subtract if subtract else np.add
    out = np.empty_like(image_n)
    step = max(BLOCK // out.shape[1], 1)
    for first in range(0, out.shape[0], step):
        rows = slice(first, first + step)
        np.multiply(kernel_n[rows], image_n[rows], out=out[rows])
        combine(out[rows], kernel_r[rows] * image_r[rows], out=out[rows])
    return out


def full_plane_sum(half: Plane, nx: int) -> float:
    """Sum over the full (ny, nx) frequency plane of a real even function given on the half."""
    total = 2.0 * float(half.sum(dtype=np.float64)) - float(half[:, 0].sum(dtype=np.float64))
    if nx % 2 == 0:
        total -= float(half[:, -1].sum(dtype=np.float64))
    return total


def squared_kernel(kernel: Spectrum, shape: tuple[int, int]) -> Plane:
    """Pixel-by-pixel square of a kernel given by its half spectrum; origin at index 0."""
    pixels = scipy.fft.irfft2(kernel, s=shape)
    return np.square(pixels, out=pixels)


def _origin_indices(size: int, length: int) -> NDArray[np.int_]:
    """Where pixels 0…size-1 of a centred stamp go along an axis of ``length``."""
    return (np.arange(size) - size // 2) % length
