"""Noise of S beyond source noise: registration and flux ratio, each a variance plane of its own.

The ZOGY paper adds to the source noise V_S what a registration error does to S (eqs. 30-33):
V_ast = σ_x² (∂S_N/∂x)² + σ_y² (∂S_N/∂y)² and the same for R, with S_N = k_n ⊗ N, S_R = k_r ⊗ R.
In the same way an error of the flux ratio by a fraction σ_F changes S by σ_F S_R, so that
V_F = (σ_F S_R)². Scorr is S over the root of the sum.

S_R costs one inverse transform; S_N = S + S_R needs none. Gradients are sixth-order central
differences: a derivative in Fourier space would cost one inverse transform per image and axis,
and its kernel, cut at the Nyquist frequency, would carry the edges of a piece far into it. The
paper's one-sided difference is half a pixel off centre. For two PSFs of 3 px FWHM (2 px), V_ast of
a star comes out 0.4 % (3 %) too small; second-order differences would lose 14 % (28 %).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zogy_explorer.engine.fourier import Plane

_STENCIL = (45 / 60, -9 / 60, 1 / 60)
"""Weights of f(x+k) - f(x-k), k = 1, 2, 3, in f'(x)."""

GRADIENT_REACH = len(_STENCIL)
"""Pixels that a gradient looks to either side."""


@dataclass(frozen=True)
class AstrometricNoise:
    """Registration error (σ_x, σ_y) of the science image and of the template [px]."""

    science: tuple[float, float]
    template: tuple[float, float]


@dataclass(frozen=True)
class NoiseTerms:
    """Terms that are on.

    Parameters
    ----------
    astrometric
        Registration errors; None: off.
    flux_error
        σ_F, fractional error of F_n/F_r; 0: off.
    """

    astrometric: AstrometricNoise | None = None
    flux_error: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the planes that the terms make."""
        on = (self.astrometric is not None, self.flux_error > 0)
        names = ("astrometric_variance", "flux_variance")
        return tuple(name for name, wanted in zip(names, on, strict=True) if wanted)


NO_TERMS = NoiseTerms()
"""Source noise only."""


def term_planes(score: Plane, score_r: Plane, terms: NoiseTerms) -> dict[str, Plane]:
    """Variance planes of the terms that are on, by `NoiseTerms.names`.

    Parameters
    ----------
    score : (ny, nx) array
        S.
    score_r : (ny, nx) array
        S_R = k_r ⊗ R; spoilt.
    terms
        What is on; at least one.
    """
    out: dict[str, Plane] = {}
    if terms.astrometric is not None:
        variance = np.zeros_like(score)
        _add_gradient_variance(variance, score + score_r, terms.astrometric.science)
        _add_gradient_variance(variance, score_r, terms.astrometric.template)
        out["astrometric_variance"] = variance
    if terms.flux_error > 0:
        score_r *= score_r.dtype.type(terms.flux_error)
        out["flux_variance"] = np.square(score_r, out=score_r)
    return out


def total_variance(source: Plane, *terms: Plane | None, out: Plane | None = None) -> Plane:
    """Sum of the source noise and of the terms that are on; ``source`` itself if none is."""
    present = [term for term in terms if term is not None]
    if not present:
        return source
    total = np.add(source, present[0], out=out)
    for term in present[1:]:
        total += term
    return total


def gradient(plane: Plane, axis: int) -> Plane:
    """Derivative of a periodic plane along an axis, per pixel; sixth order."""
    reach = GRADIENT_REACH
    width = [(0, 0), (0, 0)]
    width[axis] = (reach, reach)
    wide = np.moveaxis(np.pad(plane, width, mode="wrap"), axis, 0)
    length = plane.shape[axis]
    out = np.zeros_like(plane)
    view = np.moveaxis(out, axis, 0)
    for k, weight in enumerate(_STENCIL, start=1):
        ahead = wide[reach + k : reach + k + length]
        behind = wide[reach - k : reach - k + length]
        view += (ahead - behind) * plane.dtype.type(weight)
    return out


def _add_gradient_variance(variance: Plane, plane: Plane, sigma: tuple[float, float]) -> None:
    for axis, error in zip((1, 0), sigma, strict=True):
        if error > 0:
            slope = gradient(plane, axis)
            slope *= plane.dtype.type(error)
            variance += np.square(slope, out=slope)
