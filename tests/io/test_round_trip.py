"""What is written comes back, to the bit."""

from __future__ import annotations

import gzip
import threading

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from zogy_explorer import CallablePsf, Exposure, GridPsf, KernelPsf
from zogy_explorer.errors import InputError, PsfError
from zogy_explorer.io import BrokenPsf, read_exposure, read_exposure_bytes, write_exposure


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


def sip_wcs() -> WCS:
    header = tan_wcs().to_header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TAN-SIP", "DEC--TAN-SIP"
    header["A_ORDER"], header["B_ORDER"] = 2, 2
    header["A_2_0"], header["A_0_2"], header["B_1_1"] = -2.72e-6, -8.15e-7, 3.3e-7
    return WCS(header)


def tpv_wcs() -> WCS:
    header = tan_wcs().to_header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TPV", "DEC--TPV"
    for key, value in (("1_0", -2.2e-3), ("1_1", 1.0097), ("1_7", 1.27e-3), ("2_1", 1.006)):
        header[f"PV{key}"] = value
    return WCS(header)


def tables_of_a_grid() -> GridPsf:
    positions = [(x, y) for y in (10.0, 50.5) for x in (-3.0, 1 / 3, 90.0)]
    return GridPsf([bump(1.0 + 0.1 * i) for i in range(6)], positions)


@pytest.fixture
def again(tmp_path):
    """The exposure after a trip to disk."""

    def trip(exposure: Exposure) -> Exposure:
        write_exposure(exposure, tmp_path / "e.fits")
        return read_exposure(tmp_path / "e.fits")

    return trip


def same_bits(first: np.ndarray, second: np.ndarray) -> bool:
    return (
        first.dtype == second.dtype
        and first.shape == second.shape
        and first.tobytes() == second.tobytes()
    )


def test_everything_comes_back_to_the_bit(exposure, again):
    back = again(exposure)
    assert same_bits(back.image, exposure.image)
    assert same_bits(back.variance, exposure.variance)
    assert same_bits(back.mask, exposure.mask)
    assert same_bits(back.psf.stamp, exposure.psf.stamp)
    assert back.mask_planes == exposure.mask_planes
    assert back.photo_calib == exposure.photo_calib
    assert back.meta == exposure.meta
    assert (back.name, back.xy0) == (exposure.name, exposure.xy0)


def test_a_second_trip_writes_the_same_bytes(exposure, tmp_path):
    write_exposure(exposure, tmp_path / "one.fits")
    write_exposure(read_exposure(tmp_path / "one.fits"), tmp_path / "two.fits")
    assert (tmp_path / "one.fits").read_bytes() == (tmp_path / "two.fits").read_bytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("variance_dtype", [np.float32, np.float64])
def test_float_types_stay(exposure, again, dtype, variance_dtype):
    given = exposure.replace(
        image=exposure.image.astype(dtype) / 3, variance=exposure.variance.astype(variance_dtype)
    )
    back = again(given)
    assert same_bits(back.image, given.image)
    assert same_bits(back.variance, given.variance)


def test_the_payload_of_a_nan_stays(exposure, again):
    bits = np.array([0x7FC00001, 0xFFC01234, 0x7F800000, 0x80000000], dtype=np.uint32)
    given = exposure.replace(image=np.tile(bits.view(np.float32), (37, 14))[:, :53])
    assert same_bits(again(given).image, given.image)


def test_planes_that_are_absent_stay_absent(again):
    back = again(Exposure(np.ones((3, 4)), photo_calib=None))
    assert back.variance is None
    assert back.psf is None
    assert back.wcs is None
    assert back.photo_calib is None
    assert back.name == ""
    assert back.meta == {}


@pytest.mark.parametrize(
    "planes",
    [
        {"A": 31, "DETECTED_NEGATIVE": 0, "A_VERY_LONG_PLANE_NAME_INDEED": 17},
        {"lower": 3, "Mixed Case": 4, "ünïcode": 5},
        {"SAT": 9},
        {},
    ],
)
def test_any_plane_names_and_bits_stay(exposure, again, planes):
    assert again(exposure.replace(mask_planes=planes)).mask_planes == planes


@pytest.mark.parametrize("xy0", [(0, 0), (100, 200), (-7, 4096)])
def test_xy0_stays(exposure, again, xy0):
    assert again(exposure.replace(xy0=xy0)).xy0 == xy0


