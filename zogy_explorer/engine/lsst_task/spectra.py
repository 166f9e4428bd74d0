"""Full complex spectra, which LSST's documented methods exchange, and the engine's half spectra.

Convention: the origin of every plane is its pixel n // 2, for images as for stamps, so that
`padCenterOriginArray` and a plain transform give a spectrum. The engine leaves an image's origin
in its corner. For even lengths, which its padded planes have, the two differ by the sign
(-1)^(kx+ky) alone: going from one to the other is exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from zogy_explorer.engine.fourier import Plane, Spectrum, backward, forward


class FullSpectrum(np.ndarray):
    """Full complex spectrum (ny, nx) that remembers what it was made from.

    Read-only: to change it, copy it. What is computed from it, copies too, forgets the origin,
    and is then taken for what it says.
    """

    origin: Any

    def __array_finalize__(self, source: Any) -> None:
        self.origin = None

    @classmethod
    def of(cls, full: Spectrum, origin: Any) -> FullSpectrum:
        """The array, to be left alone from now on, with its ``origin``."""
        spectrum = full.view(cls)
        spectrum.origin = origin
        spectrum.flags.writeable = False
        return spectrum


def origin_of(array: Any, kind: type | tuple[type, ...]) -> Any:
    """What ``array`` was made from if that is a ``kind`` and still true, else None."""
    origin = getattr(array, "origin", None)
    return origin if isinstance(origin, kind) else None


def full_from_half(half: Spectrum, nx: int) -> Spectrum:
    """Hermitian full spectrum (ny, nx) from its half (ny, nx // 2 + 1)."""
    ny, nh = half.shape
    full = np.empty((ny, nx), dtype=half.dtype)
    full[:, :nh] = half
    mirrored = half[-np.arange(ny) % ny, 1 : nx - nh + 1]
    full[:, nh:] = np.conj(mirrored[:, ::-1])
    return full


def image_half(corner: Spectrum, shape: tuple[int, int]) -> Spectrum:
    """Half spectrum with the origin moved from the corner of a plane of ``shape`` to n // 2."""
    if not _even(shape):
        return forward(scipy.fft.ifftshift(backward(corner.copy(), shape)))
    moved = corner.copy()
    np.negative(moved[1::2], out=moved[1::2])
    np.negative(moved[:, 1::2], out=moved[:, 1::2])
    return moved


def image_spectrum(plane: Plane) -> Spectrum:
    """Half spectrum of a plane (ny, nx) whose origin is its pixel n // 2."""
    return image_half(forward(plane), (plane.shape[0], plane.shape[1]))


def plane_of_full(full: Spectrum) -> NDArray[np.floating]:
    """Real part of the plane of any full spectrum, origin at pixel n // 2."""
    return np.ascontiguousarray(scipy.fft.fftshift(scipy.fft.ifft2(full).real))


def _even(shape: tuple[int, int]) -> bool:
    return shape[0] % 2 == 0 and shape[1] % 2 == 0
