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
from typing import Any

import numpy as np

from zogy_explorer.diagnostics.causes import Cause
from zogy_explorer.diagnostics.damage import damage_near
from zogy_explorer.diagnostics.field_errors import FieldErrors, field_errors
from zogy_explorer.diagnostics.local_pair import Corrected, Error, Plane
from zogy_explorer.diagnostics.residual_fit import WIDTHS, Added, Fit, fit_residual
from zogy_explorer.diagnostics.residual_window import (
    Field,
    cell_at,
    noise_excess,
    residual_window,
    wider_fwhm,
    window_box,
    window_radius,
)
from zogy_explorer.diagnostics.suspects import Hits, PointSource, Suspects
from zogy_explorer.diagnostics.wording import Finding, describe
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.geometry import Box

_MOST_CAUSES = 4
_CANNOT_TELL = 4.0  # Δχ² below which a PSF that is wrong could be either image's
_LEAST_GAIN = 5.0  # of a cause: with several to choose from, chance brings a little
_LEAST_SHARE = 0.01  # of the excess χ², for a further cause to be worth naming
_FITTED = (
    "shift",
    "flux",
    "psf_width",
    "background",
    "new_source",
    "cosmic_ray",
    "ringing",
)
_LEAST_SCATTER = 0.01  # of the flux ratio from source to source: colours differ
_MISFIT = 1.5  # reduced χ² of the best account from which no account is a good one
_SLIGHT = 0.35  # rms of a difference of PSF shape over the light's
_PLAUSIBLE = {"flux": 0.4, "psf_width": 0.4}
"""Largest errors of a pair that are still errors of a pair; a shift may be one FWHM."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What D shows around a position, and why.

    Parameters
    ----------
    x, y
        Position in the frame of the science image [px].
    causes
        Supported causes first, in the order in which they explain D; then the others that were
        tried, by what each would explain alone. "noise" comes first if D is consistent with it.
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
        widened; at least 1.
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
        A finished subtraction.
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
        If the position is off the frame or the radius is not a positive number.
    """
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


