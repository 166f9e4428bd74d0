"""`Cause`: one reason why D shows something, in plain words and units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from zogy_explorer.exposure import Exposure

CAUSES = (
    "shift",
    "flux",
    "psf_width",
    "background",
    "cosmic_ray",
    "saturation",
    "masked",
    "edge",
    "ringing",
    "new_source",
    "noise",
    "unexplained",
)
"""Names of all causes."""


@dataclass(frozen=True)
class Cause:
    """One reason for a residual.

    Parameters
    ----------
    name
        One of `CAUSES`.
    delta_chi2
        By how much χ² of the window falls if this alone is allowed for.
    gain
        ``delta_chi2`` less the penalty for its free parameters (Bayesian information criterion:
        ln n for each, n pixels); a cause is supported from 5 on.
    amplitude, error
        Its size and standard error, in ``unit``; NaN where a cause has no size.
    unit
        "px", "%", "% FWHM", "calibrated unit" (of flux or per pixel), "pixels" or "σ".
    supported
        Whether it belongs to the set of causes that together explain the residual.
    sentence, advice
        What it is, with its numbers, and what to do.
    values
        More numbers by name, such as dx and dy.
    """

    name: str
    delta_chi2: float
    gain: float
    amplitude: float
    error: float
    unit: str
    sentence: str
    advice: str
    supported: bool = False
    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return self.sentence


def number(value: float, error: float) -> str:
    """A value with its error, with as many digits as the error deserves."""
    if not (np.isfinite(value) and np.isfinite(error)) or error <= 0:
        return f"{value:.3g}"
    digits = int(np.clip(1 - np.floor(np.log10(error)), 0, 6))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def sky_direction(
    exposure: Exposure, x: float, y: float, dx: float, dy: float
) -> tuple[float, float] | None:
    """The step (dx, dy) px at (x, y) as arcsec to the east and the north; None without WCS."""
    wcs = exposure.wcs
    if wcs is None or not wcs.has_celestial:
        return None
    at = np.array([[x, y], [x + dx, y + dy]]) - np.array(exposure.xy0)
    try:
        sky = np.asarray(wcs.celestial.all_pix2world(at, 0), dtype=np.float64)
    except Exception:  # a WCS is anybody's: no direction on the sky is better than no answer
        return None
    if not np.isfinite(sky).all():
        return None
    (ra0, dec0), (ra1, dec1) = sky
    east = ((ra1 - ra0 + 180) % 360 - 180) * np.cos(np.deg2rad(dec0)) * 3600
    return float(east), float((dec1 - dec0) * 3600)


def direction_words(exposure: Exposure, x: float, y: float, dx: float, dy: float) -> str:
    """A step in words: pixels, and arcsec to east or west, north or south if there is a WCS."""
    words = f"({dx:+.3f}, {dy:+.3f}) px"
    sky = sky_direction(exposure, x, y, dx, dy)
    if sky is None:
        return words
    east, north = sky
    return (
        f'{words}, {abs(east):.3f}" {"east" if east >= 0 else "west"} and '
        f'{abs(north):.3f}" {"north" if north >= 0 else "south"}'
    )
