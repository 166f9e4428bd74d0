"""How often `explain` names the right first cause, and its size within 10 %.

    python benchmarks/bench_explain.py [--trials 100] [--seed 1]

Pairs with one thing wrong, drawn at random: unequal PSFs of 2.2 to 4.5 px, unequal noise, a
sub-pixel position, sizes over a decade, each strong enough that its size can be known to about 3 %.
A case counts as right if the first cause has the right name, and its size as right within 10 % (for
a saturated star: the number of saturated pixels). "noise" are positions without anything.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zogy_explorer import Exposure, ZogyConfig, plan, run
from zogy_explorer.diagnostics import Explanation, explain
from zogy_explorer.simulate import FlawedPair, Moffat

TOLERANCE = 0.1
LEAST_NAMED = 0.95


@dataclass(frozen=True)
class Trial:
    """A pair, where to ask, and the size that is right, as `explain` would say it."""

    pair: tuple[Exposure, Exposure]
    at: tuple[float, float]
    size: Callable[[Explanation], float] | None
    truth: float


@dataclass(frozen=True)
class Outcome:
    """How many of the trials came out right."""

    cause: str
    trials: int
    named: int
    sized: int
    others: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether both shares meet the target."""
        return min(self.named, self.sized) >= LEAST_NAMED * self.trials


def base(rng: np.random.Generator, flux: float) -> FlawedPair:
    """An empty sky with one star, PSFs and noise drawn at random."""
    psfs = tuple(
        Moffat(
            float(rng.uniform(2.2, 4.5)),
            float(rng.uniform(2.8, 4.5)),
            float(rng.uniform(0, 0.12)),
            float(rng.uniform(0, np.pi)),
        )
        for _ in range(2)
    )
    x, y = 48 + rng.uniform(-0.5, 0.5), 48 + rng.uniform(-0.5, 0.5)
    return FlawedPair(
        stars=((x, y, flux),),
        psfs=(psfs[0], psfs[1]),
        sigmas=(float(rng.uniform(4, 8)), float(rng.uniform(3, 6))),
        shape=(int(rng.integers(94, 100)), int(rng.integers(94, 100))),
        gain=2.0,
    )


def _sign(rng: np.random.Generator) -> float:
    return float(rng.choice([-1.0, 1.0]))


def _shift(rng: np.random.Generator) -> Trial:
    length, angle = np.exp(rng.uniform(np.log(0.1), np.log(1.0))), rng.uniform(0, 2 * np.pi)
    scene = base(rng, 40000 / min(1.0, 3 * length))
    shift = (length * np.cos(angle), length * np.sin(angle))
    return _trial(rng, replace(scene, shift=shift), lambda e: e.first.amplitude, length)


def _flux(rng: np.random.Generator) -> Trial:
    error = _sign(rng) * np.exp(rng.uniform(np.log(0.04), np.log(0.3)))
    scene = base(rng, 4000 / abs(error) + 60000)
    return _trial(rng, replace(scene, flux_error=error), lambda e: e.first.amplitude, 100 * error)


def _psf_width(rng: np.random.Generator) -> Trial:
    error = _sign(rng) * np.exp(rng.uniform(np.log(0.05), np.log(0.2)))
    scene = replace(base(rng, 200000), width_error=error)
    return _trial(rng, scene, lambda e: e.first.values.get("width_science", np.nan), error)


def _background(rng: np.random.Generator) -> Trial:
    scene = base(rng, 0.0)
    level = _sign(rng) * max(scene.sigmas) * rng.uniform(1.0, 5.0)
    return _trial(rng, replace(scene, background=level), lambda e: e.first.amplitude, level)


def _edge(rng: np.random.Generator) -> Trial:
    """A sky that steps from one row or column to the next, as between two amplifiers."""
    scene = base(rng, float(rng.choice([0.0, 5000.0])))
    step = _sign(rng) * max(scene.sigmas) * rng.uniform(3.0, 8.0)
    trial = _trial(rng, scene, lambda e: e.first.values.get("step", np.nan), step)
    science, template = trial.pair
    image = science.image.copy()
    beyond = int(rng.integers(45, 52))
    image[(slice(None), slice(beyond, None)) if rng.integers(2) else slice(beyond, None)] += step
    return replace(trial, pair=(science.replace(image=image), template))


