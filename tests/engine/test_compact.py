"""Spectra of compact planes, and D and S without kernels: the same as by the long way."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer.engine.arithmetic import Arithmetic, arithmetic_named, fast_installed
from zogy_explorer.engine.compact import CompactSpectrum, blocks_of, row_blocks
from zogy_explorer.engine.equations import (
    Factors,
    Weights,
    kernels,
    proper_difference,
    score,
)
from zogy_explorer.engine.fourier import stamp_spectrum, weighted

WEIGHTS = Weights(9.0, 4.0, 1.3, 0.8)
SHAPES = [(128, 120), (127, 121), (126, 125), (2 * 480, 127)]
STAMPS = [(25, 21), (24, 21), (25, 20), (6, 9), (1, 1), (2, 3)]


@pytest.fixture(params=["numpy", "fast"])
def arithmetic(request: pytest.FixtureRequest) -> Arithmetic:
    if request.param == "fast" and not fast_installed():
        pytest.skip("numba and ducc0 are not installed")
    return arithmetic_named(request.param)


def put_together(compact: CompactSpectrum, arithmetic: Arithmetic) -> np.ndarray:
    out = np.full((compact.shape[0], compact.shape[1] // 2 + 1), np.nan, dtype=compact.dtype)
    for part, (block,) in blocks_of([compact], arithmetic):
        out[part] = block
    return out


@pytest.mark.parametrize("shape", [*SHAPES, (1, 9), (2, 2), (3, 4)])
def test_row_blocks_hold_each_row_once(shape: tuple[int, int]) -> None:
    seen = np.zeros(shape[0], int)
    for rows in row_blocks(shape):
        for part in rows:
            seen[part] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stamp", STAMPS)
def test_products_give_the_spectrum_that_a_transform_gives(
    shape: tuple[int, int], stamp: tuple[int, int], arithmetic: Arithmetic
) -> None:
    pixels = np.random.default_rng(3).normal(size=stamp)
    expected = stamp_spectrum(pixels, shape)
    compact = CompactSpectrum(pixels, shape, np.dtype(complex))
    for _ in range(3):  # from the second time on it is kept
        np.testing.assert_allclose(put_together(compact, arithmetic), expected, atol=1e-13)
    np.testing.assert_array_equal(compact.whole, put_together(compact, arithmetic))


def test_small_values_keep_their_relative_precision_in_single() -> None:
    y, x = np.mgrid[:25, :25] - 12
    pixels = np.exp(-(x**2 + y**2) / 8.0)
    exact = stamp_spectrum(pixels, (200, 200))
    single = CompactSpectrum(pixels, (200, 200), np.dtype(np.complex64)).whole
    assert np.abs(exact).min() < 1e-9 * np.abs(exact).max()
    well = np.abs(exact) > 1e-10  # what is smaller is round-off in double, too
    assert (np.abs(single - exact)[well] < 1e-3 * np.abs(exact)[well]).all()
    larger = np.abs(exact) > 1e-8
    assert (np.abs(single - exact)[larger] < 2e-7 * np.abs(exact)[larger]).all()


@pytest.mark.parametrize("floor", [0.0, 1e-3])
@pytest.mark.parametrize("dtype", [np.complex128, np.complex64])
def test_d_and_s_are_those_of_the_kernels(
    floor: float, dtype: type, arithmetic: Arithmetic
) -> None:
    rng = np.random.default_rng(5)

    def spectrum(scale: float) -> np.ndarray:
        parts = rng.normal(size=(2, 30, 17)) * scale
        return (parts[0] + 1j * parts[1]).astype(dtype)

    psf_n, psf_r = spectrum(0.3), spectrum(0.2)
    psf_n[3, 4] = psf_r[3, 4] = 0  # nothing passes there
    science, template = spectrum(10.0), spectrum(10.0)
    k = kernels(psf_n, psf_r, WEIGHTS, floor)
    expected = (
        proper_difference(science, template, k),
        score(science, template, k),
        k.score_r * template,
    )
    score_r = np.empty_like(science)
    factors = Factors.of(WEIGHTS, floor, science.real.dtype)
    only, untouched = science.copy(), template.copy()
    arithmetic.difference_and_score(psf_n, psf_r, only, untouched, factors, False, None)
    np.testing.assert_array_equal(untouched, template)
    arithmetic.difference_and_score(psf_n, psf_r, science, template, factors, True, score_r)
    np.testing.assert_array_equal(only, science)
    tolerance = 1e-12 if dtype is np.complex128 else 2e-5
    for ours, theirs in zip((science, template, score_r), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())
        assert ours.dtype == dtype


def test_two_weighted_sums_are_what_each_alone_is(arithmetic: Arithmetic) -> None:
    rng = np.random.default_rng(7)
    first, second, *factors = (
        (rng.normal(size=(9, 5)) + 1j * rng.normal(size=(9, 5))).astype(np.complex64)
        for _ in range(6)
    )
    a, b, c, d = factors
    expected = weighted(a, first, b, second), weighted(c, first, d, second)
    arithmetic.weighted_twice(first, second, tuple(factors))
    for ours, theirs in zip((first, second), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)
