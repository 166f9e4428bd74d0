"""The last pass over the planes of a cell: units, missing pixels, Scorr.

Some rows at a time, so that each plane of a large cell comes from memory once.
"""

from __future__ import annotations

import numpy as np

from zogy_explorer.engine.noise_terms import total_variance
from zogy_explorer.engine.pixels import Flags, either
from zogy_explorer.engine.planes import CellPlanes, Plane

_BLOCK = 40_000  # pixels of each plane at a time


def finish_planes(planes: CellPlanes, flux_diff: float, missing: Flags | None) -> bool:
    """Bring D to the calibrated unit, blank S where data are missing, and make Scorr, in place.

    Parameters
    ----------
    planes
        D of unit variance, S, their variances; ``scorr`` is filled.
    flux_diff
        F_D.
    missing : (ny, nx) array of bool, optional
        Pixels where S says nothing; None: nowhere.

    Returns
    -------
    finite
        Whether all of D and S are numbers; if not, the planes are of no use.
    """
    ny, nx = planes.diff.shape
    step = max(_BLOCK // nx, 1)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return all(
            _finish_rows(
                planes.rows(slice(first, first + step)),
                flux_diff,
                None if missing is None else missing[first : first + step],
            )
            for first in range(0, ny, step)
        )


def _finish_rows(planes: CellPlanes, flux_diff: float, missing: Flags | None) -> bool:
    both = (planes.astrometric_variance, planes.flux_variance)
    terms = [term for term in both if term is not None]
    if not all(_finite(plane) for plane in (planes.diff, planes.score, *terms)):
        return False
    planes.diff[...] /= flux_diff
    planes.diff_variance[...] /= flux_diff**2
    score, variance, scorr = planes.score, planes.score_variance, planes.scorr
    if score is None or variance is None or scorr is None:
        return True
    least = np.finfo(variance.dtype).tiny
    unknown = missing
    if not variance.min() > least:
        unknown = either(unknown, ~(variance > least))
    if unknown is not None:
        score[unknown] = 0
        variance[unknown] = 1
        for term in terms:
            term[unknown] = 0
    np.sqrt(total_variance(variance, *terms, out=scorr), out=scorr)
    np.divide(score, scorr, out=scorr)
    return True


def _finite(plane: Plane | None) -> bool:
    """Whether all pixels are numbers, from their sum: one pass, nothing allocated."""
    # A sum in single precision is faster, and may overflow where pixels do not.
    return plane is None or bool(
        np.isfinite(plane.sum()) or np.isfinite(plane.sum(dtype=np.float64))
    )
