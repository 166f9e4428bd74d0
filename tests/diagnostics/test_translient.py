"""Z² follows χ² of two degrees of freedom in noise, finds movers, and tells them from variables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from zogy_explorer import CellResult, ZogyConfig, plan, run
from zogy_explorer.diagnostics import (
    field_errors,
    mover_or_misregistration,
    translient,
)
from zogy_explorer.engine import Difference
from zogy_explorer.errors import InputError
from zogy_explorer.simulate import FlawedPair

HERE = (48.0, 48.0)
CLUSTER = tuple(
    (float(x) + 0.3 * i, float(y) - 0.2 * i, 15000.0 + 2000 * i)
    for i, (x, y) in enumerate([(30, 40), (90, 35), (150, 50), (40, 110), (110, 120), (160, 110)])
)


def subtract(seed: int = 1, **flaws: object) -> Difference:
    pair = FlawedPair(**flaws).draw(seed)
    return run(plan(*pair, ZogyConfig(background="none")))


@pytest.mark.parametrize("shape", [(300, 320), (301, 319)])
def test_noise_alone_is_chi2_of_two_degrees_of_freedom(shape: tuple[int, int]) -> None:
    z2 = np.concatenate(
        [translient(subtract(seed, stars=(), shape=shape)).z2.ravel() for seed in range(3)]
    )
    # Pixels correlate over about 30 px: the error of a mean is that much larger.
    error = np.sqrt(30 / z2.size)
    assert z2.mean() == pytest.approx(2.0, abs=4 * 2 * error)
    for level in (2.0, 4.6, 9.2):
        expected = np.exp(-level / 2)
        assert (z2 > level).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected) * error)


def test_bright_sources_with_their_own_noise_keep_the_distribution() -> None:
    stars = tuple((20.0 + 25 * i, 20.0 + 25 * j, 8000.0) for i in range(12) for j in range(12))
    settings = {"stars": stars, "shape": (320, 320), "gain": 1.0}
    columns, rows = (np.array([int(star[axis]) for star in stars]) for axis in (0, 1))
    maps = [translient(subtract(seed, **settings)).z2 for seed in range(3)]
    at_stars = np.concatenate([z2[rows, columns] for z2 in maps])
    assert at_stars.mean() == pytest.approx(2.0, abs=4 * 2 / np.sqrt(at_stars.size))


@pytest.mark.parametrize("motion", [(0.25, 0.0), (-0.1, 0.2)])
def test_a_mover_is_found_with_its_significance_and_moment(motion: tuple[float, float]) -> None:
    flux, trials = 20000.0, 12
    star = {"shift": motion, "stars": ((48.0, 47.0, flux),)}
    maps = [translient(subtract(seed, **star)) for seed in range(trials)]
    found = np.mean([z.z2[47, 48] for z in maps])
    moment = np.mean([(z.moment_x[47, 48], z.moment_y[47, 48]) for z in maps], axis=0)
    size = flux * np.hypot(*motion)
    np.testing.assert_allclose(moment, flux * np.array(motion), atol=0.04 * size)
    # Without noise in the pixels, but with the same variances, Z² is (αδ)ᵀ C (αδ).
    pair = FlawedPair(**star, sigmas=(1e-6, 1e-6)).draw(0)
    quiet = [e.replace(variance=np.full(e.shape, s**2)) for e, s in zip(pair, (6, 5), strict=True)]
    signal = translient(run(plan(*quiet, ZogyConfig(background="none")))).z2[47, 48]
    assert signal > 40
    error = np.sqrt((4 + 4 * signal) / trials)  # of a non-central χ² with two degrees of freedom
    assert found == pytest.approx(2 + signal, abs=4 * error)


@pytest.mark.parametrize("seed", range(4))
def test_motion_and_change_of_flux_are_told_apart(seed: int) -> None:
    moved = translient(subtract(seed, shift=(0.2, 0.1)))
    varied = translient(subtract(seed, flux_error=0.06))
    assert moved.moved(*HERE, 4.0)
    assert not varied.moved(*HERE, 4.0)
    z2, s2 = varied.peaks_near(*HERE, 4.0)
    assert z2 < 0.7 * s2


def test_significance_is_that_of_a_gaussian_of_the_same_probability() -> None:
    result = translient(subtract(stars=(), shape=(120, 120)))
    levels = replace(result, z2=np.array([[1.3863, 13.8155, 59.8]])).significance()
    np.testing.assert_allclose(levels, [[0.0, 3.0902, 7.33]], atol=0.02)


def test_cells_of_a_grid_and_single_cells_agree() -> None:
    pair = FlawedPair(shape=(150, 160), shift=(0.2, 0.0), xy0=(30, -10)).draw(2)
    settings = ZogyConfig(background="none", doSpatialGrid=True, gridInnerSize=1.5)
    difference = run(plan(*pair, settings))
    whole = translient(difference)
    cell: CellResult = difference.cells[2]
    part = translient(cell, difference.plan)
    inside = cell.cell.inner.slices((whole.box.x0, whole.box.y0))
    np.testing.assert_array_equal(whole.z2[inside], part.z2)
    assert whole.z2.shape == (150, 160)


def test_failed_cells_are_zero_in_a_frame_and_an_error_alone() -> None:
    difference = subtract()
    failed = replace(difference.cells[0], diff=None)
    assert not translient(replace(difference, cells=(failed,))).z2.any()
    with pytest.raises(InputError, match="has no result"):
        translient(failed, difference.plan)
    with pytest.raises(InputError, match="needs its plan"):
        translient(difference.cells[0])
    with pytest.raises(InputError, match="off the map"):
        translient(difference).peaks_near(500, 500, 3.0)


# --- movers ----------------------------------------------------------------------------------


def with_mover(motion: tuple[float, float], shift: tuple[float, float]) -> Difference:
    """A field shifted by ``shift`` in which the star at (100, 80) moves by ``motion`` more."""
    shape = (150, 200)
    field = FlawedPair(stars=CLUSTER, shape=shape, shift=shift).draw(5)
    total = (shift[0] + motion[0], shift[1] + motion[1])
    star = FlawedPair(
        stars=((100.2, 79.7, 20000.0),), shape=shape, shift=total, sigmas=(1e-6, 1e-6)
    ).draw(6)
    pair = [a.replace(image=a.image + b.image) for a, b in zip(field, star, strict=True)]
    return run(plan(*pair, ZogyConfig(background="none")))


def test_a_shift_that_all_share_is_misregistration() -> None:
    verdict = mover_or_misregistration(with_mover((0.0, 0.0), (0.3, -0.15)), 100, 80)
    assert verdict.verdict == "misregistration"
    assert verdict.n_neighbours == len(CLUSTER)
    np.testing.assert_allclose(verdict.common, (0.3, -0.15), atol=0.03)
    assert "move the template by (+0." in verdict.advice


def test_a_shift_of_its_own_is_a_mover() -> None:
    verdict = mover_or_misregistration(with_mover((-0.2, 0.1), (0.3, -0.15)), 100, 80)
    assert verdict.verdict == "mover"
    np.testing.assert_allclose(verdict.own_motion, (-0.2, 0.1), atol=0.04)
    assert "moved by itself" in verdict.sentence


def test_a_star_that_stays_is_still() -> None:
    assert mover_or_misregistration(with_mover((0.0, 0.0), (0.0, 0.0)), 100, 80).verdict == "still"


def test_without_neighbours_or_light_the_verdict_says_so() -> None:
    alone = subtract(shift=(0.3, 0.0))
    assert mover_or_misregistration(alone, *HERE).verdict == "no_neighbours"
    assert field_errors(alone, *HERE) is None
    assert mover_or_misregistration(alone, 15, 80).verdict == "no_light"
    failed = replace(alone, cells=(replace(alone.cells[0], diff=None),))
    assert "has no result" in mover_or_misregistration(failed, *HERE).sentence
    with pytest.raises(InputError, match="off the frame"):
        mover_or_misregistration(alone, -5, 3)
    with pytest.raises(InputError, match="off the frame"):
        field_errors(alone, 1e9, 3)


@pytest.mark.parametrize("ask", [mover_or_misregistration, field_errors])
def test_questions_that_make_no_sense_get_a_sentence(ask: Callable[..., object]) -> None:
    with pytest.raises(InputError, match="two finite numbers"):
        ask(subtract(), "a", None)
    with pytest.raises(InputError, match="not a Difference"):
        ask("x", 1, 2)


def test_the_field_knows_its_flux_ratio_too() -> None:
    difference = subtract(stars=CLUSTER, shape=(150, 200), flux_error=0.04)
    field = field_errors(difference, 100, 80)
    assert field.flux.value == pytest.approx(0.04, abs=0.01)
    assert field.flux.pull(0.04, 0.005) ** 2 < 9 < field.flux.pull(-0.2, 0.005) ** 2
