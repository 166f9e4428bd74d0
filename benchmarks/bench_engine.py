"""Speed and memory of the engine, as ratios to references timed in the same process.

    python benchmarks/bench_engine.py [--sizes 1024 2048 4096] [--repeats 5]

Twice: with numpy and scipy alone, and with the ``fast`` extra where it is installed; in turn, in
one process. References: the LSST call sequence (``lsst_sequence.py``), the transforms of other
packages (``transform_counts.py``), and the bare real FFTs that any ZOGY with general variance
planes must make (seven single-precision transforms of each cell), by the same transforms.
Rounds are interleaved and medians quoted, because machines are shared and noisy: read the ratios.
Work in one thread is timed by the processor's time, which is wall time where nothing else runs.
Each row names its target; ``README.md`` keeps a table with the machine it was measured on.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import lsst_sequence
import transform_counts

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, plan, run, subtract_cell
from zogy_explorer.engine.arithmetic import arithmetic_named, fast_installed
from zogy_explorer.engine.cell_cache import CellCache

LARGE = 4096  # from this size on the slow references run once, or are estimated


INSTALLS = {"base": "numpy", "fast": "fast"}
"""Installation and the arithmetic that it brings."""


@dataclass(frozen=True)
class Row:
    """One line of the table: what, against what, in which installation, target and figure."""

    work: str
    against: str
    install: str
    target: str
    measured: str
    met: bool

    @classmethod
    def at_least(
        cls, work: str, against: str, install: str, target: float, value: float, note: str = ""
    ) -> Row:
        """A ratio that should be large."""
        digits = 0 if value >= 10 else 1
        figure = f"{value:.{digits}f}×{note}"
        return cls(work, against, install, f"≥ {target:g}×", figure, value >= target)

    @classmethod
    def at_most(
        cls,
        work: str,
        against: str,
        install: str,
        target: float,
        value: float,
        unit: str,
        note: str = "",
    ) -> Row:
        """A figure that should be small."""
        digits = 0 if value >= 20 else 1
        figure = f"{value:.{digits}f}{unit}{note}"
        return cls(work, against, install, f"≤ {target:g}{unit}", figure, value <= target)

    def __str__(self) -> str:
        met = "met" if self.met else "not met"
        return (
            f"| {self.work} | {self.against} | {self.install} | {self.target} "
            f"| {self.measured} | {met} |"
        )


def moffat(size: int, fwhm: float, beta: float = 3.5) -> np.ndarray:
    """Unit-sum Moffat stamp."""
    y, x = np.mgrid[:size, :size] - size // 2
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / beta) - 1)
    stamp = (1 + (x * x + y * y) / alpha**2) ** -beta
    return stamp / stamp.sum()


class VaryingPsf:
    """A Moffat PSF whose width changes over the field: each cell has one of its own."""

    def __init__(self, fwhm: float) -> None:
        self.fwhm = fwhm

    def kernel_image(self, *, x: float, y: float) -> np.ndarray:
        """Stamp at (x, y)."""
        return moffat(25, self.fwhm * (1 + 2e-5 * (x + y)))


def make_planes(size: int, *, varying: bool) -> tuple[Exposure, Exposure]:
    """Float32 pair of ``size``² pixels with general variance planes."""
    rng = np.random.default_rng(size)
    pair = []
    for sigma, fwhm in ((6.0, 4.0), (5.0, 3.2)):
        variance = (sigma**2 + rng.gamma(2, 2, (size, size))).astype(np.float32)
        image = rng.standard_normal((size, size), dtype=np.float32) * np.sqrt(variance)
        psf = VaryingPsf(fwhm) if varying else KernelPsf(moffat(25, fwhm))
        pair.append(Exposure(image, variance=variance, psf=psf))
    return pair[0], pair[1]


def bare_transforms(shape: tuple[int, int], cells: int, arithmetic: str) -> Callable[[], None]:
    """Four forward and three inverse single-precision real FFTs for each cell."""
    transforms = arithmetic_named(arithmetic)
    plane = np.zeros(shape, np.float32)
    half = transforms.forward(plane)
    everything = slice(None)

    def work() -> None:
        for _ in range(cells):
            for _ in range(4):
                transforms.forward(plane)
            for _ in range(3):
                transforms.backward(half, shape, everything)

    return work


def per_install(
    jobs: Callable[[str], dict[str, Callable[[], object]]], installs: dict[str, str]
) -> dict[str, Callable[[], object]]:
    """The jobs of each installation, as "job, installation"."""
    return {
        f"{name}, {install}": job
        for install, arithmetic in installs.items()
        for name, job in jobs(arithmetic).items()
    }


@dataclass(frozen=True)
class Seconds:
    """Median time of a job: of the processor for this process, and on the wall."""

    cpu: float
    wall: float


def interleaved(
    jobs: dict[str, Callable[[], object]], repeats: int, once: frozenset[str] = frozenset()
) -> dict[str, Seconds]:
    """Time of each job over interleaved rounds, after one warm-up; ``once``: one run."""
    for name, job in jobs.items():
        if name not in once:
            job()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for i in range(repeats):
        for name, job in jobs.items():
            if name in once and i > 0:
                continue
            wall, cpu = time.perf_counter(), time.process_time()
            job()
            times[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return {
        name: Seconds(*(statistics.median(values) for values in zip(*pairs, strict=True)))
        for name, pairs in times.items()
    }


def peak_planes(work: Callable[[], object], size: int) -> float:
    """Peak of newly allocated memory during ``work``, in float32 planes of the image."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / (4 * size * size)


