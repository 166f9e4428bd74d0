"""A measured PSF is that of the stars, whatever their width, number and company."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import shift

from zogy_explorer import Exposure, plan, run
from zogy_explorer.engine.floor import spectral_noise
from zogy_explorer.errors import InputError, PsfError
from zogy_explorer.prepare import measure_psf
from zogy_explorer.simulate.pathologies import pathology

SKY, SIGMA, GAIN = 200.0, 12.0, 1.6


def moffat(x: np.ndarray, y: np.ndarray, fwhm: float) -> np.ndarray:
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / 3.2) - 1)
    return (1 + (x**2 + y**2) / alpha**2) ** -3.2 * 2.2 / (np.pi * alpha**2)


def gaussian(x: np.ndarray, y: np.ndarray, fwhm: float) -> np.ndarray:
    width = fwhm / 2.3548
    return np.exp(-(x**2 + y**2) / (2 * width**2)) / (2 * np.pi * width**2)


def lopsided(x: np.ndarray, y: np.ndarray, fwhm: float) -> np.ndarray:
    """Elliptical, with a halo and a third lobe: no profile has it."""
    core = gaussian(1.08 * x + 0.1 * y, y, fwhm)
    lobe = 0.12 * gaussian(x - 0.7 * fwhm, y - 0.3 * fwhm, 0.8 * fwhm)
    return 0.7 * core + 0.18 * moffat(x, y, 1.6 * fwhm) + lobe


def field(profile, fwhm: float, seed: int = 1, *, stars: int = 60, galaxies: int = 0) -> Exposure:
    """A raw image with stars of 10³ to 10⁵ counts at any place within their pixels."""
    rng = np.random.default_rng(seed)
    image = np.full((420, 460), SKY)

    def add(flux: float, profile, width: float) -> None:
        x, y = rng.uniform(5, 455), rng.uniform(5, 415)
        reach = int(12 * width)
        rows = np.arange(max(int(y) - reach, 0), min(int(y) + reach, 420))
        columns = np.arange(max(int(x) - reach, 0), min(int(x) + reach, 460))
        image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] += flux * profile(
            columns[None, :] - x, rows[:, None] - y, width
        )

    for _ in range(stars):
        add(10 ** rng.uniform(3, 5), profile, fwhm)
    for _ in range(galaxies):
        add(10 ** rng.uniform(3.5, 5), gaussian, fwhm * rng.uniform(1.1, 3))
    noisy = image + rng.normal(0, np.sqrt(SIGMA**2 + (image - SKY) / GAIN))
    return Exposure(noisy.astype(np.float32), name="raw")


def stamp_of(profile, fwhm: float, side: int) -> np.ndarray:
    steps = np.arange(side) - side // 2
    stamp = profile(steps[None, :].astype(float), steps[:, None].astype(float), fwhm)
    return stamp / stamp.sum()


def distance(measured: np.ndarray, true: np.ndarray) -> float:
    return float(np.sqrt(np.square(measured - true).sum() / np.square(true).sum()))


@pytest.mark.parametrize("profile", [moffat, gaussian])
@pytest.mark.parametrize("fwhm", [1.9, 2.4, 2.8, 3.6, 4.5])
def test_it_is_as_wide_as_the_stars(profile, fwhm: float):
    measured = measure_psf(field(profile, fwhm))
    true = stamp_of(profile, fwhm, measured.psf.stamp.shape[0])
    assert measured.psf.stamp.max() == pytest.approx(true.max(), rel=0.015)
    assert distance(measured.psf.stamp, true) < 0.012
    assert measured.fwhm == pytest.approx(fwhm, rel=0.01)


@pytest.mark.parametrize(("fwhm", "limit"), [(2.2, 0.04), (3.6, 0.02)])
def test_it_has_what_no_profile_has(fwhm: float, limit: float):
    measured = measure_psf(field(lopsided, fwhm)).psf.stamp
    true = stamp_of(lopsided, fwhm, measured.shape[0])
    # Its origin is the centre of the common profile: compare at the best place.
    steps = np.linspace(-0.6, 0.6, 25)
    nearest = min(distance(shift(measured, (b, a), order=5), true) for a in steps for b in steps)
    assert nearest < limit


@pytest.mark.parametrize(
    ("stars", "galaxies", "limit"), [(8, 0, 0.04), (300, 0, 0.015), (60, 15, 0.02)]
)
def test_few_stars_crowds_and_galaxies_do_not_spoil_it(stars: int, galaxies: int, limit: float):
    measured = measure_psf(field(moffat, 2.8, stars=stars, galaxies=galaxies)).psf.stamp
    assert distance(measured, stamp_of(moffat, 2.8, measured.shape[0])) < limit


def test_its_rim_is_not_noise():
    noise = [spectral_noise(measure_psf(field(moffat, 2.8, seed)).psf.stamp) for seed in range(4)]
    assert np.median(noise) < 5e-5


def test_the_error_of_its_flux_scale_is_what_it_scatters_by():
    scales, errors = [], []
    for seed in range(10):
        measured = measure_psf(field(moffat, 2.8, seed))
        true = stamp_of(moffat, 2.8, measured.psf.stamp.shape[0])
        scales.append((true * measured.psf.stamp).sum() / np.square(measured.psf.stamp).sum())
        errors.append(measured.flux_error)
    assert np.std(scales) < 1.5 * np.mean(errors)
    assert np.mean(errors) < 0.004


def test_an_array_gives_what_its_exposure_gives():
    raw = field(moffat, 3.0)
    of_exposure = measure_psf(raw)
    of_array = measure_psf(raw.image - np.float32(SKY), np.full(raw.shape, SIGMA))
    np.testing.assert_allclose(of_array.psf.stamp, of_exposure.psf.stamp, atol=3e-4)


def test_masked_stars_are_left_out():
    raw = field(moffat, 3.0)
    all_of_them = measure_psf(raw).stars
    mask = np.zeros(raw.shape, np.int32)
    mask[round(all_of_them.y[0]), round(all_of_them.x[0])] = 1 << raw.mask_planes["SAT"]
    left = measure_psf(raw.replace(mask=mask)).stars
    assert np.hypot(left.x - all_of_them.x[0], left.y - all_of_them.y[0]).min() > 3


def test_tracks_of_particles_are_no_stars():
    raw = field(moffat, 2.8)
    image = raw.image.copy()
    rng = np.random.default_rng(3)
    for row, column in rng.integers(10, 400, (8, 2)):  # two or three pixels of a particle's track
        image[row, column : column + 3] += 2000
        image[row + 1, column : column + 2] += 1200
    struck = measure_psf(raw.replace(image=image))
    assert struck.fwhm == pytest.approx(2.8, rel=0.01)
    assert len(struck.stars.x) > 20


def test_what_is_missing_or_too_much_is_said():
    raw = field(moffat, 3.0)
    with pytest.raises(InputError, match=r"array without sigma: give the noise .* or an Exposure"):
        measure_psf(raw.image)
    with pytest.raises(InputError, match=r"given an Exposure and sigma or bad beside it: leave"):
        measure_psf(raw, np.full(raw.shape, SIGMA))
    with pytest.raises(PsfError, match=r"must be odd"):
        measure_psf(raw, size=20)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_it_cures_the_pair_whose_psf_is_wrong(seed: int):
    """What the cure of that sample tells a reader to type."""
    case = pathology("psf")
    science, template = case.draw(seed)
    cured = science.replace(psf=measure_psf(science).psf)
    ill, well = (
        case.signature(run(plan(first, template, case.config()))) for first in (science, cured)
    )
    assert ill > 2 * case.limit
    assert well < case.limit
