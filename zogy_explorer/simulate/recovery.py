"""`completeness`: how faint a source may be and still be found, and how well fluxes come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zogy_explorer.checks import generator, is_positive, reals, shown
from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.engine.config import ZogyConfig
from zogy_explorer.engine.plan import plan
from zogy_explorer.engine.result import Difference
from zogy_explorer.engine.run import Progress, require_usable_cell, run
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.simulate.detection_curve import DetectionCurve, binomial_band, fit_curve
from zogy_explorer.simulate.injection_sites import draw_sites, free_pixels
from zogy_explorer.simulate.recovery_trial import Outcome, Trial, recover

if TYPE_CHECKING:
    from astropy.table import QTable

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Completeness:
    """What came back of the injected sources; arrays have one element a flux.

    Parameters
    ----------
    flux
        Injected [calibrated unit], ascending.
    tried, found
        How many sources, and of how many Scorr exceeded the threshold at their place.
    low, high
        68 % interval of the share found (Jeffreys).
    bias, bias_error
        Mean of measured over injected flux, less 1, and its standard error. Measured at the
        injected place, so that no choice of the highest pixel enters.
    pull_mean, pull_sigma
        Of (measured − injected)/error; 0 and 1 if the errors are right.
    curve
        Fit to the shares.
    threshold
        [σ].
    limiting_flux_by_cell
        One row a cell: name, ``flux_predicted`` = threshold · √V_total/F_S (eqs. 41, 42, the median
        of its free pixels), ``sigma_flux`` = √V_total/F_S, and of the injected sources in it
        ``tried``, ``found``, and ``flux_50``, ``flux_90`` at which they are found (NaN where too
        few tell).
    sources
        One row an injected source: x, y, flux, measured, error, peak of Scorr, found, cell.
    """

    flux: Array
    tried: Counts
    found: Counts
    low: Array
    high: Array
    bias: Array
    bias_error: Array
    pull_mean: Array
    pull_sigma: Array
    curve: DetectionCurve
    threshold: float
    limiting_flux_by_cell: QTable
    sources: QTable

    @property
    def fraction(self) -> Array:
        """Share found."""
        return np.divide(
            self.found, self.tried, out=np.full(len(self.flux), np.nan), where=self.tried > 0
        )

    @property
    def flux_50(self) -> float:
        """Flux at which half of the sources is found; NaN if the data do not say."""
        return self.curve.flux_at(0.5)

    @property
    def flux_90(self) -> float:
        """Flux at which 90 % are found; NaN if the data do not say."""
        return self.curve.flux_at(0.9)

    @property
    def flux_50_error(self) -> float:
        """Standard error of `flux_50`."""
        return self.curve.error_at(0.5)

    @property
    def flux_90_error(self) -> float:
        """Standard error of `flux_90`; large where few fluxes lie on the curve's step."""
        return self.curve.error_at(0.9)


