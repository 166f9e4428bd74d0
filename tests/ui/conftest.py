"""Small pairs that a page can open in milliseconds."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig
from zogy_explorer.ui.session import Session


def gaussian(sigma: float, *, size: int = 15, dx: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size // 2
    return np.exp(-((x - dx) ** 2 + y**2) / (2 * sigma**2))


def make_exposure(seed: int, sigma: float, *, shape=(96, 120), dx: float = 0.0, **changes):
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 3, shape).astype(np.float32)
    fields = {
        "variance": np.full(shape, 9.0, dtype=np.float32),
        "psf": KernelPsf(gaussian(sigma, dx=dx)),
        "name": f"exposure{seed}",
    }
    return Exposure(image, **(fields | changes))


@pytest.fixture
def pair():
    """PSF centroids 0.083 px apart."""
    return make_exposure(1, 1.6, dx=0.083), make_exposure(2, 1.3)


@pytest.fixture
def session(pair):
    made = Session(ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0), live=False)
    made.open_exposures(*pair)
    return made


@pytest.fixture
def page(session):
    """The whole page of the session, without a browser: painting is done at once."""
    from zogy_explorer.ui.page import Page

    return Page(session)
