"""`InjectStudy`: put sources of known flux into the science image and see what comes back."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import param

from zogy_explorer.engine import CellResult, SubtractionPlan, ZogyConfig, plan, subtract_cell
from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.engine.forced import forced_in_cell
from zogy_explorer.engine.plan import Settings
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box
from zogy_explorer.simulate import Completeness, completeness, inject
from zogy_explorer.simulate.recovery_trial import counts_per_flux
from zogy_explorer.ui.live import Progress, frame_pool
from zogy_explorer.ui.state import Frame
from zogy_explorer.ui.studies.study import Study
from zogy_explorer.ui.work import plain_settings

if TYPE_CHECKING:
    from zogy_explorer.ui.session import Session

_SEED = 20160101
LEVELS = np.geomspace(0.4, 2.2, 9)
"""Fluxes of a completeness curve, over the flux that reaches the threshold on average."""


@dataclass(frozen=True)
class Injected:
    """A source that was put into the science image.

    Parameters
    ----------
    x, y
        Where [px].
    flux
        [calibrated unit].
    """

    x: float
    y: float
    flux: float


@dataclass(frozen=True)
class Recovered:
    """What came back of an injected source; fluxes in the calibrated unit.

    Parameters
    ----------
    source
        What was put in.
    cell
        Name of the cell.
    flux, error
        α = S/F_S at its place and √V_total/F_S, with the source.
    flux_before
        The same without it: noise, and what was there.
    scorr, scorr_before
        Scorr at its place with and without it [σ].
    """

    source: Injected
    cell: str
    flux: float
    error: float
    flux_before: float
    scorr: float
    scorr_before: float

    @property
    def pull(self) -> float:
        """(recovered − what was there − injected) over the error."""
        return (self.flux - self.flux_before - self.source.flux) / self.error


@dataclass(frozen=True, eq=False)
class Injection:
    """Cells of a frame computed again with injected sources."""

    frame: Frame
    plan: SubtractionPlan
    cells: tuple[CellResult, ...]
    recovered: tuple[Recovered, ...]


class InjectStudy(Study):
    """Sources injected by hand, and completeness curves.

    Parameters
    ----------
    session
        Whose pair is used; it is never changed.
    """

    armed = param.Boolean(
        default=True,
        doc="Whether a tap on an image puts a source there while this tab is in front.",
    )
    wanted = param.Boolean(default=False, doc="Whether the tab is in front.")
    flux = param.Number(
        default=None,
        allow_None=True,
        doc="Flux of the next source [calibrated unit]; empty: ten times the error in the cell.",
    )
    sources = param.ClassSelector(class_=tuple, default=(), doc="What was injected, oldest first.")
    injection = param.Parameter(default=None, doc="The `Injection` on screen, or None.")
    curve = param.Parameter(default=None, doc="The newest `Completeness`, or None.")
    curve_of = param.String(default="", doc="What the curve was measured in.")
    curve_busy = param.Boolean(default=False, doc="Whether a curve is being measured.")
    trials = param.Integer(
        default=24,
        bounds=(4, 400),
        softbounds=(8, 100),
        doc="Sources of each flux of a completeness curve; the band narrows with their root.",
    )
    threshold = param.Number(
        default=5.0, bounds=(1, None), doc="Scorr from which a source counts as found [σ]."
    )

    def __init__(self, session: Session) -> None:
        super().__init__(session, cancel_running=True)
        self._curves = self._new_lane(frame_pool, cancel_running=True)
        session.param.watch(lambda event: self._follow(event.old), "frame")

    # -- one source ------------------------------------------------------------------------

    def sigma_flux(self) -> float:
        """Typical error of a flux in the selected cell [calibrated unit]; NaN without one."""
        cell = self._session.cell
        total = None if cell is None else cell.total_variance
        if cell is None or total is None:
            return float("nan")
        return float(np.sqrt(np.median(total)) / cell.flux_score)

    def next_flux(self) -> float:
        """Flux of the next source: as chosen, or ten times the error in the cell."""
        if self.flux is not None:
            return float(self.flux)
        return float(f"{10 * self.sigma_flux():.3g}")

    def inject(self, x: float, y: float, flux: float | None = None) -> None:
        """Put a source at (x, y) and compute its cell again."""
        amount = self.next_flux() if flux is None else flux
        if not (np.isfinite(amount) and amount > 0):
            self.message = "A flux above 0 is needed: choose one, or select a cell that worked."
            return
        self.sources = (*self.sources, Injected(float(x), float(y), float(amount)))
        self._compute()

    def undo(self) -> None:
        """Take the last source out again."""
        self.sources = self.sources[:-1]
        self._compute()

    def clear(self) -> None:
        """Take all sources out."""
        self.sources = ()
        self._compute()

    def _compute(self) -> None:
        frame, sources = self._session.frame, self.sources
        if frame is None or not sources:
            self._lane.cancel()
            self.param.update(injection=None, message="")
            return

        def land(injection: Injection) -> None:
            if frame is self._session.frame and sources == self.sources:
                self.injection = injection

        def failed(error: Exception) -> None:
            self.sources = self.sources[:-1]
            self._failed(error)

        work = functools.partial(_injected, frame, sources)
        self._ask(lambda token, progress: work(token), land, on_error=failed)

    def _follow(self, old: Frame | None) -> None:
        frame = self._session.frame
        if frame is None:
            return
        if old is not None and old.pair is not frame.pair:
            self.cancel()
            self.param.update(sources=(), injection=None, curve=None, curve_of="", message="")
        elif self.sources:
            self._compute()

    # -- completeness ----------------------------------------------------------------------

    def measure(self, *, whole_frame: bool = False) -> None:
        """Measure a completeness curve in the selected cell, or in the whole frame."""
        frame, cell, sigma = self._session.frame, self._session.cell, self.sigma_flux()
        if frame is None or cell is None or not np.isfinite(sigma):
            self.message = "Select a cell that worked, with S: its depth sets the fluxes to try."
            return
        fluxes = self.threshold * sigma * LEVELS
        science, template = frame.pair.science, frame.pair.template
        settings = _settings(frame.plan)
        name = "the whole frame"
        if not whole_frame:
            name = f"cell {cell.cell.name}"
            box = cell.cell.outer.intersection(frame.plan.bbox) or frame.plan.bbox
            # The grid is the science image's: pixels are paired first from first.
            xy0 = science.xy0
            science, template = _cut(science, box, xy0), _cut(template, box, xy0)
            settings = settings.copy(doSpatialGrid=False)
        trials, threshold = int(self.trials), float(self.threshold)

        def work(token: CancelToken, progress: Progress) -> Completeness:
            return completeness(
                science, template, settings, fluxes, trials=trials, rng=_SEED,
                progress=progress, cancel=token, threshold=threshold,
            )  # fmt: skip

        def land(curve: Completeness) -> None:
            if frame.pair is self._session.pair:
                self.param.update(curve=curve, curve_of=name)

        self.curve_busy = True
        self._ask(work, land, lane=self._curves)

    def _rest(self) -> None:
        super()._rest()
        if self._curves.idle:
            self.curve_busy = False


def _injected(frame: Frame, sources: tuple[Injected, ...], token: CancelToken) -> Injection:
    """The cells of the sources, computed by the engine's own call for the changed pair."""
    settings = _settings(frame.plan)
    science = frame.pair.science
    counts = counts_per_flux(science, Settings(settings))
    x, y = [s.x for s in sources], [s.y for s in sources]
    streams = [_stream(number) for number in range(len(sources))]
    lit = inject(science, x, y, [s.flux * counts for s in sources], rng=streams)
    token.check()
    made = plan(lit, frame.pair.template, settings, overrides=frame.plan.overrides)
    results: dict[int, CellResult] = {}
    recovered = []
    for source in sources:
        cell = made.cell_at(source.x, source.y)
        if cell is None:
            continue
        if cell.index not in results:
            results[cell.index] = subtract_cell(made, cell, checkpoint=token.check)
        recovered.append(_recovered(source, results[cell.index], frame.cells[cell.index]))
    return Injection(frame, made, tuple(results.values()), tuple(recovered))


