"""Counting pixels of a Gaussian field whose neighbours correlate.

The number of pixels beyond a threshold has the variance N Σ_l [P₂(ρ(l)) - p²], where P₂ is the
probability that two pixels of correlation ρ both lie beyond it. Over that of N independent
pixels, N p (1 - p), this is the mean size of a clump, by which N is worth fewer pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Plane = NDArray[np.floating]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_SPAN = 9.0  # σ beyond the threshold over which the density is integrated
_KNOT = 0.25  # [σ]
_ONE = 1 - 1e-9  # correlations beyond count as 1


def both_above(threshold: ArrayLike, correlation: ArrayLike) -> Plane:
    """P(z > t and z' > t) for unit normals of the given correlation; shapes broadcast."""
    t, rho = (np.asarray(v, dtype=np.float64)[..., None] for v in (threshold, correlation))
    clipped = np.clip(rho, -_ONE, _ONE)
    # Denser near the threshold, where strong correlation makes a step.
    u = ((_NODES + 1) / 2) ** 2
    z = t + _SPAN * u
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    other = ndtr((clipped * z - t) / np.sqrt(1 - clipped**2))
    jacobian = _SPAN * (_NODES + 1) / 2
    return np.asarray((density * other * jacobian * _WEIGHTS).sum(axis=-1))


def clump(threshold: float, correlation: Plane, *, two_sided: bool = True) -> float:
    """Variance of the count beyond a threshold over that of independent pixels; at least 1.

    Parameters
    ----------
    threshold
        t ≥ 0 [σ].
    correlation
        Correlation by lag, 1 at lag 0.
    two_sided
        Count |z| > t, else z > t.
    """
    rho = correlation.ravel()
    tail = float(ndtr(-threshold))
    together = both_above(threshold, rho)
    p = tail
    if two_sided:
        together = 2 * (together + both_above(threshold, -rho))
        p = 2 * tail
    return max(float((together - p * p).sum() / (p * (1 - p))), 1.0)


def quantile_errors(z: Plane, correlation: Plane, n_pixels: int) -> Plane:
    """Standard error of the sample quantiles of ``n_pixels`` at the normal quantiles ``z``."""
    tail = ndtr(-np.abs(z))
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    # Clumps shrink smoothly with the threshold: a few are enough.
    knots = np.arange(0, np.abs(z).max(initial=0) + _KNOT, _KNOT)
    sizes = [clump(float(t), correlation, two_sided=False) for t in knots]
    clumps = np.interp(np.abs(z), knots, sizes)
    return np.asarray(np.sqrt(clumps * tail * (1 - tail) / n_pixels) / density)