def completeness(
    science: Exposure,
    template: Exposure,
    config: ZogyConfig,
    fluxes: ArrayLike,
    *,
    trials: int = 100,
    rng: np.random.Generator | int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    cancel: CancelToken | None = None,
    threshold: float = 5.0,
    gain: float | None = None,
) -> Completeness:
    """Inject sources into the science image, subtract, and see what comes back.

    Parameters
    ----------
    science, template, config
        As for a subtraction.
    fluxes
        To be tried [calibrated unit]; positive.
    trials
        Sources of each flux. Many fit into one frame; they keep apart from each other, from
        real sources and from bad pixels.
    rng
        Of positions and noise, or its seed; None: fresh. A seed gives the same result on any
        executor.
    executor
        Any `concurrent.futures.Executor`; None computes here.
    progress
        Called in this thread with (frames done, frames in all).
    cancel
        Checked between frames and, where they share this process's memory, within them.
    threshold
        Scorr from which a source counts as found [σ].
    gain
        Electrons per image unit, as for `inject`.

    Raises
    ------
    InputError
        If a flux, ``trials`` or the threshold is not positive, or no place is free.
    CancelledError
        If ``cancel`` was set.

    Notes
    -----
    Sources are injected with the PSF of their own place and measured, as real ones are, with the
    PSFs and F_S of their cell's centre. Where PSFs vary within a cell, fluxes of bright sources
    scatter by more than √V_total says: with widths that change by a third over 400 px, pulls of
    100 σ sources have σ 4.9 in one cell, 1.35 in 16 cells and 0.96 in 256; of 5 σ sources 1.0 in
    all of them. Nothing else widens them: with constant PSFs they are 1.0 in any grid.
    """
    levels = _levels(fluxes)
    if not (is_positive(trials) and int(trials) == trials):
        raise InputError(f"trials is {shown(trials)}: it must be a whole number of at least 1")
    if not is_positive(threshold):
        raise InputError(
            f"threshold is {shown(threshold)}: it must be a positive number of σ, such as 5"
        )
    base = _base(science, template, config, executor, cancel)
    settings = _resolved(config, base)
    free = free_pixels(base)
    work = _trials(base, free, levels, int(trials), _seed(rng))
    outcomes: list[Outcome | None] = [None] * len(work)
    args = (science, template, settings)
    for done, (index, outcome) in enumerate(_outcomes(args, work, gain, executor, cancel), 1):
        outcomes[index] = outcome
        if progress is not None:
            progress(done, len(work))
        if cancel is not None:
            cancel.check()
    sources = _sources(work, [o for o in outcomes if o is not None], base, threshold)
    return _summary(levels, sources, base, free, float(threshold))


def _levels(fluxes: ArrayLike) -> Array:
    levels = np.unique(reals("flux to be tried", fluxes))
    if levels.size == 0:
        raise InputError("no fluxes were given: name at least one flux to be tried")
    for level in levels:
        if not is_positive(level):
            raise InputError(f"flux {level:g} cannot be tried: fluxes must be positive")
    return levels


def _seed(rng: np.random.Generator | int | None) -> np.random.SeedSequence:
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(int(rng.integers(2**63)))
    generator(rng)  # says what is wrong with it
    return np.random.SeedSequence(rng)


def _base(
    science: Exposure,
    template: Exposure,
    config: ZogyConfig,
    executor: Executor | None,
    cancel: CancelToken | None,
) -> Difference:
    """The pair as it is, subtracted: what is there already, and how deep each cell goes."""
    return require_usable_cell(
        run(plan(science, template, config), executor=executor, cancel=cancel)
    )


def _resolved(config: ZogyConfig, base: Difference) -> dict[str, Any]:
    """Settings with the registration errors of the pair as it is, which are not measured again."""
    errors = base.plan.astrometric
    if errors is None:
        return config.to_dict()
    return config.copy(astrometricNoise=(errors.science, errors.template)).to_dict()


def _trials(
    base: Difference, free: NDArray[np.bool_], levels: Array, n: int, seed: np.random.SeedSequence
) -> list[Trial]:
    """Sources of all fluxes, mixed, in as few frames as hold them."""
    for_places, for_noise = seed.spawn(2)
    rng = np.random.default_rng(for_places)
    flux = rng.permutation(np.repeat(levels, n))
    stamps = [
        cell.psf_science.shape for cell in base.cells if cell.ok and cell.psf_science is not None
    ]
    apart = float(max(max(shape) for shape in stamps))
    frames = draw_sites(rng, free, flux.size, apart)
    x0, y0 = base.plan.bbox.x0, base.plan.bbox.y0
    trials, first = [], 0
    for (x, y), noise in zip(frames, for_noise.spawn(len(frames)), strict=True):
        trials.append(Trial(x + x0, y + y0, flux[first : first + len(x)], noise))
        first += len(x)
    return trials


def _outcomes(
    args: tuple[Exposure, Exposure, dict[str, Any]],
    work: Sequence[Trial],
    gain: float | None,
    executor: Executor | None,
    cancel: CancelToken | None,
) -> Iterator[tuple[int, Outcome]]:
    """Outcomes with the index of their trial, as they are finished."""
    checkpoint: Callable[[], None] | None = cancel.check if cancel is not None else None
    if executor is None:
        for index, trial in enumerate(work):
            if checkpoint is not None:
                checkpoint()
            yield index, recover(*args, trial, gain, checkpoint)
        return
    inside = checkpoint if isinstance(executor, ThreadPoolExecutor) else None
    futures: dict[Future[Outcome], int] = {
        executor.submit(recover, *args, trial, gain, inside): index
        for index, trial in enumerate(work)
    }
    try:
        for future in as_completed(tuple(futures)):
            yield futures.pop(future), future.result()
    finally:
        for future in futures:
            future.cancel()


