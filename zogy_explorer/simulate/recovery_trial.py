"""One frame of a recovery: inject, subtract the cells that matter, measure at the known places.

The subtraction is the one that the batch does; only cells that no source touches are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.cell import flux_scales, subtract_cell
from zogy_explorer.engine.config import ZogyConfig
from zogy_explorer.engine.cutout import result_region
from zogy_explorer.engine.forced import forced_photometry
from zogy_explorer.engine.mosaic import Mosaic
from zogy_explorer.engine.plan import Settings, SubtractionPlan, plan
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.engine.subpixel import REACH, windows
from zogy_explorer.engine.transfer import TransferCache
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box
from zogy_explorer.simulate.inject import inject
from zogy_explorer.simulate.injection_sites import fwhm_of

Array = NDArray[np.float64]

_LEAST_MATCH = 1.5  # [px]


@dataclass(frozen=True, eq=False)
class Trial:
    """Sources to be injected into one frame; arrays (n,).

    Parameters
    ----------
    x, y
        Positions [px] on the science image's pixel grid.
    flux
        Calibrated unit.
    seed
        Of the Poisson noise.
    """

    x: Array
    y: Array
    flux: Array
    seed: np.random.SeedSequence


@dataclass(frozen=True, eq=False)
class Outcome:
    """What was measured of the sources of a trial; arrays (n,).

    Parameters
    ----------
    flux, error
        Forced photometry at the injected place [calibrated unit].
    peak
        Highest Scorr within half a FWHM of it, or 1.5 px [σ].
    cell
        Index of its cell.
    """

    flux: Array
    error: Array
    peak: Array
    cell: NDArray[np.intp]


def recover(
    science: Exposure,
    template: Exposure,
    config: dict[str, Any],
    trial: Trial,
    gain: float | None = None,
    checkpoint: Callable[[], None] | None = None,
) -> Outcome:
    """Inject the sources of a trial and measure them.

    Parameters
    ----------
    science, template
        The pair as it is.
    config
        Settings, as `ZogyConfig.to_dict` gives them.
    gain
        As for `inject`.
    checkpoint
        Called between steps; may raise `CancelledError`.
    """
    settings = ZogyConfig.from_dict(config)
    counts = trial.flux * counts_per_flux(science, Settings(settings))
    rng = np.random.default_rng(trial.seed)
    lit = inject(science, trial.x, trial.y, counts, rng=rng, gain=gain)
    made = plan(lit, template, settings)
    difference = _subtract_around(made, trial.x, trial.y, checkpoint)
    forced = forced_photometry(difference, trial.x, trial.y)
    cells = [made.cell_at(x, y) for x, y in zip(trial.x, trial.y, strict=True)]
    return Outcome(
        flux=forced.flux,
        error=forced.error,
        peak=_highest(difference, trial.x, trial.y, max(fwhm_of(made) / 2, _LEAST_MATCH)),
        cell=np.array([-1 if cell is None else cell.index for cell in cells], dtype=np.intp),
    )


def counts_per_flux(science: Exposure, settings: Settings) -> float:
    """Image units of the science exposure for one unit of flux of D."""
    if settings.scaleByCalibration:
        return 1.0 / float(science.photo_calib or 1.0)
    return flux_scales(settings)[0]


def _subtract_around(
    made: SubtractionPlan, x: Array, y: Array, checkpoint: Callable[[], None] | None
) -> Difference:
    """The difference where any of the positions is measured; other cells are left blank."""
    boxes = [
        Box(round(px) - REACH, round(py) - REACH, 2 * REACH + 1, 2 * REACH + 1)
        for px, py in zip(x, y, strict=True)
    ]
    mosaic, cache = Mosaic(made), TransferCache()
    for cell in made.cells:
        region = result_region(made, cell)
        if any(region.intersection(box) is not None for box in boxes):
            mosaic.paste(
                subtract_cell(
                    made, cell, checkpoint=checkpoint, cache=cache, room=mosaic.room(cell)
                )
            )
        else:
            blank = CellResult(cell, region, flags=(), config_hash=made.config_hash)
            mosaic.paste(blank)
    return mosaic.difference()


def _highest(difference: Difference, x: Array, y: Array, radius: float) -> Array:
    """Highest Scorr within ``radius`` of each position [σ]."""
    assert difference.scorr is not None
    bbox = difference.plan.bbox
    column, row = np.rint(x - bbox.x0).astype(np.intp), np.rint(y - bbox.y0).astype(np.intp)
    reach = int(np.ceil(radius))
    steps = np.arange(-reach, reach + 1)
    dx = (column - (x - bbox.x0))[:, None, None] + steps[None, None, :]
    dy = (row - (y - bbox.y0))[:, None, None] + steps[None, :, None]
    around = windows(difference.scorr, row, column, reach)
    return np.where(np.hypot(dx, dy) <= radius, around, -np.inf).max(axis=(1, 2))
