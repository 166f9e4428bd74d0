"""`detect`: sources that changed, as a table with positions, fluxes, errors and doubts."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.checks import is_positive, shown
from zogy_explorer.diagnostics.asked import difference_of
from zogy_explorer.diagnostics.detecting.detection_flags import DETECTION_FLAGS
from zogy_explorer.diagnostics.detecting.peaks import Peaks, find_peaks, responses
from zogy_explorer.diagnostics.detecting.vetting import Verdict, vet
from zogy_explorer.diagnostics.point_response import PointResponse
from zogy_explorer.engine.result import Difference
from zogy_explorer.errors import InputError, MissingDataError
from zogy_explorer.version import __version__

if TYPE_CHECKING:
    from astropy.table import QTable
    from astropy.wcs import WCS

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "id": "number, brightest |Scorr| first",
        "x": "column of the maximum of S on the science image's pixel grid (0-based, with xy0)",
        "y": "row of it",
        "x_error": "1 σ error of x from the noise of S; registration not included",
        "y_error": "1 σ error of y",
        "ra": "right ascension, ICRS",
        "dec": "declination, ICRS",
        "flux": "α = S/F_S (eqs. 41, 42), calibrated unit; negative where the template is brighter",
        "flux_error": "√V_total/F_S (eqs. 41, 42)",
        "scorr": "S/√V_total at (x, y) [σ]",
        "scorr_normalised": "scorr over the σ(Scorr) measured in the cell [σ]; NaN if unknown",
        "scorr_hit": "significance of the best hit of one pixel (S_CR) [σ]",
        "sign": "+1: brighter in the science image, −1: in the template",
        "cell": "name of the grid cell",
        "mask_planes": "mask planes under the footprint, a disk as wide as the PSF of D",
        "flags": "what speaks against a new point source",
        "reasons": "why, in numbers; plain ASCII, so that any format holds it",
        "partner": "id of the other lobe of a dipole, 0 if it is no detection",
    }
)
"""Columns of the table and what they hold; ra and dec only where there is a WCS."""


def detect(difference: Difference, threshold: float = 5.0) -> QTable:
    """Local maxima of Scorr and of −Scorr above a threshold, as a table.

    Parameters
    ----------
    difference
        With S and Scorr.
    threshold
        In σ of Scorr, as predicted: nothing is rescaled (see ``scorr_normalised``).

    Returns
    -------
    table : astropy.table.QTable
        One row a peak, most significant first; columns as in `COLUMNS`. Without detections it has
        the same columns and no rows. ``meta`` holds the threshold, the settings' hash, counts,
        ``xy0`` of the frame and the FWHM of P_D. A row without flags is, as far as the data tell,
        a point source that changed.

    Raises
    ------
    InputError
        If the threshold is not a positive number.
    MissingDataError
        If the difference was made without S.

    Notes
    -----
    A peak that was found is as bright as its noise helped it to be: fluxes are biased high by about
    σ²/flux (2 % at 7 σ, 0.1 % at 30 σ), near the threshold by more, since fainter ones were not
    found. Flux at a known place is S/F_S there, which is unbiased (`forced_photometry`).

    "dipole" is the one flag that can take a new source for something else: beside a star that
    misregistration has made a dipole, the star's lobe may count as the source's own. Its
    description has the measured rates.

    Noise terms (`astrometricNoise`, `fluxScaleError`) take no flags away: lobes, and brighter
    neighbours that may ring, are judged without the noise that mutes them; what explains D is
    asked of D, which has no such terms.
    """
    difference = difference_of(difference)
    if not is_positive(threshold):
        raise InputError(
            f"threshold is {shown(threshold)}: it must be a positive number of σ, such as 5"
        )
    if difference.score is None or difference.scorr is None:
        raise MissingDataError(
            "the difference has no S: subtract with calculateScore=True to detect sources"
        )
    response_of = responses(difference.cells)
    peaks = find_peaks(difference, float(threshold), response_of)
    return _table(
        difference, peaks, vet(difference, peaks, response_of), float(threshold), response_of
    )


def _table(
    difference: Difference,
    peaks: Peaks,
    verdicts: list[Verdict],
    threshold: float,
    response_of: Callable[[int], PointResponse],
) -> QTable:
    from astropy import units as u
    from astropy.table import QTable

    score = difference.score
    assert score is not None
    ids = np.arange(1, len(peaks) + 1)
    measured = np.array(
        [difference.cells[i].noise.scorr_measured for i in peaks.cell], dtype=np.float64
    )
    sky = _sky(score.wcs, peaks.array_x, peaks.array_y)
    partners = np.array([v.partner + 1 for v in verdicts], dtype=np.int64)
    columns: dict[str, Any] = {
        "id": ids.astype(np.int64),
        "x": (peaks.array_x + score.xy0[0]) * u.pix,
        "y": (peaks.array_y + score.xy0[1]) * u.pix,
        "x_error": peaks.x_error * u.pix,
        "y_error": peaks.y_error * u.pix,
        **({} if sky is None else {"ra": sky[0] * u.deg, "dec": sky[1] * u.deg}),
        "flux": peaks.flux,
        "flux_error": peaks.flux_error,
        "scorr": peaks.significance,
        "scorr_normalised": peaks.significance / np.where(measured > 0, measured, np.nan),
        "scorr_hit": np.array([v.hit_significance for v in verdicts], dtype=np.float64),
        "sign": peaks.sign,
        "cell": _texts(difference.cells[i].cell.name for i in peaks.cell),
        "mask_planes": _texts(" ".join(v.planes) for v in verdicts),
        "flags": _texts(" ".join(_ordered(v)) for v in verdicts),
        "reasons": _texts(_reasons(v) for v in verdicts),
        "partner": partners,
    }
    table = QTable(columns)
    for name in table.colnames:
        table[name].info.description = COLUMNS[name]
    clean = sum(not v.reasons for v in verdicts)
    table.meta.update(
        threshold=threshold,
        config_hash=difference.plan.config_hash,
        version=__version__,
        n_detections=len(peaks),
        n_positive=int((peaks.sign > 0).sum()),
        n_negative=int((peaks.sign < 0).sum()),
        n_unflagged=clean,
        flux_unit="calibrated unit of the pair",
        xy0=list(score.xy0),
        psf_fwhm=_typical_fwhm(difference, response_of),
    )
    return table


def _typical_fwhm(
    difference: Difference, response_of: Callable[[int], PointResponse]
) -> float | None:
    """FWHM of P_D [px] in the middle one of the cells that worked; None if none did."""
    good = [cell.cell.index for cell in difference.cells if cell.ok]
    return response_of(good[len(good) // 2]).fwhm if good else None


def _texts(values: Any) -> NDArray[np.str_]:
    """Column of texts; of type str even if it is empty."""
    return np.array(list(values), dtype=str)


def _ordered(verdict: Verdict) -> list[str]:
    return [name for name in DETECTION_FLAGS if name in verdict.reasons]


def _reasons(verdict: Verdict) -> str:
    causes = (f"{name}: {verdict.reasons[name]}" for name in _ordered(verdict))
    return "; ".join(causes).replace("{partner}", str(verdict.partner + 1))


def _sky(
    wcs: WCS | None, x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """ICRS right ascension and declination [deg] of array positions; None without a WCS."""
    if wcs is None or not getattr(wcs, "has_celestial", False):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sky = wcs.celestial.pixel_to_world(x, y).icrs
    except (ValueError, AttributeError, TypeError, RuntimeError):
        return None  # a header that cannot be used is no reason to lose the detections
    return np.asarray(sky.ra.deg), np.asarray(sky.dec.deg)
