"""`explain` names what was done to a pair, and how much of it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, ZogyTask, plan, run
from zogy_explorer.diagnostics import CAUSES, explain
from zogy_explorer.engine import Difference
from zogy_explorer.errors import InputError
from zogy_explorer.simulate import FlawedPair

HERE = (48.0, 48.0)
EMPTY = {"stars": ()}
BRIGHT = {"stars": ((48.3, 47.6, 60000.0),)}


def subtract(seed: int = 1, **flaws: object) -> Difference:
    pair = FlawedPair(**flaws).draw(seed)
    return run(plan(*pair, ZogyConfig(background="none")))


@pytest.mark.parametrize("seed", range(3))
def test_a_shift_is_named_with_its_size_and_direction(seed: int) -> None:
    first = explain(subtract(shift=(0.24, -0.1), seed=seed), *HERE).first
    assert first.name == "shift"
    assert first.unit == "px"
    assert first.values["dx"] == pytest.approx(0.24, abs=0.024)
    assert first.values["dy"] == pytest.approx(-0.1, abs=0.024)
    assert first.amplitude == pytest.approx(0.26, rel=0.1)
    assert "move the template by (+0.2" in first.advice


def test_a_large_shift_has_the_right_size_too() -> None:
    first = explain(subtract(shift=(1.1, 0.6)), *HERE).first
    assert first.name == "shift"
    assert first.values["dx"] == pytest.approx(1.1, rel=0.02)
    assert first.values["dy"] == pytest.approx(0.6, rel=0.02)


@pytest.mark.parametrize("flux_error", [0.06, -0.06, 0.3])
def test_a_flux_error_is_named_in_percent(flux_error: float) -> None:
    first = explain(subtract(flux_error=flux_error), *HERE).first
    assert (first.name, first.unit) == ("flux", "%")
    assert first.amplitude == pytest.approx(100 * flux_error, rel=0.1)


@pytest.mark.parametrize("width_error", [0.05, -0.05, 0.12])
def test_a_wrong_psf_is_named_in_percent_of_its_width(width_error: float) -> None:
    difference = subtract(width_error=width_error, **BRIGHT)
    first = explain(difference, *HERE).first
    assert (first.name, first.unit) == ("psf_width", "% FWHM")
    assert first.values["width_science"] == pytest.approx(width_error, rel=0.1)


@pytest.mark.parametrize("level", [5.0, -5.0])
def test_a_step_of_the_sky_is_named_per_pixel(level: float) -> None:
    first = explain(subtract(background=level, **EMPTY), *HERE).first
    assert first.name == "background"
    assert first.amplitude == pytest.approx(level, abs=4 * first.error)


def with_step(seed: int, step: float, where: tuple[slice, ...], image: int = 0) -> Difference:
    pair = list(FlawedPair(stars=((40.2, 44.7, 8000.0),)).draw(seed))
    sky = pair[image].image.copy()
    sky[where] += step
    pair[image] = pair[image].replace(image=sky)
    return run(plan(*pair, ZogyConfig(background="none")))


@pytest.mark.parametrize("image", [0, 1])
@pytest.mark.parametrize("along", ["x", "y"])
@pytest.mark.parametrize("step", [40.0, -40.0])
def test_an_edge_of_the_sky_is_named_with_its_step_and_its_place(
    step: float, along: str, image: int
) -> None:
    where = (slice(None), slice(50, None)) if along == "x" else (slice(50, None),)
    first = explain(with_step(5, step, where, image), *HERE).first
    assert first.name == "background"
    assert first.amplitude == pytest.approx(step, rel=0.1)
    assert first.values[f"edge_{along}"] == 49.5
    assert first.values["image"] == image
    assert f"from {'column' if along == 'x' else 'row'} 50 on" in first.sentence


def test_a_sky_that_is_uneven_does_not_count_as_noise() -> None:
    """σ(Scorr) of this frame is 7, but not because its pixels are noisier than they say."""
    difference = with_step(6, 40.0, (slice(None), slice(50, None)))
    assert difference.cells[0].noise.scorr_measured > 3
    assert explain(difference, 20.0, 30.0).noise_excess < 1.4
    assert explain(difference, 20.0, 30.0).first.name == "noise"


def test_what_the_frequency_floor_leaves_of_a_bright_star_is_called_ringing() -> None:
    pair = FlawedPair(stars=((48.3, 47.6, 3e6),)).draw(1)
    difference = run(plan(*pair, ZogyConfig(background="none", frequencyFloor=0.05)))
    first = explain(difference, 54.0, 49.0).first
    assert first.name == "ringing"
    assert first.amplitude == pytest.approx(1.0, abs=0.3)
    assert "Lower frequencyFloor" in first.advice


def test_ringing_names_the_far_pixel_that_it_comes_from() -> None:
    """Noisy stamps without a floor: D's kernels carry a hit over the whole frame."""
    rng = np.random.default_rng(1)

    def with_noisy_psf(exposure: Exposure) -> Exposure:
        stamp = exposure.psf.stamp
        noisy = stamp + rng.normal(0, 3e-5 * stamp.max(), stamp.shape)
        return exposure.replace(psf=KernelPsf(noisy / noisy.sum()))

    pair = (with_noisy_psf(e) for e in FlawedPair(hit=(70, 50, 3e5), **EMPTY).draw(1))
    difference = run(plan(*pair, ZogyConfig(background="none", frequencyFloor=0.0)))
    first = explain(difference, *HERE).first
    assert first.name == "ringing"
    assert (first.values["x"], first.values["y"]) == (70, 50)
    assert first.amplitude == pytest.approx(3e5, rel=0.02)
    assert "22 px away" in first.sentence


