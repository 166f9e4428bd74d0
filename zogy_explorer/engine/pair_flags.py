"""What is noteworthy about a pair as it came, before anything is computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.flags import Flag, raise_flag
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box

_ROW_STEP = 64  # images that differ do so in every 64th row, as a rule


def pair_flags(science: Exposure, template: Exposure) -> tuple[Flag, ...]:
    """Flags of two exposures of one shape: grids that disagree, one image given twice."""
    flags = []
    if science.xy0 != template.xy0:
        apart = science.bbox.intersection(template.bbox) is None
        cause = (
            f"{'no overlap' if apart else 'different grids'}: science covers "
            f"{_extent(science.bbox)}, the template {_extent(template.bbox)}, and yet they were "
            "subtracted pixel by pixel, first from first"
        )
        flags.append(raise_flag("GRIDS_DIFFER", cause))
    if _identical(science.image, template.image):
        cause = f"science and template are the same image: all {science.image.size} pixels agree"
        flags.append(raise_flag("SAME_IMAGE", cause))
    return tuple(flags)


def _extent(box: Box) -> str:
    return f"x = {box.min_x} … {box.max_x}, y = {box.min_y} … {box.max_y}"


def _identical(one: NDArray[np.floating], other: NDArray[np.floating]) -> bool:
    def equal(step: int) -> bool:
        return np.array_equal(one[::step], other[::step], equal_nan=True)

    return one is other or (equal(_ROW_STEP) and equal(1))
