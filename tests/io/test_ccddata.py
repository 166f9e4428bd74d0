from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.nddata import CCDData, InverseVariance, StdDevUncertainty, VarianceUncertainty

from zogy_explorer import Exposure

PIXELS = np.arange(12.0).reshape(3, 4)


def test_there_and_back_again_loses_nothing(exposure):
    given = exposure.replace(xy0=(5, 7), meta={"EXPTIME": 30.0, "BUNIT": "electron"})
    back = Exposure.from_ccddata(given.to_ccddata())
    assert back.image.tobytes() == given.image.tobytes()
    assert np.array_equal(back.variance, given.variance)
    assert np.array_equal(back.mask, given.mask)
    assert back.mask_planes == given.mask_planes
    assert np.array_equal(back.psf.stamp, given.psf.stamp)
    assert (back.photo_calib, back.xy0, back.name) == (0.1, (5, 7), "night 7")
    assert back.meta == given.meta
    assert back.wcs is given.wcs


@pytest.mark.parametrize(
    ("uncertainty", "value"),
    [(StdDevUncertainty, 2.0), (VarianceUncertainty, 4.0), (InverseVariance, 0.25)],
)
def test_every_uncertainty_becomes_a_variance(uncertainty, value):
    ccd = CCDData(PIXELS, unit="adu", uncertainty=uncertainty(np.full((3, 4), value)))
    assert np.allclose(Exposure.from_ccddata(ccd).variance, 4.0)


def test_bad_pixels_get_the_plane_bad():
    exposure = Exposure.from_ccddata(CCDData(PIXELS, unit="adu", mask=PIXELS == 5))
    assert np.argwhere(exposure.masked(["BAD"])).tolist() == [[1, 1]]


def test_a_plain_ccddata_is_not_calibrated_and_keeps_its_unit():
    exposure = Exposure.from_ccddata(CCDData(PIXELS, unit="electron"), name="x")
    assert exposure.photo_calib is None
    assert exposure.variance is None
    assert exposure.meta == {"BUNIT": "electron"}
    assert exposure.name == "x"


def test_detected_pixels_are_not_bad():
    mask = np.array([[0, 1 << 5, 1 << 1, 1 << 6]], dtype=np.int32)
    ccd = Exposure(np.ones((1, 4)), mask=mask).to_ccddata()
    assert ccd.mask.tolist() == [[False, False, True, False]]


def test_the_unit_is_bunit_or_adu():
    assert Exposure(PIXELS, meta={"BUNIT": "MJy/sr"}).to_ccddata().unit == u.MJy / u.sr
    assert Exposure(PIXELS, meta={"BUNIT": "bananas"}).to_ccddata().unit == u.adu


def test_the_copy_is_independent(exposure):
    ccd = exposure.to_ccddata()
    ccd.data[0, 0] = 99
    assert exposure.image[0, 0] != 99
