"""Mover or misregistration: whether a dipole shares the shift of its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from zogy_explorer.diagnostics.asked import difference_of, position
from zogy_explorer.diagnostics.explaining.causes import direction_words, number
from zogy_explorer.diagnostics.explaining.choice import LEAST_GAIN
from zogy_explorer.diagnostics.explaining.examination import Examination
from zogy_explorer.diagnostics.explaining.field_errors import MOVED, FieldErrors, field_errors
from zogy_explorer.diagnostics.explaining.residual_fit import WIDTHS, Fit, fit_residual
from zogy_explorer.diagnostics.explaining.residual_window import cell_at
from zogy_explorer.engine.result import Difference

_NOISE = 3.0  # σ of χ² up to which what a shift leaves is noise
_UNKNOWN = (float("nan"), float("nan"))
_NO_LIGHT = "There is too little light here that both images share for a shift to be measured."
_MOVED = ("mover", "no_neighbours")  # verdicts by which something is shifted by itself
_RIVALS = (
    "It is not told whether it moved: a shift with a change of flux or PSF, and light that is new "
    "beside it, explain D alike."
)
_NOTHING = "Nothing needs to be explained by motion."
_ASK = "Ask `explain` what D shows here; no motion follows from it."


@dataclass(frozen=True)
class Verdict:
    """Whether what lies at a position moved by itself.

    Parameters
    ----------
    verdict
        "mover": it moved against its neighbours; "misregistration": it shares their shift;
        "still": it did not move significantly; "unclear": D shows something else here, such as
        PSFs that do not match, of which a shift would explain a part; "no_light": there is
        nothing to move; "no_neighbours": it is shifted, and too few neighbours are there to
        compare with.
    shift, shift_error
        Science minus template (x, y) [px]; NaN without light. Other causes that D needs are
        fitted with it, and what all of them leave is in the error.
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
    if not cell.ok or difference.diff.variance is None:
        return _without_light(f"Cell {cell.cell.name} has no result here.")
    examined = Examination(difference, cell, x, y, field=field)
    alone = fit_residual(examined.window, ("dx", "dy"))
    if alone is None:
        return _without_light(_NO_LIGHT)
    if examined.field is None:
        examined.field = field_errors(difference, x, y)
    n = examined.window.n_pixels
    if alone.chi2 <= n + _NOISE * np.sqrt(2 * n):  # a shift alone is enough
        verdict = _judged(_measured(alone), difference, x, y, examined.field)
        if verdict.verdict not in _MOVED:
            return verdict
    verdicts = [
        _judged(motion, difference, x, y, examined.field) for motion in _motions(examined, alone)
    ]
    first = verdicts[0]
    if any((v.verdict in _MOVED) != (first.verdict in _MOVED) for v in verdicts):
        return replace(first, verdict="unclear", sentence=_RIVALS, advice=_ASK)
    return first


@dataclass(frozen=True)
class _Motion:
    """The shift at a position, and how far it can be believed.

    Parameters
    ----------
    shift, error
        Science minus template (x, y) and its errors [px], with what the fit leaves in them.
    named
        Whether D needs a shift to be explained.
    raised
        By how much the errors were raised.
    excess
        χ² that the best account leaves beyond noise.
    """

    shift: tuple[float, float]
    error: tuple[float, float]
    named: bool = True
    raised: float = 1.0
    excess: float = 0.0

    @property
    def size(self) -> float:
        """Error of one component [px]."""
        return float(np.hypot(*self.error) / np.sqrt(2))

    def chi2(self, at: tuple[float, float] = (0.0, 0.0)) -> float:
        """Of a shift that is given."""
        return sum(((d - a) / e) ** 2 for d, a, e in zip(self.shift, at, self.error, strict=True))

    def believed(self, at: tuple[float, float] = (0.0, 0.0)) -> bool:
        """Whether a difference from a shift that is given is one of motion.

        A pattern of another kind (a PSF that does not match) is fitted by a shift in part. Then
        other causes explain D without it, or more is left than the shift explains.
        """
        named = self.named or (self.excess == 0 and self.chi2() <= MOVED)
        return named and self.chi2(at) * self.raised**2 > self.excess


def _motions(examined: Examination, alone: Fit) -> list[_Motion]:
    """The shift as D has it; two rival ones if D does not tell between them.

    A flux ratio or PSF width that is wrong, or a new source beside a star, would pass for a shift
    in part: such errors of the pair, and whatever explains D best, are fitted with it.
    """
    n = examined.window.n_pixels
    account = examined.account()
    choice = account.choice
    named = "shift" in choice.model.names
    way = examined.with_shift(choice)
    if way is None:
        return [_measured(alone, named, n)]
    model, fit = way
    cost = examined.cost(fit.chi2, model.dof)
    if choice.fit is not None:
        cost = min(cost, examined.cost(choice.fit.chi2, choice.model.dof))
    simple = _simple(examined, alone)
    dearer = cost - examined.cost(simple.chi2, len(simple.errors))
    left = min(fit.chi2, account.chi2_left) if named else fit.chi2
    rivals = [_measured(fit, named, n, left), _measured(simple, True, n)]
    if abs(dearer) > LEAST_GAIN:
        return [rivals[1 if dearer > 0 else 0]]
    return rivals