def _stream(number: int) -> np.random.Generator:
    """The photon noise of a source, by its number: more sources do not change it."""
    return np.random.default_rng(np.random.SeedSequence(_SEED, spawn_key=(number,)))


def _recovered(source: Injected, now: CellResult, before: CellResult) -> Recovered:
    with_it = forced_in_cell(now, source.x, source.y)
    without = forced_in_cell(before, source.x, source.y)
    return Recovered(
        source,
        now.cell.name,
        flux=float(with_it.flux[0]),
        error=float(with_it.error[0]),
        flux_before=float(without.flux[0]),
        scorr=float(with_it.scorr[0]),
        scorr_before=float(without.scorr[0]),
    )


def _settings(made: SubtractionPlan) -> ZogyConfig:
    """A plan's settings; registration errors that were measured are not measured again."""
    settings = ZogyConfig.from_dict(plain_settings(made))
    errors = made.astrometric
    if errors is None:
        return settings
    return settings.copy(astrometricNoise=(errors.science, errors.template))


def _cut(exposure: Exposure, box: Box, xy0: tuple[int, int]) -> Exposure:
    """Part of an exposure whose first pixel is at ``xy0``; positions stay what they are."""
    inside = box.slices(xy0)
    variance = exposure.variance
    return exposure.replace(
        image=exposure.image[inside],
        variance=None if variance is None else variance[inside],
        mask=exposure.mask[inside],
        xy0=(box.x0, box.y0),
        wcs=None,
    )
