"""Peaks as they are without the noise terms of Scorr.

Registration errors and errors of the flux ratio grow with the light: in V_total they mute a bright
star, and not what it leaves farther off. Whether a peak is such a remnant is therefore
asked of S and its source noise alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.detecting.peaks import Peaks, find_maxima
from zogy_explorer.diagnostics.point_response import PointResponse
from zogy_explorer.engine.result import Difference
from zogy_explorer.engine.subpixel import bilinear

if TYPE_CHECKING:
    from scipy.spatial import KDTree

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_SAME_PLACE = 1.0  # [px] between a peak and itself without the noise terms


@dataclass(frozen=True, eq=False)
class Unmuted:
    """All that peaks at or above the faintest of some peaks, by the source noise alone.

    Parameters
    ----------
    peaks
        Brightest first; the judged peaks themselves if all terms are off.
    significance
        Of these [σ], signed.
    noise : (n,) array
        Root of the source noise of S at the n judged peaks.
    tree
        Of the places of ``peaks``.
    remark
        What a sentence about them has to add.
    """

    peaks: Peaks
    significance: Array
    noise: Array
    tree: KDTree
    remark: str

    @classmethod
    def of(
        cls, difference: Difference, judged: Peaks, response_of: Callable[[int], PointResponse]
    ) -> Self:
        """For judging peaks of a difference, at least one."""
        from scipy.spatial import KDTree

        if difference.astrometric_variance is None and difference.flux_variance is None:
            peaks, noise, remark = judged, np.sqrt(judged.variance), ""
        else:
            noise = _source_noise(difference, judged)
            plain = replace(
                difference,
                scorr=difference.scorr_source_noise(),
                astrometric_variance=None,
                flux_variance=None,
            )
            peaks = find_maxima(plain, float(np.abs(judged.score / noise).min()), response_of)
            remark = ", noise terms left out"
        tree = KDTree(np.column_stack([peaks.array_x, peaks.array_y]))
        return cls(peaks, peaks.significance, noise, tree, remark)

    def brighter(self, judged: Peaks, i: int, reach: float) -> tuple[Indices, Array]:
        """Those brighter than peak ``i`` within reach [px], brightest first, and how far off."""
        x, y = float(judged.array_x[i]), float(judged.array_y[i])
        near = np.array(sorted(self.tree.query_ball_point((x, y), reach)), dtype=np.intp)
        places = np.asarray(self.tree.data)[near]
        distances = np.hypot(places[:, 0] - x, places[:, 1] - y)
        itself = (distances < _SAME_PLACE) & (self.peaks.sign[near] == judged.sign[i])
        size = abs(float(judged.score[i])) / float(self.noise[i])
        brighter = ~itself & (np.abs(self.significance[near]) > size)
        return near[brighter], distances[brighter]

    def lobes(
        self, which: Indices, distances: Array, response_of: Callable[[int], PointResponse]
    ) -> Array:
        """The most that some of the peaks leave of |S| at distances [px] from them."""
        share = np.zeros(which.size)
        cells = self.peaks.cell[which]
        for cell in np.unique(cells):
            here = cells == cell
            envelope = response_of(int(cell)).lobes
            index = np.rint(distances[here]).astype(int)
            inside = index < len(envelope)
            share[here] = np.where(inside, envelope[np.where(inside, index, 0)], 0.0)
        return share * np.abs(self.peaks.score[which])


def _source_noise(difference: Difference, peaks: Peaks) -> Array:
    assert difference.score is not None
    assert difference.score.variance is not None
    return np.sqrt(bilinear(difference.score.variance, peaks.row, peaks.column, peaks.x, peaks.y))
