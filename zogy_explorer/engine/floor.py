"""The frequency floor ε: chosen from the noise of the PSF stamps.

Where both PSFs have no power of their own, their spectra are the stamps' noise or round-off, and
the D-kernels P/|P| take an arbitrary phase there (SCIENCE: one cosmic ray then spoils all of D).
A point of flux ε far above that noise, added to both PSFs in the kernels of D, gives them a
smooth limit. It costs a residual of about ε times the flux of a star.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Spectrum = NDArray[np.complexfloating]

SMALLEST = 1e-4
"""Least ε where there are frequencies without power: covers round-off in single precision."""
LARGEST = 1e-2
"""Most: beyond, bright stars would leave more than the noise they cure."""
_MARGIN = 50.0  # ε over the noise of the spectrum
_COHERENT = 0.7  # below this |mean P| / rms |P| an annulus of frequencies is called noise
_NO_POWER = 1e-3  # a PSF this strong at a frequency needs no floor there


def automatic_floor(psf_n: Spectrum, psf_r: Spectrum, shape: tuple[int, int]) -> float:
    """ε for two unit-sum PSFs; 0 if one of them has power at every frequency.

    Parameters
    ----------
    psf_n, psf_r
        Half spectra of the stamps on a plane of ``shape``.
    shape
        (ny, nx) of that plane.
    """
    ny, nx = shape
    radius = np.hypot(np.abs(np.fft.fftfreq(ny))[:, None], np.fft.rfftfreq(nx)[None, :])
    rings = np.minimum((radius * 2 * min(ny, nx) / 4).astype(int), min(ny, nx) // 2).ravel()
    strong_n, noise_n = _ring_power(psf_n, rings)
    strong_r, noise_r = _ring_power(psf_r, rings)
    empty = ~(strong_n | strong_r)
    if not empty.any():
        return 0.0
    level = max(float(noise_n[empty].max()), float(noise_r[empty].max()))
    return float(np.clip(_MARGIN * level, SMALLEST, LARGEST))


def _ring_power(
    spectrum: Spectrum, rings: NDArray[np.int_]
) -> tuple[NDArray[np.bool_], NDArray[np.floating]]:
    """By ring of frequencies: whether the PSF has power there, and the rms of its spectrum."""
    values = spectrum.ravel()
    count = np.maximum(np.bincount(rings), 1)
    mean = np.bincount(rings, weights=values.real) / count
    rms = np.sqrt(np.bincount(rings, weights=np.abs(values) ** 2) / count)
    coherent = np.abs(mean) > _COHERENT * rms
    return coherent & (rms > _NO_POWER) | (rms > 10 * _NO_POWER), rms
