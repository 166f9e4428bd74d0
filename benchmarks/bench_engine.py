"""Speed and memory of the engine, as ratios to references timed in the same process.

    python benchmarks/bench_engine.py [--sizes 1024 2048 4096] [--repeats 5]

References: the LSST call sequence (see ``lsst_sequence.py``), and the bare real FFTs that any
ZOGY with general variance planes must make (seven single-precision transforms of each cell).
Rounds are interleaved and medians quoted, because machines are shared and noisy: read the ratios.
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
import scipy.fft

sys.path.insert(0, str(Path(__file__).parent))

import lsst_sequence

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, plan, run, subtract_cell
from zogy_explorer.engine.transfer import TransferCache

LARGE = 4096  # from this size on the slow references run once, or are estimated


@dataclass(frozen=True)
class Row:
    """One line of the table: what, against what, the target in words, the figure."""

    work: str
    against: str
    target: str
    measured: str
    met: bool

    @classmethod
    def at_least(cls, work: str, against: str, target: float, value: float, note: str = "") -> Row:
        """A ratio that should be large."""
        digits = 0 if value >= 10 else 1
        figure = f"{value:.{digits}f}×{note}"
        return cls(work, against, f"≥ {target:g}×", figure, value >= target)

    @classmethod
    def at_most(cls, work: str, against: str, target: float, value: float, unit: str) -> Row:
        """A figure that should be small."""
        digits = 0 if value >= 20 else 1
        figure = f"{value:.{digits}f}{unit}"
        return cls(work, against, f"≤ {target:g}{unit}", figure, value <= target)

    def __str__(self) -> str:
        met = "met" if self.met else "not met"
        return f"| {self.work} | {self.against} | {self.target} | {self.measured} | {met} |"


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


def bare_transforms(shape: tuple[int, int], cells: int) -> Callable[[], None]:
    """Four forward and three inverse single-precision real FFTs for each cell."""
    plane = np.zeros(shape, np.float32)
    half = scipy.fft.rfft2(plane)

    def work() -> None:
        for _ in range(cells):
            for _ in range(4):
                scipy.fft.rfft2(plane)
            for _ in range(3):
                scipy.fft.irfft2(half, s=shape)

    return work


def interleaved(
    jobs: dict[str, Callable[[], object]], repeats: int, once: frozenset[str] = frozenset()
) -> dict[str, float]:
    """Median seconds of each job over interleaved rounds, after one warm-up; ``once``: one run."""
    for name, job in jobs.items():
        if name not in once:
            job()
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for i in range(repeats):
        for name, job in jobs.items():
            if name in once and i > 0:
                continue
            start = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def peak_planes(work: Callable[[], object], size: int) -> float:
    """Peak of newly allocated memory during ``work``, in float32 planes of the image."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / (4 * size * size)


