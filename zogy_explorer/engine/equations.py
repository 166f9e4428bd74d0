"""The ZOGY equations (Zackay, Ofek & Gal-Yam 2016, ApJ 830, 27) on spectra.

Pure functions of the PSF spectra, noise and flux scales; the images enter only in
`proper_difference` and `score`. They act frequency by frequency, so half and full spectra serve
alike. N is the science image, R the template.

Noise and flux scales enter through q = σn²Fr² + σr²Fn² and the weights w_n = σn²Fr²/q,
w_r = σr²Fn²/q, which keeps everything that is summed or squared of order one: single precision
then does not care about the unit of the images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.floor import faded
from zogy_explorer.engine.fourier import BLOCK, Spectrum, weighted

Power = NDArray[np.floating]


@dataclass(frozen=True)
class Weights:
    """Noise and flux scale of the two images of a cell.

    Parameters
    ----------
    variance_n, variance_r
        Background variance σ² of a pixel of N and R [image unit²].
    flux_n, flux_r
        Flux scales F_n, F_r.
    """

    variance_n: float
    variance_r: float
    flux_n: float = 1.0
    flux_r: float = 1.0

    @property
    def q(self) -> float:
        """σn²Fr² + σr²Fn²."""
        return self.variance_n * self.flux_r**2 + self.variance_r * self.flux_n**2

    @property
    def flux_diff(self) -> float:
        """F_D = Fn Fr / √(σn²Fr² + σr²Fn²) (eq. 15)."""
        return float(self.flux_n * self.flux_r / np.sqrt(self.q))


@dataclass(frozen=True, eq=False)
class Kernels:
    """Spectra by which the images are multiplied, all of one shape.

    ``diff_n``, ``diff_r``: kernels of N and R in D (eq. 13). ``score_n``, ``score_r``: kernels
    of N and R in S (eqs. 28, 29). ``psf_diff``: P_D (eq. 14). ``score_power``:
    |P_n|²|P_r|²/(w_n|P_r|² + w_r|P_n|²), whose mean over frequencies gives F_S.
    """

    diff_n: Spectrum
    diff_r: Spectrum
    score_n: Spectrum
    score_r: Spectrum
    psf_diff: Spectrum
    score_power: Power
    weights: Weights
    floor: float

    @classmethod
    def empty(cls, like: Spectrum, weights: Weights, floor: float) -> Self:
        """Kernels yet to be filled, of the shape and type of a spectrum."""
        diff_n, diff_r, score_n, score_r, psf_diff = (np.empty_like(like) for _ in range(5))
        power = np.empty(like.shape, like.real.dtype)
        return cls(diff_n, diff_r, score_n, score_r, psf_diff, power, weights, floor)

    @property
    def psf_score(self) -> Power:
        """P_S = |P_D|² (eq. 17); real."""
        return _square(self.psf_diff)

    def flux_score(self, mean_power: float) -> float:
        """F_S (eqs. 41, 42) from the mean of ``score_power`` over the full frequency plane."""
        w = self.weights
        return (w.flux_n * w.flux_r) ** 2 / w.q * mean_power


def kernels(psf_n: Spectrum, psf_r: Spectrum, weights: Weights, floor: float = 0.0) -> Kernels:
    """Kernels of D and S, and P_D, from the spectra of two unit-sum PSFs.

    Parameters
    ----------
    psf_n, psf_r
        Spectra of the science and the template PSF, of one shape.
    weights
        Noise and flux scales.
    floor
        ε: flux of the point added to both PSFs, where neither has power, in the kernels of D
        only (see ``floor.py``). S keeps the true PSFs.

    Notes
    -----
    Where the denominator vanishes altogether the kernels of D take that limit, and P_D and the
    kernels of S are zero.
    """
    out = Kernels.empty(psf_n, weights, floor)
    step = max(BLOCK // psf_n.shape[1], 1)
    for first in range(0, psf_n.shape[0], step):
        rows = slice(first, first + step)
        _fill(out, rows, psf_n[rows], psf_r[rows])
    return out


def _fill(out: Kernels, rows: slice, psf_n: Spectrum, psf_r: Spectrum) -> None:
    """The rows ``rows`` of the kernels from the same rows of the PSFs' spectra."""
    weights, floor = out.weights, out.floor
    root_q = np.sqrt(weights.q)
    to_n, to_r = weights.flux_r / root_q, weights.flux_n / root_q
    psf_diff, score_n, score_r = out.psf_diff[rows], out.score_n[rows], out.score_r[rows]
    diff_n, diff_r = out.diff_n[rows], out.diff_r[rows]
    power_n, power_r = _square(psf_n), _square(psf_r)
    denominator, zero = _denominator(power_n, power_r, weights)
    root = np.sqrt(denominator)

    # Real factors multiply: to divide a complex array by a real one is a full complex division.
    np.multiply(psf_n, psf_r, out=psf_diff)
    psf_diff *= 1 / root
    score_power = np.divide(power_r, denominator, out=out.score_power[rows])
    np.conj(psf_n, out=score_n)
    score_n *= score_power * _scalar(psf_n, weights.flux_n * weights.flux_r**2 / weights.q)
    score_power *= power_n
    np.conj(psf_r, out=score_r)
    np.divide(power_n, denominator, out=denominator)
    denominator *= _scalar(psf_n, weights.flux_r * weights.flux_n**2 / weights.q)
    score_r *= denominator

    limit = zero
    if floor > 0:
        added = faded(power_n, power_r, floor)
        psf_n, psf_r = psf_n + added, psf_r + added
        floored, limit = _denominator(_square(psf_n), _square(psf_r), weights)
        root = np.sqrt(floored, out=floored)
    np.multiply(psf_r, _scalar(psf_n, to_n) / root, out=diff_n)
    np.multiply(psf_n, _scalar(psf_n, to_r) / root, out=diff_r)

    if limit is not None:
        diff_n[limit], diff_r[limit] = to_n, to_r
    if zero is not None:
        for part in (psf_diff, score_n, score_r, score_power):
            part[zero] = 0


