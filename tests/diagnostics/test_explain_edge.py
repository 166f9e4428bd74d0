"""At the edge of the frame: what the edge does, and what it must not be blamed for."""

from __future__ import annotations

import pytest

from zogy_explorer import ZogyConfig, plan, run
from zogy_explorer.diagnostics import explain
from zogy_explorer.engine import Difference
from zogy_explorer.simulate import FlawedPair

WIDTH, HEIGHT = 100, 96
MIDDLE = (50.2, 48.1, 40000.0)


def subtract(seed: int = 1, **flaws: object) -> Difference:
    scene = {"shape": (HEIGHT, WIDTH)} | flaws
    return run(plan(*FlawedPair(**scene).draw(seed), ZogyConfig(background="none")))


@pytest.mark.parametrize(
    "at", [(0.6, 50.3), (2.1, 44.2), (98.4, 40.7), (52.3, 1.2), (47.7, 94.1), (1.8, 2.2)]
)
def test_a_star_that_the_edge_cuts_has_no_new_source_beyond_it(at: tuple[float, float]) -> None:
    found = explain(subtract(stars=((*at, 150000.0), MIDDLE)), *at)
    assert found.first.name == "edge"
    for cause in found.causes:
        if cause.name in ("new_source", "cosmic_ray") and "x" in cause.values:
            assert -0.5 <= cause.values["x"] < WIDTH - 0.5
            assert -0.5 <= cause.values["y"] < HEIGHT - 0.5


@pytest.mark.parametrize("seed", range(3))
def test_a_shift_at_the_edge_is_named_and_the_rest_is_the_edge(seed: int) -> None:
    stars = ((2.4, 50.3, 100000.0), MIDDLE)
    found = explain(subtract(stars=stars, shift=(0.2, 0.0), seed=seed), 2.4, 50.3)
    assert found.first.name == "shift"
    assert found.first.amplitude == pytest.approx(0.2, rel=0.2)
    assert {cause.name for cause in found.supported} <= {"shift", "edge"}


@pytest.mark.parametrize("at", [(3.2, 50.3), (95.6, 40.7), (52.3, 3.4)])
def test_a_new_source_near_the_edge_is_still_new(at: tuple[float, float]) -> None:
    first = explain(subtract(stars=(MIDDLE,), new_source=(*at, 2500.0)), *at).first
    assert first.name == "new_source"
    assert (first.values["x"], first.values["y"]) == pytest.approx(at, abs=0.4)


def test_a_hit_at_the_edge_is_still_a_hit() -> None:
    first = explain(subtract(stars=(MIDDLE,), hit=(1, 50, 900.0)), 1, 50).first
    assert first.name == "cosmic_ray"
    assert (first.values["x"], first.values["y"]) == (1, 50)
