"""D is white where it should be, and is said not to be where it is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from zogy_explorer.diagnostics import autocorrelation, power_spectrum, whiteness
from zogy_explorer.diagnostics.lags import lag_covariance, radial_spectrum
from zogy_explorer.masks import MASK_PLANES

SAMPLING = 4.5


def test_covariance_by_lag_is_the_mean_over_pairs_in_use() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 13, 16))
    use_a, use_b = rng.random((2, 13, 16)) > 0.3
    found = lag_covariance(a, b, use_a, use_b, 3)
    a, b = np.where(use_a, a - a[use_a].mean(), 0), np.where(use_b, b - b[use_b].mean(), 0)
    for i, dy in enumerate(range(-3, 4)):
        for j, dx in enumerate(range(-3, 4)):
            total = n = 0.0
            for y in range(max(0, -dy), min(13, 13 - dy)):
                for x in range(max(0, -dx), min(16, 16 - dx)):
                    total += a[y, x] * b[y + dy, x + dx]
                    n += use_a[y, x] and use_b[y + dy, x + dx]
            assert found.pairs[i, j] == n
            assert found.values[i, j] == pytest.approx(total / n)


def test_spectrum_of_the_input_is_its_filter(sky_pair: Callable) -> None:
    """Noise smoothed by a Gaussian of σ has the power exp(-4π²σ²f²), up to the resolution."""
    image = sky_pair((600, 600), smooth=1.0)[0].image / 3.0
    everywhere = np.ones(image.shape, dtype=bool)
    found = radial_spectrum(lag_covariance(image, image, everywhere, everywhere, 24))
    expected = 4 * np.pi * np.exp(-4 * np.pi**2 * found.frequency**2)
    inside = (found.frequency > 0.05) & (found.frequency < 0.35)
    np.testing.assert_allclose(found.power[inside], expected[inside], rtol=0.06)


def test_the_error_of_a_cross_spectrum_is_its_scatter() -> None:
    everywhere, powers = np.ones((90, 100), dtype=bool), []
    for seed in range(60):
        first, second = np.random.default_rng(seed).normal(size=(2, 90, 100))
        covariance = lag_covariance(first, second, everywhere, everywhere, 8)
        powers.append(radial_spectrum(covariance, cross=True))
    ratio = np.std([p.power for p in powers], axis=0) / powers[0].error
    assert np.all(np.abs(ratio - 1) < 4.5 / np.sqrt(2 * 60))


@pytest.mark.parametrize("shape", [(400, 420), (401, 397)])
@pytest.mark.parametrize("sides", [(25, 21), (24, 21)])
def test_d_of_white_pairs_is_white(
    sky_pair: Callable, subtracted: Callable, shape: tuple[int, int], sides: tuple[int, int]
) -> None:
    difference = subtracted(sky_pair(shape, sides=sides))
    found = whiteness(difference, sources=True)
    assert abs(found.pull) < SAMPLING
    assert found.p_value > 1e-5
    assert found.rms_correlation < 0.003
    spectrum = power_spectrum(difference, sources=True)
    assert np.all(np.abs(spectrum.power - 1) < SAMPLING * spectrum.error)
    assert spectrum.error[3:-1].max() < 0.05
    correlation = autocorrelation(difference, sources=True)
    off = correlation.error > 0
    assert np.all(np.abs(correlation.values[off]) < SAMPLING * correlation.error[off])
    assert correlation.values[~off] == pytest.approx(1.0)
    assert correlation.variance == pytest.approx(1, abs=SAMPLING * np.sqrt(2 / found.n_pixels))


@pytest.mark.parametrize("floor", [0.0, 1e-3, 1e-2])
def test_the_frequency_floor_leaves_d_white(
    sky_pair: Callable, subtracted: Callable, floor: float
) -> None:
    difference = subtracted(sky_pair(widths=(2.6, 2.3)), frequencyFloor=floor)
    assert difference.cells[0].frequency_floor == floor
    assert abs(whiteness(difference, sources=True).pull) < SAMPLING


def test_errors_are_as_large_as_results_scatter(sky_pair: Callable, subtracted: Callable) -> None:
    pulls, powers, errors = [], [], []
    for seed in range(40):
        difference = subtracted(sky_pair((120, 130), seed=seed))
        pulls.append(whiteness(difference, sources=True).pull)
        spectrum = power_spectrum(difference, sources=True)
        powers.append(spectrum.power)
        errors.append(spectrum.error)
    assert np.mean(pulls) == pytest.approx(0, abs=4 / np.sqrt(40))
    assert np.std(pulls) == pytest.approx(1, abs=4 / np.sqrt(2 * 40))
    ratio = np.std(powers, axis=0) / np.mean(errors, axis=0)
    assert ratio.mean() == pytest.approx(1, abs=0.08)
    assert np.all(np.abs(ratio - 1) < 5 / np.sqrt(2 * 40))


def test_correlated_noise_is_not_white(sky_pair: Callable, subtracted: Callable) -> None:
    difference = subtracted(sky_pair(smooth=0.6))
    found = whiteness(difference)
    assert found.pull > 100
    assert found.p_value < 1e-10
    assert max(abs(found.largest_lag[0]), abs(found.largest_lag[1])) == 1
    x, y = autocorrelation(difference).nearest
    assert x == pytest.approx(y, abs=0.02)
    assert x > 0.2
    spectrum = power_spectrum(difference)
    assert spectrum.power[1] > 2 > 0.5 > spectrum.power[-1]


def test_masks_and_holes_leave_nothing_in_the_spectrum(
    sky_pair: Callable, subtracted: Callable
) -> None:
    science, template = sky_pair()
    rng = np.random.default_rng(5)
    image, mask = science.image.copy(), np.zeros(science.shape, np.int32)
    hit = rng.random(science.shape) < 0.0008
    image[hit] = 1e4
    mask[hit] = 1 << MASK_PLANES["CR"]
    image[:, 200:204] = np.nan
    difference = subtracted((science.replace(image=image, mask=mask), template))
    found = whiteness(difference)
    assert found.n_pixels < 0.9 * science.image.size
    assert abs(found.pull) < SAMPLING
    spectrum = power_spectrum(difference)
    assert np.all(np.abs(spectrum.power - 1) < SAMPLING * spectrum.error)


def test_tiny_and_masked_cells_have_an_answer(sky_pair: Callable, subtracted: Callable) -> None:
    tiny = subtracted(sky_pair((63, 63)))
    assert abs(whiteness(tiny).pull) < SAMPLING
    assert power_spectrum(tiny).power.size > 5
    science, template = sky_pair((63, 63))
    masked = science.replace(mask=np.full((63, 63), 1 << MASK_PLANES["SAT"], np.int32))
    nothing = subtracted((masked, template))
    assert np.isnan(whiteness(nothing).statistic)
    assert np.isnan(whiteness(nothing).pull)
    assert power_spectrum(nothing).power.size == 0
    assert np.isnan(autocorrelation(nothing).nearest[0])
