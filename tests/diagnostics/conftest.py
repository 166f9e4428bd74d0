"""Pairs of empty skies whose noise, PSFs and flux scales are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, plan, run
from zogy_explorer.engine import Difference

Pair = tuple[Exposure, Exposure]


def gaussian(sigma: float, side: int | tuple[int, int] = 25) -> np.ndarray:
    h, w = (side, side) if isinstance(side, int) else side
    y, x = np.arange(h)[:, None] - h // 2, np.arange(w) - w // 2
    stamp = np.exp(-(x * x + y * y) / (2 * sigma**2))
    return stamp / stamp.sum()


@pytest.fixture(scope="session")
def sky_pair() -> Callable[..., Pair]:
    """Factory of noise pairs: ``smooth`` correlates neighbours, ``shared`` is the share of the
    template's variance that is the science image's own noise."""

    def make(
        shape: tuple[int, int] = (400, 420),
        *,
        seed: int = 1,
        sigmas: tuple[float, float] = (3.0, 2.0),
        widths: tuple[float, float] = (1.9, 1.3),
        sides: tuple[int | tuple[int, int], int | tuple[int, int]] = (25, 21),
        smooth: float = 0.0,
        shared: float = 0.0,
    ) -> Pair:
        rng = np.random.default_rng(seed)
        first, second = (rng.standard_normal(shape) for _ in range(2))
        second = np.sqrt(shared) * first + np.sqrt(1 - shared) * second
        images = [first, second]
        if smooth:
            images = [ndimage.gaussian_filter(image, smooth, mode="wrap") for image in images]
            line = ndimage.gaussian_filter1d(np.eye(1, 101, 50)[0], smooth)
            images = [image / (line**2).sum() for image in images]  # unit variance again
        return tuple(
            Exposure(image * sigma, variance=sigma**2, psf=KernelPsf(gaussian(width, side)))
            for image, sigma, width, side in zip(images, sigmas, widths, sides, strict=True)
        )

    return make


@pytest.fixture(scope="session")
def subtracted() -> Callable[..., Difference]:
    """Subtract a pair with settings for skies without light."""

    def subtract(pair: Pair, **settings: object) -> Difference:
        return run(plan(*pair, ZogyConfig(**{"background": "none"} | settings)))

    return subtract