def _measured(
    fit: Fit, named: bool = True, n_pixels: int | None = None, left: float | None = None
) -> _Motion:
    """The shift of a fit; the χ² that is left raises its errors, unless it is noise."""
    shift = (fit.values["dx"], fit.values["dy"])
    error = (fit.errors["dx"], fit.errors["dy"])
    if n_pixels is None:
        return _Motion(shift, error)
    left = fit.chi2 if left is None else left
    noise = n_pixels + _NOISE * np.sqrt(2 * n_pixels)
    if left <= noise:
        return _Motion(shift, error, named)
    raised = float(np.sqrt(left / n_pixels))
    return _Motion(shift, (raised * error[0], raised * error[1]), named, raised, left - noise)


def _simple(examined: Examination, alone: Fit) -> Fit:
    """The shift with those errors of flux ratio and PSF width that are worth their parameters."""
    fits = [alone]
    for names in (("flux",), *(("flux", width) for width in WIDTHS)):
        fit = fit_residual(examined.window, ("dx", "dy", *names))
        if fit is not None:
            fits.append(fit)
    return min(fits, key=lambda fit: examined.cost(fit.chi2, len(fit.errors)))


def _judged(
    motion: _Motion, difference: Difference, x: float, y: float, field: FieldErrors | None
) -> Verdict:
    """The verdict on a motion."""

    def words(dx: float, dy: float) -> str:
        return direction_words(difference.plan.science.source, x, y, dx, dy)

    if field is None:
        return _by_itself(motion, words)
    common = (field.dx.value, field.dy.value)
    own = (motion.shift[0] - common[0], motion.shift[1] - common[1])
    pulls = (
        common.pull(d, e)
        for common, d, e in zip((field.dx, field.dy), motion.shift, motion.error, strict=True)
    )
    chi2 = float(sum(pull**2 for pull in pulls))
    n = len(field.positions)
    length = number(float(np.hypot(*own)), motion.size)
    if chi2 > MOVED and not motion.believed(common):
        said = (
            "unclear",
            f"It is not told whether it moved: a shift of {length} px against its {n} neighbours "
            f"would fit in part, but {_other(motion)}.",
            _ASK,
        )
    elif chi2 > MOVED:
        said = (
            "mover",
            f"It moved by itself: {length} px against its {n} neighbours, {words(*own)}.",
            "A proper motion, a moving object, or colour refraction; registering will not help.",
        )
    elif motion.chi2() > MOVED and (motion.believed() or field.shifted):
        said = (
            "misregistration",
            f"It shares the shift of its {n} neighbours, {words(*common)}: the field is off.",
            f"Register: move the template by ({common[0]:+.3f}, {common[1]:+.3f}) px.",
        )
    else:
        said = (
            "still",
            f"No significant shift: {words(*motion.shift)} (± {motion.size:.2g} px); its {n} "
            f"neighbours {words(*common)}.",
            _NOTHING,
        )
    name, sentence, advice = said
    return Verdict(
        name,
        motion.shift,
        motion.error,
        common,
        (field.dx.error, field.dy.error),
        (field.dx.scatter, field.dy.scatter),
        n,
        chi2,
        sentence,
        advice,
    )


def _by_itself(motion: _Motion, words: Callable[[float, float], str]) -> Verdict:
    """The verdict without neighbours."""
    own = words(*motion.shift)
    if motion.chi2() <= MOVED:
        said = "still", f"No significant shift: {own} (± {motion.size:.2g} px).", _NOTHING
    elif not motion.believed():
        sentence = (
            f"It is not told whether it moved: a shift by {own} would fit in part, but "
            f"{_other(motion)}."
        )
        said = "unclear", sentence, _ASK
    else:
        sentence = f"Shifted by {own}, with too few bright neighbours to compare with."
        said = "no_neighbours", sentence, "Compare with the shift of the whole frame."
    name, sentence, advice = said
    return Verdict(
        name,
        motion.shift,
        motion.error,
        _UNKNOWN,
        _UNKNOWN,
        _UNKNOWN,
        0,
        motion.chi2(),
        sentence,
        advice,
    )


def _other(motion: _Motion) -> str:
    """Why a shift is not believed."""
    if motion.named:
        return "that leaves more of D than it explains"
    return "other causes explain D without it"


def _without_light(sentence: str) -> Verdict:
    return Verdict(
        "no_light",
        _UNKNOWN,
        _UNKNOWN,
        _UNKNOWN,
        _UNKNOWN,
        _UNKNOWN,
        0,
        float("nan"),
        sentence,
        "Ask at the place of a source that is in both images.",
    )
