"""Sky subtraction with a mesh, which needs an optional package."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

from zogy_explorer import Exposure, ZogyConfig, plan, run

Pair = tuple[Exposure, Exposure]


@pytest.fixture
def gradient_pair(noise_pair: Callable[..., Pair]) -> Pair:
    """Skies that rise by 60σ over the frame, another way in each image."""
    science, template = noise_pair((260, 300))
    rise = np.linspace(0, 180, 300)[None, :] + 100
    fall = np.linspace(120, 0, 260)[:, None] + 50
    return (
        science.replace(image=science.image + rise),
        template.replace(image=template.image + fall),
    )


@pytest.fixture
def photutils() -> None:
    """Skip without photutils; in CI it must be there."""
    if os.environ.get("CI") != "true":
        pytest.importorskip(
            "photutils",
            reason="photutils is not installed: pip install 'zogy-explorer[photometry]'",
        )


def slope_of(image: np.ndarray) -> float:
    """Largest difference between the medians of the nine parts of an image."""
    parts = [np.median(p) for band in np.array_split(image, 3) for p in np.array_split(band, 3, 1)]
    return float(np.ptp(parts))


@pytest.mark.usefixtures("photutils")
def test_a_mesh_takes_a_gradient_out_that_a_constant_leaves(gradient_pair: Pair) -> None:
    slopes = {}
    for background in ("constant", "mesh"):
        steps = plan(*gradient_pair, ZogyConfig(background=background))
        images = (steps.science.image / 3.0, steps.template.image / 2.0)
        slopes[background] = max(slope_of(image) for image in images)
        sigma = run(steps).scorr.std()
        assert (sigma > 5) == (background == "constant")
    assert slopes["constant"] > 30
    assert slopes["mesh"] < 0.5


@pytest.mark.usefixtures("photutils")
def test_a_mesh_leaves_stars_and_noise_alone(
    noise_pair: Callable[..., Pair], add_star: Callable[..., Exposure]
) -> None:
    science, template = noise_pair((260, 300))
    bright = add_star(science, 150, 130, 3e4)
    scorr = {
        background: run(plan(bright, template, ZogyConfig(background=background))).scorr
        for background in ("none", "mesh")
    }
    assert scorr["mesh"][130, 150] == pytest.approx(scorr["none"][130, 150], rel=0.005)
    assert np.std(scorr["mesh"] - scorr["none"]) < 0.5
