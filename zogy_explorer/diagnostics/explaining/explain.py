"""`explain` says why a residual is there.

Each possible cause has an image of its own in D, known to first order or exactly: an error of the
pair (shift, flux ratio, PSF width) changes D by derivatives of the light that both images share;
an addition (new source, particle hit, step of the sky) comes in as its kernel. All are fitted to D
in a window, weighted by its variance: D's noise is white, so differences of χ² are likelihood
ratios. Causes are compared by the Bayesian information criterion, χ² + k ln n for k free
parameters and n pixels, and taken one after the other: the best first, then what it leaves
unexplained. Two causes that would explain the same pixels (a shift, and a new source beside a
star) thus compete, and both figures are reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zogy_explorer.diagnostics.asked import difference_of, position
from zogy_explorer.diagnostics.explaining.causes import Cause
from zogy_explorer.diagnostics.explaining.examination import Examination
from zogy_explorer.diagnostics.explaining.field_errors import FieldErrors
from zogy_explorer.diagnostics.explaining.residual_window import cell_at, window_box, window_radius
from zogy_explorer.diagnostics.explaining.wording import describe
from zogy_explorer.diagnostics.local_pair import Plane
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.geometry import Box


@dataclass(frozen=True, eq=False)
class Explanation:
    """What D shows around a position, and why.

    Parameters
    ----------
    x, y
        Position in the frame of the science image [px].
    causes
        Supported causes first, in the order in which they explain D; then the others that were
        tried, by what each would explain alone. "noise" comes first if D is consistent with it,
        "unexplained" if it is not and no cause is supported.
    window
        Pixels that were looked at; those within ``radius`` of the position count.
    radius
        [px]
    chi2, n_pixels
        χ² of D before any explanation, and the pixels that count.
    chi2_left
        χ² that the supported causes leave.
    noise_excess
        Measured over predicted σ of D or Scorr, whichever is larger, by which errors were
        widened; at least 1. What is smooth over the PSFs' reach does not count as noise.
    misfit
        χ² per pixel of the best account, if above 1: then errors of the model rather than noise
        limit it, and ``Cause.gain`` counts Δχ² in units of this.
    cell
        Name of the cell.
    diff, model
        D in the window and what the supported causes make of it [calibrated unit].
    """

    x: float
    y: float
    causes: tuple[Cause, ...]
    window: Box
    radius: float
    chi2: float
    n_pixels: int
    chi2_left: float
    noise_excess: float
    misfit: float
    cell: str
    diff: Plane = field(repr=False)
    model: Plane = field(repr=False)

    @property
    def first(self) -> Cause:
        """The main cause."""
        return self.causes[0]

    @property
    def supported(self) -> tuple[Cause, ...]:
        """The causes that together explain the residual."""
        return tuple(cause for cause in self.causes if cause.supported)

    def cause(self, name: str) -> Cause | None:
        """The cause of this name, if it was tried."""
        return next((cause for cause in self.causes if cause.name == name), None)

    def __str__(self) -> str:
        return "\n".join(cause.sentence for cause in self.causes if cause.supported)


def explain(
    difference: Difference,
    x: float,
    y: float,
    radius: float | None = None,
    *,
    field: FieldErrors | None = None,
) -> Explanation:
    """Why D is not zero around a position: causes, ranked, with sizes and advice.

    Parameters
    ----------
    difference
        A finished subtraction, or what `ZogyTask.run` returned.
    x, y
        Position in the frame of the science image (xy0 included) [px].
    radius
        Of the window [px]; 2.5 FWHM of the wider PSF by default.
    field
        What the neighbours share, from `field_errors`, if it is known already. A flux ratio that
        they do not share is no error of the pair: then the source itself changed.

    Returns
    -------
    explanation
        Where the cell failed, its one cause is "masked" and says why the cell failed. A PSF width
        is that of the pixel-integrated stamp: below 3.3 px FWHM its error reads 4 to 12 % less than
        that of an optical width.

    Raises
    ------
    InputError
        If the position is no number or off the frame, the radius is below 2 px, or what is given
        is no subtraction.
    """
    difference, (x, y) = difference_of(difference), position(x, y)
    cell = cell_at(difference, x, y)
    radius = window_radius(difference.plan, radius)
    if not cell.ok:
        box = window_box(difference.plan.bbox, x, y, radius)
        return _failed(cell, x, y, box, radius)
    return _explanation(Examination(difference, cell, x, y, radius, field), radius)


def _explanation(examined: Examination, radius: float) -> Explanation:
    account = examined.account()
    unit = 1 / examined.cell.flux_diff
    return Explanation(
        x=examined.x,
        y=examined.y,
        causes=tuple(describe(found, examined) for found in examined.findings(account)),
        window=examined.window.pair.window,
        radius=radius,
        chi2=examined.chi2,
        n_pixels=examined.window.n_pixels,
        chi2_left=account.chi2_left,
        noise_excess=examined.excess,
        misfit=examined.misfit,
        cell=examined.cell.cell.name,
        diff=examined.diff * unit,
        model=(examined.diff - account.left) * unit,
    )


def _failed(cell: CellResult, x: float, y: float, box: Box, radius: float) -> Explanation:
    cause = Cause(
        name="masked",
        delta_chi2=0.0,
        gain=0.0,
        amplitude=float(box.area),
        error=0.0,
        unit="pixels",
        sentence=f"Cell {cell.cell.name} has no result here: {cell.describe_failure()}.",
        advice=next((f.advice for f in cell.flags if f.severity == "failed"), ""),
        supported=True,
    )
    nothing = np.zeros(box.shape)
    return Explanation(
        x, y, (cause,), box, radius, 0.0, 0, 0.0, 1.0, 1.0, cell.cell.name, nothing, nothing
    )
