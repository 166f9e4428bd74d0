"""The sample pair: small, full of things to see, and the same to the last bit everywhere."""

from __future__ import annotations

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from zogy_explorer.exposure import Exposure
from zogy_explorer.psf import GridPsf, KernelPsf
from zogy_explorer.simulate.pair import make_pair

SHAPE = (420, 440)

# Coarse steps hide differences in the last bit between mathematical libraries, so that the
# sample is the same on every machine.
_PIXEL_STEP = 2.0**-6
_STAMP_STEP = 2.0**-22
_DECIMALS = {"ra": 6, "dec": 6}


def sample_pair() -> tuple[Exposure, Exposure, Table]:
    """The pair of ``sample_data/``, made in memory.

    The centroid of the science PSF moves away from the template's towards the upper right corner,
    to 0.285 px, so that one cell of a 4 × 4 grid exceeds the default ``maxPsfCentroidDist``
    of 0.2 px.

    Returns
    -------
    science, template, truth
        As from `make_pair`.
    """
    science, template, truth = make_pair(
        5,
        SHAPE,
        n_stars=90,
        n_galaxies=18,
        n_transients=9,
        transient_snr=(6.5, 60.0),
        star_flux=(150.0, 8e4),
        galaxy_flux=(1500.0, 4e4),
        fwhm_science=3.0,
        fwhm_template=2.5,
        psf_variation=0.4,
        psf_size=21,
        centroid_offset=0.285,
        cosmic_rays=5,
    )
    for name in truth.colnames:
        if truth[name].dtype.kind == "f":
            truth[name][:] = np.round(truth[name].data, _DECIMALS.get(name, 3))
    return _rounded(science), _rounded(template), truth


def _rounded(exposure: Exposure) -> Exposure:
    variance, psf = exposure.variance, exposure.psf
    assert variance is not None
    assert isinstance(psf, KernelPsf | GridPsf)
    return exposure.replace(
        image=_step(exposure.image, _PIXEL_STEP),
        variance=_step(variance, _PIXEL_STEP),
        psf=_rounded_psf(psf),
    )


def _step(values: NDArray[np.floating], step: float) -> NDArray[np.floating]:
    """Nearest multiples of ``step``, a power of two."""
    return np.asarray(np.round(values.astype(np.float64) / step) * step).astype(values.dtype)


def _rounded_psf(psf: KernelPsf | GridPsf) -> KernelPsf | GridPsf:
    # Sums of such multiples are exact, so normalising them gives the same bits everywhere too.
    if isinstance(psf, KernelPsf):
        return KernelPsf(_step(psf.stamp, _STAMP_STEP))
    return GridPsf([_step(stamp, _STAMP_STEP) for stamp in psf.stamps], psf.positions)