@pytest.mark.parametrize("value", [None, 1.0, 1 / 3, 1.2345678901234567e-17, 9.87654321e300])
def test_the_calibration_stays_to_the_last_digit(exposure, again, value):
    assert again(exposure.replace(photo_calib=value)).photo_calib == value


@pytest.mark.parametrize("name", ["", "a", "Nacht 7 ü", "x" * 200, "trailing  ", "it's 'quoted'"])
def test_the_name_stays(exposure, again, name):
    assert again(exposure.replace(name=name)).name == name


def test_meta_stays_with_values_that_cards_cannot_hold(exposure, again):
    meta = {
        "EXPTIME": 30,
        "AIRMASS": 1.0 / 3.0,
        "TINY": 1.2345678901234567e-17,
        "FLAG": True,
        "EMPTY": None,
        "BLANK": "",
        "LONG": "word " * 40 + "end",
        "QUOTES": "it's",
        "SEXTRACTOR SATUR_LEVEL": 50000.0,
        "lower": "case",
        "Ångström": "ünïcode",
        "LIST": [1, 2.5, "three", None],
        "NESTED": {"a": {"b": [1]}},
        "NAXIS1": 77,
        "PHOTCAL": "theirs",
        "COMMENT": "first line\nsecond line",
        "HISTORY": "made",
        "HUGE": 10**30,
    }
    assert again(exposure.replace(meta=meta)).meta == meta


def test_meta_that_no_file_can_hold_is_named(exposure, again):
    back = again(exposure.replace(meta={"GOOD": 1, "object": object()}))
    assert back.meta == {"GOOD": 1, "METADROP": "object"}


def test_nan_in_meta_stays(exposure, again):
    assert np.isnan(again(exposure.replace(meta={"SEEING": np.nan})).meta["SEEING"])


@pytest.mark.parametrize("wcs", [tan_wcs(), sip_wcs(), tpv_wcs()], ids=["TAN", "SIP", "TPV"])
def test_the_wcs_stays_to_a_millionth_of_a_pixel(exposure, again, wcs):
    back = again(exposure.replace(wcs=wcs, meta={})).wcs
    corners = np.array([[0.0, 0.0], [52.0, 0.0], [0.0, 36.0], [4000.0, 4000.0]])
    sky = wcs.all_pix2world(corners, 0)
    assert np.allclose(back.all_pix2world(corners, 0), sky, rtol=0, atol=1e-6 * 0.26 / 3600)


def test_a_wcs_belongs_to_array_indices_whatever_xy0(exposure, again):
    back = again(exposure.replace(xy0=(500, 600)))
    sky = exposure.wcs.all_pix2world([[0, 0]], 0)
    assert np.allclose(back.wcs.all_pix2world([[0, 0]], 0), sky, rtol=0, atol=1e-12)


def test_a_grid_psf_stays_to_the_bit(exposure, again):
    psf = tables_of_a_grid()
    back = again(exposure.replace(psf=psf)).psf
    assert same_bits(back.stamps, psf.stamps)
    assert same_bits(back.positions, psf.positions)


@pytest.mark.parametrize("shape", [(9, 9), (8, 8), (7, 12), (1, 1)])
def test_a_stamp_of_any_shape_stays(exposure, again, shape):
    stamp = np.random.default_rng(1).random(shape)
    back = again(exposure.replace(psf=KernelPsf(stamp))).psf
    assert same_bits(back.stamp, KernelPsf(stamp).stamp)


def test_a_grid_of_one_stamp_stays_a_grid(exposure, again):
    psf = GridPsf([bump(1.5)], [(4.5, 6.5)])
    back = again(exposure.replace(psf=psf)).psf
    assert isinstance(back, GridPsf)
    assert back.positions.tolist() == [[4.5, 6.5]]


def test_a_psf_function_is_sampled_over_the_box(exposure, again):
    def function(x: float, y: float) -> np.ndarray:
        return bump(1.0 + 0.0005 * (x - 1000) + 0.0002 * (y - 2000))

    given = exposure.replace(psf=CallablePsf(function), xy0=(1000, 2000))
    back = again(given).psf
    assert isinstance(back, GridPsf)
    for x, y in ((1000, 2000), (1052, 2036), (1026, 2018), (1013, 2009)):
        true = given.psf.kernel_image(x=x, y=y)
        assert np.allclose(back.kernel_image(x=x, y=y), true, atol=2e-4 * true.max())


def test_a_function_that_is_constant_becomes_one_stamp(exposure, again):
    back = again(exposure.replace(psf=CallablePsf(lambda x, y: bump(1.3)))).psf
    assert same_bits(back.stamp, KernelPsf(bump(1.3)).stamp)


