"""Claims: what the sums of many trials say of the promises, with sampling errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from validation.trials import Sums
from zogy_explorer.diagnostics.lags import LagCovariance
from zogy_explorer.diagnostics.noise import THRESHOLDS, TailCount, tail_count
from zogy_explorer.diagnostics.whiteness import Whiteness, whiteness_of


@dataclass(frozen=True)
class Claim:
    """One promise against what was measured."""

    what: str
    promise: str
    measured: str
    met: bool


@dataclass(frozen=True)
class Judged:
    """Sums of one scene, or of all, as numbers with sampling errors."""

    noise: Sums
    sources: Sums

    @property
    def sigma(self) -> tuple[float, float]:
        """σ of Scorr and its sampling error."""
        n, frames = self.noise["n"], self.noise["frames"]
        variance = self.noise["sum2"] / n - (self.noise["sum"] / n) ** 2
        return float(np.sqrt(variance)), float(np.sqrt(self.noise["rho2"] / frames / (2 * n)))

    @property
    def mean(self) -> tuple[float, float]:
        """Mean of Scorr and its sampling error."""
        n, frames = self.noise["n"], self.noise["frames"]
        return self.noise["sum"] / n, float(np.sqrt(max(self.noise["rho"] / frames, 1) / n))

    @property
    def tails(self) -> tuple[TailCount, ...]:
        """Counts of either sign beyond 3, 4, 5σ with their bands."""
        s = self.noise
        return tuple(
            tail_count(t, up, down, s["n"], size / s["frames"])
            for t, up, down, size in zip(
                THRESHOLDS, s["above"], s["below"], s["clumps"], strict=True
            )
        )

    @property
    def whiteness(self) -> Whiteness:
        """Of D over all frames."""
        pairs = np.asarray(self.noise["lag_pairs"])
        return whiteness_of(LagCovariance(np.asarray(self.noise["lag_sums"]) / pairs, pairs))

    def moments(self, name: str) -> tuple[float, float, float, float]:
        """Mean, its error, standard deviation and its error of a quantity of the sources."""
        n, total, square = self.sources[name]
        mean = total / n
        sigma = float(np.sqrt(max(square / n - mean**2, 0)))
        return mean, sigma / np.sqrt(n), sigma, sigma / np.sqrt(2 * n)


SIGMAS = 4.0
"""Sampling errors that a measured number may be off: 1 in 16 000 by chance."""


def judge(judged: Judged) -> tuple[Claim, ...]:
    """Every promise, met or not."""
    sigma, sigma_error = judged.sigma
    mean, mean_error = judged.mean
    white = judged.whiteness
    ratio, ratio_error, _, _ = judged.moments("ratio")
    _, _, pull, pull_error = judged.moments("pull")
    significance, significance_error, _, _ = judged.moments("significance")
    claims = [
        Claim(
            "σ(Scorr)",
            "1 within sampling error and 0.5 %",
            f"{sigma:.5f} ± {sigma_error:.5f}",
            abs(sigma - 1) <= min(SIGMAS * sigma_error, 0.005),
        ),
        Claim(
            "mean of Scorr",
            "0 within sampling error",
            f"{mean:+.5f} ± {mean_error:.5f}",
            abs(mean) <= SIGMAS * mean_error,
        ),
    ]
    for tail in judged.tails:
        claims.append(
            Claim(
                f"pixels with abs(Scorr) > {tail.threshold:g}",
                "a Gaussian's count within its binomial band",
                f"{tail.observed} (expected {tail.expected:.1f}, band {tail.low:.0f} … "
                f"{tail.high:.0f})",
                tail.consistent,
            )
        )
    claims += [
        Claim(
            "whiteness of D",
            "1 within sampling error",
            f"{white.statistic:.3f} ± {white.error:.3f} (largest correlation {white.largest:+.5f})",
            abs(white.pull) <= SIGMAS,
        ),
        Claim(
            "flux of injected sources",
            "unbiased to 0.1 %",
            f"{(ratio - 1) * 100:+.3f} ± {ratio_error * 100:.3f} %",
            abs(ratio - 1) <= 0.001,
        ),
        Claim(
            "σ of the flux pull",
            "1.00 ± 0.02",
            f"{pull:.4f} ± {pull_error:.4f}",
            abs(pull - 1) <= 0.02,
        ),
        Claim(
            "significance over the matched-filter bound",
            "≥ 99.5 %",
            f"{significance * 100:.3f} ± {significance_error * 100:.3f} %",
            significance >= 0.995,
        ),
    ]
    for axis in "xy":
        _, _, spread, error = judged.moments(f"pull_{axis}")
        claims.append(
            Claim(
                f"σ of the position pull in {axis}",
                "1.00 ± 0.05",
                f"{spread:.4f} ± {error:.4f} ({judged.sources['found']} of "
                f"{judged.sources['sources']} detected)",
                abs(spread - 1) <= 0.05 and judged.sources["found"] == judged.sources["sources"],
            )
        )
    return tuple(claims)
