"""Whether flags of `detect` name the cause: particle hits, errors of the pair, ringing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from astropy.table import QTable
from scipy.signal import fftconvolve

from zogy_explorer import Exposure, ZogyConfig, plan, run
from zogy_explorer.diagnostics import detect
from zogy_explorer.diagnostics.detecting.spans import Span, gains
from zogy_explorer.engine import Difference
from zogy_explorer.simulate import FlawedPair, Moffat
from zogy_explorer.simulate.psf_field import render_star

SHAPE = (260, 270)
PLACES = tuple((x, y) for x in range(30, 250, 35) for y in range(30, 240, 35))
Pair = tuple[Exposure, Exposure]


def field(seed: int, n: int = 110, faintest: float = 2.3, **flaws: Any) -> FlawedPair:
    """Stars anywhere, from about the noise to hundreds of σ, with their photon noise."""
    rng = np.random.default_rng(seed)
    stars = tuple(
        (rng.uniform(5, 265), rng.uniform(5, 255), 10 ** rng.uniform(faintest, 4.5))
        for _ in range(n)
    )
    return FlawedPair(stars=stars, shape=SHAPE, gain=2.0, **flaws)


def subtracted(pair: Pair, **config: Any) -> Difference:
    return run(plan(*pair, ZogyConfig(**config)))


def detected(pair: Pair, **config: Any) -> QTable:
    return detect(subtracted(pair, **config))


def flags_of(table: QTable) -> list[list[str]]:
    return [flags.split() for flags in table["flags"]]


def count(table: QTable, flag: str) -> int:
    return sum(flag in flags for flags in flags_of(table))


def at(table: QTable, x: float, y: float, sign: int, within: float = 1.5) -> list[list[str]]:
    """Flags of the rows of a sign at a place."""
    near = np.hypot(table["x"].value - x, table["y"].value - y) < within
    return flags_of(table[near & (table["sign"] == sign)])


def struck(image: Exposure, places: Sequence[tuple[int, int]], sigmas: float) -> Exposure:
    """Counts on single pixels, in σ of each."""
    hit = image.image.copy()
    for x, y in places:
        hit[y, x] += sigmas * np.sqrt(image.variance[y, x])
    return image.replace(image=hit)


# --- errors of the pair ------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [(0.2, 0.1), (-0.05, 0.3)])
def test_misregistered_stars_are_dipoles_and_no_particle_hits(shift: tuple[float, float]) -> None:
    table = detected(field(1, shift=shift).draw(1))
    assert len(table) > 50
    assert count(table, "cosmic_ray") <= 0.01 * len(table)
    assert count(table, "dipole") >= 0.95 * len(table)


@pytest.mark.parametrize("width", [-0.1, 0.12])
def test_stars_of_a_wrong_psf_say_so_and_are_no_particle_hits(width: float) -> None:
    table = detected(field(2, width_error=width).draw(2))
    assert len(table) > 30
    assert count(table, "cosmic_ray") <= 0.01 * len(table)
    assert count(table, "psf_error") >= 0.8 * len(table)  # faint ones may be anything
    reasons = [text for text in table["reasons"] if "psf_error" in text]
    assert all("other widths of the PSFs fit with" in text for text in reasons)


@pytest.mark.parametrize("moved", [0.5, 1.0, 3.0])
def test_the_lobes_of_a_mover_are_no_particle_hits(moved: float) -> None:
    science, _ = FlawedPair(stars=((48.3, 47.6, 20000.0),)).draw(3)
    _, template = FlawedPair(stars=((48.3 - moved, 47.6, 20000.0),)).draw(3)
    table = detected((science, template))
    assert len(table) == 2
    assert flags_of(table) == [["dipole"], ["dipole"]]


def galaxies(shift: float, supernovae: Sequence[tuple[float, float]] = ()) -> Pair:
    """Flat-topped galaxies whose rims lie farther apart than any star's lobes."""
    flawed = FlawedPair(stars=(), shape=SHAPE)
    y, x = np.indices(SHAPE)
    pair = []
    for image, psf, moved in zip(flawed.draw(4), flawed.psfs, (shift, 0.0), strict=True):
        light = np.zeros(SHAPE)
        for x0, y0 in ((70, 60), (180, 80), (90, 190), (200, 190)):
            light += 600 / (1 + np.exp((np.hypot(x - x0 - moved, y - y0) - 9) / 0.8))
        light = fftconvolve(light, psf.stamp(31), "same")
        if not pair:
            for place in supernovae:
                light += render_star(SHAPE, *place, 4000.0, psf)
        pair.append(image.replace(image=image.image + light))
    return pair[0], pair[1]


def test_lobes_of_a_shifted_galaxy_are_dipoles_however_far_apart() -> None:
    table = detected(galaxies(0.4))
    assert len(table) >= 8
    assert count(table, "dipole") == len(table)
    assert any("a shift of the light here fits with" in text for text in table["reasons"])
    assert count(table, "cosmic_ray") == 0


def test_supernovae_in_galaxies_in_place_have_no_flags() -> None:
    places = [(70.3, 60.2), (171.2, 80.4), (95.6, 183.1), (206.4, 196.7)]
    table = detected(galaxies(0.0, places))
    assert [at(table, *place, 1) for place in places] == [[[]]] * 4
    assert len(table) == 4


