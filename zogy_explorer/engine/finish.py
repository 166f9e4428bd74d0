"""The last pass over the planes of a cell: units, missing pixels, Scorr.

Some rows at a time, so that each plane of a large cell comes from memory once.
"""

from __future__ import annotations

import numpy as np

from zogy_explorer.engine.arithmetic import Arithmetic
from zogy_explorer.engine.noise_terms import total_variance
from zogy_explorer.engine.pixels import Flags, either, is_finite
from zogy_explorer.engine.planes import CellPlanes

_BLOCK = 40_000  # pixels of each plane at a time


def finish_planes(
    planes: CellPlanes, flux_diff: float, missing: Flags | None, arithmetic: Arithmetic
) -> bool:
    """Bring D to the calibrated unit, blank S where data are missing, and make Scorr, in place.

    Parameters
    ----------
    planes
        D of unit variance, S, their variances; ``scorr`` is filled.
    flux_diff
        F_D.
    missing : (ny, nx) array of bool, optional
        Pixels where S says nothing; None: nowhere.
    arithmetic
        What computes.

    Returns
    -------
    finite
        Whether all of D and S are numbers; if not, the planes are of no use.
    """
    ny, nx = planes.diff.shape
    step = max(_BLOCK // nx, 1)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return all(
            _finish_block(
                planes.rows(slice(first, first + step)),
                flux_diff,
                None if missing is None else missing[first : first + step],
                arithmetic,
            )
            for first in range(0, ny, step)
        )


def _finish_block(
    planes: CellPlanes, flux_diff: float, missing: Flags | None, arithmetic: Arithmetic
) -> bool:
    score, variance, scorr = planes.score, planes.score_variance, planes.scorr
    if score is None or variance is None or scorr is None:
        planes.diff[...] /= flux_diff
        planes.diff_variance[...] /= flux_diff**2
        return is_finite(planes.diff)
    finite, positive = arithmetic.finish_rows(
        planes.diff, planes.diff_variance, score, variance, scorr, flux_diff
    )
    both = (planes.astrometric_variance, planes.flux_variance)
    terms = [term for term in both if term is not None]
    if not (finite and all(is_finite(term) for term in terms)):
        return False
    unknown = missing
    if not positive:
        unknown = either(unknown, ~(variance > np.finfo(variance.dtype).tiny))
    if unknown is not None:
        variance[unknown] = 1
        for plane in (score, scorr, *terms):
            plane[unknown] = 0
    if terms:
        np.sqrt(total_variance(variance, *terms, out=scorr), out=scorr)
        np.divide(score, scorr, out=scorr)
    return True
