"""Files in and out: FITS of our own layout, of other people's, and `astropy.nddata.CCDData`.

Reading recognises, in this order, our own layout (`native`), prepared pairs (`pairs`), LSST
MaskedImages (`lsst`) and whatever else holds a 2-D image (`generic`). Whatever is wrong with a
file becomes one sentence in a `ReadError`. Writing is all or nothing: a file appears under its
name when it is complete.
"""

from __future__ import annotations

from zogy_explorer.io._fits import check_is_fits
from zogy_explorer.io.ccddata import exposure_from_ccddata, exposure_to_ccddata
from zogy_explorer.io.detections import detection_regions, read_detections, write_detections
from zogy_explorer.io.difference import DifferenceFile, read_difference, write_difference
from zogy_explorer.io.mask import read_mask
from zogy_explorer.io.native import write_exposure
from zogy_explorer.io.psf import BrokenPsf
from zogy_explorer.io.reading import read_exposure, read_exposure_bytes, read_psf

__all__ = [
    "BrokenPsf",
    "DifferenceFile",
    "check_is_fits",
    "detection_regions",
    "exposure_from_ccddata",
    "exposure_to_ccddata",
    "read_detections",
    "read_difference",
    "read_exposure",
    "read_exposure_bytes",
    "read_mask",
    "read_psf",
    "write_detections",
    "write_difference",
    "write_exposure",
]
