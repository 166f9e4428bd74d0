"""Whether something moved, where D shows other things too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from zogy_explorer import ZogyConfig, plan, run
from zogy_explorer.diagnostics import Verdict, explain, mover_or_misregistration
from zogy_explorer.engine import Difference
from zogy_explorer.simulate import FlawedPair, Moffat

STAR = (100.2, 79.7, 90000.0)
CLUSTER = tuple(
    (float(x) + 0.3 * i, float(y) - 0.2 * i, 60000.0 + 2000 * i)
    for i, (x, y) in enumerate([(30, 40), (90, 30), (160, 50), (40, 115), (110, 125), (165, 110)])
)
SHAPE = (150, 200)
SHIFT = (0.1, -0.15)
MOTION = (0.2, 0.1)
PSFS = (Moffat(2.8, 3.5, 0.05, 0.4), Moffat(2.4, 3.5, 0.05, 1.9))
MIND: dict[str, dict[str, object]] = {
    "wider": {"width_error": 0.12},
    "elliptical": {"psfs": (Moffat(2.8, 3.5, 0.22, 2.0), PSFS[1])},
    "in its wings": {"psfs": (Moffat(2.8, 2.2, 0.05, 0.4), PSFS[1])},
    "brighter": {"flux_error": 0.2},
    "beside a new source": {"new_source": (102.4, 81.0, 12000.0)},
    "alone": {},
}
"""What else is wrong with the star."""


def with_star(
    motion: tuple[float, float], shift: tuple[float, float], seed: int = 5, **flaws: object
) -> Difference:
    """A field shifted by ``shift`` in which one star moves by ``motion`` more, and has flaws."""
    field = FlawedPair(stars=CLUSTER, shape=SHAPE, shift=shift, psfs=PSFS).draw(seed)
    total = (shift[0] + motion[0], shift[1] + motion[1])
    own = {"psfs": PSFS, "shift": total, "sigmas": (1e-6, 1e-6)} | flaws
    star = FlawedPair(stars=(STAR,), shape=SHAPE, **own).draw(6)
    pair = [a.replace(image=a.image + b.image) for a, b in zip(field, star, strict=True)]
    return run(plan(*pair, ZogyConfig(background="none")))


def verdict(difference: Difference) -> Verdict:
    return mover_or_misregistration(difference, *STAR[:2])


@pytest.mark.parametrize("flaw", MIND)
@pytest.mark.parametrize("shift", [(0.0, 0.0), SHIFT])
def test_nothing_moves_that_is_only_changed(flaw: str, shift: tuple[float, float]) -> None:
    found = verdict(with_star((0.0, 0.0), shift, **MIND[flaw]))
    assert found.verdict in ("still", "misregistration", "unclear")


@pytest.mark.parametrize("flaw", MIND)
def test_what_moved_and_changed_is_not_called_still(flaw: str) -> None:
    found = verdict(with_star(MOTION, SHIFT, **MIND[flaw]))
    assert found.verdict in ("mover", "unclear")
    np.testing.assert_allclose(found.own_motion, MOTION, atol=0.05)


@pytest.mark.parametrize("flaw", ["wider", "brighter", "beside a new source", "alone"])
def test_motion_is_told_from_what_can_be_fitted_with_it(flaw: str) -> None:
    assert verdict(with_star(MOTION, SHIFT, **MIND[flaw])).verdict == "mover"


def test_errors_of_the_shift_are_those_that_it_has() -> None:
    pulls = []
    for seed in range(12):
        found = verdict(with_star((0.0, 0.0), (0.0, 0.0), seed, **MIND["beside a new source"]))
        pulls += [d / e for d, e in zip(found.shift, found.shift_error, strict=True)]
    assert 0.6 < np.std(pulls) < 1.5


def spoilt(spoil: Callable[[tuple[np.ndarray, np.ndarray]], None]) -> Difference:
    """Stars that do not move, in images to which something is done."""
    science, template = FlawedPair(stars=(STAR, *CLUSTER), shape=SHAPE, psfs=PSFS).draw(3)
    images = (science.image.copy(), template.image.copy())
    spoil(images)
    pair = (science.replace(image=images[0]), template.replace(image=images[1]))
    return run(plan(*pair, ZogyConfig(background="none")))


def test_a_pattern_that_nothing_explains_is_no_motion() -> None:
    """Blobs on one side of a star, as of a PSF with spikes that are not in its model."""

    def spoil(images: tuple[np.ndarray, np.ndarray]) -> None:
        rng = np.random.default_rng(4)
        y, x = np.mgrid[:150, :200]
        for _ in range(14):
            at = (STAR[0] + rng.uniform(0, 5), STAR[1] + rng.uniform(-4, 4))
            blob = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 2)
            images[int(rng.integers(2))][...] += rng.uniform(400, 2500) * blob

    difference = spoilt(spoil)
    assert explain(difference, *STAR[:2]).misfit > 1.5
    found = verdict(difference)
    assert found.verdict == "unclear"
    assert "not told whether it moved" in found.sentence
    assert "no motion follows" in found.advice
