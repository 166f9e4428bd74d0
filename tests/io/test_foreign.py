"""Files of other people, made here with each of their habits."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from zogy_explorer import GridPsf, KernelPsf
from zogy_explorer.errors import PathNotFoundError, PsfError, ReadError
from zogy_explorer.io import read_exposure, read_exposure_bytes, read_psf

TAN = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRVAL1": 150.0,
    "CRVAL2": 2.0,
    "CRPIX1": 3.5,
    "CRPIX2": 3.0,
    "CD1_1": -1e-4,
    "CD2_2": 1e-4,
}
PIXELS = np.arange(30.0, dtype=np.float32).reshape(5, 6)


def bump(sigma: float, size: int = 9) -> np.ndarray:
    y, x = np.mgrid[:size, :size] - size // 2
    return np.exp(-(x**2 + y**2) / (2 * sigma**2))


def named(data, name, **cards):
    hdu = fits.ImageHDU(data, name=name)
    hdu.header.update(cards)
    return hdu


def raw(path, old: bytes, new: bytes) -> None:
    """Replace bytes of a file; both have one length."""
    assert len(old) == len(new)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


# ---- where the image is


@pytest.mark.parametrize("name", ["", "SCI", "N6"])
def test_image_in_the_primary_hdu_under_any_name(write_hdus, name):
    primary = fits.PrimaryHDU(PIXELS)
    if name:
        primary.header["EXTNAME"] = name
    exposure = read_exposure(write_hdus(primary))
    assert np.array_equal(exposure.image, PIXELS)
    assert exposure.variance is None
    assert exposure.psf is None
    assert exposure.photo_calib is None
    assert exposure.name == "file.fits"


def test_image_in_an_unnamed_extension(write_hdus):
    path = write_hdus(fits.PrimaryHDU(), fits.ImageHDU(PIXELS))
    assert np.array_equal(read_exposure(path).image, PIXELS)


def test_sci_err_and_psf_go_together(write_hdus):
    err = np.full((5, 6), 3.0, dtype=np.float32)
    path = write_hdus(
        fits.PrimaryHDU(),
        named(err, "ERR"),
        named(PIXELS, "SCI"),
        named(np.full((5, 6), 255, dtype=np.int32), "DQ"),
        named(bump(1.5), "PSF"),
    )
    exposure = read_exposure(path)
    assert np.array_equal(exposure.image, PIXELS)
    assert (exposure.variance == 9.0).all()
    assert exposure.variance.dtype == np.float32
    assert isinstance(exposure.psf, KernelPsf)
    assert not exposure.mask.any()


def test_a_psf_file_opens_as_an_image_and_as_a_psf(write_hdus):
    path = write_hdus(fits.PrimaryHDU(), named(bump(1.5), "PSF"))
    assert read_exposure(path).shape == (9, 9)
    assert read_psf(path).stamp.shape == (9, 9)
    plain = write_hdus(fits.PrimaryHDU(bump(1.2)), name="plain.fits")
    assert np.allclose(read_psf(plain).stamp, bump(1.2) / bump(1.2).sum())


def test_a_cube_of_one_plane_is_an_image(write_hdus):
    assert read_exposure(write_hdus(fits.PrimaryHDU(PIXELS[None]))).shape == (5, 6)


# ---- pixels


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i2", ">u2", ">i4", "u1"])
def test_every_pixel_type_becomes_a_native_float(write_hdus, dtype):
    data = PIXELS.astype(dtype)
    image = read_exposure(write_hdus(fits.PrimaryHDU(data))).image
    assert image.dtype.isnative
    assert image.dtype.kind == "f"
    assert np.array_equal(image, data)


def test_blank_pixels_of_integers_become_nan(write_hdus):
    hdu = fits.PrimaryHDU(PIXELS.astype(np.int16))
    hdu.header["BLANK"] = 7
    image = read_exposure(write_hdus(hdu)).image
    assert np.argwhere(np.isnan(image)).tolist() == [[1, 1]]


def test_tile_compressed_floats_with_nan(write_hdus):
    data = np.where(PIXELS == 7, np.nan, PIXELS)
    hdu = fits.CompImageHDU(data, compression_type="GZIP_2", quantize_level=0)
    image = read_exposure(write_hdus(fits.PrimaryHDU(), hdu, name="file.fits.fz")).image
    assert np.array_equal(image, data, equal_nan=True)


def test_an_image_of_nothing_but_nan_opens(write_hdus):
    assert np.isnan(read_exposure(write_hdus(fits.PrimaryHDU(PIXELS * np.nan))).image).all()


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["packed.fits.gz", "no_extension"])
def test_compressed_files_are_known_by_their_content(write_hdus, tmp_path, compress, name):
    content = compress(write_hdus(fits.PrimaryHDU(PIXELS)).read_bytes())
    (tmp_path / name).write_bytes(content)
    assert np.array_equal(read_exposure(tmp_path / name).image, PIXELS)
    assert np.array_equal(read_exposure_bytes(content, name).image, PIXELS)


def test_uploaded_bytes_carry_their_name(write_hdus):
    content = write_hdus(fits.PrimaryHDU(PIXELS)).read_bytes()
    assert read_exposure_bytes(content, "night.fits").name == "night.fits"


# ---- masks


def test_masked_image_is_told_apart_by_exttype(write_hdus):
    mask = np.zeros((5, 6), dtype=np.uint16)
    mask[0, 0] = 1 << 6
    path = write_hdus(
        fits.PrimaryHDU(),
        named(PIXELS, "", EXTTYPE="IMAGE", CTYPE1A="LINEAR", CRVAL1A=9, CRPIX1A=1, CRVAL2A=24),
        named(mask, "", EXTTYPE="MASK", MP_SAT=1, **{"HIERARCH MP_DETECTED_NEGATIVE": 6}),
        named(PIXELS + 1, "", EXTTYPE="VARIANCE"),
    )
    exposure = read_exposure(path)
    assert np.array_equal(exposure.variance, PIXELS + 1)
    assert exposure.masked(["DETECTED_NEGATIVE"]).sum() == 1
    assert exposure.xy0 == (9, 24)
    assert exposure.wcs is None


def test_our_planes_are_added_to_a_foreign_mask_on_free_bits(write_hdus):
    mask = np.full((5, 6), 1 << 8, dtype=np.int32)
    path = write_hdus(
        fits.PrimaryHDU(),
        named(PIXELS, "IMAGE", EXTTYPE="IMAGE"),
        named(mask, "MASK", EXTTYPE="MASK", MP_CR=8),
    )
    exposure = read_exposure(path)
    assert exposure.masked(["CR"]).all()
    assert not exposure.masked(["NO_DATA", "SAT", "BAD"]).any()
    assert "NO_DATA" in exposure.mask_planes


def test_a_mask_without_names_uses_the_default_bits(write_hdus):
    mask = np.zeros((5, 6), dtype=np.uint8)
    mask[2, 3] = 1
    path = write_hdus(fits.PrimaryHDU(), named(PIXELS, "SCI"), named(mask, "MASK"))
    assert np.argwhere(read_exposure(path).masked(["BAD"])).tolist() == [[2, 3]]


# ---- pairs


def pair_hdus(role="science", **cards):
    primary = fits.PrimaryHDU()
    primary.header.update({"PAIRID": "p", "ROLE": role} | cards)
    return [primary, named(PIXELS, "IMAGE"), named(PIXELS + 1, "VARIANCE")]


@pytest.mark.parametrize(
    ("role", "cards", "expected"),
    [
        ("science", {"FNOVERFR": 1.25}, 0.8),
        ("science", {}, None),
        ("science", {"FNOVERFR": 0.0}, None),
        ("template", {}, 1.0),
        ("template", {"FNOVERFR": 1.25}, 1.0),
    ],
)
def test_the_measured_flux_ratio_of_a_pair_becomes_the_calibration(
    write_hdus, role, cards, expected
):
    assert read_exposure(write_hdus(*pair_hdus(role, **cards))).photo_calib == expected


def test_positions_of_a_pairs_psf_cube_are_in_its_header(write_hdus):
    cube = np.stack([bump(1.0), bump(1.5)])
    psf = named(cube, "PSF", PSFX001=1.5, PSFY001=2.0, PSFX002=4.0, PSFY002=2.0)
    exposure = read_exposure(write_hdus(*pair_hdus(), psf))
    assert isinstance(exposure.psf, GridPsf)
    assert exposure.psf.positions.tolist() == [[1.5, 2.0], [4.0, 2.0]]


# ---- what is broken but not fatal


@pytest.mark.parametrize(
    ("stamps", "message"),
    [
        (np.zeros((9, 9)), "sums to 0"),
        (np.full((9, 9), np.nan), "non-finite"),
        (np.ones((2, 9, 9)), "2 stamps without positions"),
        (np.ones(9), "a 2-D image of the PSF is needed"),
        (None, "it has no pixels"),
    ],
)
def test_a_broken_psf_raises_only_when_it_is_asked_for(write_hdus, stamps, message):
    path = write_hdus(fits.PrimaryHDU(), named(PIXELS, "SCI"), named(stamps, "PSF"))
    exposure = read_exposure(path)
    assert np.array_equal(exposure.image, PIXELS)
    with pytest.raises(PsfError, match=f"extension PSF cannot be used: .*{message}"):
        exposure.psf.kernel_image(x=0, y=0)
    with pytest.raises(ReadError, match=message):
        read_psf(path)


@pytest.mark.parametrize(
    "cards",
    [
        {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--XYZ"},
        {"CD1_2": 1e-4, "CD2_1": -1e-4},
        {"CRVAL2": 400.0},
        {"CUNIT1": "parsec"},
        {"CTYPE1": "VELO", "CTYPE2": "FREQ"},
    ],
)
def test_a_broken_wcs_is_noted_and_its_cards_are_kept(write_hdus, cards):
    hdu = fits.PrimaryHDU(PIXELS)
    hdu.header.update(TAN | cards)
    exposure = read_exposure(write_hdus(hdu))
    assert exposure.wcs is None
    assert "WCS" in exposure.meta["WCSNOTE"]
    assert exposure.meta["CRPIX1"] == 3.5


def test_a_good_wcs_leaves_no_note_and_no_cards(write_hdus):
    exposure = read_exposure(write_hdus(fits.PrimaryHDU(PIXELS, header=fits.Header(TAN))))
    assert exposure.wcs.has_celestial
    assert "WCSNOTE" not in exposure.meta
    assert "CRPIX1" not in exposure.meta


def test_only_an_alternate_wcs_is_no_wcs(write_hdus):
    hdu = fits.PrimaryHDU(PIXELS)
    hdu.header.update({"CTYPE1A": "LINEAR", "CTYPE2A": "LINEAR", "CRVAL1A": 9})
    assert read_exposure(write_hdus(hdu)).wcs is None


def test_odd_cards_are_read_for_what_they_are_worth(write_hdus):
    hdu = fits.PrimaryHDU(PIXELS)
    hdu.header["BUNIT"] = "DN"
    hdu.header["HIERARCH SEXTRACTOR SATUR_LEVEL"] = 50000.0
    hdu.header["LONG"] = "word " * 30
    hdu.header["NOTHING"] = None
    hdu.header["UGLY"] = "xxxxxxxx"
    hdu.header["COMMENT"] = "one"
    hdu.header["COMMENT"] = "two"
    hdu.header.append(("BUNIT", "adu"), end=True)
    path = write_hdus(hdu)
    raw(path, b"'xxxxxxxx'", b"xxx'xx'x 1")
    raw(path, b"SIMPLE  =                    T", b"SIMPLE  =  T                  ")
    meta = read_exposure(path).meta
    assert meta["SEXTRACTOR SATUR_LEVEL"] == 50000.0
    assert meta["LONG"].startswith("word word")
    assert meta["NOTHING"] is None
    assert "xxx" in meta["UGLY"]
    assert meta["COMMENT"] == "one\ntwo"
    assert meta["BUNIT"] == "adu"


# ---- one sentence


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    path = tmp_path / "fifo.fits"
    os.mkfifo(path)
    with pytest.raises(ReadError, match="pipe, socket or device, not a regular file"):
        read_exposure(path)


def test_a_path_that_cannot_be_one_is_refused_in_one_sentence():
    with pytest.raises(ReadError, match=r"no path holds a NUL character: type it again") as caught:
        read_exposure("a\0.fits")
    assert "\0" not in str(caught.value)


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(PathNotFoundError, match=r"nowhere.fits: there is no such file") as caught:
        read_exposure(tmp_path / "nowhere.fits")
    assert isinstance(caught.value, FileNotFoundError)


def test_a_folder(tmp_path):
    with pytest.raises(ReadError, match="it is a folder: give the FITS file inside"):
        read_exposure(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"hello world, this is text", "not a FITS file .*give a FITS image"),
        (b"Obj\x01\x04\x14avro.codec", "Avro alert packet.*save its cutouts"),
        (b"\x89PNG\r\n\x1a\n....", "PNG picture"),
        (b"\xff\xd8\xff\xe0....", "JPEG picture"),
        (b"\x89HDF\r\n\x1a\n", "HDF5 file"),
        (gzip.compress(b"plain text"), "not a FITS file"),
        (gzip.compress(b"SIMPLE" * 999)[:-20], "damaged or not understood"),
        (b"SIMPLE  =                    T" + b" " * 50 + b"garbage", "damaged or not understood"),
    ],
)
def test_what_is_not_fits_is_refused_in_one_sentence(tmp_path, content, message):
    path = tmp_path / "x.fits"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=message) as caught:
        read_exposure(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    with pytest.raises(ReadError, match=message):
        read_exposure_bytes(content, "x.fits")


def test_files_without_an_image_say_what_they_hold(write_hdus):
    table = fits.BinTableHDU(Table({"a": [1]}), name="CAT")
    with pytest.raises(ReadError, match=r"no 2-D image, only PRIMARY \(no data\), CAT \(a table\)"):
        read_exposure(write_hdus(fits.PrimaryHDU(), table))
    cube = fits.PrimaryHDU(np.ones((3, 4, 5)))
    with pytest.raises(ReadError, match=r"only PRIMARY \(3×4×5 pixels\)"):
        read_exposure(write_hdus(cube, name="cube.fits"))


@pytest.mark.parametrize("ours", [True, False])
def test_a_cube_in_an_image_extension_is_no_damage(write_hdus, ours):
    primary = fits.PrimaryHDU()
    if ours:
        primary.header["ZEXPVERS"] = 1
    with pytest.raises(ReadError, match=r"no 2-D image, only .*IMAGE \(3×5×6 pixels\)") as caught:
        read_exposure(write_hdus(primary, named(np.ones((3, 5, 6)), "IMAGE")))
    assert "damaged" not in str(caught.value)


def test_a_variance_without_pixels_is_named(write_hdus):
    primary = fits.PrimaryHDU()
    primary.header["ZEXPVERS"] = 1
    hdus = (primary, named(PIXELS, "IMAGE"), named(None, "VARIANCE"))
    with pytest.raises(ReadError, match=r"only VARIANCE \(no data\)"):
        read_exposure(write_hdus(*hdus))


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_truncated_file_is_called_cut_short(write_hdus, part):
    path = write_hdus(fits.PrimaryHDU(np.ones((200, 200))))
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    held = int(part * len(content))
    message = f"cut short: its headers promise at least 322880 bytes but it holds only {held}; copy"
    with pytest.raises(ReadError, match=message):
        read_exposure(path)
    with pytest.raises(ReadError, match=message):
        read_exposure_bytes(path.read_bytes(), "x.fits")


def test_planes_that_do_not_fit_are_named_with_their_shapes(write_hdus):
    path = write_hdus(fits.PrimaryHDU(), named(PIXELS, "IMAGE"), named(np.ones((4, 4)), "VARIANCE"))
    with pytest.raises(ReadError, match="variance is 4×4 but image is 5×6"):
        read_exposure(path)


def test_half_of_a_pair_without_an_image_is_refused(write_hdus):
    with pytest.raises(ReadError, match="no IMAGE extension"):
        read_exposure(write_hdus(pair_hdus()[0]))
