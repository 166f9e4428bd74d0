"""The frequency floor ε: chosen from the noise of the PSF stamps.

Where both PSFs have no power of their own, their spectra are the stamps' noise or round-off, and
the D-kernels P/|P| take an arbitrary phase there: one cosmic ray then spreads over all of D. A
small point of flux ε, added to both PSFs at just those frequencies and in the kernels of D only,
gives the kernels the smooth limit Fr/√q, Fn/√q. It fades out where either PSF has power,

    ε(f) = ε · ε² / (ε² + |P_n|² + |P_r|²),

because at full strength everywhere it would leave a residual of up to 100 ε of every star.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.statistics import robust_sigma

Plane = NDArray[np.floating]

SMALLEST = 2e-5
"""Least ε where there are frequencies without power; well above round-off."""
LARGEST = 3e-3
"""Most: beyond, bright stars would leave more than the floor cures."""
_MARGIN = 50.0  # ε over the noise of the spectra
_NOT_WORTH = 3e-4  # noise of a spectrum that no affordable floor could cover
_RIM = 0.35  # of the side, from the centre: beyond, wings are smooth
_GAIN = 70.0  # rms of the fourth differences of white noise: (1² + 4² + 6² + 4² + 1²)
_LEAST_RIM = 16  # [px] fewer say nothing of the noise


def automatic_floor(stamp_n: Plane, stamp_r: Plane) -> float:
    """ε for two unit-sum PSF stamps: well above the noise of their spectra.

    Returns
    -------
    floor
        Between `SMALLEST` and `LARGEST`; 0 if the noise is too strong for any floor to help.
    """
    noise = max(spectral_noise(stamp) for stamp in (stamp_n, stamp_r))
    if noise > _NOT_WORTH:
        return 0.0
    return float(np.clip(_MARGIN * noise, SMALLEST, LARGEST))


def spectral_noise(stamp: Plane) -> float:
    """Noise of the spectrum of a unit-sum stamp (ny, nx), from the pixels of its rim.

    Fourth differences along both axes take the smooth wings away; what scatters is noise, and
    its spectrum is flat. Pixels set to zero around a round stamp are left out.
    """
    if min(stamp.shape) < 9:
        return 0.0
    rough = np.diff(np.diff(stamp, 4, axis=0), 4, axis=1)
    rim = rough[_rim(*rough.shape) & (stamp[2:-2, 2:-2] != 0)]
    if rim.size < _LEAST_RIM:
        return 0.0
    return float(robust_sigma(rim) / _GAIN * np.sqrt(stamp.size))


@lru_cache(maxsize=16)
def _rim(ny: int, nx: int) -> NDArray[np.bool_]:
    """Pixels of a plane beyond `_RIM`; read-only."""
    y, x = np.indices((ny, nx))
    rim = np.hypot((y - (ny - 1) / 2) / ny, (x - (nx - 1) / 2) / nx) > _RIM
    rim.flags.writeable = False
    return rim


def faded(power_n: Plane, power_r: Plane, floor: float) -> Plane:
    """ε(f) from |P_n|² and |P_r|²: the floor where both vanish, nothing where either has power."""
    real = power_n.dtype.type
    added = power_n + power_r
    added += real(floor) ** 2
    return np.divide(real(floor) ** 3, added, out=added)