def bench_one_cell(size: int, repeats: int, installs: dict[str, str]) -> list[Row]:
    """The whole frame with one PSF."""
    science, template = make_planes(size, varying=False)
    border, note, factor, reference = 25, "", 1.0, (science, template)
    if size >= LARGE:
        # The sequence needs 20 GB here: taken from half the side, where it pads to half as much,
        # by N log N. In truth it grows faster, as it leaves the cache.
        reference = make_planes(size // 2, varying=False)
        factor, note = 4 * np.log(4 * size**2) / np.log(size**2), " (sequence estimated)"

    def jobs(arithmetic: str) -> dict[str, Callable[[], object]]:
        config = ZogyConfig(arithmetic=arithmetic)
        steps = plan(science, template, config)
        return {
            "engine": lambda: run(plan(science, template, config)),
            "threads": lambda: run(plan(science, template, config), executor=threads),
            "core": lambda: run(steps),
            "bare": bare_transforms(steps.cells[0].outer.shape, 1, arithmetic),
        }

    slow = {"LSST": lambda: lsst_sequence.subtract(*reference, border, grid=False)}
    if size < LARGE:
        slow |= {y.name: transform_counts.job(y, size) for y in transform_counts.YARDSTICKS}
    with ThreadPoolExecutor(2) as threads:
        once = frozenset(slow) if size >= LARGE else frozenset()
        times = interleaved(per_install(jobs, installs) | slow, repeats, once)
    what, lsst = f"{size}² one cell", "LSST one-cell sequence"
    rows = []
    for install in installs:
        least = {"base": 60, "fast": 250} if size >= LARGE else {"base": 25, "fast": 80}
        rows += [
            *against_lsst(what, lsst, install, least[install], times, factor, note),
            against_transforms(what, install, times),
        ]
        rows += [
            Row.at_least(
                what,
                f"transform-count yardstick: {yardstick.name}",
                install,
                {"base": 2.5, "fast": 8}[install],
                times[yardstick.name].cpu / times[f"engine, {install}"].cpu,
            )
            for yardstick in transform_counts.YARDSTICKS
            if yardstick.name in times
        ]
    return rows


def against_lsst(
    what: str,
    against: str,
    install: str,
    target: float,
    times: dict[str, Seconds],
    factor: float = 1.0,
    note: str = "",
) -> list[Row]:
    """The engine, in one thread and in two, against a sequence of LSST's in one."""
    lsst = times["LSST"]
    one = factor * lsst.cpu / times[f"engine, {install}"].cpu
    two = factor * lsst.wall / times[f"threads, {install}"].wall
    return [
        Row.at_least(what, against, install, target, one, note),
        Row.at_least(f"{what}, 2 threads", against, install, target, two, note),
    ]


def against_transforms(what: str, install: str, times: dict[str, Seconds]) -> Row:
    """The engine's core against the transforms that it cannot do without."""
    ratio = times[f"core, {install}"].cpu / times[f"bare, {install}"].cpu
    target = {"base": 2.5, "fast": 1.6}[install]
    note = f" ({ratio * 7 / 8:.1f}× the 8 that V_D needs, too)"
    return Row.at_most(what, "its 7 bare real FFTs", install, target, ratio, "×", note)


def bench_grid(size: int, repeats: int, installs: dict[str, str]) -> list[Row]:
    """A grid of cells of about 512², each with PSFs of its own."""
    science, template = make_planes(size, varying=True)
    memory, cells = {}, 0

    def engine(arithmetic: str, executor: Executor | None = None) -> object:
        config = ZogyConfig(doSpatialGrid=True, gridInnerSize=20.0, arithmetic=arithmetic)
        return run(plan(science, template, config), executor=executor)

    def jobs(arithmetic: str) -> dict[str, Callable[[], object]]:
        nonlocal cells
        config = ZogyConfig(doSpatialGrid=True, gridInnerSize=20.0, arithmetic=arithmetic)
        steps = plan(science, template, config)
        cells, shape = len(steps.cells), steps.cells[0].outer.shape
        made: dict[str, Callable[[], object]] = {
            "engine": lambda: engine(arithmetic),
            "threads": lambda: engine(arithmetic, threads),
            "core": lambda: run(steps),
            "bare": bare_transforms(shape, cells, arithmetic),
        }
        if size >= LARGE:
            halves = [bare_transforms(shape, cells // 2, arithmetic) for _ in range(2)]
            made["bare in threads"] = lambda: list(threads.map(lambda half: half(), halves))
            made["processes"] = lambda: engine(arithmetic, processes)
        return made

    slow = {"LSST": lambda: lsst_sequence.subtract(science, template, 25, grid=True)}
    with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(2) as processes:
        once = frozenset(slow) if size >= LARGE else frozenset()
        times = interleaved(per_install(jobs, installs) | slow, repeats, once)
        for install, arithmetic in installs.items():
            memory[install] = peak_planes(partial(engine, arithmetic, threads), size)
    what, lsst = f"{size}² grid of {cells} cells", "LSST grid sequence"
    rows = []
    for install in installs:
        mine = {name.split(", ")[0]: t.wall for name, t in times.items() if name.endswith(install)}
        target = {"base": 8, "fast": 25}[install]
        rows += [
            *against_lsst(what, lsst, install, target, times),
            against_transforms(what, install, times),
        ]
        if size >= LARGE:
            planes, most = "float32 planes of the image", {"base": 9, "fast": 7}[install]
            work = f"peak memory, {what}, 2 threads"
            rows.append(Row.at_most(work, planes, install, most, memory[install], ""))
            # What two threads gain where nothing but independent transforms is done.
            limit = f" (bare FFTs {mine['bare'] / mine['bare in threads']:.1f}×)"
            rows += [
                Row.at_least(
                    f"{what}, 2 {kind}", "1", install, 1.6, mine["engine"] / mine[kind], limit
                )
                for kind in ("threads", "processes")
            ]
    return rows


def bench_cell(repeats: int, installs: dict[str, str]) -> list[Row]:
    """The live slider: one cell of 512² with its padding."""
    science, template = make_planes(460, varying=False)

    def jobs(arithmetic: str) -> dict[str, Callable[[], object]]:
        def settings(flux: float) -> ZogyConfig:
            return ZogyConfig(
                scaleByCalibration=False, scienceFluxScaling=flux, arithmetic=arithmetic
            )

        first = plan(science, template, settings(1.0))
        # Each move has a weight of its own, so that no kernel can be kept.
        moves = iter(
            [
                plan(science, template, settings(flux), first.prepared)
                for flux in np.linspace(0.9, 1.1, 4 * repeats + 1)
            ]
        )
        cell, cache = first.cells[0], CellCache()
        return {
            "moved": lambda: subtract_cell(next(moves), cell, cache=cache),
            "scratch": lambda: subtract_cell(first, cell),
        }

    times = interleaved(per_install(jobs, installs), 4 * repeats)
    rows = []
    for install in installs:
        for job, work, base, fast in (
            ("moved", "after a weight change", 15, 8),
            ("scratch", "from scratch", 30, 15),
        ):
            target = {"base": base, "fast": fast}[install]
            value = times[f"{job}, {install}"].cpu * 1e3
            rows.append(
                Row.at_most(f"one 512² padded cell {work}", "–", install, target, value, " ms")
            )
    return rows


def bench_growth(repeats: int, installs: dict[str, str]) -> list[Row]:
    """Four times as many cells of the same size."""

    def jobs(arithmetic: str) -> dict[str, Callable[[], object]]:
        made: dict[str, Callable[[], object]] = {}
        for side in (10, 20):
            config = ZogyConfig(doSpatialGrid=True, gridInnerSize=4.0, arithmetic=arithmetic)
            steps = plan(*make_planes(100 * side, varying=True), config)
            assert len(steps.cells) == side**2
            made[str(side)] = partial(run, steps)
        return made

    times = interleaved(per_install(jobs, installs), repeats)
    return [
        Row.at_most(
            "100 → 400 cells",
            "linear growth",
            install,
            10,
            abs(times[f"20, {install}"].cpu / times[f"10, {install}"].cpu / 4 - 1) * 100,
            " % off",
        )
        for install in installs
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    installs = {
        install: arithmetic
        for install, arithmetic in INSTALLS.items()
        if arithmetic == "numpy" or fast_installed()
    }
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {os.cpu_count()} cores\n")
    print("| work | against | install | target | measured | |\n|---|---|---|---|---|---|")
    for row in bench_cell(options.repeats, installs) + bench_growth(options.repeats, installs):
        print(row, flush=True)
    for size in options.sizes:
        repeats = min(options.repeats, 3) if size >= LARGE else options.repeats
        for bench in (bench_one_cell, bench_grid):
            for row in bench(size, repeats, installs):
                print(row, flush=True)


if __name__ == "__main__":
    main()