def test_stamps_of_different_sizes_are_padded_around_their_centre(exposure, again):
    def function(x: float, y: float) -> np.ndarray:
        return bump(1.0, 9 if x < 20 else 12)

    back = again(exposure.replace(psf=CallablePsf(function))).psf
    assert back.stamps.shape[1:] == (12, 12)
    assert all(np.unravel_index(s.argmax(), s.shape) == (6, 6) for s in back.stamps)


def test_a_psf_that_cannot_be_evaluated_is_not_written(exposure, tmp_path):
    def broken(x: float, y: float) -> np.ndarray:
        raise RuntimeError("no stars")

    with pytest.raises(PsfError, match="no stars"):
        write_exposure(exposure.replace(psf=CallablePsf(broken)), tmp_path / "e.fits")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_psf_stays_broken(exposure, again):
    back = again(exposure.replace(psf=BrokenPsf("it was zero")))
    with pytest.raises(PsfError, match="it was zero"):
        back.psf.kernel_image(x=0, y=0)


def test_the_file_has_the_documented_layout(exposure, tmp_path):
    exposure.replace(psf=tables_of_a_grid(), xy0=(5, 6)).write(tmp_path / "e.fits")
    with fits.open(tmp_path / "e.fits") as hdus:
        assert [hdu.name for hdu in hdus] == [
            "PRIMARY",
            "IMAGE",
            "VARIANCE",
            "MASK",
            "PSF",
            "PSF_GRID",
        ]
        assert hdus["MASK"].header["MP_DETECTED_NEGATIVE"] == 6
        assert hdus["MASK"].data.dtype == np.dtype(">i4")
        assert (hdus["IMAGE"].header["LTV1"], hdus["IMAGE"].header["LTV2"]) == (-5, -6)
        assert WCS(hdus["IMAGE"].header).has_celestial
        hdus.verify("exception")


def test_methods_of_the_exposure_do_the_same(exposure, tmp_path):
    exposure.write(tmp_path / "e.fits")
    assert same_bits(Exposure.read(tmp_path / "e.fits").image, exposure.image)


def test_gz_compresses_and_says_no_time(exposure, tmp_path):
    for name in ("a.fits.gz", "b.fits.gz"):
        write_exposure(exposure, tmp_path / name)
    first, second = ((tmp_path / n).read_bytes() for n in ("a.fits.gz", "b.fits.gz"))
    assert first == second
    assert gzip.decompress(first).startswith(b"SIMPLE")
    assert same_bits(read_exposure(tmp_path / "a.fits.gz").image, exposure.image)
    assert same_bits(read_exposure_bytes(first, "a.fits.gz").image, exposure.image)


def test_writing_leaves_the_array_alone_at_all_times(exposure, tmp_path):
    """A byte swap in place would show garbage to other threads while the file is written."""
    large = exposure.replace(image=np.ones((800, 900)), variance=None, mask=None)
    seen, done = [], threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(large.image[::100, ::100].max())

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(5):
        write_exposure(large, tmp_path / "e.fits")
    done.set()
    watcher.join()
    assert set(seen) == {1.0}


# ---- all or nothing


def test_a_failed_write_leaves_the_old_file_and_no_other(exposure, tmp_path, monkeypatch):
    path = tmp_path / "e.fits"
    path.write_bytes(b"precious")

    def fail(self, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fits.HDUList, "writeto", fail)
    with pytest.raises(InputError, match=r"cannot write .*e.fits: No space left on device"):
        write_exposure(exposure, path)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_only_overwritten_on_request(exposure, tmp_path):
    path = tmp_path / "e.fits"
    write_exposure(exposure, path)
    write_exposure(exposure, path)
    with pytest.raises(InputError, match="the file exists"):
        write_exposure(exposure, path, overwrite=False)


def test_a_link_is_followed(exposure, tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.fits"
    link.symlink_to(tmp_path / "real" / "e.fits")
    write_exposure(exposure, link)
    assert link.is_symlink()
    assert (tmp_path / "real" / "e.fits").is_file()


@pytest.mark.parametrize(
    ("name", "message"), [("no/such/e.fits", "does not exist; make it"), (".", "it is a folder")]
)
def test_an_impossible_place_is_named(exposure, tmp_path, name, message):
    with pytest.raises(InputError, match=message):
        write_exposure(exposure, tmp_path / name)
