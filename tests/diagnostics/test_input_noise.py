"""The noise of the images explains the σ of Scorr."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from zogy_explorer import Exposure, ZogyConfig, plan, run
from zogy_explorer.diagnostics import InputNoise, explain_sigma, input_noise
from zogy_explorer.errors import InputError
from zogy_explorer.masks import MASK_PLANES

SAMPLING = 4.5


def of_one_cell(difference: object) -> InputNoise:
    return input_noise(difference.plan, difference.cells[0])


def agrees(noise: InputNoise) -> None:
    """Expected and measured σ are of the same pixels: they agree better than either is known."""
    error = np.hypot(noise.expected_error, noise.measured_error)
    assert noise.expected_scorr_sigma == pytest.approx(noise.measured_scorr_sigma, abs=2 * error)


@pytest.mark.parametrize("shape", [(400, 420), (401, 397)])
@pytest.mark.parametrize("sides", [(25, 21), (24, 21)])
@pytest.mark.parametrize("fluxes", [(1.0, 1.0), (0.6, 1.7)])
def test_white_noise_predicts_one(
    sky_pair: Callable, subtracted: Callable, shape: tuple, sides: tuple, fluxes: tuple
) -> None:
    noise = of_one_cell(
        subtracted(
            sky_pair(shape, sides=sides),
            scaleByCalibration=False,
            scienceFluxScaling=fluxes[0],
            templateFluxScaling=fluxes[1],
        )
    )
    agrees(noise)
    assert noise.expected_scorr_sigma == pytest.approx(1, abs=SAMPLING * noise.expected_error)
    assert noise.sigma_variance == pytest.approx(1, abs=0.01)
    assert abs(noise.shared_at_zero) < SAMPLING * noise.error
    assert "white and not shared" in explain_sigma(noise)


def test_expected_error_is_as_large_as_the_scatter(
    sky_pair: Callable, subtracted: Callable
) -> None:
    found = [of_one_cell(subtracted(sky_pair((160, 160), seed=s))) for s in range(40)]
    scatter = np.std([noise.expected_scorr_sigma for noise in found])
    assert scatter == pytest.approx(found[0].expected_error, rel=0.5)
    assert np.mean([noise.expected_scorr_sigma for noise in found]) == pytest.approx(
        1, abs=4 * scatter / np.sqrt(40)
    )


@pytest.mark.parametrize("smooth", [0.5, 0.8])
def test_correlated_noise_predicts_more_than_one(
    sky_pair: Callable, subtracted: Callable, smooth: float
) -> None:
    noise = of_one_cell(subtracted(sky_pair(smooth=smooth)))
    agrees(noise)
    assert noise.expected_scorr_sigma > 1.3
    assert noise.sigma_variance == pytest.approx(1, abs=0.02)
    line = ndimage.gaussian_filter1d(np.eye(1, 101, 50)[0], smooth)
    neighbour = (line[1:] * line[:-1]).sum() / (line**2).sum()
    assert noise.neighbour_science == pytest.approx(neighbour, abs=0.02)
    assert "neighbouring pixels correlates" in explain_sigma(noise)


@pytest.mark.parametrize("shared", [0.3, 0.7])
def test_shared_noise_predicts_less_than_one(
    sky_pair: Callable, subtracted: Callable, shared: float
) -> None:
    noise = of_one_cell(subtracted(sky_pair(shared=shared)))
    agrees(noise)
    assert noise.expected_scorr_sigma < 0.95
    assert noise.sigma_correlated == pytest.approx(1, abs=0.03)
    assert noise.shared_at_zero == pytest.approx(np.sqrt(shared), abs=0.02)
    assert "share noise" in explain_sigma(noise)


@pytest.mark.parametrize("change", [{}, {"smooth": 0.6}, {"shared": 0.5}])
def test_the_noise_of_d_is_predicted_too(
    sky_pair: Callable, subtracted: Callable, change: dict[str, float]
) -> None:
    difference = subtracted(sky_pair(**change))
    check = difference.cells[0].noise
    ratio = check.diff_measured / check.diff_predicted
    assert of_one_cell(difference).expected_diff_ratio == pytest.approx(ratio, abs=0.02)


def test_a_wrong_variance_plane_is_told_from_correlation(
    sky_pair: Callable, subtracted: Callable
) -> None:
    science, template = sky_pair()
    noise = of_one_cell(subtracted((science.replace(variance=science.variance / 2), template)))
    agrees(noise)
    assert noise.variance_science == pytest.approx(2, rel=0.03)
    assert noise.variance_template == pytest.approx(1, rel=0.03)
    assert noise.sigma_variance == pytest.approx(noise.expected_scorr_sigma, abs=0.02)
    assert "variance planes are off" in explain_sigma(noise)


def test_spectra_show_where_the_noise_lies(sky_pair: Callable, subtracted: Callable) -> None:
    noise = of_one_cell(subtracted(sky_pair(smooth=0.7, shared=0.5)))
    for spectrum in (noise.spectrum_science, noise.spectrum_template, noise.coherence):
        assert spectrum.power[1] > 1.5 > 0.2 > abs(spectrum.power[-1])


def test_cells_of_a_grid_and_tiny_ones(sky_pair: Callable, subtracted: Callable) -> None:
    difference = subtracted(sky_pair(smooth=0.6), doSpatialGrid=True, gridInnerSize=4.0)
    assert len(difference.cells) > 4
    for cell in difference.cells:
        agrees(input_noise(difference.plan, cell))
    agrees(of_one_cell(subtracted(sky_pair((63, 63)))))


def test_nothing_to_measure_is_said(sky_pair: Callable, subtracted: Callable) -> None:
    science, template = sky_pair((100, 100))
    mask = np.full((100, 100), 1 << MASK_PLANES["DETECTED"], np.int32)
    mask[:15, :15] = 0
    noise = of_one_cell(subtracted((science.replace(mask=mask), template)))
    assert noise.n_pixels < 250
    assert np.isnan(noise.expected_scorr_sigma)
    assert "too few" in explain_sigma(noise)
    bad = science.replace(mask=np.full((100, 100), 1 << MASK_PLANES["BAD"], np.int32))
    with pytest.raises(InputError, match="has no result"):
        of_one_cell(subtracted((bad, template)))


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Callable[[str], object]:
    def subtract(name: str, **settings: object) -> object:
        folder = shared_data / "data" / "pairs" / name
        pair = [Exposure.read(folder / f"{role}.fits") for role in ("science", "template")]
        return run(plan(*pair, ZogyConfig(**settings)))

    return subtract


@pytest.mark.shared_data
def test_resampled_jwst_images_explain_their_noise_excess(real: Callable) -> None:
    noise = of_one_cell(real("jwst_a2744"))
    assert 1.6 < noise.expected_scorr_sigma < 1.85
    assert noise.expected_scorr_sigma == pytest.approx(noise.measured_scorr_sigma, rel=0.02)
    assert noise.neighbour_science == pytest.approx(0.44, abs=0.04)
    assert noise.neighbour_template == pytest.approx(0.44, abs=0.04)
    assert "neighbouring pixels correlates" in explain_sigma(noise)


@pytest.mark.shared_data
def test_goto_frames_explain_their_noise_deficit(real: Callable) -> None:
    noise = of_one_cell(real("goto_m88"))
    assert 0.75 < noise.expected_scorr_sigma < 0.84
    assert noise.expected_scorr_sigma == pytest.approx(noise.measured_scorr_sigma, rel=0.03)
    assert noise.sigma_correlated > 1
    assert noise.shared_at_zero > 0.5
    assert "share noise" in explain_sigma(noise)


@pytest.mark.shared_data
def test_every_cell_of_the_goto_grid_is_explained(real: Callable) -> None:
    difference = real("goto_m88", doSpatialGrid=True)
    found = [input_noise(difference.plan, cell) for cell in difference.cells]
    ratio = np.array([n.expected_scorr_sigma / n.measured_scorr_sigma for n in found])
    smooth = np.array([n.structure < 0.7 for n in found])
    assert smooth.sum() >= len(found) - 1  # all but the galaxy's core
    assert np.all(np.abs(ratio[smooth] - 1) < 0.1)
    assert np.median(ratio) == pytest.approx(1, abs=0.02)
    assert np.all(np.abs(ratio - 1) < 0.2)
    (core,) = (n for n in found if n.structure >= 0.7)
    assert "uncertain" in explain_sigma(core)


@pytest.mark.shared_data
def test_a_stamp_of_63_pixels_is_measured(real: Callable) -> None:
    noise = of_one_cell(real("ztf17aaacxxf"))
    assert noise.n_pixels > 1000
    agrees(noise)


def test_no_error_is_told_as_zero(sky_pair: Callable, subtracted: Callable) -> None:
    noise = of_one_cell(subtracted(sky_pair((400, 420))))
    sharp = replace(noise, measured_scorr_sigma=1.76823, measured_error=0.00214)
    assert "Scorr has σ = 1.7682 ± 0.0021; " in explain_sigma(sharp)
    vague = replace(noise, measured_scorr_sigma=1.76823, measured_error=0.214)
    assert "Scorr has σ = 1.77 ± 0.21; " in explain_sigma(vague)
