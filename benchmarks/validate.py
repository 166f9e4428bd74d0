"""Does the engine keep its promises? Many simulated pairs, every promise with its sampling error.

    python benchmarks/validate.py [--workers 2] [--noise 32] [--sources 30] [--seed 1]

Each finished frame is written to a checkpoint; started again, the script goes on from there, unless
the code has changed since. The result depends on the seed and the numbers of frames alone, not on
the workers or interruptions. It is written to docs/validation.md. About a quarter of an hour on one
core.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy
import scipy
from validation import SCENES, Claim, Judged, Sums, add, judge, noise_trial, source_trial

import zogy_explorer
from zogy_explorer import __version__

ROOT = Path(__file__).resolve().parents[1]
Key = tuple[str, int, int]
"""Kind of trial, number of the scene, number of the trial."""
TRIALS: dict[str, Callable[..., Sums]] = {"noise": noise_trial, "sources": source_trial}
ALL_SCENES = "All scenes"


def one_trial(key: Key, seed: int, shrink: int) -> Sums:
    kind, number, trial = key
    return TRIALS[kind](SCENES[number].shrunk(shrink), number, trial, seed)


def code_digest() -> str:
    """Digest of what the trials compute with: a trial of other code is no longer one of these."""
    package = Path(zogy_explorer.__file__).parent
    folders = [package / name for name in ("engine", "diagnostics", "simulate")]
    files = [path for folder in folders for path in folder.rglob("*.py")]
    files += [*package.glob("*.py"), *(Path(__file__).parent / "validation").glob("*.py")]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class Checkpoint:
    """Finished trials in a file of JSON lines, the first of which says what they belong to."""

    def __init__(self, path: Path, seed: int, shrink: int) -> None:
        self.path = path
        self.header = {
            "version": __version__,
            "code": code_digest(),
            "seed": seed,
            "shrink": shrink,
            "scenes": [repr(scene) for scene in SCENES],
        }
        self.done: dict[Key, Sums] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if not lines or _parsed(lines[0]) != self.header:
            path.write_text(json.dumps(self.header) + "\n", encoding="utf-8")
            return
        for line in lines[1:]:
            record = _parsed(line)
            if record is not None:  # a line cut by an interruption is done again
                self.done[tuple(record["key"])] = record["sums"]
        # What is appended must not continue a line that was cut.
        whole = [json.dumps({"key": key, "sums": sums}) for key, sums in self.done.items()]
        path.write_text("\n".join([json.dumps(self.header), *whole]) + "\n", encoding="utf-8")

    def add(self, key: Key, sums: Sums) -> None:
        """Keep a trial, on disk at once."""
        self.done[key] = sums
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, "sums": sums}) + "\n")


def _parsed(line: str) -> dict | None:
    try:
        return json.loads(line)
    except ValueError:
        return None


def finished(
    keys: list[Key], seed: int, shrink: int, executor: Executor | None
) -> Iterator[tuple[Key, Sums]]:
    """Trials as they finish."""
    if executor is None:
        for key in keys:
            yield key, one_trial(key, seed, shrink)
        return
    futures = {executor.submit(one_trial, key, seed, shrink): key for key in keys}
    for future in as_completed(futures):
        yield futures[future], future.result()


def totals(done: dict[Key, Sums], keys: list[Key]) -> dict[str, Judged]:
    """Sums of each scene and of all, added in the order of ``keys`` whatever finished first."""
    sums: dict[tuple[str, str], Sums] = {}
    for key in keys:
        kind, number, _ = key
        for name in (SCENES[number].name, ALL_SCENES):
            sums[name, kind] = add(sums.get((name, kind)), done[key])
    names = dict.fromkeys(name for name, _ in sums)
    return {name: Judged(sums[name, "noise"], sums[name, "sources"]) for name in names}


def page(judged: dict[str, Judged], seed: int) -> str:
    """The page of the documentation."""
    everything = judged[ALL_SCENES]
    n, sources = everything.noise["n"], everything.sources["sources"]
    frames = everything.noise["frames"], everything.sources["frames"]
    lines = [
        "# Validation",
        "",
        "Made by `python benchmarks/validate.py`: simulated pairs with *unequal* PSFs, noise and",
        f"flux scales, {frames[0]} pairs of empty skies with {n / 1e6:.0f} million pixels, and",
        f"{frames[1]} pairs with {sources} injected sources of 30 to 150 σ anywhere in their",
        f"pixels, of either sign. Seed {seed}, version {__version__}, Python",
        f"{platform.python_version()}, numpy {numpy.__version__}, scipy {scipy.__version__}.",
        "",
        "A number agrees within its sampling error if it is off by less than four of them. Errors",
        "know that pixels of Scorr correlate like P_S: counts beyond a threshold scatter as clumps",
        "do, whose size follows from the bivariate normal distribution; bands hold 99.73 %. D's",
        "whiteness is the mean square of its correlations at 144 lags over that of white noise.",
        "Fluxes are S/F_S at the true place, positions those of `detect`; the matched-filter bound",
        "is √(f² F_S²/V_S) with F_S from the profiles themselves.",
        "",
        "Where PSFs vary over the field, each cell uses those of its centre. The widths in the",
        "last scene change by ±10 % over the frame and its cells are as wide as their border; in",
        "wider cells the fluxes of bright sources scatter by more than their errors say (see",
        "`psf_match_over_cell`).",
        "",
        "## All scenes together",
        "",
        "| promise | | measured | |",
        "|---|---|---|---|",
        *(
            f"| {c.what} | {c.promise} | {c.measured} | {'met' if c.met else '**not met**'} |"
            for c in judge(everything)
        ),
        "",
        "## Scene by scene",
        "",
    ]
    scenes = {name: judge(j) for name, j in judged.items() if name != ALL_SCENES}
    short = ("σ(Scorr)", "whiteness of D", "flux of injected sources", "σ of the flux pull")
    short += ("significance over the matched-filter bound",)
    lines.append(f"| scene | {' | '.join(short)} | position pull x, y | all promises |")
    lines.append("|---" * (len(short) + 3) + "|")
    for name, claims in scenes.items():
        by_name = {claim.what: claim for claim in claims}
        cells = [_figure(by_name[what]) for what in short]
        cells.append(", ".join(_figure(by_name[f"σ of the position pull in {a}"]) for a in "xy"))
        missed = [claim.what for claim in claims if not claim.met]
        cells.append("met" if not missed else "not met: " + ", ".join(missed))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        "| scene | PSFs | σ (N, R) | F (N, R) | frame | stamps (N, R) |",
        "|---|---|---|---|---|---|",
    ]
    for scene in SCENES:
        psfs = " / ".join(_profile(profile) for profile in scene.profiles)
        stamps = ", ".join("×".join(map(str, shape)) for shape in scene.stamps)
        lines.append(
            f"| {scene.name} | {psfs} | {scene.sigmas[0]:g}, {scene.sigmas[1]:g} | "
            f"{scene.fluxes[0]:g}, {scene.fluxes[1]:g} | {'×'.join(map(str, scene.shape))} | "
            f"{stamps} |"
        )
    return "\n".join(lines) + "\n"


def _figure(claim: Claim) -> str:
    """The number with its error, without what is in brackets."""
    return claim.measured.split(" (")[0]


def _profile(profile: object) -> str:
    if hasattr(profile, "fwhm"):
        return f"FWHM {profile.fwhm:g}, β {profile.beta:g}, ε {profile.ellipticity:g}"
    return f"σ {profile.sigma_x:g}×{profile.sigma_y:g}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--noise", type=int, default=32, help="empty pairs of each scene")
    parser.add_argument("--sources", type=int, default=30, help="pairs with sources of each scene")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--shrink", type=int, default=1, help="frames smaller by this factor")
    parser.add_argument("--checkpoint", type=Path, default=Path("validation-checkpoint.jsonl"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "validation.md")
    args = parser.parse_args()
    if min(args.noise, args.sources, args.workers, args.shrink) < 1:
        parser.error("--noise, --sources, --workers and --shrink must be at least 1")
    if args.shrink > 4:
        parser.error(f"--shrink {args.shrink}: frames of under 250 px hold too few sources")
    counts = {"noise": args.noise, "sources": args.sources}
    keys: list[Key] = [
        (kind, number, trial)
        for kind, n in counts.items()
        for trial in range(n)
        for number in range(len(SCENES))
    ]
    checkpoint = Checkpoint(args.checkpoint, args.seed, args.shrink)
    todo = [key for key in keys if key not in checkpoint.done]
    print(f"{len(keys)} pairs, {len(keys) - len(todo)} done before", flush=True)
    start = time.perf_counter()
    pool = ProcessPoolExecutor(args.workers) if args.workers > 1 else nullcontext()
    with pool as executor:
        for i, (key, sums) in enumerate(finished(todo, args.seed, args.shrink, executor), 1):
            checkpoint.add(key, sums)
            left = (time.perf_counter() - start) / i * (len(todo) - i)
            print(
                f"{len(keys) - len(todo) + i:4d}/{len(keys)}  {key[0]:7s} "
                f"{SCENES[key[1]].name:55.55s} about {left / 60:.1f} min left",
                flush=True,
            )
    judged = totals(checkpoint.done, keys)
    met = True
    for name, scene in judged.items():
        print(f"\n{name}")
        for claim in judge(scene):
            met &= claim.met
            print(f"  {'met    ' if claim.met else 'NOT MET'} {claim.what}: {claim.measured}")
    args.out.write_text(page(judged, args.seed), encoding="utf-8")
    print(f"\nwritten to {args.out}; {'every promise is met' if met else 'NOT all are met'}")
    return 0 if met else 1


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description."""


if __name__ == "__main__":
    sys.exit(main())
