"""Which causes together are worth their parameters: the Bayesian information criterion.

The cost of an account is χ² + k ln n for k free parameters and n pixels. The cause that costs
least is taken first, then the one that costs least with it, as long as each pays for itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from zogy_explorer.diagnostics.explaining.field_errors import MOVED, Common, FieldErrors
from zogy_explorer.diagnostics.explaining.hypotheses import (
    FITTED,
    NOTHING,
    SHAPE,
    Hypotheses,
    Model,
    Way,
)
from zogy_explorer.diagnostics.explaining.residual_fit import WIDTHS, Fit
from zogy_explorer.diagnostics.local_pair import Plane

LEAST_GAIN = 5.0
"""Of a supported cause: with several to choose from, chance brings a little."""

_MOST_CAUSES = 4
_CANNOT_TELL = 4.0  # Δχ² below which a PSF that is wrong could be either image's
_LEAST_SHARE = 0.01  # of the excess χ², for a further cause to be worth naming
_RIVAL = 0.5  # of the gain of what was chosen: what explains that much deserves a second look
_LEAST_SCATTER = 0.01  # of the flux ratio from source to source: colours differ
_PLAUSIBLE = 0.4
"""Flux ratio or PSF width that a pair may be wrong by, unless neighbours say that it is more."""


@dataclass(frozen=True, eq=False)
class Choice:
    """What was tried and what was taken.

    Parameters
    ----------
    alone
        Each cause that can be fitted, by itself.
    model, fit
        Those that explain D together; ``fit`` is None if there are none.
    doubted
        Errors of the pair that alone would explain most of what these do, but by a size that is
        plausible only if the neighbours share it.
    """

    alone: dict[str, Way]
    model: Model
    fit: Fit | None
    doubted: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Chooser:
    """Weighs models against each other.

    Parameters
    ----------
    hypotheses
        Where the models come from.
    diff, chi2
        D in the window before anything is explained, white unit, and its χ².
    misfit
        χ² per pixel that counts as noise.
    field
        What the neighbours share, if known.
    """

    hypotheses: Hypotheses
    diff: Plane
    chi2: float
    misfit: float = 1.0
    field: FieldErrors | None = None

    def choose(self) -> Choice:
        """Every cause alone, and those that together are worth their parameters.

        A free difference of shape can imitate two simple causes at once, so that it is taken only
        if causes chosen without it are worse.
        """
        alone: dict[str, Way] = {}
        for name in (*FITTED, SHAPE):
            found = self.best(NOTHING, name, self.diff)
            if found is not None:
                alone[name] = found
        shape = alone.pop(SHAPE, None)
        model, fit = self._together(alone)
        if shape is not None:
            shaped = {**alone, "psf_width": shape}
            other, its = self._together(shaped)
            if other.shapes and self._cost_of(other, its) < self._cost_of(model, fit):
                alone, model, fit = shaped, other, its
        return Choice(alone, model, fit, self._doubted(model, fit))

    def gain(self, model: Model, fit: Fit | None) -> float:
        """By how much a model is cheaper than none."""
        return self._cost_of(NOTHING, None) - self._cost_of(model, fit)

    def _cost_of(self, model: Model, fit: Fit | None) -> float:
        """χ² and penalty, in units of χ² that a pixel has at best."""
        prior = self._prior(fit)
        if fit is None:
            return self.chi2 / self.misfit + prior
        return fit.chi2 / self.misfit + self.hypotheses.penalty * model.dof + prior

    def _cost(self, way: Way) -> float:
        return self._cost_of(*way)

    def _prior(self, fit: Fit | None) -> float:
        """χ² of a model's flux ratio and shift, fitted or as they are, against the neighbours'.

        A source's own motion is rare, but nothing else looks like it: it costs no more than its
        rarity. Its own change of flux is a new source on top, so that the flux ratio is theirs.
        """
        if self.field is None:
            return 0.0

        def pull(common: Common, name: str, least: float) -> float:
            common = replace(common, scatter=max(common.scatter, least))
            if fit is None or name not in fit.values:
                return common.pull(0.0, 0.0)
            return common.pull(fit.values[name], fit.errors[name])

        shift = sum(pull(getattr(self.field, axis), axis, 0.0) ** 2 for axis in ("dx", "dy"))
        return pull(self.field.flux, "flux", _LEAST_SCATTER) ** 2 + min(shift, MOVED)

    def _doubted(self, model: Model, fit: Fit | None) -> tuple[str, ...]:
        """Errors of the pair that rival a model, but are too large to be believed as yet."""
        least = max(_RIVAL * self.gain(model, fit), LEAST_GAIN)
        return tuple(
            name
            for name in ("flux", "psf_width")
            for way in self.hypotheses.ways(NOTHING, name, self.diff, self.misfit)
            if not self._plausible(way[1]) and self.gain(*way) > least
        )

    def _plausible(self, fit: Fit) -> bool:
        """Whether the errors of the pair are small, or nearly those of the neighbours."""
        error = fit.error
        common = {} if self.field is None else self.field.sizes
        for name in ("flux", *WIDTHS):
            size, theirs = getattr(error, name), common.get(name, 0.0)
            if min(abs(size), abs((1 + size) / (1 + theirs) - 1)) > _PLAUSIBLE:
                return False
        return True

    def best(self, model: Model, name: str, left: Plane) -> Way | None:
        """The best plausible way to add a cause."""
        ways = [
            way
            for way in self.hypotheses.ways(model, name, left, self.misfit)
            if self._plausible(way[1])
        ]
        if not ways:
            return None
        best, first = min(ways, key=self._cost), ways[0]
        if name == "psf_width" and first[1].chi2 < best[1].chi2 + _CANNOT_TELL * self.misfit:
            return first
        return best

    def _together(self, alone: dict[str, Way]) -> tuple[Model, Fit | None]:
        """Causes taken one after the other while each is worth its parameters."""
        model, fit = NOTHING, None
        excess = max(self.chi2 - self.hypotheses.window.n_pixels, 0.0)
        candidates = dict(alone)
        while candidates and len(model.names) < _MOST_CAUSES:
            way = min(candidates.values(), key=self._cost)
            before = self.chi2 if fit is None else fit.chi2
            fallen = before - way[1].chi2
            too_dear = self._cost(way) > self._cost_of(model, fit) - LEAST_GAIN
            if too_dear or fallen < _LEAST_SHARE * excess:
                break
            model, fit = way
            candidates = {}
            for other in alone:
                if other not in model.names:
                    found = self.best(model, other, fit.left)
                    if found is not None:
                        candidates[other] = found
        return model, fit
