"""Sky positions under the cursor: exact on the server, nearly so in the browser.

The browser has no WCS library. It gets the tangent plane at the centre of the image, with the
scale and rotation that fit the WCS there: good to a fraction of a pixel without distortions, and
the exact position follows as soon as the cursor rests.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from zogy_explorer.geometry import Box

if TYPE_CHECKING:
    from astropy.wcs import WCS


def sky_position(wcs: WCS | None, box: Box, x: float, y: float) -> tuple[float, float] | None:
    """ICRS right ascension and declination [deg] of a position, None if there is none.

    Parameters
    ----------
    wcs
        Of array indices, as in ``Exposure.wcs``.
    box
        Where the array lies on the pixel grid.
    x, y
        Position on the pixel grid.
    """
    if wcs is None or not getattr(wcs, "has_celestial", False):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sky = wcs.celestial.pixel_to_world(x - box.x0, y - box.y0).icrs
        ra, dec = float(sky.ra.deg), float(sky.dec.deg)
    except (ValueError, AttributeError, TypeError, RuntimeError):
        return None  # a header that cannot be used is no reason to lose the pixel values
    return (ra, dec) if np.isfinite([ra, dec]).all() else None


def tangent_plane(wcs: WCS | None, box: Box) -> list[float]:
    """Linear WCS for the browser: x, y, RA, Dec [deg] of the centre, then the 2×2 matrix [rad/px].

    Returns
    -------
    Eight numbers, or none if there is no usable WCS
    """
    x, y = box.center
    center = sky_position(wcs, box, x, y)
    if center is None:
        return []
    # Differences over half the image average a distortion out better than local ones.
    step_x, step_y = max(box.width / 4, 1.0), max(box.height / 4, 1.0)
    columns = []
    for dx, dy, span in ((step_x, 0.0, 2 * step_x), (0.0, step_y, 2 * step_y)):
        ends = [sky_position(wcs, box, x + s * dx, y + s * dy) for s in (1, -1)]
        if ends[0] is None or ends[1] is None:
            return []
        columns.append((_project(ends[0], center) - _project(ends[1], center)) / span)
    matrix = np.stack(columns, axis=1)
    values = [x, y, *center, *matrix.ravel().tolist()]
    return values if np.isfinite(values).all() else []


def _project(sky: tuple[float, float], center: tuple[float, float]) -> np.ndarray:
    """Gnomonic (ξ, η) [rad] of a position about a centre."""
    ra, dec = np.radians(sky)
    ra0, dec0 = np.radians(center)
    below = np.sin(dec0) * np.sin(dec) + np.cos(dec0) * np.cos(dec) * np.cos(ra - ra0)
    return np.array(
        [
            np.cos(dec) * np.sin(ra - ra0) / below,
            (np.cos(dec0) * np.sin(dec) - np.sin(dec0) * np.cos(dec) * np.cos(ra - ra0)) / below,
        ]
    )


def sexagesimal(ra: float, dec: float) -> str:
    """Position as ``hh:mm:ss.sss ±dd:mm:ss.ss``."""
    ra_ms = round(ra / 15 * 3_600_000) % 86_400_000
    dec_cs = round(abs(dec) * 360_000)
    hours, ra_ms = divmod(ra_ms, 3_600_000)
    minutes, ra_ms = divmod(ra_ms, 60_000)
    degrees, dec_cs = divmod(dec_cs, 360_000)
    arcmin, dec_cs = divmod(dec_cs, 6_000)
    sign = "−" if dec < 0 else "+"
    return (
        f"{hours:02d}:{minutes:02d}:{ra_ms / 1000:06.3f} "
        f"{sign}{degrees:02d}:{arcmin:02d}:{dec_cs / 100:05.2f}"
    )
