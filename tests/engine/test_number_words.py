"""Errors are told with digits that say something."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer.engine.noise import noise_flags
from zogy_explorer.engine.number_words import with_error
from zogy_explorer.engine.result import NoiseCheck


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.0612, 0.0123, "1.061 ± 0.012"),
        (1.06123, 0.00123, "1.0612 ± 0.0012"),
        (1.2, 0.0999, "1.20 ± 0.10"),
        (-31.5, 2.25, "-31.50 ± 2.25"),
        (1.5, np.nan, "1.500"),
        (1.5, 0.0, "1.500"),
    ],
)
def test_an_error_has_two_significant_digits_and_the_value_as_many_decimals(value, error, text):
    assert with_error(value, error) == text


def test_a_sign_is_written_where_it_matters():
    assert with_error(0.25, 0.0031, sign=True) == "+0.2500 ± 0.0031"
    assert with_error(-0.25, 0.0031, sign=True) == "-0.2500 ± 0.0031"


@pytest.mark.parametrize("sigma", [1.0821, 0.9182])
def test_the_error_of_a_large_cell_is_not_rounded_to_nothing(sigma):
    (flag,) = noise_flags(NoiseCheck(scorr_measured=sigma, scorr_error=0.00241, n_pixels=10**6))
    assert f"{sigma} ± 0.0024, not 1" in flag.cause
