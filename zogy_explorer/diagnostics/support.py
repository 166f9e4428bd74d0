"""Up to which frequency the PSFs have power of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.field import radial_mean
from zogy_explorer.diagnostics.response import kernel_side
from zogy_explorer.engine.floor import spectral_noise
from zogy_explorer.engine.fourier import stamp_spectrum
from zogy_explorer.engine.result import CellResult

Plane = NDArray[np.floating]

_ROUND_OFF = 1e-15  # of a spectrum of unit flux in double precision
_RINGS = 64


@dataclass(frozen=True, eq=False)
class FourierSupport:
    """|P̂_n| and |P̂_r| by frequency, and where they end.

    Parameters
    ----------
    frequency
        Of each ring [cycles / px]; 0.71 is the corner.
    power_science, power_template
        √(mean |P̂|²) in each ring; 1 at frequency 0.
    noise_science, noise_template
        Noise of each spectrum, from the rim of its stamp; at least round-off.
    lost_science, lost_template
        Frequency from which each PSF lies in its noise, √(mean |P̂|²) ≤ √2 · noise; infinite if
        it never does.
    where_lost
        Frequency from which both do: D tells nothing of a source beyond. Infinite if never.
    floor
        The frequency floor ε in use.
    where_floored
        Frequency from which both spectra lie under ε: its kernels are smooth there. Infinite if
        never.
    share_lost
        Share of all frequencies at which both PSFs lie in their noise.
    """

    frequency: Plane
    power_science: Plane
    power_template: Plane
    noise_science: float
    noise_template: float
    lost_science: float
    lost_template: float
    where_lost: float
    floor: float
    where_floored: float
    share_lost: float

    @property
    def noise_floor(self) -> float:
        """The larger of the two noises."""
        return max(self.noise_science, self.noise_template)


def fourier_support(result: CellResult) -> FourierSupport:
    """Fourier support of the two PSFs of a computed cell.

    Raises
    ------
    InputError
        If the cell failed.
    """
    side = kernel_side(result)
    f = np.fft.fftfreq(side)
    radius = np.hypot(f[:, None], np.fft.rfftfreq(side))
    edges = np.linspace(0, np.sqrt(0.5) * (1 + 1e-9), _RINGS + 1)
    edges[0] = -1
    powers, noises, lost = [], [], []
    for stamp in (result.psf_science, result.psf_template):
        assert stamp is not None  # kernel_side has checked
        power = np.abs(stamp_spectrum(stamp, (side, side))) ** 2
        noise = max(spectral_noise(stamp), _ROUND_OFF)
        powers.append(np.sqrt(radial_mean(power, radius, edges)))
        noises.append(noise)
        lost.append(power <= 2 * noise**2)
    frequency = radial_mean(radius, radius, edges)
    known = np.isfinite(frequency)
    frequency, powers = frequency[known], [p[known] for p in powers]
    under = [p <= np.sqrt(2) * noise for p, noise in zip(powers, noises, strict=True)]
    floored = np.maximum(*powers) <= result.frequency_floor
    return FourierSupport(
        frequency=frequency,
        power_science=powers[0],
        power_template=powers[1],
        noise_science=noises[0],
        noise_template=noises[1],
        lost_science=_from_where(frequency, under[0]),
        lost_template=_from_where(frequency, under[1]),
        where_lost=_from_where(frequency, under[0] & under[1]),
        floor=result.frequency_floor,
        where_floored=_from_where(frequency, floored),
        share_lost=float((lost[0] & lost[1]).mean()),
    )


def _from_where(frequency: Plane, under: NDArray[np.bool_]) -> float:
    """The first frequency under the noise; infinite if there is none."""
    return float(frequency[np.argmax(under)]) if under.any() else float("inf")
