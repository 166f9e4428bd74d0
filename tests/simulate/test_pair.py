"""The simulated pair is what it says it is."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from zogy_explorer import ZogyConfig, plan, run
from zogy_explorer.errors import InputError
from zogy_explorer.simulate import make_pair

SHAPE = (180, 200)
EMPTY = {"n_stars": 0, "n_galaxies": 0, "n_transients": 0, "defects": False}
# Noise so small that an image is its model.
SILENT = {"sigma_science": 1e-6, "sigma_template": 1e-6, "gain": None, "dtype": np.float64}


def test_one_seed_gives_one_pair():
    first, second = make_pair(5, SHAPE), make_pair(5, SHAPE)
    for one, two in zip(first[:2], second[:2], strict=True):
        assert one.image.tobytes() == two.image.tobytes()
        assert one.variance.tobytes() == two.variance.tobytes()
        assert np.array_equal(one.mask, two.mask)
        assert np.array_equal(one.psf.stamps, two.psf.stamps)
    assert first[2].pformat() == second[2].pformat()


def test_other_seeds_give_other_pairs():
    assert not np.array_equal(make_pair(5, SHAPE)[0].image, make_pair(6, SHAPE)[0].image)


def test_defects_change_no_other_pixel():
    options = {"n_transients": 0, "saturated": False}
    with_ = make_pair(5, SHAPE, **options)
    without = make_pair(5, SHAPE, **options, defects=False)
    science = with_[0]
    touched = science.masked(["BAD", "CR", "NO_DATA", "SAT"])
    assert np.array_equal(science.image[~touched], without[0].image[~touched])
    assert not without[0].mask.any()


def test_defaults_have_float32_planes_and_all_companions():
    science, template, _ = make_pair(1, SHAPE)
    for exposure in (science, template):
        assert exposure.image.dtype == exposure.variance.dtype == np.float32
        assert exposure.wcs.has_celestial
        assert exposure.shape == SHAPE
        assert exposure.psf.stamps.shape[1:] == (31, 31)
    assert (science.name, template.name) == ("science", "template")


def test_pairs_survive_pickling():
    science = make_pair(1, SHAPE)[0]
    again = pickle.loads(pickle.dumps(science))
    assert np.array_equal(again.psf.kernel_image(x=9, y=8), science.psf.kernel_image(x=9, y=8))


@pytest.mark.parametrize("option", ["saturated", "bad_column", "nan_patch", "edge"])
def test_each_defect_is_an_option_of_its_own(option):
    plane = {"saturated": "SAT", "bad_column": "BAD", "nan_patch": "NO_DATA", "edge": "EDGE"}
    alone = make_pair(1, SHAPE, defects=False, **{option: True})[0]
    all_but = make_pair(1, SHAPE, **{option: False})[0]
    assert alone.masked([plane[option]]).any()
    assert np.array_equal(alone.mask != 0, alone.masked([plane[option]]))
    assert not all_but.masked([plane[option]]).any()


def test_cosmic_rays_are_marked_and_sharp():
    clean, hit = (make_pair(1, SHAPE, defects=False, cosmic_rays=n)[0] for n in (0, 4))
    changed = hit.image != clean.image
    assert changed.sum() >= 4
    assert np.array_equal(changed, hit.masked(["CR"]))


def test_saturated_pixels_clip_at_the_level():
    science = make_pair(1, SHAPE, saturation=5e4)[0]
    saturated = science.masked(["SAT"]) & ~science.masked(["BAD"])
    assert saturated.sum() > 5
    assert (science.image[saturated] == 5e4).all()
    assert np.nanmax(science.image[~science.masked(["BAD"])]) == 5e4


def test_missing_pixels_are_nan_and_marked():
    science = make_pair(1, SHAPE)[0]
    assert np.array_equal(np.isnan(science.image), science.masked(["NO_DATA"]))


@pytest.mark.parametrize("gain", [None, 2.0])
def test_noise_has_exactly_the_variance_that_is_reported(gain):
    options = {"defects": False, "gain": gain, "n_transients": 0, "dtype": np.float64}
    noisy = make_pair(3, (400, 400), **options)
    silent = make_pair(3, (400, 400), **(options | SILENT))
    for exposure, model in zip(noisy[:2], silent[:2], strict=True):
        pull = (exposure.image - model.image) / np.sqrt(exposure.variance)
        n = pull.size
        assert abs(pull.mean()) < 4 / np.sqrt(n)
        assert abs(pull.std() - 1) < 4 / np.sqrt(2 * n)
        bright = exposure.variance > 1.5 * exposure.variance.min()
        if gain is not None:
            assert abs(pull[bright].std() - 1) < 4 / np.sqrt(2 * bright.sum())


def test_variance_is_background_plus_light_over_gain():
    options = {"defects": False, "n_transients": 0, "gain": 4.0, "sigma_science": 3.0}
    science = make_pair(3, SHAPE, **options, dtype=np.float64)[0]
    model = make_pair(3, SHAPE, **(options | SILENT))[0]
    expected = 9.0 + np.maximum(model.image, 0) / 4.0
    assert np.allclose(science.variance, expected, rtol=1e-6)


def test_flux_scale_is_in_the_pixels_and_in_the_calibration():
    options = EMPTY | SILENT | {"n_stars": 20, "n_galaxies": 5, "psf_variation": 0.0}
    plain = make_pair(3, SHAPE, **options, flux_ratio=1.0)[0]
    scaled = make_pair(3, SHAPE, **options, flux_ratio=2.5)[0]
    assert scaled.photo_calib == pytest.approx(0.4)
    assert np.allclose(scaled.image * scaled.photo_calib, plain.image, atol=1e-4)


def test_sky_is_added_without_more_noise():
    without, with_ = (make_pair(3, SHAPE, **EMPTY, sky_science=s)[0] for s in (0.0, 100.0))
    assert np.allclose(with_.image - without.image, 100.0, atol=1e-4)
    assert np.array_equal(with_.variance, without.variance)


def test_a_shift_moves_the_template_against_the_science_image():
    options = EMPTY | SILENT | {"n_stars": 1, "star_flux": (1e4, 1.1e4), "psf_variation": 0.0}

    def centroid(exposure):
        y, x = np.indices(exposure.shape)
        total = exposure.image.sum()
        return np.array([(x * exposure.image).sum(), (y * exposure.image).sum()]) / total

    options["fwhm_template"], options["ellipticity_template"] = 3.2, 0.08
    here = make_pair(8, SHAPE, **options)
    moved = make_pair(8, SHAPE, **options, shift=(0.3, -0.2))
    assert np.array_equal(here[0].image, moved[0].image)
    assert np.allclose(centroid(here[1]) - centroid(moved[1]), (0.3, -0.2), atol=1e-3)


# ---- truth


def test_truth_positions_and_sky_agree():
    science, _, truth = make_pair(2, SHAPE, n_transients=3)
    sky = science.wcs.pixel_to_world(truth["x"], truth["y"])
    assert np.allclose(sky.ra.deg, truth["ra"])
    assert np.allclose(sky.dec.deg, truth["dec"])
    assert truth["id"].tolist() == [1, 2, 3]


def test_truth_fluxes_are_those_in_the_images():
    options = {"defects": False, "n_stars": 0, "n_galaxies": 0, "gain": None, "n_transients": 4}
    science, template, truth = make_pair(2, (300, 300), **options, transient_snr=(1e7, 1e7))
    for row in truth:
        for exposure, side in ((science, ""), (template, "_template")):
            x, y = (round(row[f"{axis}{side}"]) for axis in "xy")
            box = exposure.image[y - 9 : y + 10, x - 9 : x + 10] * exposure.photo_calib
            column = "flux_template" if side else "flux_science"
            assert box.sum() == pytest.approx(row[column], rel=5e-3, abs=1e-4 * abs(row["flux"]))


def test_kinds_have_the_signs_that_they_promise():
    truth = make_pair(2, (300, 300), n_transients=4)[2]
    assert truth["kind"].tolist() == ["new", "fading", "new", "moving"]
    assert truth["sign"].tolist() == [1, -1, 1, 1]
    assert (np.sign(truth["flux"]) == truth["sign"]).all()
    assert (truth["flux_template"][truth["kind"] == "new"] == 0).all()
    mover = truth[truth["kind"] == "moving"]
    assert np.hypot(mover["x"] - mover["x_template"], mover["y"] - mover["y_template"]).min() > 8


def test_transients_reach_their_significance_in_scorr():
    options = {"defects": False, "n_stars": 0, "n_galaxies": 0, "psf_variation": 0.0}
    science, template, truth = make_pair(
        7, (400, 400), **options, n_transients=12, transient_snr=(20.0, 80.0)
    )
    scorr = run(plan(science, template, ZogyConfig(frequencyFloor=0.0))).scorr
    ratios = []
    for row in truth:
        x, y = round(row["x"]), round(row["y"])
        peak = (row["sign"] * scorr[y - 1 : y + 2, x - 1 : x + 2]).max()
        # A transient between pixels loses up to 5 % of its peak to the sampling.
        ratios.append(peak / row["snr"])
    assert np.mean(ratios) == pytest.approx(0.98, abs=0.05)
    assert np.std(ratios) < 0.06


def test_scorr_of_a_perfect_pair_has_unit_sigma():
    science, template, _ = make_pair(11, (512, 512), n_transients=0, defects=False)
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=4.0)
    scorr = run(plan(science, template, config)).scorr
    # The kernels of S correlate about 25 pixels.
    error = np.sqrt(25 / (2 * scorr.size))
    assert abs(scorr.std() - 1) < 4 * error
    assert np.abs(scorr).max() < 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (30, 200)}, "too small for PSF stamps of 31 px"),
        ({"sigma_science": 0.0}, "must be positive"),
        ({"flux_ratio": -1.0}, "must be positive"),
        ({"fwhm_science": 20.0}, "does not fit into a radius"),
    ],
)
def test_impossible_wishes_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        make_pair(**({"seed": 1, "shape": SHAPE} | options))


@pytest.mark.parametrize("shape", [(40, 45), (64, 64), (100, 257)])
def test_small_images_hold_all_that_was_asked_for(shape):
    science, template, truth = make_pair(1, shape)
    assert len(truth) == 8
    assert science.shape == template.shape == shape
    assert (truth["x"] >= 0).all()
    assert (truth["y"] <= shape[0] - 1).all()


def test_whole_numbers_serve_as_noise_levels() -> None:
    whole, decimal = (make_pair(seed=3, shape=(96, 96), sigma_science=s)[0] for s in (8, 8.0))
    np.testing.assert_array_equal(whole.image, decimal.image)
    np.testing.assert_array_equal(whole.variance, decimal.variance)
