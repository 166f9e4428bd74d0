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

from dataclasses import dataclass, field, replace

import numpy as np

from zogy_explorer.diagnostics.asked import difference_of, position
from zogy_explorer.diagnostics.causes import Cause
from zogy_explorer.diagnostics.choice import LEAST_GAIN, Choice, Chooser
from zogy_explorer.diagnostics.damage import damage_near
from zogy_explorer.diagnostics.field_errors import FieldErrors, field_errors
from zogy_explorer.diagnostics.findings import Finding
from zogy_explorer.diagnostics.hypotheses import Hypotheses, Model
from zogy_explorer.diagnostics.local_pair import Error, Plane
from zogy_explorer.diagnostics.residual_fit import Fit
from zogy_explorer.diagnostics.residual_window import (
    Field,
    cell_at,
    noise_excess,
    residual_window,
    wider_fwhm,
    window_box,
    window_radius,
)
from zogy_explorer.diagnostics.wording import describe
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.geometry import Box

_NO_NOISE = 8.0  # σ of χ² from which D is no noise even if nothing explains it
_MISFIT = 1.5  # reduced χ² of the best account from which no account is a good one


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
        Where the cell failed, its one cause is "masked" and says why the cell failed.

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
    return _Inquiry(difference, cell, x, y, radius, field).explanation()


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


class _Inquiry:
    """One call of `explain`."""

    def __init__(
        self,
        difference: Difference,
        cell: CellResult,
        x: float,
        y: float,
        radius: float,
        field: FieldErrors | None,
    ) -> None:
        self.difference, self.cell = difference, cell
        self.field = field
        self.x, self.y, self.radius = x, y, radius
        variance = difference.diff.variance
        assert variance is not None  # every difference has it
        frame = Field(variance, difference.plan.bbox)
        self.excess = noise_excess(difference.plan, cell)
        self.window = residual_window(difference.plan, cell, x, y, radius, frame, self.excess)
        start = self.window.pair.corrected(Error(), ("flux",))
        self.diff = start.diff
        self.chi2 = self.window.chi2(self.diff)
        self.misfit = 1.0
        fwhm = wider_fwhm(difference.plan)
        self._hypotheses = Hypotheses(self.window, start, (x, y), fwhm)

    @property
    def pull(self) -> float:
        """By how many σ χ² is larger than that of noise."""
        n = self.window.n_pixels
        return float((self.chi2 - n) / np.sqrt(2 * n)) if n else 0.0

    def explanation(self) -> Explanation:
        choice, damaged = self._choice(), self._damaged()
        if self.field is None and self._concerns_neighbours(choice):
            self.field = field_errors(self.difference, self.x, self.y)
            if self.field is not None and "flux" in choice.alone:
                choice = self._choice()
        accounts = [self.chi2, *(fit.chi2 for _, fit in choice.alone.values())]
        accounts += [self.chi2 - known.delta_chi2 for known in damaged]
        accounts += [] if choice.fit is None else [choice.fit.chi2]
        self.misfit = max(min(accounts) / max(self.window.n_pixels, 1), 1.0)
        if self.misfit > _MISFIT:  # nothing fits: what is left is no noise, and counts as error
            choice, damaged = self._choice(), self._damaged()
        gain = max((self._gain(*way) for way in choice.alone.values()), default=0.0)
        left, chi2_left = self.diff, self.chi2
        if damaged and damaged[0].plane is not None and damaged[0].gain > max(gain, LEAST_GAIN):
            choice = replace(choice, model=Model(), fit=None)
            damaged[0] = replace(damaged[0], supported=True)
            left = left - damaged[0].plane
            chi2_left -= damaged[0].delta_chi2
        elif choice.fit is not None:
            left, chi2_left = choice.fit.left, choice.fit.chi2
        unit = 1 / self.cell.flux_diff
        return Explanation(
            x=self.x,
            y=self.y,
            causes=tuple(describe(f, self) for f in self._ranked(choice, damaged)),
            window=self.window.pair.window,
            radius=self.radius,
            chi2=self.chi2,
            n_pixels=self.window.n_pixels,
            chi2_left=chi2_left,
            noise_excess=self.excess,
            misfit=self.misfit,
            cell=self.cell.cell.name,
            diff=self.diff * unit,
            model=(self.diff - left) * unit,
        )

    def _chooser(self) -> Chooser:
        return Chooser(self._hypotheses, self.diff, self.chi2, self.misfit, self.field)

    def _concerns_neighbours(self, choice: Choice) -> bool:
        """Whether what was chosen may be an error of the pair, which they would share.

        A star that is new in part and one whose flux ratio is wrong look alike.
        """
        named = set(choice.model.names)
        return bool(named & {"shift", "flux"}) or ("new_source" in named and "flux" in choice.alone)

    def _choice(self) -> Choice:
        return self._chooser().choose()

    def _gain(self, model: Model, fit: Fit) -> float:
        return self._chooser().gain(model, fit)

    def _ranked(self, choice: Choice, damaged: list[Finding]) -> list[Finding]:
        """All that was found: supported first, in the order in which it was taken."""
        findings = []
        for name, (model, fit) in choice.alone.items():
            supported = name in choice.model.names
            of, its = (choice.model, choice.fit) if supported else (model, fit)
            findings.append(
                Finding(
                    name=name,
                    delta_chi2=self.chi2 - fit.chi2,
                    gain=self._gain(model, fit),
                    supported=supported,
                    fit=its,
                    source=of.source,
                    hits=of.hits,
                    far=of.far,
                    edge=of.edge,
                    shapes=of.shapes,
                )
            )
        for known in damaged:  # a hit may be both fitted and flagged: the better account stays
            same = next((f for f in findings if f.name == known.name), None)
            if same is None or (known.gain > same.gain and not same.supported):
                findings = [f for f in findings if f is not same]
                findings.append(known)
        order = {name: i for i, name in enumerate(choice.model.names)}
        findings.sort(
            key=lambda f: (not f.supported, order.get(f.name, -1 if f.supported else 0), -f.gain)
        )
        if not any(f.supported for f in findings):
            name = "unexplained" if self.pull > _NO_NOISE else "noise"
            findings.insert(0, Finding(name=name, delta_chi2=0.0, gain=0.0, supported=True))
        return findings

    def _damaged(self) -> list[Finding]:
        """Known bad pixels by kind, those that explain most first."""
        hypotheses = self._hypotheses
        box, reach = self.window.pair.window, int(np.ceil(hypotheses.reach)) + 2
        wide = Box(box.x0 - reach, box.y0 - reach, box.width + 2 * reach, box.height + 2 * reach)
        sigmas = (self.cell.sigma_science, self.cell.sigma_template)
        plan = self.difference.plan
        damage = damage_near(plan, wide, sigmas)
        damage = damage.with_edge(plan, (self.x, self.y), 2 * hypotheses.reach)
        findings = []
        for kind, pixels in damage.pixels.items():
            delta, rank, plane = hypotheses.suspects.damage(self.diff, pixels)
            findings.append(
                Finding(
                    name=kind,
                    delta_chi2=delta,
                    # That these pixels are bad is known, so that they pay only for what free
                    # values explain by chance: χ² of ``rank`` degrees of freedom.
                    gain=delta / self.misfit - rank - 3 * np.sqrt(2 * rank) - hypotheses.penalty,
                    supported=False,
                    pixels=pixels,
                    planes=damage.planes.get(kind, ()),
                    plane=plane,
                )
            )
        return sorted(findings, key=lambda finding: -finding.gain)
