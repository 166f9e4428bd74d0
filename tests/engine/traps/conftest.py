"""What the tests of LSST's traps (measured), and of what the defaults make of them, share.

Each test shows both sides: the preset or switch that reproduces the trap, so that we know that
the test could fail, and the default, which mends it. Numbers are bounds with room for other
noise, not the values themselves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, ZogyTask, plan
from zogy_explorer.engine import Struct, SubtractionPlan
from zogy_explorer.masks import MASK_PLANES

Factory = Callable[..., tuple[Exposure, Exposure]]

CR = np.int32(1 << MASK_PLANES["CR"])
NO_DATA = np.int32(1 << MASK_PLANES["NO_DATA"])
EDGE_PLANE = np.int32(1 << MASK_PLANES["EDGE"])


def subtract(pair: tuple[Exposure, Exposure], config: ZogyConfig) -> Struct:
    return ZogyTask(config=config).run(*pair)


def layout(pair: tuple[Exposure, Exposure], **settings: object) -> SubtractionPlan:
    return plan(*pair, ZogyConfig(**settings))


def noisy_stamp(stamp: np.ndarray, level: float, seed: int) -> KernelPsf:
    """PSF with white noise of ``level`` of its peak, as measured PSFs have."""
    rng = np.random.default_rng(seed)
    return KernelPsf(stamp + level * stamp.max() * rng.normal(size=stamp.shape))


@pytest.fixture
def pair(noise_pair: Factory, gaussian: Callable[..., np.ndarray]) -> tuple[Exposure, Exposure]:
    """200×190 px of empty sky, PSFs of σ 2.5 and 1.8 px with noise of 2e-6 of the peak."""
    science, template = noise_pair((200, 190))
    return (
        science.replace(psf=noisy_stamp(gaussian(2.5, 31), 2e-6, 1)),
        template.replace(psf=noisy_stamp(gaussian(1.8, 31), 2e-6, 2)),
    )


def with_cosmic_ray(exposure: Exposure, counts: float, *, flagged: bool) -> Exposure:
    """Four pixels of ``counts`` around (96, 100)."""
    image, mask = exposure.image.copy(), exposure.mask.copy()
    image[100, 95:99] += counts
    if flagged:
        mask[100, 95:99] |= CR
    return exposure.replace(image=image, mask=mask)
