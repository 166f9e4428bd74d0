"""The engine against other image-subtraction packages, where they are installed.

    python benchmarks/bench_peers.py [--sizes 1024 2048] [--repeats 3]

Peers are called through their documented entry points and taken as they come. SFFT fits its
kernel and gives D alone; it works from files, whose reading is in its time.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from bench_engine import moffat

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, plan, run

PEERS = ("sfft", "properimage", "PyZOGY")


def star_field(size: int) -> tuple[Exposure, Exposure]:
    """Pair with stars, which a fitted kernel needs."""
    rng = np.random.default_rng(size)
    count = size * size // 4000
    places = rng.integers(20, size - 20, (count, 2))
    fluxes = rng.exponential(2e3, count)
    pair = []
    for sigma, fwhm in ((6.0, 4.0), (5.0, 3.2)):
        image = rng.normal(0, sigma, (size, size))
        stamp = moffat(25, fwhm)
        for (y, x), flux in zip(places, fluxes, strict=True):
            image[y - 12 : y + 13, x - 12 : x + 13] += flux * stamp
        variance = (np.maximum(image, 0) + sigma**2).astype(np.float32)
        pair.append(Exposure(image.astype(np.float32), variance=variance, psf=KernelPsf(stamp)))
    return pair[0], pair[1]


def sfft_job(science: Exposure, template: Exposure, folder: str) -> Callable[[], object]:
    """SFFT's CPU backend with a constant kernel."""
    from astropy.io import fits
    from sfft.CustomizedPacket import Customized_Packet

    names = {name: f"{folder}/{name}.fits" for name in ("science", "template", "difference")}
    for name, exposure in (("science", science), ("template", template)):
        fits.writeto(names[name], exposure.image, overwrite=True)

    def job() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            Customized_Packet.CP(
                FITS_REF=names["template"],
                FITS_SCI=names["science"],
                FITS_mREF=names["template"],
                FITS_mSCI=names["science"],
                FITS_DIFF=names["difference"],
                ForceConv="REF",
                GKerHW=8,
                KerPolyOrder=0,
                BGPolyOrder=0,
                BACKEND_4SUBTRACT="Numpy",
                NUM_CPU_THREADS_4SUBTRACT=2,
            )

    return job


def compare(size: int, repeats: int) -> str:
    """Median time of SFFT over the engine's, rounds interleaved."""
    science, template = star_field(size)
    with tempfile.TemporaryDirectory() as folder:
        jobs = (
            sfft_job(science, template, folder),
            lambda: run(plan(science, template, ZogyConfig())),
        )
        times: list[list[float]] = [[], []]
        for turn in range(repeats + 1):
            for job, mine in zip(jobs, times, strict=True):
                start = time.perf_counter()
                job()
                if turn:  # the first warms up
                    mine.append(time.perf_counter() - start)
    peer, engine = (statistics.median(values) for values in times)
    return f"| {size}² one cell | sfft, CPU | {peer / engine:.1f}× |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 2048])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for peer in PEERS:
        if importlib.util.find_spec(peer) is None:
            print(f"{peer} is not installed")
    if importlib.util.find_spec("sfft") is not None:
        for size in options.sizes:
            print(compare(size, options.repeats), flush=True)


if __name__ == "__main__":
    main()
