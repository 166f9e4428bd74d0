"""How well the stars of two images lie on each other, and how their fluxes compare.

Shifts are science minus template, between the origins of the PSFs (see ``star_fit.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.spatial import cKDTree

from zogy_explorer.engine.star_fit import StarList, measure_stars

if TYPE_CHECKING:
    from zogy_explorer.engine.prepare import PreparedImage

Array = NDArray[np.float64]

LEAST_STARS = 3
"""Fewer matched stars tell no scatter."""

_FIRST_RADIUS = 5.0  # [px] within which stars are matched before the common shift is known
_RADIUS = 1.5  # [px] and after
_SHARE = 0.3  # of the shorter list that must match, or a larger shift is looked for
_VOTERS = 100  # brightest stars of each image that vote for it
_NOTABLE_SHIFT = 0.05  # [px]
_SIGNIFICANT = 4.0  # σ
_OUTLIER = 6.0  # σ, scatter included


@dataclass(frozen=True, eq=False)
class StarRegistration:
    """Stars that both images have, and what they say.

    Parameters
    ----------
    science, template
        The matched stars, in the same order.
    used : (n,) array of bool
        Without outliers.
    shift, shift_error
        Mean shift (dx, dy), science minus template [px].
    scatter
        Standard deviation of the shifts (σx, σy) beyond the errors of the fits [px].
    flux_ratio, flux_ratio_error
        Flux in science over that in the template; 1 for images that are calibrated alike.
    flux_scatter
        Fractional standard deviation of the flux ratios beyond the errors of the fits.
    reason
        Why the numbers are NaN; empty if they are known.
    """

    science: StarList
    template: StarList
    used: NDArray[np.bool_]
    shift: tuple[float, float] = (np.nan, np.nan)
    shift_error: tuple[float, float] = (np.nan, np.nan)
    scatter: tuple[float, float] = (np.nan, np.nan)
    flux_ratio: float = np.nan
    flux_ratio_error: float = np.nan
    flux_scatter: float = np.nan
    reason: str = ""

    @property
    def displaced(self) -> bool:
        """Whether the mean shift is large enough to matter, and more than chance."""
        return any(
            abs(shift) > max(_NOTABLE_SHIFT, _SIGNIFICANT * error)
            for shift, error in zip(self.shift, self.shift_error, strict=True)
        )

    @property
    def count(self) -> int:
        """Number of stars that enter the numbers."""
        return int(np.count_nonzero(self.used))


def register_stars(science: PreparedImage, template: PreparedImage) -> StarRegistration:
    """Find, fit and match the stars of a prepared pair. Raises nothing for bad data.

    Notes
    -----
    The scatter is that of Paule & Mandel (1982): the σ for which
    Σ (δ - mean)²/(σ² + error²) is one per degree of freedom. It does not contain what the noise
    of the pixels does to the positions: source noise has that already.
    """
    lists = measure_stars(science, template)
    n, r = _matched(lists[0], lists[1])
    found = f"{len(lists[0])} stars in science and {len(lists[1])} in the template"
    if n.size < LEAST_STARS:
        nothing = StarList.empty()
        few = f"{n.size} of {found} match, {LEAST_STARS} are needed"
        return StarRegistration(nothing, nothing, np.zeros(0, bool), reason=few)
    stars_n, stars_r = lists[0].take(n), lists[1].take(r)
    dx, dy = stars_n.x - stars_r.x, stars_n.y - stars_r.y
    ex, ey = np.hypot(stars_n.x_error, stars_r.x_error), np.hypot(stars_n.y_error, stars_r.y_error)
    used = _inliers(dx, ex) & _inliers(dy, ey)
    if used.sum() < LEAST_STARS:
        used[:] = True
    x_mean, x_error, x_scatter = mean_and_scatter(dx[used], ex[used])
    y_mean, y_error, y_scatter = mean_and_scatter(dy[used], ey[used])
    ratio = np.log(stars_n.flux / stars_r.flux)
    ratio_error = np.hypot(stars_n.flux_error / stars_n.flux, stars_r.flux_error / stars_r.flux)
    alike = used & _inliers(ratio, ratio_error)  # without variables
    if alike.sum() < LEAST_STARS:
        alike = used
    mean, error, flux_scatter = mean_and_scatter(ratio[alike], ratio_error[alike])
    return StarRegistration(
        science=stars_n,
        template=stars_r,
        used=used,
        shift=(x_mean, y_mean),
        shift_error=(x_error, y_error),
        scatter=(x_scatter, y_scatter),
        flux_ratio=float(np.exp(mean)),
        flux_ratio_error=float(np.exp(mean) * error),
        flux_scatter=flux_scatter,
    )


def mean_and_scatter(values: Array, errors: Array) -> tuple[float, float, float]:
    """Weighted mean, its error, and the standard deviation beyond ``errors``."""

    def weighted(variance: float) -> tuple[Array, float]:
        weight = 1 / (variance + errors**2)
        return weight, float((weight * values).sum() / weight.sum())

    def excess(variance: float) -> float:
        weight, mean = weighted(variance)
        return float((weight * (values - mean) ** 2).sum()) - (len(values) - 1)

    variance = 0.0
    if excess(0.0) > 0:
        high = float(np.var(values, ddof=1)) or 1.0
        while excess(high) > 0:
            high *= 4
        variance = float(brentq(excess, 0.0, high, xtol=1e-12, rtol=1e-6))
    weight, mean = weighted(variance)
    return mean, float(weight.sum() ** -0.5), variance**0.5


def _inliers(values: Array, errors: Array) -> NDArray[np.bool_]:
    """Which values lie within `_OUTLIER` σ of the median, scatter by quartiles and errors."""
    low, middle, high = np.quantile(values, (0.1587, 0.5, 0.8413))
    return np.abs(values - middle) <= _OUTLIER * np.hypot((high - low) / 2, errors)


def _matched(science: StarList, template: StarList) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of stars that are each other's nearest, once the common shift is taken away."""
    none = np.zeros(0, np.intp)
    if not len(science) or not len(template):
        return none, none
    at_n = np.column_stack([science.x, science.y])
    at_r = np.column_stack([template.x, template.y])
    n, r = _mutual(at_n, at_r, _FIRST_RADIUS)
    wanted = max(LEAST_STARS, _SHARE * min(len(at_n), len(at_r), _VOTERS))
    if n.size < wanted:
        far = _voted_shift(at_n[_brightest(science)], at_r[_brightest(template)])
        further = _mutual(at_n - far, at_r, _RADIUS)
        if further[0].size > max(wanted, n.size):
            n, r = further
    if not n.size:
        return none, none
    shift = np.median(at_n[n] - at_r[r], axis=0)
    return _mutual(at_n - shift, at_r, _RADIUS)


def _brightest(stars: StarList) -> NDArray[np.intp]:
    return np.argsort(-stars.flux)[:_VOTERS]


def _voted_shift(first: Array, second: Array) -> Array:
    """The shift that most pairs of points agree on, first minus second."""
    shifts = (first[:, None] - second[None, :]).reshape(-1, 2)
    tree = cKDTree(shifts)
    votes = tree.query_ball_point(shifts, _RADIUS, return_length=True)
    winners = tree.query_ball_point(shifts[np.argmax(votes)], _RADIUS)
    return np.asarray(np.median(shifts[winners], axis=0))


def _mutual(
    first: Array, second: Array, radius: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices of points that are each other's nearest, within ``radius``."""
    distance, to_second = cKDTree(second).query(first)
    _, to_first = cKDTree(first).query(second)
    index = np.arange(len(first))
    both = (to_first[to_second] == index) & (distance <= radius)
    return index[both], to_second[both]
