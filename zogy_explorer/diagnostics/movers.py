"""Mover or misregistration: whether a dipole shares the shift of its neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zogy_explorer.diagnostics.asked import difference_of, position
from zogy_explorer.diagnostics.causes import direction_words, number
from zogy_explorer.diagnostics.field_errors import MOVED, FieldErrors, field_errors
from zogy_explorer.diagnostics.residual_fit import Fit, fit_residual
from zogy_explorer.diagnostics.residual_window import Field, cell_at, residual_window
from zogy_explorer.engine.result import Difference


@dataclass(frozen=True)
class Verdict:
    """Whether what lies at a position moved by itself.

    Parameters
    ----------
    verdict
        "mover": it moved against its neighbours; "misregistration": it shares their shift;
        "still": it did not move significantly; "no_light": there is nothing to move;
        "no_neighbours": it is shifted, and too few neighbours are there to compare with.
    shift, shift_error
        Science minus template (x, y) [px]; NaN without light.
    common, common_error, scatter
        The neighbours' shift, its error, and how single sources scatter around it [px]; NaN
        without neighbours.
    n_neighbours
        Sources that were compared with.
    chi2
        Of "it does not move", relative to its neighbours if there are any: two degrees of freedom.
    sentence, advice
        In words.
    """

    verdict: str
    shift: tuple[float, float]
    shift_error: tuple[float, float]
    common: tuple[float, float]
    common_error: tuple[float, float]
    scatter: tuple[float, float]
    n_neighbours: int
    chi2: float
    sentence: str
    advice: str

    @property
    def own_motion(self) -> tuple[float, float]:
        """Shift less the neighbours' [px]."""
        return (self.shift[0] - self.common[0], self.shift[1] - self.common[1])


def mover_or_misregistration(
    difference: Difference, x: float, y: float, *, field: FieldErrors | None = None
) -> Verdict:
    """Compare the shift at a position with that of its neighbours.

    Parameters
    ----------
    difference
        A finished subtraction, or what `ZogyTask.run` returned.
    x, y
        Position in the frame of the science image [px].
    field
        From `field_errors`, if it is known already.

    Raises
    ------
    InputError
        If the position is no number or off the frame, or what is given is no subtraction.
    """
    difference, (x, y) = difference_of(difference), position(x, y)
    cell = cell_at(difference, x, y)
    variance = difference.diff.variance
    fit = None
    if cell.ok and variance is not None:
        frame = Field(variance, difference.plan.bbox)
        window = residual_window(difference.plan, cell, x, y, None, frame)
        fit = fit_residual(window, ("dx", "dy"))
    if fit is None:
        return _without_light(cell.ok, cell.cell.name)
    common = field_errors(difference, x, y) if field is None else field
    return _judged(difference, x, y, fit, common)


def _judged(
    difference: Difference, x: float, y: float, fit: Fit, field: FieldErrors | None
) -> Verdict:
    dx, dy = fit.values["dx"], fit.values["dy"]
    ex, ey = fit.errors["dx"], fit.errors["dy"]
    exposure = difference.plan.science.source
    own = direction_words(exposure, x, y, dx, dy)
    unknown = (float("nan"), float("nan"))
    alone = (dx / ex) ** 2 + (dy / ey) ** 2
    if field is None:
        shifted = alone > MOVED
        return Verdict(
            "no_neighbours" if shifted else "still",
            (dx, dy),
            (ex, ey),
            unknown,
            unknown,
            unknown,
            0,
            float(alone),
            f"Shifted by {own}, with too few bright neighbours to compare with."
            if shifted
            else f"No significant shift: {own}.",
            "Compare with the shift of the whole frame."
            if shifted
            else "Nothing needs to be explained by motion.",
        )
    chi2 = field.dx.pull(dx, ex) ** 2 + field.dy.pull(dy, ey) ** 2
    common = (field.dx.value, field.dy.value)
    common_words = direction_words(exposure, x, y, *common)
    length = float(np.hypot(dx - common[0], dy - common[1]))
    error = float(np.hypot(ex, ey) / np.sqrt(2))
    n = len(field.positions)
    if chi2 > MOVED:
        name = "mover"
        sentence = (
            f"It moved by itself: {number(length, error)} px against its {n} neighbours, "
            f"{direction_words(exposure, x, y, dx - common[0], dy - common[1])}."
        )
        advice = (
            "A proper motion, a moving object, or colour refraction; registering will not help."
        )
    elif alone > MOVED:
        name = "misregistration"
        sentence = f"It shares the shift of its {n} neighbours, {common_words}: the field is off."
        advice = f"Register: move the template by ({common[0]:+.3f}, {common[1]:+.3f}) px."
    else:
        name = "still"
        sentence = f"No significant shift: {own}; its {n} neighbours {common_words}."
        advice = "Nothing needs to be explained by motion."
    return Verdict(
        name,
        (dx, dy),
        (ex, ey),
        common,
        (field.dx.error, field.dy.error),
        (field.dx.scatter, field.dy.scatter),
        n,
        float(chi2),
        sentence,
        advice,
    )


def _without_light(worked: bool, cell: str) -> Verdict:
    unknown = (float("nan"), float("nan"))
    sentence = (
        "There is too little light here that both images share for a shift to be measured."
        if worked
        else f"Cell {cell} has no result here."
    )
    return Verdict(
        "no_light",
        unknown,
        unknown,
        unknown,
        unknown,
        unknown,
        0,
        float("nan"),
        sentence,
        "Ask at the place of a source that is in both images.",
    )
