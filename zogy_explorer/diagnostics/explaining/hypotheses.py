"""What may be wrong around one position, alone or together, and how well each account fits D."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zogy_explorer.diagnostics.explaining.residual_fit import (
    WIDTHS,
    Added,
    Fit,
    Window,
    fit_residual,
)
from zogy_explorer.diagnostics.explaining.suspects import Edge, Hits, PointSource, Suspects
from zogy_explorer.diagnostics.local_pair import Corrected, Plane
from zogy_explorer.geometry import Box

FITTED = (
    "shift",
    "flux",
    "psf_width",
    "background",
    "new_source",
    "cosmic_ray",
    "ringing",
)
"""Names of the causes that are fitted."""

SHAPE = "psf_shape"
"""A free difference of the PSFs' shapes: the cause "psf_width" in another guise."""

_STRIPS = 3  # of the window along an edge: a residual of one place fills no more than one
_LEAST_OF_STRIP = 0.25  # of an even share of what the edge explains
_FAINT = 5.0  # σ of D: light from which a residual may be of its own kind
_OF_STEP = 3.0  # that a step itself makes of such light, in units of its own height in D
_ALIKE = ("shift", "new_source")  # which take each other's place
_PLACINGS = 4
_PLACED = 0.02  # [px] of a step, below which derivatives stand for the place
_SLIGHT = 0.35  # rms of a difference of PSF shape over the light's


@dataclass(frozen=True, eq=False)
class Model:
    """Causes taken together.

    Parameters
    ----------
    names
        Of the causes, in the order in which they were taken.
    errors, added
        What is fitted.
    dof
        Free parameters, places included.
    source, hits, far, edge, shapes
        What was found for those causes that have a place.
    """

    names: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    added: tuple[Added, ...] = ()
    dof: int = 0
    source: PointSource | None = None
    hits: Hits | None = None
    far: Hits | None = None
    edge: Edge | None = None
    shapes: tuple[Added, ...] = ()


NOTHING = Model()
"""No cause; one object, since models are known by identity."""

Way = tuple[Model, Fit]
"""A model with its fit."""