@dataclass(frozen=True, eq=False)
class _Model:
    """Causes taken together."""

    names: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    added: tuple[Added, ...] = ()
    dof: int = 0
    source: PointSource | None = None
    hits: Hits | None = None
    far: Hits | None = None
    shapes: tuple[Added, ...] = ()


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
        self.window = residual_window(difference.plan, cell, x, y, radius, frame)
        self.excess = noise_excess(cell)
        pair = self.window.pair
        self.fwhm = wider_fwhm(difference.plan)
        self.start: Corrected = pair.corrected(Error())
        self.reach = max(2.0, self.fwhm)
        rows, columns = np.mgrid[
            pair.window.y0 : pair.window.end_y, pair.window.x0 : pair.window.end_x
        ]
        self.core = np.hypot(columns - x, rows - y) <= self.reach
        self.suspects = Suspects(self.window, self.start, (x, y), self.reach)
        self.chi2 = self.window.chi2(self.start.diff)
        self.misfit = 1.0
        self.penalty = float(np.log(max(self.window.n_pixels, 2)))

    # --- models ----------------------------------------------------------------------------

    def extended(self, model: _Model, name: str, left: Plane) -> list[_Model]:
        """The model with one more cause; several where there are several ways."""

        def more(**changes: Any) -> _Model:
            called = "psf_width" if name == "psf_shape" else name
            return replace(model, names=(*model.names, called), **changes)

        if name == "shift":
            return [more(errors=(*model.errors, "dx", "dy"), dof=model.dof + 2)]
        if name == "flux":
            return [more(errors=(*model.errors, "flux"), dof=model.dof + 1)]
        if name == "psf_width":
            return [more(errors=(*model.errors, which), dof=model.dof + 1) for which in WIDTHS]
        if name == "psf_shape":
            shapes = self.suspects.shapes()
            added = (*model.added, *shapes)
            return [more(added=added, dof=model.dof + len(shapes), shapes=shapes)]
        if name == "background":
            level = self.suspects.level()
            return [more(added=(*model.added, level), dof=model.dof + 1)]
        if name == "new_source":
            source = self.suspects.point_source(left)
            if source is None:
                return []
            added = (*model.added, source.template)
            return [more(added=added, dof=model.dof + 3, source=source)]
        found = []
        if name == "ringing":
            floor = self.suspects.floor_residual()
            if floor is not None:
                found.append(more(added=(*model.added, floor), dof=model.dof + 1))
            for image in (0, 1):
                hits = self.suspects.far_hit(left, image=image)
                if hits is not None:
                    added = (*model.added, *hits.templates)
                    found.append(more(added=added, dof=model.dof + 3, far=hits))
            return found
        assert name == "cosmic_ray"
        for image in (0, 1):
            hits = self.suspects.hits(left, image=image, penalty=2 * self.penalty * self.misfit)
            if hits is not None:
                dof = model.dof + 1 + 2 * len(hits.pixels)
                found.append(more(added=(*model.added, *hits.templates), dof=dof, hits=hits))
        return found

    def fit(self, model: _Model) -> Fit | None:
        """Fit of a model; None if it cannot be told or is not plausible."""
        fit = fit_residual(self.window, model.errors, model.added)
        if fit is None or not self._plausible(fit):
            return None
        return fit

    def _plausible(self, fit: Fit) -> bool:
        error = fit.error
        return (
            np.hypot(error.dx, error.dy) <= self.fwhm
            and abs(error.flux) <= _PLAUSIBLE["flux"]
            and max(abs(error.width_science), abs(error.width_template)) <= _PLAUSIBLE["psf_width"]
        )

    def best(self, model: _Model, name: str, left: Plane) -> tuple[_Model, Fit] | None:
        """The best way to add a cause."""
        fits = [(m, self.fit(m)) for m in self.extended(model, name, left)]
        usable = [(m, fit) for m, fit in fits if fit is not None]
        if name == "ringing":
            usable = [(m, fit) for m, fit in usable if self._rings(m, fit, left)]
        usable = [(m, fit) for m, fit in usable if not m.shapes or self._slight(m, fit)]
        if not usable:
            return None
        best, first = min(usable, key=self._cost), usable[0]
        if name == "psf_width" and first[1].chi2 < best[1].chi2 + _CANNOT_TELL * self.misfit:
            return first
        return best

    def _cost(self, way: tuple[_Model, Fit]) -> float:
        """χ² and penalty, in units of χ² that a pixel has at best."""
        model, fit = way
        return fit.chi2 / self.misfit + self.penalty * model.dof + self._unshared(fit)

    def _unshared(self, fit: Fit) -> float:
        """χ² of a flux ratio that the neighbours do not have."""
        if "flux" not in fit.values or self.field is None:
            return 0.0
        common = self.field.flux
        common = replace(common, scatter=max(common.scatter, _LEAST_SCATTER))
        return common.pull(fit.values["flux"], fit.errors["flux"]) ** 2

    def _rings(self, model: _Model, fit: Fit, left: Plane) -> bool:
        """Whether ringing explains D at the position itself, and no more than it may."""
        if model.far is None and not 0.5 <= fit.values["ringing"] <= 2.0:
            return False  # what the floor leaves is known: its amplitude is 1
        plane = model.added[-1].plane * fit.values["ringing"]
        before, after = (self.window.chi2(p * self.core) for p in (left, left - plane))
        return before - after > self.penalty * self.misfit * (1 if model.far is None else 3)

    def _slight(self, model: _Model, fit: Fit) -> bool:
        """Whether a difference of shape is small against the light that has it."""
        plane = sum((fit.values[t.name] * t.plane for t in model.shapes), np.zeros(()))
        light = model.shapes[0].light
        assert light is not None
        return self.window.chi2(plane) < _SLIGHT**2 * self.window.chi2(light)

    # --- the answer ------------------------------------------------------------------------

    def explanation(self) -> Explanation:
        damaged = self._damaged()
        alone, chosen, fit = self._attempt()
        if self.field is None and {"shift", "flux"} & set(chosen.names):
            self.field = field_errors(self.difference, self.x, self.y)
            if self.field is not None and "flux" in chosen.names:
                alone, chosen, fit = self._attempt()
        accounts = [self.chi2, *(f.chi2 for _, f in alone.values())]
        accounts += [self.chi2 - known.delta_chi2 for known in damaged]
        best = min([*accounts, *([] if fit is None else [fit.chi2])])
        self.misfit = max(best / max(self.window.n_pixels, 1), 1.0)
        if self.misfit > _MISFIT:  # nothing fits: what is left is no noise, and counts as error
            alone, chosen, fit = self._attempt()
            damaged = self._damaged()
        gain = max((self._gain(m, f) for m, f in alone.values()), default=0.0)
        left, chi2_left = self.start.diff, self.chi2
        if damaged and damaged[0].plane is not None and damaged[0].gain > max(gain, _LEAST_GAIN):
            chosen, fit = _Model(), None
            damaged[0] = replace(damaged[0], supported=True)
            left = left - damaged[0].plane
            chi2_left -= damaged[0].delta_chi2
        elif fit is not None:
            left, chi2_left = fit.left, fit.chi2
        findings = []
        for name, (m, f) in alone.items():
            supported = name in chosen.names
            of, its = (chosen, fit) if supported else (m, f)
            findings.append(
                Finding(
                    name=name,
                    delta_chi2=self.chi2 - f.chi2,
                    gain=self._gain(m, f),
                    supported=supported,
                    fit=its,
                    source=of.source,
                    hits=of.hits,
                    far=of.far,
                    shapes=of.shapes,
                )
            )
        for known in damaged:  # a hit may be both fitted and flagged: the better account stays
            same = next((f for f in findings if f.name == known.name), None)
            if same is None or (known.gain > same.gain and not same.supported):
                findings = [f for f in findings if f is not same]
                findings.append(known)
        order = {name: i for i, name in enumerate(chosen.names)}
        findings.sort(
            key=lambda f: (not f.supported, order.get(f.name, -1 if f.supported else 0), -f.gain)
        )
        if not any(f.supported for f in findings):
            findings.insert(0, Finding(name="noise", delta_chi2=0.0, gain=0.0, supported=True))
        causes = tuple(describe(f, self) for f in findings)
        unit = 1 / self.cell.flux_diff
        return Explanation(
            x=self.x,
            y=self.y,
            causes=causes,
            window=self.window.pair.window,
            radius=self.radius,
            chi2=self.chi2,
            n_pixels=self.window.n_pixels,
            chi2_left=chi2_left,
            noise_excess=self.excess,
            misfit=self.misfit,
            cell=self.cell.cell.name,
            diff=self.start.diff * unit,
            model=(self.start.diff - left) * unit,
        )

    def _attempt(self) -> tuple[dict[str, tuple[_Model, Fit]], _Model, Fit | None]:
        """Every cause alone, and those that together are worth their parameters.

        A free difference of shape can imitate two simple causes at once, so that it is taken only
        if causes chosen without it are worse.
        """
        alone = {}
        for name in (*_FITTED, "psf_shape"):
            found = self.best(_Model(), name, self.start.diff)
            if found is not None:
                alone[name] = found
        shape = alone.pop("psf_shape", None)
        chosen, fit = self._chosen(alone)
        if shape is None:
            return alone, chosen, fit
        shaped = {**alone, "psf_width": shape}
        other, its = self._chosen(shaped)
        cost = self.chi2 / self.misfit if fit is None else self._cost((chosen, fit))
        if other.shapes and its is not None and self._cost((other, its)) < cost:
            return shaped, other, its
        return alone, chosen, fit

    def _gain(self, model: _Model, fit: Fit) -> float:
        return self.chi2 / self.misfit - self._cost((model, fit))

    def _chosen(self, alone: dict[str, tuple[_Model, Fit]]) -> tuple[_Model, Fit | None]:
        """Causes taken one after the other while each is worth its parameters."""
        model, fit = _Model(), None
        excess = max(self.chi2 - self.window.n_pixels, 0.0)
        candidates = dict(alone)
        while candidates and len(model.names) < _MOST_CAUSES:
            m, f = min(candidates.values(), key=self._cost)
            before = self.chi2 if fit is None else fit.chi2
            fallen = before - f.chi2
            cost = self.chi2 / self.misfit if fit is None else self._cost((model, fit))
            if self._cost((m, f)) > cost - _LEAST_GAIN or fallen < _LEAST_SHARE * excess:
                break
            model, fit = m, f
            candidates = {}
            for other in alone:
                if other not in model.names:
                    found = self.best(model, other, fit.left)
                    if found is not None:
                        candidates[other] = found
        return model, fit

    def _damaged(self) -> list[Finding]:
        """Known bad pixels by kind, those that explain most first."""
        box, reach = self.window.pair.window, int(np.ceil(self.reach)) + 2
        wide = Box(box.x0 - reach, box.y0 - reach, box.width + 2 * reach, box.height + 2 * reach)
        sigmas = (self.cell.sigma_science, self.cell.sigma_template)
        plan = self.difference.plan
        damage = damage_near(plan, wide, sigmas).with_edge(plan, (self.x, self.y), self.reach)
        findings = []
        for kind, pixels in damage.pixels.items():
            delta, rank, plane = self.suspects.damage(self.start.diff, pixels)
            findings.append(
                Finding(
                    name=kind,
                    delta_chi2=delta,
                    # That these pixels are bad is known, so that they pay only for what free
                    # values explain by chance: χ² of ``rank`` degrees of freedom.
                    gain=delta / self.misfit - rank - 3 * np.sqrt(2 * rank) - self.penalty,
                    supported=False,
                    pixels=pixels,
                    planes=damage.planes.get(kind, ()),
                    plane=plane,
                )
            )
        return sorted(findings, key=lambda finding: -finding.gain)
