"""`measure_registration`: figures with units, in the frame of the science image."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u

from zogy_explorer import Exposure, ZogyConfig, make_pair, plan
from zogy_explorer.diagnostics import measure_registration, registration_of
from zogy_explorer.errors import InputError


@pytest.fixture(scope="module")
def pair() -> tuple[Exposure, Exposure]:
    science, template, _ = make_pair(3, (300, 320), n_transients=2)
    return science.replace(xy0=(1000, 2000)), template.replace(xy0=(1000, 2000))


def test_the_table_has_a_row_a_star_with_units_and_sky(pair: tuple[Exposure, Exposure]) -> None:
    registration = measure_registration(*pair)
    stars = registration.stars
    assert registration.reason == ""
    assert len(stars) >= 3
    assert stars["x"].unit == stars["dx"].unit == stars["dy_error"].unit == u.pix
    assert (stars["x"].value > 1000).all()
    assert (stars["y"].value > 2000).all()
    sky = pair[0].wcs.pixel_to_world(stars["x"].value - 1000, stars["y"].value - 2000)
    np.testing.assert_allclose(stars["ra"].to_value("deg"), sky.icrs.ra.deg)
    used = stars[stars["used"]]
    assert abs(np.median(used["dx"].value) - registration.shift[0]) < 0.05
    assert (stars["flux_science"] > 0).all()


def test_a_pair_that_lies_well_is_not_displaced(pair: tuple[Exposure, Exposure]) -> None:
    registration = measure_registration(*pair)
    assert not registration.displaced
    assert max(map(abs, registration.shift)) < 0.05
    assert registration.flux_ratio == pytest.approx(1, abs=4 * registration.flux_ratio_error)


def test_the_plan_of_a_pair_gives_the_same(pair: tuple[Exposure, Exposure]) -> None:
    steps = plan(*pair, ZogyConfig())
    assert registration_of(steps).shift == measure_registration(*pair).shift


def test_uncalibrated_images_are_registered_too(pair: tuple[Exposure, Exposure]) -> None:
    bare = tuple(e.replace(photo_calib=None) for e in pair)
    assert np.isfinite(measure_registration(*bare).shift).all()


def test_a_starless_pair_says_why_there_are_no_figures() -> None:
    science, template, _ = make_pair(3, (100, 100))
    rng = np.random.default_rng(1)
    empty = tuple(e.replace(image=rng.normal(0, 1, e.shape)) for e in (science, template))
    registration = measure_registration(*empty)
    assert "3 are needed" in registration.reason
    assert len(registration.stars) == 0
    assert np.isnan([*registration.shift, *registration.scatter, registration.flux_ratio]).all()
    assert not registration.displaced


def test_a_pair_that_cannot_be_subtracted_is_refused(pair: tuple[Exposure, Exposure]) -> None:
    science, _ = pair
    _, small, _ = make_pair(3, (100, 100))
    with pytest.raises(InputError, match="share one pixel grid"):
        measure_registration(science, small)