@pytest.mark.parametrize("at", [(1.0, 48.0), (3.0, 47.0)])
def test_a_star_cut_by_the_frame_is_put_down_to_its_edge(at: tuple[float, float]) -> None:
    first = explain(subtract(stars=((0.4, 47.6, 2e5),)), *at).first
    assert first.name == "edge"
    assert "beyond the edge of the frame" in first.sentence


def test_what_nothing_explains_is_not_called_noise() -> None:
    """A pattern that no cause makes: every second pixel of a patch is off."""
    science, template = FlawedPair(**EMPTY).draw(2)
    image = science.image.copy()
    image[30:66:2, 30:66:2] += np.random.default_rng(3).choice([-90.0, 90.0], (18, 18))
    difference = run(plan(science.replace(image=image), template, ZogyConfig(background="none")))
    found = explain(difference, *HERE)
    assert found.first.name != "noise"
    assert found.chi2 > 3 * found.n_pixels


def test_a_hit_is_named_with_its_pixel_and_charge() -> None:
    first = explain(subtract(hit=(50, 47, 600.0)), *HERE).first
    assert first.name == "cosmic_ray"
    assert (first.values["x"], first.values["y"]) == (50, 47)
    assert first.amplitude == pytest.approx(600, rel=0.1)


def test_a_new_source_is_named_with_its_place_and_flux() -> None:
    first = explain(subtract(new_source=(50.6, 48.9, 1200.0)), *HERE).first
    assert first.name == "new_source"
    assert first.values["x"] == pytest.approx(50.6, abs=0.25)
    assert first.values["y"] == pytest.approx(48.9, abs=0.25)
    assert first.amplitude == pytest.approx(1200, abs=4 * first.error)


FIELD = tuple((x, y, 15000.0) for x, y in ((20.3, 20.0), (80.0, 20.4), (20.0, 80.2), (80.4, 80.0)))


def test_a_star_that_alone_is_brighter_has_changed_itself() -> None:
    """Its neighbours know that the flux ratio is right."""
    star = (48.3, 47.6, 20000.0)
    varied = explain(subtract(stars=(star, *FIELD), new_source=(48.3, 47.6, 2000.0)), *HERE).first
    assert varied.name == "new_source"
    assert varied.amplitude == pytest.approx(2000, rel=0.1)
    all_brighter = explain(subtract(stars=(star, *FIELD), flux_error=0.1), *HERE).first
    assert all_brighter.name == "flux"
    assert "4 neighbours may share it" in all_brighter.sentence
    assert all_brighter.values["common_flux"] == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_a_large_flux_error_that_neighbours_share_is_no_new_source(seed: int) -> None:
    """By its shape a point source on top of a star would explain D as well."""
    star = (48.3, 47.6, 1e5)
    difference = subtract(stars=(star, *FIELD), flux_error=0.27, gain=2.0, seed=seed)
    first = explain(difference, *HERE).first
    assert first.name == "flux"
    assert first.amplitude == pytest.approx(27, rel=0.05)


