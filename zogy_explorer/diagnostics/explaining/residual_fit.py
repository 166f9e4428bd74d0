"""Weighted fits of what may be wrong with a pair, or new in it, to D in a window.

Errors of the pair (shift, flux ratio, PSF width) are fitted by Gauss-Newton: D is computed anew
for the corrected pair, so that large errors come out right too. What is added to an image (a new
source, a particle hit, a step of the sky) enters linearly by its exact image in D.

Templates made from the sky itself are noisy; their noise is known from the spectra and taken out
of the normal matrix, or faint sources would give too small amplitudes (errors in variables).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.local_pair import Corrected, Error, LocalPair, Plane
from zogy_explorer.engine.fourier import full_plane_sum

WIDTHS = ("width_science", "width_template")
"""Names of the two errors of PSF widths."""

_ROUNDS = 8
_DONE = 1e-3  # errors: a step below this fraction of the statistical error ends the fit
_LARGEST_STEP = {"dx": 1.0, "dy": 1.0, "flux": 0.5, "width_science": 0.15, "width_template": 0.15}
"""In a round; that of the flux is a fraction of the flux ratio reached so far."""

_RATIOS = (0.1, 10.0)  # of fluxes, true over assumed, that can be fitted
_WIDTHS = (0.4, 2.0)  # of PSFs, the same; beyond, the stamps do not hold what would be needed
_LEAST_LIGHT = 5.0  # standard deviations by which a template must exceed its own noise


@dataclass(frozen=True, eq=False)
class Window:
    """D's pixels that count, and their weights.

    Parameters
    ----------
    pair
        Spectra around the window.
    used
        Pixels that count.
    weight
        1/V of each used pixel, V in D's white unit; the measured noise excess is in it.
    """

    pair: LocalPair
    used: NDArray[np.bool_]
    weight: Plane

    @property
    def n_pixels(self) -> int:
        """Pixels that count."""
        return int(self.weight.size)

    def chi2(self, diff: Plane) -> float:
        """Weighted sum of squares of a plane over the window."""
        return float((self.weight * diff[self.used] ** 2).sum())

    def column(self, plane: Plane) -> Plane:
        """Used pixels over their σ."""
        return plane[self.used] * np.sqrt(self.weight)


@dataclass(frozen=True)
class Added:
    """A template in D of something added to an image; unit amplitude.

    ``plane`` covers the window, in D's white unit; ``light`` is what it was made from, if any.
    """

    name: str
    plane: Plane = field(repr=False, compare=False)
    light: Plane | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, eq=False)
class Fit:
    """Outcome of a fit.

    Parameters
    ----------
    error
        θ of the pair.
    values, errors
        Amplitude of each parameter and template, and its standard error.
    covariance
        Of the values, in their order.
    chi2
        What is left.
    left
        D in the window less all of it, white unit.
    """

    error: Error
    values: dict[str, float]
    errors: dict[str, float]
    covariance: Plane
    chi2: float
    left: Plane


def fit_residual(
    window: Window, errors: Sequence[str] = (), added: Sequence[Added] = ()
) -> Fit | None:
    """Fit errors of the pair and added templates together.

    Parameters
    ----------
    window
        What to fit.
    errors
        Which of `SKY_PARAMETERS`.
    added
        Templates with names of their own.

    Returns
    -------
    fit
        None if there is no light from which the errors could be told, or nothing to fit.
    """
    error = Error()
    columns = [window.column(template.plane) for template in added]
    at = window.pair.corrected(error, errors)
    step = _solve(window, at, errors, columns)
    for _ in range(_ROUNDS if errors else 0):
        if step is None:
            return None
        limited = _limited(error, dict(zip(errors, step.values, strict=False)))
        error = error.plus(limited)
        if not _in_range(error):
            return None
        at = window.pair.corrected(error, errors)
        done = all(
            abs(value) < _DONE * sigma
            for value, sigma in zip(limited.values(), step.sigmas, strict=False)
        )
        step = _solve(window, at, errors, columns)
        if done:
            break
    if step is None:
        return None
    n = len(errors)
    amplitudes = dict(zip((t.name for t in added), step.values[n:], strict=True))
    if errors and added:  # with θ fixed, or the part of θ's last step would be missing
        fixed = _solve(window, at, (), columns)
        if fixed is None:
            return None
        amplitudes = dict(zip(amplitudes, fixed.values, strict=True))
    left = at.diff - sum((amplitudes[t.name] * t.plane for t in added), np.zeros_like(at.diff))
    values = {name: float(getattr(error, name)) for name in errors}
    values |= {name: float(value) for name, value in amplitudes.items()}
    return Fit(
        error=error,
        values=values,
        errors=dict(zip(values, (float(s) for s in step.sigmas), strict=True)),
        covariance=step.covariance,
        chi2=window.chi2(left),
        left=left,
    )


def _limited(error: Error, steps: dict[str, float]) -> dict[str, float]:
    """Steps from an error, each no larger than what the first order is good for."""
    most = _LARGEST_STEP | {"flux": _LARGEST_STEP["flux"] * (1 + error.flux)}
    return {name: float(np.clip(step, -most[name], most[name])) for name, step in steps.items()}


def _in_range(error: Error) -> bool:
    """Whether an error is one that can be fitted at all."""
    widths = (1 + error.width_science, 1 + error.width_template)
    return _RATIOS[0] <= 1 + error.flux <= _RATIOS[1] and all(
        _WIDTHS[0] <= width <= _WIDTHS[1] for width in widths
    )


@dataclass(frozen=True, eq=False)
class _Step:
    values: Plane
    sigmas: Plane
    covariance: Plane


def _solve(
    window: Window, at: Corrected, errors: Sequence[str], added: Sequence[Plane]
) -> _Step | None:
    """One weighted least-squares step; None if singular."""
    pair = window.pair
    columns = [
        window.column(pair.in_window(at.multipliers[name] * at.sky)) for name in errors
    ] + list(added)
    if not columns:
        return None
    matrix = np.stack(columns, axis=1)
    seen = matrix.T @ matrix
    noise = np.zeros_like(seen)
    for i, j, value in _template_noise(pair, at, errors):
        noise[i, j] = noise[j, i] = value * window.weight.sum()
    scatter = np.sqrt(2 / max(window.n_pixels, 1)) * np.diag(noise)
    truth = seen - noise
    if (np.diag(truth) <= _LEAST_LIGHT * scatter).any():
        return None
    scale = 1 / np.sqrt(np.diag(truth))
    normed = truth * np.outer(scale, scale)
    eigenvalues = np.linalg.eigvalsh(normed)
    if not eigenvalues[0] > 1e-6:
        return None
    inverse = np.linalg.inv(normed) * np.outer(scale, scale)
    values = inverse @ (matrix.T @ window.column(at.diff))
    covariance = inverse @ seen @ inverse
    return _Step(values, np.sqrt(np.diag(covariance)), covariance)


def _template_noise(
    pair: LocalPair, at: Corrected, errors: Sequence[str]
) -> Iterator[tuple[int, int, float]]:
    """Covariance per pixel of the noise of the templates that are made from the sky."""
    nx = pair.shape[1]
    n = pair.shape[0] * nx
    for i, first in enumerate(errors):
        for j, second in enumerate(errors[: i + 1]):
            product = at.multipliers[first] * at.multipliers[second].conj()
            yield i, j, full_plane_sum(product.real * at.sky_noise, nx) / n
