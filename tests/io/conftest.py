"""Exposures with everything that a file must give back."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from zogy_explorer import Exposure, KernelPsf


def bump(sigma: float, size: int = 9) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size // 2
    return np.exp(-(x**2 + y**2) / (2 * sigma**2))


def tan_wcs() -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [150.123456789012345, 2.0 / 3.0]
    wcs.wcs.crpix = [1000.0 / 3.0, -6954.66700000001]
    wcs.wcs.cd = [[-7.28524319348312e-05, 1e-7 / 3], [1.1e-7 / 3, 7.28524319348313e-05]]
    return wcs


@pytest.fixture
def exposure() -> Exposure:
    rng = np.random.default_rng(11)
    image = rng.normal(0, 10, (37, 53)).astype(np.float32)
    image[3, 4], image[5, 6] = np.nan, np.inf
    mask = rng.integers(-(2**31), 2**31 - 1, (37, 53)).astype(np.int32)
    return Exposure(
        image,
        variance=rng.uniform(1, 3, (37, 53)).astype(np.float32),
        mask=mask,
        psf=KernelPsf(bump(1.5)),
        wcs=tan_wcs(),
        photo_calib=0.1,
        meta={"EXPTIME": 30.0, "FILTER": "r"},
        name="night 7",
    )


@pytest.fixture
def write_hdus(tmp_path):
    """Write HDUs to a file called ``name``."""

    def write(*hdus, name: str = "file.fits"):
        path = tmp_path / name
        fits.HDUList(list(hdus)).writeto(path)
        return path

    return write
