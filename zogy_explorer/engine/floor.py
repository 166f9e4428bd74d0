"""The frequency floor ε: chosen from the noise of the PSF stamps.

Where both PSFs have no power of their own, their spectra are the stamps' noise or round-off, and
the D-kernels P/|P| take an arbitrary phase there: one cosmic ray then spreads over all of D. A
small point of flux ε, added to both PSFs at just those frequencies and in the kernels of D only,
gives the kernels the smooth limit Fr/√q, Fn/√q. It fades out where either PSF has power,

    ε(f) = ε · ε² / (ε² + |P_n|² + |P_r|²),

because at full strength everywhere it would leave a residual of up to 100 ε of every star.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Spectrum = NDArray[np.complexfloating]

SMALLEST = 2e-5
"""Least ε where there are frequencies without power; well above round-off."""
LARGEST = 3e-3
"""Most: beyond, bright stars would leave more than the floor cures."""
_MARGIN = 50.0  # ε over the noise of the spectra
_NOT_WORTH = 3e-4  # spectra that never fall below this have power, or noise too strong to cure


def automatic_floor(psf_n: Spectrum, psf_r: Spectrum, shape: tuple[int, int]) -> float:
    """ε for two unit-sum PSFs; 0 if none is needed, or none would help.

    Parameters
    ----------
    psf_n, psf_r
        Half spectra of the stamps on a plane of ``shape``.
    shape
        (ny, nx) of that plane.
    """
    level = max(quietest_ring(psf, shape) for psf in (psf_n, psf_r))
    if level > _NOT_WORTH:
        return 0.0
    return float(np.clip(_MARGIN * level, SMALLEST, LARGEST))


def quietest_ring(psf: Spectrum, shape: tuple[int, int]) -> float:
    """Least rms of a PSF's spectrum in rings of frequency: its noise, if it reaches it."""
    ny, nx = shape
    radius = np.hypot(np.fft.fftfreq(ny)[:, None], np.fft.rfftfreq(nx)[None, :])
    ring = np.minimum(radius * 32, 16).astype(int).ravel()  # up to Nyquist; corners in the last
    power = np.bincount(ring, weights=(psf.real**2 + psf.imag**2).ravel())
    count = np.bincount(ring)
    return float(np.sqrt((power[count > 0] / count[count > 0]).min()))


def faded(psf_n: Spectrum, psf_r: Spectrum, floor: float) -> NDArray[np.floating]:
    """ε(f): the floor where both PSFs vanish, fading to nothing where either has power."""
    real = psf_n.real.dtype.type
    power = psf_n.real**2
    for part in (psf_n.imag, psf_r.real, psf_r.imag):
        power += part**2
    power += real(floor) ** 2
    return real(floor) ** 3 / power
