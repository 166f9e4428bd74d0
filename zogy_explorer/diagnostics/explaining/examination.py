"""One position, examined: what was tried there, what the neighbours say, and what explains D."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zogy_explorer.diagnostics.explaining.choice import LEAST_GAIN, Choice, Chooser
from zogy_explorer.diagnostics.explaining.damage import damage_near
from zogy_explorer.diagnostics.explaining.field_errors import FieldErrors, field_errors
from zogy_explorer.diagnostics.explaining.findings import Finding
from zogy_explorer.diagnostics.explaining.hypotheses import NOTHING, Hypotheses, Way
from zogy_explorer.diagnostics.explaining.residual_window import (
    Field,
    noise_excess,
    residual_window,
    wider_fwhm,
)
from zogy_explorer.diagnostics.explaining.suspects import Suspects
from zogy_explorer.diagnostics.local_pair import Error, Plane
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.geometry import Box

MISFIT = 1.5
"""Reduced χ² of the best account from which no account is a good one."""

_NO_NOISE = 8.0  # σ of χ² from which D is no noise even if nothing explains it


@dataclass(frozen=True, eq=False)
class Account:
    """What explains D.

    Parameters
    ----------
    choice
        Of the causes that are fitted; empty if known damage explains D better.
    damaged
        Known bad pixels by kind, those that explain most first.
    left, chi2_left
        What is left of D in the window, white unit, and its χ².
    """

    choice: Choice
    damaged: tuple[Finding, ...]
    left: Plane
    chi2_left: float

    @property
    def by_damage(self) -> bool:
        """Whether known bad pixels explain D."""
        return any(finding.supported for finding in self.damaged)


class Examination:
    """One position of a difference.

    Parameters
    ----------
    difference, cell
        The subtraction and the cell of the position, which worked.
    x, y
        Position in the frame of the science image [px].
    radius
        Of the window [px]; 2.5 FWHM of the wider PSF by default.
    field
        What the neighbours share, if it is known already.
    """

    def __init__(
        self,
        difference: Difference,
        cell: CellResult,
        x: float,
        y: float,
        radius: float | None = None,
        field: FieldErrors | None = None,
    ) -> None:
        self.difference, self.cell = difference, cell
        self.field = field
        self.x, self.y = x, y
        variance = difference.diff.variance
        assert variance is not None  # every difference has it
        plan = difference.plan
        frame = Field(variance, plan.bbox)
        self.excess = noise_excess(plan, cell)
        self.window = residual_window(plan, cell, x, y, radius, frame, self.excess)
        start = self.window.pair.corrected(Error(), ("flux",))
        self.diff = start.diff
        self.chi2 = self.window.chi2(self.diff)
        self.misfit = 1.0
        fwhm = wider_fwhm(plan)
        self._hypotheses = Hypotheses(self.window, start, (x, y), fwhm, plan.bbox)

    @property
    def pull(self) -> float:
        """By how many σ χ² is larger than that of noise."""
        n = self.window.n_pixels
        return float((self.chi2 - n) / np.sqrt(2 * n)) if n else 0.0

    @property
    def suspects(self) -> Suspects:
        """What may have been added to an image here."""
        return self._hypotheses.suspects

    def account(self) -> Account:
        """What explains D, after a look at the neighbours where they matter."""
        choice, damaged = self._choice_by_neighbours(), self._damaged()
        left = [self.chi2, *(fit.chi2 for _, fit in choice.alone.values())]
        left += [self.chi2 - known.delta_chi2 for known in damaged]
        left += [] if choice.fit is None else [choice.fit.chi2]
        self.misfit = max(min(left) / max(self.window.n_pixels, 1), 1.0)
        if self.misfit > MISFIT:  # nothing fits: what is left is no noise, and counts as error
            choice, damaged = self._chooser().choose(), self._damaged()
        return self._settled(choice, damaged)

    def with_shift(self, choice: Choice) -> Way | None:
        """What was chosen, and a shift with it; None if no shift can be told.

        The place of a point source is free, so that its error is in that of the shift.
        """
        way: Way | None
        if choice.fit is not None and "shift" in choice.model.names:
            way = choice.model, choice.fit
        else:
            left = self.diff if choice.fit is None else choice.fit.left
            way = self._chooser().best(choice.model, "shift", left)
        return None if way is None else self._hypotheses.placed(way, free=True)

    def cost(self, chi2: float, dof: int) -> float:
        """By the Bayesian information criterion, of an account that leaves χ²."""
        return chi2 / self.misfit + self._hypotheses.penalty * dof

    def findings(self, account: Account) -> list[Finding]:
        """All that was tried: supported first, in the order in which it was taken."""
        choice, chooser = account.choice, self._chooser()
        findings = []
        for name, (model, fit) in choice.alone.items():
            supported = name in choice.model.names
            of, its = (choice.model, choice.fit) if supported else (model, fit)
            findings.append(
                Finding(
                    name=name,
                    delta_chi2=self.chi2 - fit.chi2,
                    gain=chooser.gain(model, fit),
                    supported=supported,
                    fit=its,
                    source=of.source,
                    hits=of.hits,
                    far=of.far,
                    edge=of.edge,
                    shapes=of.shapes,
                )
            )
        for known in account.damaged:  # a hit may be fitted and flagged: the better account stays
            same = next((f for f in findings if f.name == known.name), None)
            if same is None or known.supported or (known.gain > same.gain and not same.supported):
                findings = [f for f in findings if f is not same]
                findings.append(known)
        order = {name: i for i, name in enumerate(choice.model.names)}
        findings.sort(key=lambda f: (not f.supported, order.get(f.name, len(order)), -f.gain))
        if not any(f.supported for f in findings):
            name = "unexplained" if self.pull > _NO_NOISE else "noise"
            findings.insert(0, Finding(name=name, delta_chi2=0.0, gain=0.0, supported=True))
        return findings

    def _chooser(self) -> Chooser:
        return Chooser(self._hypotheses, self.diff, self.chi2, self.misfit, self.field)

    def _choice_by_neighbours(self) -> Choice:
        """What is chosen, if need be with what the neighbours share."""
        choice = self._chooser().choose()
        widths = "psf_width" in choice.doubted
        known = self.field is not None and (bool(self.field.widths) or not widths)
        if known or not self._concerns_neighbours(choice):
            return choice
        self.field = field_errors(self.difference, self.x, self.y, widths=widths) or self.field
        return choice if self.field is None else self._chooser().choose()

    def _concerns_neighbours(self, choice: Choice) -> bool:
        """Whether what was chosen may be an error of the pair, which they would share.

        A star that is new in part and one whose flux ratio is wrong look alike.
        """
        named = set(choice.model.names)
        pair = bool(named & {"shift", "flux"}) or bool(choice.doubted)
        return pair or ("new_source" in named and "flux" in choice.alone)

    def _settled(self, choice: Choice, damaged: list[Finding]) -> Account:
        """The choice, unless known damage explains D, or what the first cause leaves, better."""
        chooser = self._chooser()
        gain = max((chooser.gain(*way) for way in choice.alone.values()), default=0.0)
        if damaged and damaged[0].gain > max(gain, LEAST_GAIN):
            nothing = replace(choice, model=NOTHING, fit=None)
            return self._with_damage(nothing, damaged, damaged[0])
        if choice.fit is None:
            return Account(choice, tuple(damaged), self.diff, self.chi2)
        first = choice.model.names[0]
        if first in choice.alone and damaged:
            model, fit = choice.alone[first]
            left = (self._finding(d, fit.left) for d in damaged if d.name != first)
            worst = max(left, key=lambda found: found.gain, default=None)
            least = max(chooser.gain(choice.model, choice.fit) - chooser.gain(model, fit), 0.0)
            if worst is not None and worst.gain > least + LEAST_GAIN:
                return self._with_damage(replace(choice, model=model, fit=fit), damaged, worst)
        return Account(choice, tuple(damaged), choice.fit.left, choice.fit.chi2)

    def _with_damage(self, choice: Choice, damaged: list[Finding], worst: Finding) -> Account:
        """What was chosen, and damage of one kind that explains what it leaves."""
        assert worst.plane is not None
        known = tuple(
            replace(found, supported=True) if found.name == worst.name else found
            for found in damaged
        )
        left = (self.diff if choice.fit is None else choice.fit.left) - worst.plane
        return Account(choice, known, left, self.window.chi2(left))

    def _damaged(self) -> list[Finding]:
        """Known bad pixels by kind, those that explain most first."""
        hypotheses = self._hypotheses
        box, reach = self.window.pair.window, int(np.ceil(hypotheses.reach)) + 2
        wide = Box(box.x0 - reach, box.y0 - reach, box.width + 2 * reach, box.height + 2 * reach)
        sigmas = (self.cell.sigma_science, self.cell.sigma_template)
        plan = self.difference.plan
        damage = damage_near(plan, wide, sigmas)
        damage = damage.with_edge(plan, (self.x, self.y), 2 * hypotheses.reach)
        found = (
            Finding(kind, 0.0, 0.0, False, pixels=pixels, planes=damage.planes.get(kind, ()))
            for kind, pixels in damage.pixels.items()
        )
        weighed = [self._finding(kind, self.diff) for kind in found]
        return sorted(weighed, key=lambda finding: -finding.gain)

    def _finding(self, damage: Finding, left: Plane) -> Finding:
        """What free values of damaged pixels would explain of what is left."""
        delta, rank, plane = self.suspects.damage(left, damage.pixels)
        # That these pixels are bad is known, so that they pay only for what free values explain
        # by chance: χ² of ``rank`` degrees of freedom.
        chance = rank + 3 * np.sqrt(2 * rank) + self._hypotheses.penalty
        gain = float(delta / self.misfit - chance)
        return replace(damage, delta_chi2=delta, gain=gain, plane=plane)