class Hypotheses:
    """Models of D around a position; each is fitted once, however often it is asked for.

    Parameters
    ----------
    window
        Where D is looked at.
    start
        The pair as it is.
    position
        (x, y) that is asked about [px].
    fwhm
        Of the wider PSF [px].
    frame
        Pixels that the images have: nothing that was added to one lies elsewhere.
    """

    def __init__(
        self,
        window: Window,
        start: Corrected,
        position: tuple[float, float],
        fwhm: float,
        frame: Box,
    ) -> None:
        self.window, self._fwhm, self._frame = window, fwhm, frame
        self.reach = max(2.0, fwhm)
        self.penalty = float(np.log(max(window.n_pixels, 2)))
        self.suspects = Suspects(window, start, position, self.reach, frame)
        box = window.pair.window
        rows, columns = np.mgrid[box.y0 : box.end_y, box.x0 : box.end_x]
        self._core = np.hypot(columns - position[0], rows - position[1]) <= self.reach
        self._known: dict[tuple[Model, str, float], tuple[Way, ...]] = {}

    def ways(self, model: Model, name: str, left: Plane, misfit: float) -> tuple[Way, ...]:
        """The model with one more cause, in each way that fits.

        Parameters
        ----------
        model, left
            Causes taken before, and what they leave of D.
        name
            Of the further cause; one of `FITTED` or `SHAPE`.
        misfit
            χ² per pixel that counts as noise.
        """
        # Only what hits are worth depends on the misfit.
        key = (model, name, misfit if name in ("cosmic_ray", "ringing") else 1.0)
        if key not in self._known:
            fits = (self._fitted(m, name) for m in self._extended(model, name, left, misfit))
            self._known[key] = tuple(
                way for way in fits if way is not None and self._credible(name, *way, left, misfit)
            )
        return self._known[key]

    def placed(self, way: Way, *, free: bool = False) -> Way:
        """A way whose point source lies where it fits best together with all other causes.

        `ways` holds a source where it explained most of what was left then. An error of that
        place looks like a shift of the light beside it.

        Parameters
        ----------
        way
            A model and its fit.
        free
            Whether the place counts as a parameter of the fit, so that other errors are honest.
        """
        model, fit = way
        if model.source is None:
            return way
        rest = tuple(t for t in model.added if t is not model.source.template)
        source, found = model.source, None
        for _ in range(_PLACINGS):
            added = (*rest, source.template, *source.slopes)
            found = fit_residual(self.window, model.errors, added)
            if found is None or not found.values["source"]:
                return way
            steps = [found.values[t.name] / found.values["source"] for t in source.slopes]
            if max(abs(step) for step in steps) < _PLACED:
                break
            x, y = source.x + _small(steps[0]), source.y + _small(steps[1])
            if not self._frame.contains_point(x, y):
                return way
            moved = self.suspects.source_at(x, y)
            source = replace(source, x=x, y=y, template=moved.template, slopes=moved.slopes)
        added = (*rest, source.template, *(source.slopes if free else ()))
        placed = replace(model, added=added, source=source)
        fit = self._fit(placed) or fit
        return (placed, fit) if fit is not way[1] else way

    def _extended(self, model: Model, name: str, left: Plane, misfit: float) -> list[Model]:
        def more(**changes: Any) -> Model:
            called = "psf_width" if name == SHAPE else name
            return replace(model, names=(*model.names, called), **changes)

        if name == "shift":
            return [more(errors=(*model.errors, "dx", "dy"), dof=model.dof + 2)]
        if name == "flux":
            return [more(errors=(*model.errors, "flux"), dof=model.dof + 1)]
        if name == "psf_width":
            return [more(errors=(*model.errors, which), dof=model.dof + 1) for which in WIDTHS]
        if name == SHAPE:
            shapes = self.suspects.shapes()
            added = (*model.added, *shapes)
            return [more(added=added, dof=model.dof + len(shapes), shapes=shapes)]
        if name == "background":
            level = self.suspects.level()
            found = [more(added=(*model.added, level), dof=model.dof + 1)]
            edge = self.suspects.edge(left)
            if edge is not None:
                added = (*model.added, *edge.templates)
                found.append(more(added=added, dof=model.dof + 3, edge=edge))
            return found
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
            hits = self.suspects.hits(left, image=image, penalty=2 * self.penalty * misfit)
            if hits is not None:
                dof = model.dof + 1 + 2 * len(hits.pixels)
                found.append(more(added=(*model.added, *hits.templates), dof=dof, hits=hits))
        return found

    def _fitted(self, model: Model, name: str) -> Way | None:
        """A model with its fit, after a further cause."""
        fit = self._fit(model)
        if fit is None or len(model.names) == 1 or name not in _ALIKE:
            return None if fit is None else (model, fit)
        return self.placed((model, fit))

    def _fit(self, model: Model) -> Fit | None:
        """Fit of a model; None if it cannot be told, or moves the light by more than one FWHM."""
        fit = fit_residual(self.window, model.errors, model.added)
        if fit is None or np.hypot(fit.error.dx, fit.error.dy) > self._fwhm:
            return None
        return fit

    def _credible(self, name: str, model: Model, fit: Fit, left: Plane, misfit: float) -> bool:
        if name == "ringing" and not self._rings(model, fit, left, misfit):
            return False
        if name == "background" and model.edge is not None and not self._runs(model, fit, left):
            return False
        return not model.shapes or self._slight(model, fit)

    def _runs(self, model: Model, fit: Fit, left: Plane) -> bool:
        """Whether an edge explains something all along its run, and not only on bright light."""
        assert model.edge is not None
        plane = sum(
            (fit.values[t.name] * t.plane for t in model.edge.templates), np.zeros(left.shape)
        )
        window = self.window
        gain = np.zeros(left.shape)
        gain[window.used] = window.weight * (left**2 - (left - plane) ** 2)[window.used]
        light = self.suspects.light()
        bright = light - np.median(light) > _FAINT + _OF_STEP * np.ptp(plane)
        along = np.where(bright, 0.0, gain).sum(axis=1 if model.edge.along == "x" else 0)
        strips = [part.sum() for part in np.array_split(along, _STRIPS)]
        return min(strips) > _LEAST_OF_STRIP * gain.sum() / _STRIPS

    def _rings(self, model: Model, fit: Fit, left: Plane, misfit: float) -> bool:
        """Whether ringing explains D at the position itself, and no more than it may."""
        if model.far is None and not 0.5 <= fit.values["ringing"] <= 2.0:
            return False  # what the floor leaves is known: its amplitude is 1
        if model.far is not None:
            seen = self.suspects.charge(model.far.image, model.far.pixels[0])
            if not 0.5 * abs(seen) <= abs(fit.values["ringing"]) <= 2.0 * abs(seen):
                return False  # a charge that the image does not have
        plane = model.added[-1].plane * fit.values["ringing"]
        before, after = (self.window.chi2(p * self._core) for p in (left, left - plane))
        return before - after > self.penalty * misfit * (1 if model.far is None else 3)

    def _slight(self, model: Model, fit: Fit) -> bool:
        """Whether a difference of shape is small against the light that has it."""
        plane = sum((fit.values[t.name] * t.plane for t in model.shapes), np.zeros(()))
        light = model.shapes[0].light
        assert light is not None
        return self.window.chi2(plane) < _SLIGHT**2 * self.window.chi2(light)


def _small(step: float) -> float:
    """A step of a place no larger than its derivatives are good for [px]."""
    return float(np.clip(step, -0.5, 0.5))
