"""What a newly opened pair needs so that there is something to see.

The only thing done without being asked: if *every* cell fails because the PSF centroids are
further apart than the default `maxPsfCentroidDist`, the limit is raised for this pair, and the
page says so. A limit that the user has set is never touched.
"""

from __future__ import annotations

import math

from zogy_explorer.engine import Difference, ZogyConfig
from zogy_explorer.ui.state import Notice

FIELD = "maxPsfCentroidDist"


def raised_limit(difference: Difference, settings: ZogyConfig) -> float | None:
    """Limit [px] under which the cells of a wholly failed frame would work; None to keep it."""
    untouched = getattr(settings, FIELD) == ZogyConfig.param[FIELD].default
    if not untouched or any(cell.ok for cell in difference.cells):
        return None
    for cell in difference.cells:
        if {flag.name for flag in cell.flags if flag.severity == "failed"} != {"CENTROID_DISTANCE"}:
            return None
    widest = max(cell.centroid_distance for cell in difference.cells)
    return math.ceil(105 * widest) / 100  # a little above, in hundredths of a pixel


def raised_limit_notice(difference: Difference, limit: float) -> Notice:
    """What the page says of it."""
    nearest = min(cell.centroid_distance for cell in difference.cells)
    default = ZogyConfig.param[FIELD].default
    count = len(difference.cells)
    where = " or more in every cell" if count > 1 else ""
    return Notice(
        "warning",
        f"The PSF centroids are {nearest:.2f} px apart{where}, beyond the default "
        f"{FIELD} of {default:g} px, so nothing could be shown: it was raised to {limit:g} px "
        "for this pair.",
        "Expect dipoles of that size at bright stars, or measure the PSFs with a common centre.",
    )