def _cosmic_ray(rng: np.random.Generator) -> Trial:
    scene = base(rng, float(rng.choice([0.0, 5000.0, 20000.0])))
    charge = scene.sigmas[0] * rng.uniform(60, 600)
    x, y = (int(v) for v in rng.integers(46, 51, 2))
    scene = replace(scene, hit=(x, y, charge))
    return _trial(rng, scene, lambda e: e.first.amplitude, charge, at=(x, y))


def _saturation(rng: np.random.Generator) -> Trial:
    scene = base(rng, 400000.0)
    level = float(rng.uniform(0.2, 0.6)) * 400000 * min(p.stamp(31).max() for p in scene.psfs)
    scene = replace(scene, saturation=level, mask_saturated=bool(rng.integers(2)))
    trial = _trial(rng, scene, lambda e: e.first.amplitude, 0.0)
    full = np.logical_or(*(e.image >= level for e in trial.pair))
    return replace(trial, truth=float(np.count_nonzero(full)))


def _new_source(rng: np.random.Generator) -> Trial:
    scene = base(rng, float(rng.choice([0.0, 5000.0, 20000.0])))
    flux = scene.sigmas[0] * rng.uniform(300, 1500)
    angle = rng.uniform(0, 2 * np.pi)
    apart = scene.psfs[0].fwhm * rng.uniform(0.7, 1.0)
    x, y = 48 + apart * np.cos(angle), 48 + apart * np.sin(angle)
    scene = replace(scene, new_source=(x, y, flux))
    return _trial(rng, scene, lambda e: e.first.amplitude, flux, at=(x, y))


def _noise(rng: np.random.Generator) -> Trial:
    scene = base(rng, float(rng.choice([0.0, 5000.0, 20000.0])))
    return _trial(rng, scene, None, 0.0)


CASES: dict[str, Callable[[np.random.Generator], Trial]] = {
    "shift": _shift,
    "flux": _flux,
    "psf_width": _psf_width,
    "background": _background,
    "background edge": _edge,
    "cosmic_ray": _cosmic_ray,
    "saturation": _saturation,
    "new_source": _new_source,
    "noise": _noise,
}
"""Cause, with a word on its kind, to the trial that draws one."""


def _trial(
    rng: np.random.Generator,
    scene: FlawedPair,
    size: Callable[[Explanation], float] | None,
    truth: float,
    at: tuple[float, float] = (48.0, 48.0),
) -> Trial:
    x, y = (v + rng.uniform(-0.5, 0.5) for v in at)  # nobody clicks exactly
    return Trial(scene.draw(int(rng.integers(2**31))), (x, y), size, float(truth))


def measure(cause: str, trials: int, seed: int) -> Outcome:
    """Draw and explain ``trials`` pairs with one cause."""
    rng = np.random.default_rng([seed, sorted(CASES).index(cause)])
    named = sized = 0
    others = []
    for _ in range(trials):
        trial = CASES[cause](rng)
        settings: dict[str, Any] = {"background": "none"}
        found = explain(run(plan(*trial.pair, ZogyConfig(**settings))), *trial.at)
        if found.first.name != cause.split()[0]:
            others.append(found.first.name)
            continue
        named += 1
        if trial.size is None or abs(trial.size(found) / trial.truth - 1) <= TOLERANCE:
            sized += 1
    return Outcome(cause, trials, named, sized, tuple(others))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--causes", nargs="*", default=list(CASES), choices=list(CASES))
    options = parser.parse_args()
    print("| wrong | trials | named first | size within 10 % | else named | |")
    print("|---|---|---|---|---|---|")
    good = True
    for cause in options.causes:
        outcome = measure(cause, options.trials, options.seed)
        others = ", ".join(f"{n} {outcome.others.count(n)}" for n in sorted(set(outcome.others)))
        verdict = "met" if outcome.good else "not met"
        print(
            f"| {cause} | {outcome.trials} | {outcome.named} | {outcome.sized} "
            f"| {others or '–'} | {verdict} |",
            flush=True,
        )
        good = good and outcome.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
