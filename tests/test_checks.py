"""What people type first is understood, or answered in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig
from zogy_explorer.checks import generator, is_positive, real, reals, shown
from zogy_explorer.diagnostics import error_budget, flux_image, limiting_flux, translient, what_if
from zogy_explorer.engine import plan, run
from zogy_explorer.engine.forced import forced_photometry
from zogy_explorer.errors import InputError
from zogy_explorer.simulate import completeness, inject


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(8)
    y, x = np.mgrid[-10:11, -10:11]
    stamp = np.exp(-(x**2 + y**2) / 6.0)
    psf = KernelPsf(stamp / stamp.sum())
    return [
        Exposure(rng.normal(0, 1, (60, 70)), variance=np.ones((60, 70)), psf=psf) for _ in range(2)
    ]


@pytest.fixture(scope="module")
def difference(pair):
    return run(plan(*pair, ZogyConfig(scaleByCalibration=False)))


@pytest.mark.parametrize("value", ["5", b"5", None, [5], np.ones(2), object(), 1j, "x"])
def test_what_is_no_number_is_nan(value):
    assert np.isnan(real(value))
    assert not is_positive(value)


@pytest.mark.parametrize("value", [5, 5.0, np.float32(5), np.array(5)])
def test_numbers_of_any_make(value):
    assert real(value) == 5
    assert is_positive(value)


def test_infinite_or_nothing_is_not_positive():
    assert not any(map(is_positive, (np.inf, 0, -1, np.nan)))


def test_long_values_are_shown_short():
    assert len(shown(list(range(10000)))) < 80
    assert "\n" not in shown(np.ones((3, 3)))


def test_sequences_of_numbers():
    assert reals("x", 3).tolist() == [3.0]
    assert reals("x", [[1, 2]]).tolist() == [1.0, 2.0]
    with pytest.raises(InputError, match=r"^x is \['a'\]: give a number"):
        reals("x", ["a"])


def test_seeds():
    rng = np.random.default_rng(1)
    assert generator(rng) is rng
    assert generator(3).random() == np.random.default_rng(3).random()
    for wrong in ("x", -1, 0.5):
        with pytest.raises(InputError, match="give a numpy Generator"):
            generator(wrong)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda pair, d: error_budget(d, "a", 3), "x is 'a'"),
        (lambda pair, d: error_budget("d", 3, 3), "not a Difference"),
        (lambda pair, d: flux_image("d"), "not a Difference"),
        (lambda pair, d: limiting_flux(d, "5"), "threshold is '5'"),
        (lambda pair, d: translient("d"), "not a Difference"),
        (lambda pair, d: forced_photometry(d, [1, 2], [1, 2, 3]), "2 x but 3 y"),
        (lambda pair, d: forced_photometry(d, "a", 1), "x of the positions is 'a'"),
        (lambda pair, d: what_if(d.plan, d.cells[0], shift=3.0), r"shift is 3.0 px: \(dx, dy\)"),
        (lambda pair, d: what_if(d.plan, d.cells[0], shift=("a", "b")), "shift is"),
        (lambda pair, d: what_if(d.plan, d.cells[0], psf_width="a"), "psf_width is 'a'"),
        (lambda pair, d: what_if(d.plan, d.cells[0], flux_ratio="a"), "flux_ratio is 'a'"),
        (lambda pair, d: what_if(d.plan, d.cells[0], background="a"), "background is 'a'"),
        (lambda pair, d: inject("s", 1, 1, 1), "the image to inject into is 's'"),
        (lambda pair, d: inject(pair[0], 30, 30, 5, gain=2, rng="x"), "rng is 'x'"),
        (lambda pair, d: inject(pair[0], 30, 30, 1e30, gain=2), "more than can be drawn"),
        (lambda pair, d: inject(pair[0], None, {}, "c"), "cannot be combined"),
        (lambda pair, d: completeness(*pair, ZogyConfig(), ["a"]), "flux to be tried"),
        (lambda pair, d: completeness(*pair, ZogyConfig(), 9, trials="a"), "trials is 'a'"),
        (lambda pair, d: completeness(*pair, ZogyConfig(), 9, threshold="a"), "threshold is 'a'"),
        (lambda pair, d: completeness(*pair, None, 9), "config is None, not ZogyConfig"),
        (lambda pair, d: run(d.plan, executor="x"), "executor is 'x', not Executor"),
        (lambda pair, d: plan(pair[0].image, pair[1], ZogyConfig()), "science is array"),
    ],
)  # fmt: skip
def test_wrong_types_say_what_is_right(pair, difference, ask, says):
    with pytest.raises(InputError, match=says):
        ask(pair, difference)
