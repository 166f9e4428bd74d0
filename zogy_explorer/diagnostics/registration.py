"""How well two images lie on each other, and how their flux scales compare, by their stars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zogy_explorer.engine.config import ZogyConfig
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.prepare import PreparedPair, prepare_pair
from zogy_explorer.exposure import Exposure

if TYPE_CHECKING:
    from astropy.table import QTable


@dataclass(frozen=True, eq=False)
class Registration:
    """What the stars say that both images have. Figures are NaN if there are too few.

    Parameters
    ----------
    shift, shift_error
        Mean shift (dx, dy), science minus template, and its error [px]: what
        `zogy_explorer.prepare.shift_exposure` has to move the template by.
    scatter
        (σx, σy) of the shifts around their mean, without the errors of the positions [px]. Of
        both images together: ``astrometricNoise = "measured"`` gives each image half of its
        square.
    flux_ratio, flux_ratio_error
        Flux in science over that in the template, both in the calibrated unit: 1 if the flux
        scales are right. The error holds noise and scatter of the stars; what errors of the PSFs
        do to all of them alike it cannot know (`zogy_explorer.prepare.MeasuredPsf.flux_error`).
    flux_scatter
        Fractional σ of the flux ratios around their mean, without the errors of the fluxes: an
        upper limit of ``fluxScaleError``, as variable stars and PSF errors add to it.
    stars
        One row a matched star: x, y (science, in its frame), dx, dy and their errors [px],
        fluxes and their errors, sky position if there is a WCS, and whether it is ``used``.
    reason
        Why the figures are not known; empty if they are.
    displaced
        Whether the shift is more than chance and large enough to matter.
    """

    shift: tuple[float, float]
    shift_error: tuple[float, float]
    scatter: tuple[float, float]
    flux_ratio: float
    flux_ratio_error: float
    flux_scatter: float
    stars: QTable
    reason: str
    displaced: bool


def measure_registration(
    science: Exposure, template: Exposure, config: ZogyConfig | None = None
) -> Registration:
    """Registration and flux ratio of a pair.

    Parameters
    ----------
    science, template
        On one pixel grid. They may be displaced by any shift that leaves a third of the stars on
        both frames; not turned or scaled.
    config
        Settings by which the images are prepared (sky, masks, calibration); the default if None,
        without calibration if one of the images has none.

    Raises
    ------
    InputError
        If the pair could not be subtracted. Not for a lack of stars: see ``reason``.
    """
    if config is None:
        calibrated = all(exposure.photo_calib is not None for exposure in (science, template))
        config = ZogyConfig(scaleByCalibration=calibrated)
    return _of_pair(prepare_pair(science, template, config))


def registration_of(plan: SubtractionPlan) -> Registration:
    """Registration of the pair of a plan, measured once for all plans of its images."""
    return _of_pair(plan.prepared)


def _of_pair(pair: PreparedPair) -> Registration:
    measured = pair.registration
    return Registration(
        shift=measured.shift,
        shift_error=measured.shift_error,
        scatter=measured.scatter,
        flux_ratio=measured.flux_ratio,
        flux_ratio_error=measured.flux_ratio_error,
        flux_scatter=measured.flux_scatter,
        stars=_table(pair),
        reason=measured.reason,
        displaced=measured.displaced,
    )


def _table(pair: PreparedPair) -> QTable:
    from astropy import units as u
    from astropy.table import QTable

    measured, exposure = pair.registration, pair.science.source
    science, template = measured.science, measured.template
    table = QTable()
    table["x"] = (science.x + exposure.xy0[0]) * u.pix
    table["y"] = (science.y + exposure.xy0[1]) * u.pix
    table["dx"] = (science.x - template.x) * u.pix
    table["dy"] = (science.y - template.y) * u.pix
    table["dx_error"] = np.hypot(science.x_error, template.x_error) * u.pix
    table["dy_error"] = np.hypot(science.y_error, template.y_error) * u.pix
    for name, stars in (("science", science), ("template", template)):
        table[f"flux_{name}"] = stars.flux
        table[f"flux_{name}_error"] = stars.flux_error
    if exposure.wcs is not None and exposure.wcs.has_celestial and len(table):
        sky = exposure.wcs.celestial.pixel_to_world(science.x, science.y)
        table["ra"], table["dec"] = sky.icrs.ra, sky.icrs.dec
    table["used"] = measured.used
    return table