@pytest.mark.parametrize("shift", [0.0, 0.05])
def test_variable_stars_have_no_flags(shift: float) -> None:
    stars = tuple((x + 0.3, y - 0.2, 8000.0) for x, y in PLACES)
    flawed = FlawedPair(stars=stars, shape=SHAPE, gain=2.0, shift=(shift, 0.0), flux_error=0.2)
    table = detected(flawed.draw(5))
    clean = [[] in at(table, x, y, 1) for x, y, _ in stars]
    assert np.mean(clean) > 0.97


def test_new_sources_anywhere_in_a_crowded_field_in_place_have_no_flags() -> None:
    flawed = field(6, n=250)
    science, template = flawed.draw(6)
    light, rng = np.zeros(SHAPE), np.random.default_rng(6)
    for x, y in PLACES:
        light += render_star(SHAPE, x + 0.3, y + 0.4, 10 ** rng.uniform(3.2, 4.5), flawed.psfs[0])
    table = detected((science.replace(image=science.image + light), template))
    for x, y in PLACES:
        assert at(table, x + 0.3, y + 0.4, 1) == [[]]


# --- particle hits ------------------------------------------------------------------------------


@pytest.mark.parametrize("fwhm", [1.8, 3.2, 5.0])
@pytest.mark.parametrize("image", [0, 1])
@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_hits_on_stars_are_found_out(fwhm: float, image: int, shift: float) -> None:
    stars = tuple((x + 0.4, y - 0.3, 3000.0 + 20 * x) for x, y in PLACES)
    psfs = (Moffat(fwhm, 3.5, 0.08, 0.6), Moffat(1.1 * fwhm, 3.5, 0.03, 2.0))
    flawed = FlawedPair(stars=stars, shape=SHAPE, shift=(shift, 0.0), psfs=psfs, gain=2.0)
    pair = list(flawed.draw(7))
    pair[image] = struck(pair[image], PLACES, 15.0 * fwhm)
    table = detected((pair[0], pair[1]))
    rows = [at(table, x, y, 1 - 2 * image) for x, y in PLACES]
    told = [any("cosmic_ray" in flags for flags in found) for found in rows if found]
    assert len(told) > 0.95 * len(PLACES)
    assert np.mean(told) > 0.95


def test_faint_hits_between_misregistered_stars_are_found_out() -> None:
    flawed = field(8, shift=(0.2, 0.1))
    science, template = flawed.draw(8)
    alone = [
        (x, y) for x, y in PLACES if all(np.hypot(x - a, y - b) > 10 for a, b, _ in flawed.stars)
    ]
    assert len(alone) > 10
    table = detected((struck(science, alone, 20.0), template))
    found = [at(table, x, y, 1) for x, y in alone]
    assert np.mean([["cosmic_ray"] in flags for flags in found]) > 0.9


def test_a_track_longer_than_the_square_is_found_out() -> None:
    science, template = FlawedPair(stars=(), shape=SHAPE).draw(9)
    image = science.image.copy()
    for x, y in PLACES:
        for step in range(-3, 4):
            image[y + step, x + step // 2] += 250
    table = detected((science.replace(image=image), template))
    rows = [at(table, x, y, 1, within=4.5) for x, y in PLACES]
    assert all(found and all("cosmic_ray" in flags for flags in found) for found in rows)


# --- ringing beside what the noise terms mute ---------------------------------------------------


def test_side_lobes_are_ringing_even_if_noise_terms_mute_their_source() -> None:
    """The terms grow with the light: they leave of a bright source less than of its lobes."""
    psfs = (Moffat(2.2, 6.0), Moffat(6.0, 6.0))
    flawed = FlawedPair(stars=((65.2, 64.7, 3e5),), shape=(130, 131), psfs=psfs, sigmas=(3.0, 3.0))
    science, _ = flawed.draw(10)
    _, template = replace(flawed, stars=()).draw(11)
    plain = detected((science, template))
    muted = detected((science, template), astrometricNoise=0.1)
    for table in (plain, muted):
        distance = np.hypot(table["x"].value - 65.2, table["y"].value - 64.7)
        lobes = table[distance > 2]
        assert len(lobes) > 3
        assert count(lobes, "ringing") == len(lobes)
    source = np.abs(muted["scorr"]).max()
    assert source < 0.5 * np.abs(plain["scorr"]).max()  # it is muted
    assert any("noise terms left out" in text for text in muted["reasons"])


# --- the algebra --------------------------------------------------------------------------------


def test_gains_beyond_a_span_are_those_of_fits_with_and_without_a_template() -> None:
    rng = np.random.default_rng(0)
    templates, data, extra = rng.normal(size=(3, 4, 30)), *rng.normal(size=(2, 3, 30))
    span = Span.of(templates * [[[1e6], [1.0], [1e-6], [1.0]]])

    def chi2(columns: np.ndarray, y: np.ndarray) -> float:
        return float(np.linalg.lstsq(columns.T, y, rcond=None)[1][0])

    beyond = gains(extra, span.rest(data), span)
    for i in range(3):
        without = chi2(templates[i], data[i])
        both = chi2(np.vstack([templates[i], extra[i]]), data[i])
        assert span.gain(data)[i] == pytest.approx((data[i] ** 2).sum() - without)
        assert beyond[i] == pytest.approx(without - both)


def test_a_template_that_lies_in_the_span_explains_nothing_more() -> None:
    rng = np.random.default_rng(1)
    templates, data = rng.normal(size=(2, 3, 20)), rng.normal(size=(2, 20))
    span = Span.of(templates)
    inside = templates.sum(axis=1)
    assert gains(inside, span.rest(data), span) == pytest.approx([0, 0])
