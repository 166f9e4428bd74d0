"""Real files as they come: each opens, or says in one sentence what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import GridPsf
from zogy_explorer.errors import ReadError
from zogy_explorer.io import read_exposure, read_exposure_bytes, read_psf, write_exposure

pytestmark = pytest.mark.shared_data

JWST = "jwst_nircam_stamp/jw01324001001-01324-o001_t001_nircam_clear-f200w_i2d_stamp"


def files(folder, *suffixes):
    found = sorted(p for p in folder.rglob("*") if p.is_file() and p.name.endswith(suffixes))
    assert found
    return found


def test_every_raw_file_opens_or_says_why_not(shared_data):
    opened = 0
    for path in files(shared_data / "data" / "raw", ""):
        if path.suffix == ".avro":
            with pytest.raises(ReadError, match=r"Avro alert packet.*save its cutouts"):
                read_exposure(path)
            continue
        exposure = read_exposure(path)
        opened += 1
        assert exposure.image.dtype.isnative
        assert np.isfinite(exposure.image).any()
        again = read_exposure_bytes(path.read_bytes(), path.name)
        assert np.array_equal(again.image, exposure.image, equal_nan=True)
    assert opened == 18


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "wcs"),
    [
        (f"{JWST}.fits", (900, 900), "f4", True),
        (f"{JWST}.WebbPSF.fits", (205, 205), "f4", False),
        ("decam_float64_tpv/DEC-OBS04a.mini.fits", (256, 256), "f8", True),
        ("eso_uint16_nowcs/aligned_eso085-030-004.fit", (682, 1024), "f8", False),
        ("goto_full_header/goto_1_cut512.fits", (512, 512), "f4", True),
        ("lsst_maskedimage/lsst_templateMI.fits", (193, 193), "f4", False),
        ("tess_fz_nan/sfft_diff4check.fits.fz", (2048, 2048), "f8", True),
        ("ztf_alert/candid472263571115115000_ref.fits.gz", (63, 63), "f4", False),
    ],
)
def test_raw_files_are_what_they_are(shared_data, name, shape, dtype, wcs):
    exposure = read_exposure(shared_data / "data" / "raw" / name)
    assert exposure.shape == shape
    assert exposure.image.dtype == np.dtype(dtype)
    assert (exposure.wcs is not None) is wcs
    assert exposure.photo_calib is None
    assert exposure.psf is None


def test_nan_pixels_of_the_compressed_file_stay_nan(shared_data):
    exposure = read_exposure(shared_data / "data/raw/tess_fz_nan/sfft_diff4check.fits.fz")
    assert np.isnan(exposure.image).sum() == 77930


def test_the_masked_image_has_its_origin_planes_and_variance(shared_data):
    exposure = read_exposure(shared_data / "data/raw/lsst_maskedimage/lsst_scienceMI.fits")
    assert exposure.xy0 == (9, 9)
    assert exposure.mask_planes["DETECTED_NEGATIVE"] == 6
    assert exposure.mask_planes["CR"] == 3
    assert exposure.variance is not None


def test_a_psf_file_reads_as_a_psf(shared_data):
    psf = read_psf(shared_data / "data/raw" / f"{JWST}.WebbPSF.fits")
    assert psf.kernel_image(x=0, y=0).shape == (205, 205)


def test_every_prepared_pair_is_ready_for_subtraction(shared_data):
    for path in files(shared_data / "data" / "pairs", "science.fits"):
        science = read_exposure(path)
        template = read_exposure(path.with_name("template.fits"))
        assert science.shape == template.shape
        assert template.photo_calib == 1.0
        for exposure in (science, template):
            assert exposure.variance is not None
            x, y = exposure.bbox.center
            assert exposure.psf.kernel_image(x=x, y=y).sum() == pytest.approx(1.0)
    assert science.photo_calib is not None


def test_the_goto_pair_has_its_flux_ratio_and_varying_psf(shared_data):
    science = read_exposure(shared_data / "data/pairs/goto_m88/science.fits")
    assert science.photo_calib == pytest.approx(1 / 1.0109)
    assert isinstance(science.psf, GridPsf)
    assert science.psf.positions[4].tolist() == [512.0, 600.0]


@pytest.mark.parametrize(
    "name",
    [
        "raw/goto_full_header/goto_1_cut512.fits",
        "raw/decam_float64_tpv/DEC-OBS18a.mini.fits",
        "raw/lsst_maskedimage/lsst_scienceMI.fits",
        "pairs/goto_m88/science.fits",
    ],
)
def test_real_files_survive_our_layout(shared_data, tmp_path, name):
    exposure = read_exposure(shared_data / "data" / name)
    write_exposure(exposure, tmp_path / "e.fits")
    back = read_exposure(tmp_path / "e.fits")
    assert np.array_equal(back.image, exposure.image, equal_nan=True)
    assert back.mask_planes == exposure.mask_planes
    assert back.xy0 == exposure.xy0
    assert back.meta == exposure.meta
    if exposure.wcs is not None:
        corners = [[0, 0], [500, 200]]
        sky = exposure.wcs.all_pix2world(corners, 0)
        assert np.allclose(back.wcs.all_pix2world(corners, 0), sky, rtol=0, atol=1e-10)