def _sources(
    work: Sequence[Trial], outcomes: Sequence[Outcome], base: Difference, threshold: float
) -> QTable:
    from astropy import units as u
    from astropy.table import QTable

    table = QTable()
    for name in ("x", "y"):
        table[name] = np.concatenate([getattr(trial, name) for trial in work]) * u.pix
    table["flux"] = np.concatenate([trial.flux for trial in work])
    table["measured"] = np.concatenate([outcome.flux for outcome in outcomes])
    table["error"] = np.concatenate([outcome.error for outcome in outcomes])
    table["peak"] = np.concatenate([outcome.peak for outcome in outcomes])
    table["found"] = table["peak"] >= threshold
    cells = np.concatenate([outcome.cell for outcome in outcomes])
    table["cell"] = np.array([base.cells[i].cell.name for i in cells], dtype=str)
    return table


def _summary(
    levels: Array, sources: QTable, base: Difference, free: NDArray[np.bool_], threshold: float
) -> Completeness:
    tried: Counts = np.zeros(levels.size, dtype=np.int64)
    found: Counts = np.zeros(levels.size, dtype=np.int64)
    bias, bias_error, pull_mean, pull_sigma = (np.zeros(levels.size) for _ in range(4))
    for i, level in enumerate(levels):
        mine = sources[(sources["flux"] == level) & np.isfinite(sources["measured"])]
        tried[i], found[i] = len(mine), np.count_nonzero(mine["found"])
        ratio = np.asarray(mine["measured"]) / level - 1
        pull = (np.asarray(mine["measured"]) - level) / np.asarray(mine["error"])
        bias[i], bias_error[i] = _mean(ratio), _spread(ratio) / np.sqrt(max(len(mine), 1))
        pull_mean[i], pull_sigma[i] = _mean(pull), _spread(pull)
    low, high = binomial_band(found, tried)
    return Completeness(
        flux=levels,
        tried=tried,
        found=found,
        low=low,
        high=high,
        bias=bias,
        bias_error=bias_error,
        pull_mean=pull_mean,
        pull_sigma=pull_sigma,
        curve=fit_curve(levels, found, tried),
        threshold=threshold,
        limiting_flux_by_cell=_limits(sources, base, free, threshold),
        sources=sources,
    )


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float("nan")


def _spread(values: Array) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else float("nan")


def _limits(sources: QTable, base: Difference, free: NDArray[np.bool_], threshold: float) -> QTable:
    """Limiting flux of each cell, as predicted and as found."""
    from astropy.table import QTable

    variance = base.total_variance
    assert variance is not None
    rows = []
    for cell in base.cells:
        box = cell.cell.inner.slices((base.plan.bbox.x0, base.plan.bbox.y0))
        pixels = variance[box][free[box]] if free[box].any() else variance[box]
        sigma = float(np.sqrt(np.median(pixels))) / cell.flux_score if cell.ok else float("nan")
        mine = sources[sources["cell"] == cell.cell.name]
        flux, index = np.unique(np.asarray(mine["flux"]), return_inverse=True)
        tried = np.bincount(index, minlength=flux.size)
        found = np.bincount(index, weights=np.asarray(mine["found"]), minlength=flux.size)
        curve = fit_curve(flux, found.astype(np.int64), tried.astype(np.int64), sigma)
        rows.append(
            {
                "cell": cell.cell.name,
                "sigma_flux": sigma,
                "flux_predicted": threshold * sigma,
                "tried": int(tried.sum()),
                "found": int(found.sum()),
                "flux_50": curve.flux_at(0.5),
                "flux_90": curve.flux_at(0.9),
            }
        )
    return QTable(rows=rows)
