"""Is Scorr what it says: σ, quantiles and tails, with the errors that its correlation leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from zogy_explorer.diagnostics.field import Field, Subject, field_of
from zogy_explorer.diagnostics.gaussian_field import clump, quantile_errors
from zogy_explorer.diagnostics.input_noise import explain_sigma, input_noise
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import Difference
from zogy_explorer.engine.statistics import clipped_sigma

if TYPE_CHECKING:
    from astropy.table import Table

Plane = NDArray[np.floating]

THRESHOLDS = (3.0, 4.0, 5.0)
"""σ beyond which pixels are counted."""
_LEAST_PIXELS = 200
_COVERAGE = 0.9973  # of the binomial bands: 3σ
_QQ_STEP = 0.1
_BEYOND = 5  # pixels beyond the outermost quantile


@dataclass(frozen=True)
class TailCount:
    """Pixels with |Scorr| over one threshold, against a Gaussian.

    Parameters
    ----------
    threshold
        [σ]
    positive, negative
        Counted on either side.
    expected
        Of a unit Gaussian, both sides.
    low, high
        Binomial band of 99.73 % around ``expected``, from ``n_independent`` pixels.
    clump
        Pixels that lie beyond the threshold together, on average: by so much the variance of
        the count exceeds that of independent pixels.
    """

    threshold: float
    positive: int
    negative: int
    expected: float
    low: float
    high: float
    clump: float

    @property
    def observed(self) -> int:
        """Counted on both sides."""
        return self.positive + self.negative

    @property
    def error(self) -> float:
        """Standard error of the count."""
        p = 2 * float(ndtr(-self.threshold))
        return float(np.sqrt(self.expected * (1 - p) * self.clump))

    @property
    def excess(self) -> float:
        """(observed - expected) over its standard error; NaN without pixels."""
        return (self.observed - self.expected) / self.error if self.error else float("nan")

    @property
    def consistent(self) -> bool:
        """Whether the count lies within the band."""
        return self.low <= self.observed <= self.high


@dataclass(frozen=True, eq=False)
class Quantiles:
    """Quantiles of Scorr against those of a unit Gaussian, with their standard errors [σ]."""

    theoretical: Plane
    measured: Plane
    error: Plane


@dataclass(frozen=True, eq=False)
class ScorrStatistics:
    """What the pixels of Scorr show; NaN and empty if there are too few.

    Parameters
    ----------
    n_pixels
        Used.
    n_independent
        Independent pixels that they are worth for a variance: n / Σ ρ², ρ = P_S(l)/P_S(0).
    mean, mean_error
        Mean, clipped at 5 robust σ, and its sampling error.
    sigma, sigma_error
        Standard deviation, clipped at 5 robust σ, and its sampling error.
    tails
        Counts of Scorr as it is; `sigma` other than 1 shows in all of them.
    tails_over_sigma
        Counts of (Scorr - mean) / sigma: what is not Gaussian.
    qq
        Quantiles, out to where a few pixels lie beyond.
    sources
        Whether pixels of sources were counted.
    """

    n_pixels: int
    n_independent: float
    mean: float
    mean_error: float
    sigma: float
    sigma_error: float
    tails: tuple[TailCount, ...]
    tails_over_sigma: tuple[TailCount, ...]
    qq: Quantiles
    sources: bool


def scorr_statistics(
    subject: Subject,
    plan: SubtractionPlan | None = None,
    *,
    sources: bool = False,
    thresholds: tuple[float, ...] = THRESHOLDS,
) -> ScorrStatistics:
    """σ, tails and quantiles of Scorr in a cell or a frame.

    Parameters
    ----------
    subject, plan
        A cell with its plan, or a difference (see `field_of`).
    sources
        Whether pixels of sources count. Sources are found on the sum of both images, whose
        noise is independent of Scorr's: leaving them out does not cut its tails.
    thresholds
        At which tails are counted [σ].
    """
    field = field_of(subject, plan, sources=sources)
    values = _values(field)
    if values.size < _LEAST_PIXELS:
        return _unknown(values.size, sources)
    rho = field.correlation
    sigma = clipped_sigma(values.copy())  # it works in place
    mean = float(values[np.abs(values - np.median(values)) < 5 * sigma].mean())
    independent = max(values.size / float((rho**2).sum()), 1.0)
    return ScorrStatistics(
        n_pixels=values.size,
        n_independent=independent,
        mean=mean,
        mean_error=float(sigma * np.sqrt(max(float(rho.sum()), 1.0) / values.size)),
        sigma=sigma,
        sigma_error=float(sigma / np.sqrt(2 * independent)),
        tails=tail_counts(values, rho, thresholds),
        tails_over_sigma=tail_counts((values - mean) / sigma, rho, thresholds),
        qq=_quantiles(values, rho),
        sources=sources,
    )


def tail_counts(
    values: Plane, correlation: Plane, thresholds: tuple[float, ...] = THRESHOLDS
) -> tuple[TailCount, ...]:
    """Counts of values beyond thresholds, with bands for pixels of this ``correlation`` by lag."""
    return tuple(
        tail_count(
            t,
            int((values > t).sum()),
            int((values < -t).sum()),
            values.size,
            clump(t, correlation),
        )
        for t in thresholds
    )


def tail_count(
    threshold: float, positive: int, negative: int, n_pixels: int, size: float
) -> TailCount:
    """One count of ``n_pixels`` pixels with its band, for clumps of mean ``size`` pixels."""
    p = 2 * float(ndtr(-threshold))
    independent = max(round(n_pixels / size), 1)
    low, high = binom.interval(_COVERAGE, independent, p)
    return TailCount(
        threshold=threshold,
        positive=positive,
        negative=negative,
        expected=p * n_pixels,
        low=float(low) * n_pixels / independent,
        high=float(high) * n_pixels / independent,
        clump=size,
    )


def noise_table(difference: Difference, *, explained: bool = False) -> Table:
    """Predicted against measured σ of D, S and Scorr, one row a cell.

    Parameters
    ----------
    difference
        A finished subtraction.
    explained
        Also measure the noise of the images in each cell (see `input_noise`; about 0.1 s for
        512² px) and add the σ of Scorr that it predicts.

    Returns
    -------
    table
        Columns cell, row, column, x, y (centre of the inner box [px]), diff_predicted,
        diff_measured [calibrated unit], score_predicted, score_measured, scorr_measured,
        scorr_error [σ], n_pixels, sigma_science, sigma_template [calibrated unit], flags; if
        ``explained`` also scorr_expected, scorr_expected_error [σ] and explanation (a sentence).
        NaN where a cell failed or has too few pixels.
    """
    from astropy.table import Table

    cells = difference.cells
    columns: dict[str, list[object]] = {
        "cell": [c.cell.name for c in cells],
        "row": [c.cell.row for c in cells],
        "column": [c.cell.column for c in cells],
        "x": [c.cell.inner.center[0] for c in cells],
        "y": [c.cell.inner.center[1] for c in cells],
    }
    for name in (
        "diff_predicted",
        "diff_measured",
        "score_predicted",
        "score_measured",
        "scorr_measured",
        "scorr_error",
        "n_pixels",
    ):
        columns[name] = [getattr(c.noise, name) for c in cells]
    columns["sigma_science"] = [c.sigma_science for c in cells]
    columns["sigma_template"] = [c.sigma_template for c in cells]
    columns["flags"] = [" ".join(flag.name for flag in c.flags) for c in cells]
    if explained:
        noises = [input_noise(difference.plan, c) if c.ok else None for c in cells]
        nan = float("nan")
        columns["scorr_expected"] = [n.expected_scorr_sigma if n else nan for n in noises]
        columns["scorr_expected_error"] = [n.expected_error if n else nan for n in noises]
        columns["explanation"] = [
            explain_sigma(n) if n else c.describe_failure()
            for n, c in zip(noises, cells, strict=True)
        ]
    return Table(columns)


def _values(field: Field) -> Plane:
    if field.scorr is None:
        return np.empty(0)
    values = field.scorr[field.use].astype(np.float64)
    return np.asarray(values[np.isfinite(values)])


def _quantiles(values: Plane, correlation: Plane) -> Quantiles:
    outermost = -float(ndtri(_BEYOND / values.size))
    z = np.arange(-np.floor(outermost / _QQ_STEP), np.floor(outermost / _QQ_STEP) + 1) * _QQ_STEP
    measured = np.quantile(values, ndtr(z))
    return Quantiles(z, measured, quantile_errors(z, correlation, values.size))


def _unknown(n: int, sources: bool) -> ScorrStatistics:
    nan, empty = float("nan"), np.empty(0)
    return ScorrStatistics(
        n, nan, nan, nan, nan, nan, (), (), Quantiles(empty, empty, empty), sources
    )
