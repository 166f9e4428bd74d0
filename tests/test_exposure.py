from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from zogy_explorer.errors import InputError, MissingDataError, ShapeMismatchError
from zogy_explorer.exposure import Exposure, require_psf, require_variance
from zogy_explorer.geometry import Box
from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.psf import KernelPsf

PIXELS = np.arange(12.0, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("<f4", "f4"), (">f4", "f4"), (">f8", "f8"), (">i2", "f8"), ("u2", "f8"), ("?", "f8")],
)
def test_pixels_become_native_floats_and_float32_stays(given, kept):
    exposure = Exposure(PIXELS.astype(given))
    assert exposure.image.dtype == np.dtype(kept)
    assert exposure.image.dtype.isnative
    assert np.array_equal(exposure.image, PIXELS.astype(given))


def test_masked_pixels_become_nan():
    image = np.ma.masked_equal(PIXELS, 5)
    assert np.isnan(Exposure(image).image[1, 1])
    assert np.isnan(Exposure(np.ma.masked_equal(PIXELS.astype(int), 5)).image[1, 1])


def test_a_number_as_variance_fills_the_plane():
    assert Exposure(PIXELS, variance=4.0).variance.tolist() == np.full((3, 4), 4.0).tolist()


def test_mask_bits_survive_unsigned_types():
    mask = np.zeros((3, 4), dtype=np.uint32)
    mask[0, 0] = 2**31
    assert Exposure(PIXELS, mask=mask).mask[0, 0] == -(2**31)
    assert Exposure(PIXELS, mask=mask.astype(np.int64)).mask.dtype == np.int32
    assert Exposure(PIXELS).mask.dtype == np.int32


def test_defaults_are_lsst_planes_and_unit_calibration():
    exposure = Exposure(PIXELS)
    assert exposure.mask_planes == dict(MASK_PLANES)
    assert exposure.photo_calib == 1.0
    assert exposure.bbox == Box(0, 0, 4, 3)


def test_the_box_starts_at_xy0():
    exposure = Exposure(PIXELS, xy0=(100, 200))
    assert exposure.bbox == Box(100, 200, 4, 3)
    assert exposure.average_position == (101.5, 201.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"image": np.ones(4)}, InputError, r"image has shape \(4,\)"),
        ({"image": np.ones((0, 4))}, InputError, "a 2-D array with pixels is needed"),
        ({"image": np.ones((3, 4), dtype=complex)}, InputError, "real numbers are needed"),
        (
            {"image": PIXELS, "variance": np.ones((4, 3))},
            ShapeMismatchError,
            "4×3 but image is 3×4",
        ),
        ({"image": PIXELS, "mask": np.ones((3, 4))}, InputError, "integer bits are needed"),
        ({"image": PIXELS, "mask": np.ones((1, 4), int)}, ShapeMismatchError, "mask is 1×4"),
        ({"image": PIXELS, "psf": np.ones((3, 3))}, InputError, r"KernelPsf\(stamp\)"),
        ({"image": PIXELS, "photo_calib": 0.0}, InputError, "must be a positive factor"),
        ({"image": PIXELS, "photo_calib": np.nan}, InputError, "photo_calib is nan"),
        ({"image": PIXELS, "mask_planes": {"A": 40}}, InputError, "bit 40"),
    ],
)
def test_each_unusable_argument_is_named_with_its_value(arguments, error, message):
    with pytest.raises(error, match=message):
        Exposure(**arguments)


def test_the_exposures_name_is_in_the_message():
    with pytest.raises(InputError, match="night 7: variance is"):
        Exposure(PIXELS, variance=np.ones((2, 2)), name="night 7")


def test_attributes_are_read_only_and_say_how_to_change_them():
    exposure = Exposure(PIXELS)
    with pytest.raises(AttributeError, match=r"exposure.replace\(psf=…\)"):
        exposure.psf = None
    changed = exposure.replace(name="other", photo_calib=None)
    assert (changed.name, changed.photo_calib) == ("other", None)
    assert changed.image is exposure.image
    with pytest.raises(InputError, match="has no colour"):
        exposure.replace(colour=1)


def test_exposures_survive_pickling_and_copying():
    exposure = Exposure(PIXELS, variance=2.0, psf=KernelPsf(np.ones((3, 3))), meta={"A": 1})
    for again in (pickle.loads(pickle.dumps(exposure)), copy.deepcopy(exposure)):
        assert np.array_equal(again.image, exposure.image)
        assert again.meta == {"A": 1}


def test_what_is_missing_is_asked_for_by_name():
    with pytest.raises(MissingDataError, match="science has no variance plane"):
        require_variance(Exposure(PIXELS), "science")
    with pytest.raises(MissingDataError, match="template has no PSF"):
        require_psf(Exposure(PIXELS), "template")


def test_masked_finds_planes_by_name():
    mask = np.zeros((3, 4), dtype=np.int32)
    mask[1, 2] = 1 << 5
    exposure = Exposure(PIXELS, mask=mask, mask_planes={"ODD": 5})
    assert np.argwhere(exposure.masked(["ODD", "SAT"])).tolist() == [[1, 2]]