@dataclass(frozen=True)
class Factors:
    """Real numbers of `difference_and_score`, from the weights and the frequency floor.

    ``noise_n`` = σn²Fr²/q and ``noise_r`` = σr²Fn²/q weigh |P_r|² and |P_n|² in the denominator;
    ``to_n`` = Fr/√q and ``to_r`` = Fn/√q are the limits of the kernels of D; ``score`` = FnFr/√q;
    a denominator below ``tiny`` has vanished.
    """

    noise_n: float
    noise_r: float
    to_n: float
    to_r: float
    score: float
    floor: float
    tiny: float

    @classmethod
    def of(cls, weights: Weights, floor: float, dtype: np.dtype) -> Self:
        """Factors for spectra of ``dtype``."""
        q, root_q = weights.q, float(np.sqrt(weights.q))
        return cls(
            noise_n=weights.variance_n * weights.flux_r**2 / q,
            noise_r=weights.variance_r * weights.flux_n**2 / q,
            to_n=weights.flux_r / root_q,
            to_r=weights.flux_n / root_q,
            score=weights.flux_n * weights.flux_r / root_q,
            floor=floor,
            tiny=vanishing(weights, dtype),
        )


def vanishing(weights: Weights, dtype: np.dtype) -> float:
    """Below it w_n|P_r|² + w_r|P_n|² in ``dtype`` has vanished: LSST's rule for σ²F²|P|²."""
    return float(np.finfo(dtype).tiny * 100 / min(weights.q, 1.0))


def difference_and_score(
    psf_n: Spectrum,
    psf_r: Spectrum,
    image_n: Spectrum,
    image_r: Spectrum,
    factors: Factors,
    with_score: bool,
    score_r: Spectrum | None,
) -> None:
    """The images of a block of frequencies become D and S (eqs. 13, 17), without kernels.

    With X = to_n P_r N - to_r P_n R and den = w_n|P_r|² + w_r|P_n|²: D = X/√den, and
    S = F_D P_D* D = FnFr/√q · (P_n P_r)* X/den.

    Parameters
    ----------
    psf_n, psf_r, image_n, image_r
        Spectra, of one shape; a block should fit into a core's cache. D takes the place of
        ``image_n``, S that of ``image_r``.
    factors
        Weights and frequency floor.
    with_score
        Whether S is wanted.
    score_r
        Where S_R = k_r R (eq. 29) goes, if it is wanted; only with S.
    """
    f, scalar = factors, psf_n.real.dtype.type
    power_n, power_r = _square(psf_n), _square(psf_r)
    scaled_n, scaled_r = image_n * scalar(f.to_n), image_r * scalar(f.to_r)
    crossed, crossed_r = psf_r * scaled_n, psf_n * scaled_r
    crossed -= crossed_r
    scaled_n -= scaled_r  # D where the denominator vanishes
    denominator, zero = _weighted_power(power_n, power_r, f)
    if with_score:
        matched = np.multiply(psf_n, psf_r, out=scaled_r)
        np.conj(matched, out=matched)
        # A real factor multiplies: to divide a complex array by it is a full complex division.
        matched *= np.divide(scalar(f.score), denominator)
        if zero is not None:
            matched[zero] = 0
        np.multiply(matched, crossed, out=image_r)
        if score_r is not None:
            np.multiply(matched, crossed_r, out=score_r)
    if f.floor > 0:
        added = faded(power_n, power_r, f.floor)
        crossed += added * scaled_n
        denominator, zero = _weighted_power(_square(psf_n + added), _square(psf_r + added), f)
    root = np.sqrt(denominator, out=denominator)
    np.multiply(crossed, np.divide(scalar(1), root, out=root), out=image_n)
    if zero is not None:
        image_n[zero] = scaled_n[zero]


def proper_difference(image_n: Spectrum, image_r: Spectrum, k: Kernels) -> Spectrum:
    """D (eq. 13): unit variance, flux scale F_D; divide by F_D for the calibrated unit."""
    return weighted(k.diff_n, image_n, k.diff_r, image_r, subtract=True)


def score(image_n: Spectrum, image_r: Spectrum, k: Kernels) -> Spectrum:
    """S = k_n N - k_r R (eqs. 12, 28, 29), the matched filter F_D P_D* D (17)."""
    return weighted(k.score_n, image_n, k.score_r, image_r, subtract=True)


def _denominator(
    power_n: Power, power_r: Power, weights: Weights
) -> tuple[Power, NDArray[np.bool_] | None]:
    """w_n|P_r|² + w_r|P_n|², made safe to divide by, and where it had vanished (None: nowhere)."""
    return _weighted_power(power_n, power_r, Factors.of(weights, 0.0, power_n.dtype))


def _weighted_power(
    power_n: Power, power_r: Power, f: Factors
) -> tuple[Power, NDArray[np.bool_] | None]:
    real = power_n.dtype.type
    denominator = power_r * real(f.noise_n)
    denominator += power_n * real(f.noise_r)
    if not denominator.min() < f.tiny:
        return denominator, None
    vanished = denominator < f.tiny
    denominator[vanished] = 1.0
    return denominator, vanished


def _square(spectrum: Spectrum) -> Power:
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return power


def _scalar(like: Spectrum, value: float) -> np.floating:
    """``value`` in the real precision of ``like``, so that single precision stays single."""
    return like.real.dtype.type(value)
