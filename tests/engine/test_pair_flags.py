"""Pairs that can be subtracted and should not have been: grids apart, one image twice."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import Difference, Exposure, KernelPsf, ZogyConfig, plan, run


def exposure(seed: int, **changes: object) -> Exposure:
    y, x = np.mgrid[:15, :15] - 7
    image = np.random.default_rng(seed).normal(0, 1, (130, 90)).astype(np.float32)
    psf = KernelPsf(np.exp(-(x**2 + y**2) / (2 * 1.6**2)))
    return Exposure(image, variance=1.0, psf=psf).replace(**changes)


def flags(science: Exposure, template: Exposure) -> dict[str, str]:
    return {flag.name: flag.cause for flag in plan(science, template, ZogyConfig()).flags}


def subtract(science: Exposure, template: Exposure) -> Difference:
    return run(plan(science, template, ZogyConfig()))


def test_a_pair_on_one_grid_has_no_flags() -> None:
    assert flags(exposure(1, xy0=(7, -3)), exposure(2, xy0=(7, -3))) == {}


def test_grids_that_lie_apart_are_flagged_with_both_ranges() -> None:
    cause = flags(exposure(1, xy0=(100000, 0)), exposure(2))["GRIDS_DIFFER"]
    assert cause.startswith(
        "no overlap: science covers x = 100000 … 100089, y = 0 … 129, "
        "the template x = 0 … 89, y = 0 … 129"
    )


def test_grids_that_overlap_in_part_are_flagged() -> None:
    assert "different grids" in flags(exposure(1), exposure(2, xy0=(0, 5)))["GRIDS_DIFFER"]


def test_every_cell_repeats_it() -> None:
    result = subtract(exposure(1, xy0=(100000, 0)), exposure(2))
    assert result.cells[0].ok
    assert "GRIDS_DIFFER" in {flag.name for flag in result.cells[0].flags}


@pytest.mark.parametrize("hole", [0.0, np.nan])
def test_one_image_twice_is_called_that_and_its_noise_is_not_judged(hole: float) -> None:
    science = exposure(1)
    science.image[3, 4] = hole
    result = subtract(science, science.clone())
    names = {flag.name for flag in result.cells[0].flags}
    assert "SAME_IMAGE" in names
    assert "SCORR_SIGMA_LOW" not in names


def test_images_that_differ_in_one_pixel_are_not_the_same() -> None:
    science = exposure(1)
    other = science.clone()
    other.image[3, 4] += 1
    assert flags(science, other) == {}
