"""Trap 2: what small |P| makes of one cosmic ray."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.traps.conftest import subtract
from zogy_explorer import Exposure, ZogyConfig
from zogy_explorer.engine.floor import automatic_floor, spectral_noise


def change_beyond_30_px(pair: tuple[Exposure, Exposure], config: ZogyConfig) -> tuple[float, float]:
    """Rms of what one 1e5-count pixel changes in D and Scorr beyond 30 px [σ]."""
    struck = pair[0].image.copy()
    struck[100, 96] += 1e5
    after = subtract((pair[0].replace(image=struck), pair[1]), config)
    before = subtract(pair, config)
    y, x = np.indices(struck.shape)
    far = np.hypot(y - 100, x - 96) > 30
    sigma = np.sqrt(before.diffExp.variance)
    diff = (after.diffExp.image - before.diffExp.image) / sigma
    return float(diff[far].std()), float((after.scorr - before.scorr)[far].std())


def test_one_unflagged_cosmic_ray_spoils_all_of_d_without_a_floor(
    pair: tuple[Exposure, Exposure],
) -> None:
    for config in (ZogyConfig.lsst(), ZogyConfig(frequencyFloor=0.0)):
        diff, score = change_beyond_30_px(pair, config)
        assert diff > 5
        assert score < 0.01  # S is immune


def test_the_frequency_floor_keeps_a_cosmic_ray_where_it_fell(
    pair: tuple[Exposure, Exposure],
) -> None:
    diff, score = change_beyond_30_px(pair, ZogyConfig())
    assert diff < 0.1
    assert score < 0.01


def test_the_frequency_floor_follows_the_noise_of_the_stamps(
    pair: tuple[Exposure, Exposure],
) -> None:
    (noisy,) = subtract(pair, ZogyConfig()).cells
    assert 2e-5 < noisy.frequency_floor <= 1e-3
    assert "FREQUENCY_FLOOR" not in {flag.name for flag in noisy.flags}
    (forced,) = subtract(pair, ZogyConfig(frequencyFloor=5e-3)).cells
    assert "FREQUENCY_FLOOR" in {flag.name for flag in forced.flags}


@pytest.mark.parametrize("widths", [(1.3, 1.25), (1.8, 1.3), (2.5, 1.6), (1.2, 1.0)])
def test_true_power_of_a_psf_is_not_taken_for_noise(widths: tuple[float, float]) -> None:
    y, x = np.mgrid[:25, :25] - 12
    stamps = [np.exp(-(x * x + y * y) / (2 * w * w)) for w in widths]
    assert max(spectral_noise(stamp / stamp.sum()) for stamp in stamps) < 1e-6
    assert automatic_floor(*(stamp / stamp.sum() for stamp in stamps)) < 5e-5


@pytest.mark.parametrize("noise", [2e-6, 1e-4])
def test_the_noise_of_a_stamp_is_measured_from_its_rim(noise: float) -> None:
    y, x = np.mgrid[:25, :25] - 12
    stamp = np.exp(-(x * x + y * y) / (2 * 2.0**2))
    stamp += noise * np.random.default_rng(4).standard_normal(stamp.shape)
    expected = noise / stamp.sum() * stamp.shape[0]  # rms of the spectrum of white noise
    assert spectral_noise(stamp / stamp.sum()) == pytest.approx(expected, rel=0.4)


def test_the_floor_leaves_s_to_the_bit(pair: tuple[Exposure, Exposure]) -> None:
    with_floor = subtract(pair, ZogyConfig(frequencyFloor=0.01, workingPrecision="double"))
    without = subtract(pair, ZogyConfig(frequencyFloor=0.0, workingPrecision="double"))
    np.testing.assert_array_equal(with_floor.scoreExp.image, without.scoreExp.image)
    assert np.abs(with_floor.diffExp.image - without.diffExp.image).max() > 0
