"""Spectra of a cell: those that the subtraction itself uses."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig
from zogy_explorer.diagnostics.spectra import SPECTRA, cell_spectra, middle, whole_plane
from zogy_explorer.engine import plan, subtract_cell
from zogy_explorer.errors import InputError


def gaussian(sigma, size=15, dx=0.0):
    y, x = np.mgrid[:size, :size] - size // 2
    return np.exp(-((x - dx) ** 2 + y**2) / (2 * sigma**2))


def made(sigma, seed, shape, dx=0.0):
    image = np.random.default_rng(seed).normal(0, 3, shape).astype(np.float32)
    return Exposure(
        image, variance=np.full(shape, 9, np.float32), psf=KernelPsf(gaussian(sigma, dx=dx))
    )


@pytest.fixture(params=[(90, 121), (97, 64)])
def computed(request):
    ready = plan(made(1.8, 1, request.param), made(1.4, 2, request.param), ZogyConfig())
    return ready, subtract_cell(ready, ready.cells[0])


def test_there_is_every_spectrum_on_the_whole_plane_of_the_cell(computed):
    spectra = cell_spectra(*computed)
    assert set(spectra.moduli) == set(SPECTRA)
    for modulus in spectra.moduli.values():
        assert modulus.shape == computed[1].cell.outer.shape


def test_white_noise_has_a_mean_square_of_one_in_science_template_and_difference(computed):
    spectra = cell_spectra(*computed)
    for name in ("science", "template", "difference"):
        assert np.mean(spectra.moduli[name] ** 2) == pytest.approx(1, abs=0.05)


def test_a_unit_psf_has_modulus_one_at_frequency_zero_in_the_middle(computed):
    psf = cell_spectra(*computed).moduli["psf_science"]
    ny, nx = psf.shape
    assert psf[ny // 2, nx // 2] == pytest.approx(1)
    assert psf.max() == psf[ny // 2, nx // 2]


def test_the_profile_of_a_gaussian_psf_is_gaussian(computed):
    spectra = cell_spectra(*computed)
    near = spectra.frequency < 0.2
    expected = np.exp(-2 * (np.pi * 1.8 * spectra.frequency[near]) ** 2)
    known = np.isfinite(spectra.profiles["psf_science"][near])
    assert spectra.profiles["psf_science"][near][known] == pytest.approx(expected[known], abs=0.03)


@pytest.mark.parametrize("shape", [(6, 8), (7, 8), (6, 9), (7, 9)])
def test_the_half_plane_is_unfolded_as_the_full_transform_has_it(shape):
    image = np.random.default_rng(3).normal(size=shape)
    half = np.abs(np.fft.rfft2(image))
    full = np.fft.fftshift(np.abs(np.fft.fft2(image)))
    assert whole_plane(half, shape) == pytest.approx(full)


def test_of_a_large_cell_only_the_middle_is_transformed(computed):
    spectra = cell_spectra(*computed, largest=64)
    assert max(spectra.box.shape) == 64
    cell = middle(computed[1].cell, 64)
    assert computed[1].cell.inner.contains(cell.inner)
    assert np.mean(spectra.moduli["difference"] ** 2) == pytest.approx(1, abs=0.1)


def test_a_failed_cell_has_no_spectra():
    pair = made(1.8, 1, (64, 64), dx=0.5), made(1.4, 2, (64, 64))
    ready = plan(*pair, ZogyConfig())
    with pytest.raises(InputError, match="has no result"):
        cell_spectra(ready, subtract_cell(ready, ready.cells[0]))