def bench_one_cell(size: int, repeats: int) -> list[Row]:
    """The whole frame with one PSF."""
    science, template = make_planes(size, varying=False)
    config = ZogyConfig()
    steps = plan(science, template, config)
    jobs: dict[str, Callable[[], object]] = {
        "engine": lambda: run(plan(science, template, config)),
        "core": lambda: run(steps),
        "bare": bare_transforms(steps.cells[0].outer.shape, 1),
    }
    border, note, factor, reference = max(steps.border, 25), "", 1.0, (science, template)
    if size >= LARGE:
        # The sequence needs 20 GB here: taken from half the side, where it pads to half as much,
        # by N log N. In truth it grows faster, as it leaves the cache.
        reference = make_planes(size // 2, varying=False)
        factor, note = 4 * np.log(4 * size**2) / np.log(size**2), " (sequence estimated)"
    jobs["LSST"] = lambda: lsst_sequence.subtract(*reference, border, grid=False)
    times = interleaved(jobs, repeats, frozenset({"LSST"}) if size >= LARGE else frozenset())
    what = f"{size}² one cell"
    target = 60 if size >= LARGE else 25
    ratio = factor * times["LSST"] / times["engine"]
    return [
        Row.at_least(what, "LSST one-cell sequence", target, ratio, note),
        Row.at_most(what, "its 7 bare real FFTs", 2.5, times["core"] / times["bare"], "×"),
    ]


def bench_grid(size: int, repeats: int) -> list[Row]:
    """A grid of cells of about 512², each with PSFs of its own."""
    science, template = make_planes(size, varying=True)
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=20.0)
    steps = plan(science, template, config)

    def engine(executor: Executor | None = None) -> object:
        return run(plan(science, template, config), executor=executor)

    with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(2) as processes:
        jobs: dict[str, Callable[[], object]] = {
            "engine": engine,
            "threads": lambda: engine(threads),
            "core": lambda: run(steps),
            "bare": bare_transforms(steps.cells[0].outer.shape, len(steps.cells)),
            "LSST": lambda: lsst_sequence.subtract(
                science, template, max(steps.border, 25), grid=True
            ),
        }
        halves = [bare_transforms(steps.cells[0].outer.shape, len(steps.cells) // 2)] * 2
        if size >= LARGE:
            jobs["bare in threads"] = lambda: list(threads.map(lambda half: half(), halves))
            jobs["processes"] = lambda: engine(processes)
        times = interleaved(jobs, repeats, frozenset({"LSST"}) if size >= LARGE else frozenset())
        memory = peak_planes(lambda: engine(threads), size)
    what = f"{size}² grid of {len(steps.cells)} cells"
    lsst = "LSST grid sequence"
    rows = [
        Row.at_least(what, lsst, 8, times["LSST"] / times["engine"]),
        Row.at_least(what + ", 2 threads", lsst, 8, times["LSST"] / times["threads"]),
        Row.at_most(what, "its 7 bare real FFTs", 2.5, times["core"] / times["bare"], "×"),
    ]
    if size >= LARGE:
        kept = "float32 planes of the image"
        # What two threads gain where nothing but independent transforms is done.
        limit = f" (bare FFTs {times['bare'] / times['bare in threads']:.1f}×)"
        rows.append(Row.at_most(f"peak memory, {what}, 2 threads", kept, 9, memory, ""))
        rows += [
            Row.at_least(f"{what}, 2 {name}", "1", 1.6, times["engine"] / times[name], limit)
            for name in ("threads", "processes")
        ]
    return rows


def bench_cell(repeats: int) -> list[Row]:
    """The live slider: one cell of 512² with its padding."""
    science, template = make_planes(460, varying=False)
    # Each move has a weight of its own, so that no kernel can be kept.
    moves = [
        plan(science, template, ZogyConfig(scaleByCalibration=False, scienceFluxScaling=flux))
        for flux in np.linspace(0.9, 1.1, 4 * repeats + 1)
    ]
    cell, cache, moved = moves[0].cells[0], TransferCache(), iter(moves)
    times = interleaved(
        {
            "moved": lambda: subtract_cell(next(moved), cell, cache=cache),
            "scratch": lambda: subtract_cell(moves[0], cell),
        },
        4 * repeats,
    )
    what = f"one {cell.outer.width}² padded cell"
    return [
        Row.at_most(f"{what} after a weight change", "–", 15, times["moved"] * 1e3, " ms"),
        Row.at_most(f"{what} from scratch", "–", 30, times["scratch"] * 1e3, " ms"),
    ]


def bench_growth(repeats: int) -> list[Row]:
    """Four times as many cells of the same size."""
    jobs: dict[str, Callable[[], object]] = {}
    for side in (10, 20):
        config = ZogyConfig(doSpatialGrid=True, gridInnerSize=4.0)
        steps = plan(*make_planes(100 * side, varying=True), config)
        assert len(steps.cells) == side**2
        jobs[str(side)] = partial(run, steps)
    times = interleaved(jobs, repeats)
    excess = abs(times["20"] / times["10"] / 4 - 1) * 100
    return [Row.at_most("100 → 400 cells", "linear growth", 10, excess, " % off")]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {os.cpu_count()} cores\n")
    print("| work | against | target | measured | |\n|---|---|---|---|---|")
    for row in bench_cell(options.repeats) + bench_growth(options.repeats):
        print(row, flush=True)
    for size in options.sizes:
        repeats = min(options.repeats, 3) if size >= LARGE else options.repeats
        for row in bench_one_cell(size, repeats) + bench_grid(size, repeats):
            print(row, flush=True)


if __name__ == "__main__":
    main()
