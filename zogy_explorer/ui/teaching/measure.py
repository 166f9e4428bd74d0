"""What several chapters measure: a subtraction, quiet pixels, and sampling errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from zogy_explorer.engine import CellResult, Difference, SubtractionPlan, ZogyConfig, plan, run
from zogy_explorer.exposure import Exposure
from zogy_explorer.simulate.lesson import LessonSky

Plane = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Subtraction:
    """A pair and its difference in one cell."""

    science: Exposure
    template: Exposure
    plan: SubtractionPlan
    difference: Difference
    settings: Mapping[str, Any]

    @property
    def cell(self) -> CellResult:
        """The only cell."""
        return self.difference.cells[0]

    @property
    def scorr(self) -> Plane:
        """Scorr (ny, nx)."""
        assert self.difference.scorr is not None
        return self.difference.scorr

    @property
    def score(self) -> Plane:
        """S (ny, nx)."""
        assert self.difference.score is not None
        return self.difference.score.image

    @property
    def score_variance(self) -> Plane:
        """Variance of S with source noise (ny, nx)."""
        assert self.difference.score is not None
        assert self.difference.score.variance is not None
        return self.difference.score.variance

    @property
    def diff(self) -> Plane:
        """D in the calibrated unit (ny, nx)."""
        return self.difference.diff.image

    @property
    def diff_sigma(self) -> Plane:
        """σ of D (ny, nx)."""
        assert self.difference.diff.variance is not None
        return np.sqrt(self.difference.diff.variance)


def subtract(science: Exposure, template: Exposure, **settings: Any) -> Subtraction:
    """D, S and Scorr by the engine, with these settings of `ZogyConfig`.

    A PSF that errs may err in its centroid too: the lessons show it all the same. Their sky is
    empty of sky light; on so small a frame its measured level would be that of the sources.
    """
    config = ZogyConfig(**{"maxPsfCentroidDist": 2.0, "background": "none", **settings})
    made = plan(science, template, config)
    return Subtraction(science, template, made, run(made), settings)


def subtract_sky(sky: LessonSky, seed: int | None = None, **settings: Any) -> Subtraction:
    """The same for a sky of the lessons."""
    return subtract(*sky.draw(seed), **settings)


def expectation(done: Subtraction, sky: LessonSky) -> Subtraction:
    """The same subtraction of the noise-free light: what S and D are on average."""
    science, template = sky.light()
    return subtract(
        done.science.replace(image=science * sky.flux_ratio),
        done.template.replace(image=template),
        **done.settings,
    )


def calibrated(exposure: Exposure) -> Plane:
    """Pixels in the calibrated unit (ny, nx)."""
    assert exposure.photo_calib is not None
    return exposure.image * exposure.photo_calib


def sigma_plane(exposure: Exposure) -> Plane:
    """σ of each pixel in the calibrated unit (ny, nx)."""
    assert exposure.variance is not None
    assert exposure.photo_calib is not None
    return np.sqrt(exposure.variance) * exposure.photo_calib


def quiet(*exposures: Exposure, away: int = 0, excess: float = 0.02) -> NDArray[np.bool_]:
    """Pixels without light in any of the images, ``away`` px from those with and from the edge."""
    still = np.ones(exposures[0].shape, dtype=bool)
    for exposure in exposures:
        assert exposure.variance is not None
        still &= exposure.variance < (1 + excess) * exposure.variance.min()
    return binary_erosion(still, np.ones((3, 3)), iterations=away) if away else still


def scatter(values: Plane, correlation: float = 1.0) -> tuple[float, float]:
    """Standard deviation and its sampling error.

    Parameters
    ----------
    values
        Pixels around a mean of zero or any other.
    correlation
        Σρ² over all lags: how many pixels say the same.
    """
    sigma = float(values.std())
    return sigma, sigma * float(np.sqrt(correlation / (2 * values.size)))


def effective_pixels(stamp: Plane) -> float:
    """1/ΣP²: on how many pixels of noise a point source of this PSF lies [px]."""
    return float(stamp.sum() ** 2 / (stamp**2).sum())


def profile(stamp: Plane) -> tuple[Plane, Plane]:
    """A cut along x through the centre pixel n // 2: offsets [px] and values."""
    c = stamp.shape[1] // 2
    return np.arange(stamp.shape[1]) - float(c), stamp[stamp.shape[0] // 2]