def test_a_shift_is_compared_with_that_of_the_neighbours() -> None:
    shared = explain(subtract(stars=(*BRIGHT["stars"], *FIELD), shift=(0.2, 0.1)), *HERE).first
    assert "4 neighbours share it" in shared.sentence
    assert shared.values["common_dx"] == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("masked", [True, False])
def test_a_saturated_star_is_named(masked: bool) -> None:
    flaws = {"saturation": 900.0, "mask_saturated": masked, **BRIGHT}
    science, template = FlawedPair(**flaws).draw(1)
    full = np.count_nonzero((science.image >= 900) | (template.image >= 900))
    first = explain(subtract(**flaws), *HERE).first
    assert first.name == "saturation"
    assert first.amplitude == full


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_called_noise(seed: int) -> None:
    found = explain(subtract(seed=seed, **EMPTY), 30.0, 70.0)
    assert found.first.name == "noise"
    assert found.chi2_left == found.chi2
    assert not found.model.any()


def test_supported_causes_come_first_and_explain_what_they_say() -> None:
    found = explain(subtract(shift=(0.3, 0.2), flux_error=0.05), *HERE)
    assert {cause.name for cause in found.supported} == {"shift", "flux"}
    assert [c.supported for c in found.causes] == sorted(
        (c.supported for c in found.causes), reverse=True
    )
    assert found.chi2_left < 1.25 * found.n_pixels < found.chi2
    assert all(cause.name in CAUSES and cause.sentence and cause.advice for cause in found.causes)


def test_positions_count_from_xy0() -> None:
    there = explain(subtract(hit=(50, 47, 600.0), xy0=(1000, -300)), 1048.0, -252.0)
    here = explain(subtract(hit=(50, 47, 600.0)), *HERE)
    assert there.first.name == here.first.name
    assert there.first.values["x"] == here.first.values["x"] + 1000
    assert there.chi2 == pytest.approx(here.chi2)


@pytest.mark.parametrize("position", [(-0.6, 10.0), (10.0, 96.0), (1e9, 3.0)])
def test_positions_off_the_frame_are_an_error(position: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="off the frame, which is 100×96"):
        explain(subtract(), *position)


@pytest.mark.parametrize("position", [(np.nan, 3.0), ("a", 3.0), (3.0, None)])
def test_positions_that_are_no_numbers_are_an_error(position: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="two finite numbers"):
        explain(subtract(), *position)


def test_what_a_task_returns_can_be_explained_as_it_is() -> None:
    struct = ZogyTask(config=ZogyConfig(background="none")).run(*FlawedPair().draw(1))
    assert explain(struct, *HERE).first == explain(struct.difference, *HERE).first
    with pytest.raises(InputError, match="not a Difference"):
        explain("x", *HERE)


@pytest.mark.parametrize("radius", [0.0, -3.0, np.nan, "a"])
def test_a_radius_must_be_usable(radius: float) -> None:
    with pytest.raises(InputError, match="at least 2 px"):
        explain(subtract(), *HERE, radius=radius)


@pytest.mark.parametrize("position", [(0.0, 0.0), (99.0, 95.0), (99.4, 40.0), (50.0, -0.4)])
def test_the_edge_of_the_frame_has_an_answer(position: tuple[float, float]) -> None:
    found = explain(subtract(), *position)
    assert found.first.name == "noise"
    assert found.cause("edge") is not None


def test_a_failed_cell_has_a_clear_answer() -> None:
    difference = subtract()
    failed = replace(difference.cells[0], diff=None)
    found = explain(replace(difference, cells=(failed,)), *HERE)
    assert found.first.name == "masked"
    assert "has no result here" in found.first.sentence


def test_explanations_are_frozen_and_change_nothing() -> None:
    difference = subtract(shift=(0.2, 0.0))
    before = difference.diff.image.copy()
    found = explain(difference, *HERE)
    np.testing.assert_array_equal(difference.diff.image, before)
    with pytest.raises(FrozenInstanceError):
        found.x = 0.0
    sigma = np.sqrt(difference.diff.variance.mean())
    np.testing.assert_allclose(found.diff, before[found.window.slices()], atol=0.01 * sigma)
