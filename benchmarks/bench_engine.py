"""Speed and memory of the engine, as ratios to references timed in the same process.

    python benchmarks/bench_engine.py [--sizes 1024 2048] [--repeats 5] [--markdown]

References: the LSST call sequence (see ``lsst_sequence.py``), and the bare real FFTs that any
ZOGY with general variance planes must make (seven single-precision transforms at the same sizes).
Rounds are interleaved and medians quoted, because machines are shared and noisy: read the ratios.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import scipy.fft

sys.path.insert(0, str(Path(__file__).parent))

import lsst_sequence

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, plan, run, subtract_cell
from zogy_explorer.engine.transfer import TransferCache


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
    jobs: dict[str, Callable[[], object]], repeats: int, slow: frozenset[str] = frozenset()
) -> dict[str, float]:
    """Median seconds of each job over interleaved rounds, after one warm-up; slow ones run once."""
    for name, job in jobs.items():
        if name not in slow:
            job()
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for i in range(repeats):
        for name, job in jobs.items():
            if name in slow and i > 0:
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


def bench_frame(size: int, repeats: int, *, grid: bool) -> list[tuple[str, str]]:
    """Rows of the table for one frame size."""
    science, template = make_planes(size, varying=grid)
    config = ZogyConfig(doSpatialGrid=grid, gridInnerSize=20.0)
    steps = plan(science, template, config)
    border = max(steps.border, 25)

    def engine(executor: ThreadPoolExecutor | None = None) -> object:
        return run(plan(science, template, config), executor=executor)

    with ThreadPoolExecutor(2) as pool:
        times = interleaved(
            {
                "LSST sequence": lambda: lsst_sequence.subtract(
                    science, template, border, grid=grid
                ),
                "engine": engine,
                "engine, 2 threads": lambda: engine(pool),
                "core": lambda: run(steps),
                "bare": bare_transforms(steps.cells[0].outer.shape, len(steps.cells)),
            },
            repeats,
            frozenset({"LSST sequence"} if size >= 4096 else ()),
        )
        memory = peak_planes(lambda: engine(pool), size)
    what = f"{size}², {'grid of ' + str(len(steps.cells)) + ' cells' if grid else 'one cell'}"
    return [
        (f"{what}: LSST sequence / engine", f"{times['LSST sequence'] / times['engine']:.0f}×"),
        (
            f"{what}: LSST sequence / engine with 2 threads",
            f"{times['LSST sequence'] / times['engine, 2 threads']:.0f}×",
        ),
        (f"{what}: subtraction / its 7 bare real FFTs", f"{times['core'] / times['bare']:.1f}×"),
        (f"{what}: peak memory above the inputs", f"{memory:.1f} planes"),
    ]


def bench_cell(repeats: int) -> list[tuple[str, str]]:
    """The live slider: one cell of about 512² with its padding."""
    science, template = make_planes(460, varying=False)
    steps = plan(science, template, ZogyConfig())
    changed = plan(
        science,
        template,
        ZogyConfig(scaleByCalibration=False, scienceFluxScaling=1.1),
    )
    cell, cache = steps.cells[0], TransferCache()
    times = interleaved(
        {
            "cached": lambda: subtract_cell(steps, cell, cache=cache),
            "scratch": lambda: subtract_cell(changed, cell),
        },
        4 * repeats,
    )
    side = cell.outer.width
    return [
        (f"one {side}² padded cell, PSFs and kernels cached", f"{times['cached'] * 1e3:.0f} ms"),
        (f"one {side}² padded cell from scratch", f"{times['scratch'] * 1e3:.0f} ms"),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rows = bench_cell(options.repeats)
    for size in options.sizes:
        for grid in (False, True):
            rows += bench_frame(size, options.repeats, grid=grid)
    print(f"| measured on {os.cpu_count()} cores | |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
