"""Pixels near a position that are known to be bad: masked, saturated, missing, off the frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.prepare import PreparedImage
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box
from zogy_explorer.masks import bit_mask, names_of

_HARMLESS = ("DETECTED", "DETECTED_NEGATIVE", "EDGE")
_SATURATION_KEYS = ("SATURATE", "ESATUR", "SATUR_LEVEL")
_PLATEAU = 3  # pixels of one value at the top of a source: no PSF is that flat
_FLAT = 3e-4  # spread of a plateau, as a fraction of its height
_HIGH = 50.0  # σ over the sky: fainter tops are flat by chance

Pixel = tuple[int, int, int]
"""(image, x, y); image 0 is the science image, 1 the template."""


@dataclass(frozen=True)
class Damage:
    """Bad pixels by kind.

    Parameters
    ----------
    pixels
        "saturation", "cosmic_ray", "masked" or "edge" (beyond the frame) to the pixels.
    planes
        Names of the mask planes of each kind; empty where only the pixel values tell.
    """

    pixels: dict[str, tuple[Pixel, ...]] = field(default_factory=dict)
    planes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def with_edge(
        self, plan: SubtractionPlan, position: tuple[float, float], reach: float
    ) -> Damage:
        """With the pixels beyond the frame's edge within reach, of which nothing is known."""
        x0, y0 = position
        around = np.arange(-int(reach), int(reach) + 1)
        beyond = [
            (image, round(x0) + int(dx), round(y0) + int(dy))
            for image in (0, 1)
            for dy in around
            for dx in around
            if np.hypot(dx, dy) <= reach
            and not plan.bbox.contains_point(round(x0) + int(dx), round(y0) + int(dy))
        ]
        if not beyond:
            return self
        return Damage(self.pixels | {"edge": tuple(beyond)}, self.planes)


def damage_near(plan: SubtractionPlan, box: Box, sky_sigma: tuple[float, float]) -> Damage:
    """Bad pixels of both images in a box.

    Parameters
    ----------
    plan
        The subtraction.
    box
        Where to look; cut at the frame.
    sky_sigma
        σ of a pixel of science and template [calibrated unit].
    """
    inside = box.intersection(plan.bbox)
    assert inside is not None
    pixels: dict[str, list[Pixel]] = {}
    planes: dict[str, set[str]] = {}
    for number, image in enumerate((plan.science, plan.template)):
        for kind, where, names in _bad(plan, image, inside, sky_sigma[number]):
            rows, columns = np.nonzero(where)
            found = [
                (number, int(x) + inside.x0, int(y) + inside.y0)
                for x, y in zip(columns, rows, strict=True)
            ]
            if found:
                pixels.setdefault(kind, []).extend(found)
                planes.setdefault(kind, set()).update(names)
    return Damage(
        {kind: tuple(dict.fromkeys(found)) for kind, found in pixels.items()},
        {kind: tuple(sorted(names)) for kind, names in planes.items()},
    )


def _bad(
    plan: SubtractionPlan, image: PreparedImage, inside: Box, sigma: float
) -> Iterable[tuple[str, NDArray[np.bool_], list[str]]]:
    cut = inside.slices((plan.bbox.x0, plan.bbox.y0))
    mask = image.mask[cut]
    present = names_of(int(np.bitwise_or.reduce(mask, axis=None)), plan.mask_planes)
    for kind, names in (
        ("saturation", ["SAT"]),
        ("cosmic_ray", ["CR"]),
        ("masked", [n for n in present if n not in ("SAT", "CR", *_HARMLESS)]),
    ):
        where = (mask & bit_mask(plan.mask_planes, names)) != 0
        yield kind, where, [name for name in names if name in present]
    yield "saturation", _saturated(image.source, cut, sigma), []


def _saturated(exposure: Exposure, cut: tuple[slice, slice], sigma: float) -> NDArray[np.bool_]:
    """Pixels that the saturation level of the header, or a flat top, gives away."""
    raw = exposure.image[cut]
    finite = np.where(np.isfinite(raw), raw, -np.inf)
    levels = [exposure.meta[key] for key in _SATURATION_KEYS if key in exposure.meta]
    known = [float(level) for level in levels if isinstance(level, int | float) and level > 0]
    full = finite >= min(known) if known else np.zeros(raw.shape, dtype=bool)
    top = float(finite.max())
    if not np.isfinite(top):
        return full
    sky = float(np.median(finite[np.isfinite(finite)]))
    high = (top - sky) * (exposure.photo_calib or 1.0) > _HIGH * sigma
    flat = finite >= top - _FLAT * abs(top - sky)
    if high and np.count_nonzero(flat) >= _PLATEAU:
        full = full | flat
    return full
