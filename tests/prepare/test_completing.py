"""Raw images get what they lack, and keep what they have."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, plan, run
from zogy_explorer.errors import InputError, PsfError
from zogy_explorer.prepare import complete, read_camera

SIDE, FWHM, GAIN, SKY, SIGMA = 400, 3.6, 2.0, 300.0, 8.0


def moffat_stamp(fwhm: float, side: int = 31) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - side // 2
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / 3.0) - 1)
    profile = (1 + (x * x + y * y) / alpha**2) ** -3.0
    return profile / profile.sum()


@pytest.fixture(scope="module")
def raw() -> Exposure:
    return raw_image(seed=1, fwhm=FWHM)


def raw_image(seed: int, fwhm: float, stars: int = 60) -> Exposure:
    """Stars on a sky, Poisson noise at the gain, nothing but pixels and a header."""
    rng = np.random.default_rng(seed)
    places = np.random.default_rng(99)
    image = np.zeros((SIDE, SIDE))
    stamp = moffat_stamp(fwhm)
    for x, y in places.integers(20, SIDE - 20, (stars, 2)):
        image[y - 15 : y + 16, x - 15 : x + 16] += places.uniform(2e4, 2e5) * stamp
    noise = rng.normal(0, np.sqrt(SIGMA**2 + image / GAIN))
    return Exposure((image + SKY + noise).astype(np.float32), meta={"GAIN": GAIN}, name="raw")


def test_variance_is_that_of_sky_and_sources(raw: Exposure):
    done = complete(raw, saturation=1e6)
    quiet = np.percentile(done.exposure.variance, 20)
    assert quiet == pytest.approx(SIGMA**2, rel=0.05)
    peak = np.unravel_index(np.argmax(raw.image), raw.shape)
    expected = SIGMA**2 + (raw.image[peak] - SKY) / GAIN
    assert done.exposure.variance[peak] == pytest.approx(expected, rel=0.02)


def test_psf_is_that_of_the_stars(raw: Exposure):
    done = complete(raw, saturation=1e6)
    stamp = done.exposure.psf.kernel_image(x=200, y=200)
    centre = stamp.shape[0] // 2
    assert stamp[centre, centre] == pytest.approx(moffat_stamp(FWHM).max(), rel=0.05)
    assert np.unravel_index(stamp.argmax(), stamp.shape) == (centre, centre)


def test_sky_is_taken_out_unless_it_is_to_stay(raw: Exposure):
    assert complete(raw, saturation=1e6).sky == pytest.approx(SKY, abs=1)
    assert np.median(complete(raw, saturation=1e6).exposure.image) == pytest.approx(0, abs=1)
    kept = complete(raw, saturation=1e6, subtract_sky=False)
    assert kept.sky == 0
    np.testing.assert_array_equal(kept.exposure.image, raw.image)


def test_a_completed_pair_subtracts_with_a_score_in_sigma():
    science, template = (raw_image(seed, fwhm) for seed, fwhm in ((1, 3.6), (2, 2.9)))
    first, second = (complete(e, saturation=1e6).exposure for e in (science, template))
    result = run(plan(first, second, ZogyConfig(scaleByCalibration=False)))
    assert result.scorr_sigma() == pytest.approx(1, abs=0.06)


def test_what_an_exposure_has_is_kept(raw: Exposure):
    stamp = moffat_stamp(5.0)
    full = raw.replace(variance=np.full(raw.shape, 9.0, np.float32), psf=KernelPsf(stamp))
    done = complete(full)
    np.testing.assert_array_equal(done.exposure.variance, full.variance)
    assert done.exposure.psf is full.psf
    assert np.isnan(done.fwhm)


def test_saturated_and_missing_pixels_are_marked(raw: Exposure):
    image = raw.image.copy()
    image[10, 20] = np.nan
    level = float(np.sort(raw.image, axis=None)[-5])
    done = complete(raw.replace(image=image), saturation=level).exposure
    sat, lost = (1 << done.mask_planes[name] for name in ("SAT", "NO_DATA"))
    assert done.mask[10, 20] & lost
    np.testing.assert_array_equal((done.mask & sat) != 0, image >= level)


def test_what_is_not_known_is_said(raw: Exposure):
    done = complete(raw.replace(meta={}))
    said = " ".join(done.remarks)
    assert "no gain is known" in said
    assert "no saturation level" in said
    # Without a gain the plane holds the noise of the sky alone, also under the stars.
    assert done.exposure.variance.max() < 2 * SIGMA**2


@pytest.mark.parametrize(
    ("cards", "gain", "source"),
    [
        ({"GAIN": 2.0, "EFFGAIN": 40.0}, 40.0, "EFFGAIN"),
        ({"GAINA": 1.9, "GAINB": 2.1}, 1.9, "GAINAB"),
        ({"GAIN": 0.0, "EGAIN": 1.2}, 1.2, "EGAIN"),
        ({"GAIN": "unknown"}, None, ""),
    ],
)
def test_gain_is_found_under_many_names(cards: dict, gain: float | None, source: str):
    camera = read_camera(cards)
    assert (camera.gain, camera.gain_from) == (gain, source)


def test_bad_values_are_refused_in_words(raw: Exposure):
    with pytest.raises(InputError, match=r"gain is -1: it must be a positive number"):
        complete(raw, gain=-1)
    with pytest.raises(PsfError, match=r"a PSF stamp of 20 px .* must be odd"):
        complete(raw, psf_size=20)


def test_an_image_without_stars_says_so():
    rng = np.random.default_rng(5)
    empty = Exposure(rng.normal(0, 1, (200, 200)).astype(np.float32))
    with pytest.raises(PsfError, match=r"no star to measure the PSF from.*give a PSF stamp"):
        complete(empty)


def test_an_image_without_usable_pixels_says_so():
    nothing = Exposure(np.full((64, 64), np.nan, np.float32))
    with pytest.raises(InputError, match=r"none of the 4096 pixels is usable"):
        complete(nothing)
    with pytest.raises(InputError, match=r"the sky has no noise"):
        complete(Exposure(np.zeros((64, 64), np.float32)))
