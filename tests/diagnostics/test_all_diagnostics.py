"""What holds for every diagnostic: any pixel origin, any preset, no S, failed cells."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from zogy_explorer import ZogyConfig, plan, run
from zogy_explorer.diagnostics import (
    autocorrelation,
    explain_sigma,
    fourier_support,
    input_noise,
    noise_table,
    power_spectrum,
    psf_match,
    psf_match_over_cell,
    scorr_statistics,
    seam_steps,
    stacked_residuals,
    whiteness,
)
from zogy_explorer.engine import Difference
from zogy_explorer.errors import InputError

CELL = {
    "statistics": lambda d, c: scorr_statistics(c, d.plan),
    "spectrum": lambda d, c: power_spectrum(c, d.plan),
    "autocorrelation": lambda d, c: autocorrelation(c, d.plan),
    "whiteness": lambda d, c: whiteness(c, d.plan),
    "input noise": lambda d, c: input_noise(d.plan, c),
    "support": lambda d, c: fourier_support(c),
    "match": lambda d, c: psf_match(c),
    "match over the cell": lambda d, c: psf_match_over_cell(c, d.plan),
}
FRAME = {
    "statistics": scorr_statistics,
    "spectrum": power_spectrum,
    "autocorrelation": autocorrelation,
    "whiteness": whiteness,
    "seams": seam_steps,
    "stack": lambda d: stacked_residuals(d, _places(d), [1e3, 2e3]),
}


def _places(difference: Difference) -> np.ndarray:
    x0, y0 = difference.plan.bbox.x0, difference.plan.bbox.y0
    return np.array([(x0 + 40, y0 + 50), (x0 + 90.4, y0 + 60.2)])


def same(a: Any, b: Any) -> bool:
    """Equality of nested results, arrays and NaN included; positions aside."""
    if is_dataclass(a):
        names = [f.name for f in fields(a) if f.name not in ("x", "y", "cell", "first", "second")]
        return all(same(getattr(a, name), getattr(b, name)) for name in names)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float | np.ndarray):
        return np.allclose(a, b, equal_nan=True)
    return a == b


@pytest.fixture(scope="module")
def moved(sky_pair: Callable, subtracted: Callable) -> tuple[Difference, Difference]:
    pair = sky_pair((150, 161))
    away = [exposure.replace(xy0=(1000, -70)) for exposure in pair]
    settings = {"doSpatialGrid": True, "gridInnerSize": 2.0}
    return subtracted(pair, **settings), subtracted(away, **settings)


@pytest.mark.parametrize("name", CELL)
def test_a_cell_is_judged_alike_wherever_its_pixels_are_counted_from(
    moved: tuple[Difference, Difference], name: str
) -> None:
    for here, there in zip(moved[0].cells, moved[1].cells, strict=True):
        assert same(CELL[name](moved[0], here), CELL[name](moved[1], there))


@pytest.mark.parametrize("name", FRAME)
def test_a_frame_is_judged_alike_wherever_its_pixels_are_counted_from(
    moved: tuple[Difference, Difference], name: str
) -> None:
    assert same(FRAME[name](moved[0]), FRAME[name](moved[1]))


@pytest.mark.parametrize("name", CELL)
def test_results_travel_between_processes(moved: tuple[Difference, Difference], name: str) -> None:
    found = CELL[name](moved[0], moved[0].cells[0])
    assert same(pickle.loads(pickle.dumps(found)), found)


def test_judging_changes_nothing(moved: tuple[Difference, Difference]) -> None:
    difference = moved[0]
    planes = [difference.diff.image, difference.diff.variance, difference.scorr]
    planes += [difference.plan.science.image, difference.plan.template.image]
    before = [plane.copy() for plane in planes]
    for judge in FRAME.values():
        judge(difference)
    for judge in CELL.values():
        judge(difference, difference.cells[1])
    for plane, old in zip(planes, before, strict=True):
        np.testing.assert_array_equal(plane, old)


def test_the_lsst_preset_is_judged_too(sky_pair: Callable) -> None:
    science, template = sky_pair((160, 150))
    image, variance = science.image.copy(), science.variance.copy()
    image[30:34, 40:60] = np.nan
    variance[80:83, 80:90] = -1.0
    pair = (science.replace(image=image, variance=variance), template)
    difference = run(plan(*pair, ZogyConfig.lsst(scaleByCalibration=False)))
    assert difference.cells[0].ok
    for judge in FRAME.values():
        judge(difference)
    for judge in CELL.values():
        judge(difference, difference.cells[0])
    found = scorr_statistics(difference)
    assert found.sigma == pytest.approx(1, abs=5 * found.sigma_error)


def test_without_s_there_is_d(sky_pair: Callable) -> None:
    config = ZogyConfig(background="none")
    difference = run(plan(*sky_pair((150, 161)), config), calculate_score=False)
    assert np.isnan(scorr_statistics(difference).sigma)
    assert abs(whiteness(difference).pull) < 4.5
    noise = input_noise(difference.plan, difference.cells[0])
    assert noise.expected_scorr_sigma == pytest.approx(1, abs=0.1)
    assert np.isnan(noise.measured_scorr_sigma)
    assert "nan" not in explain_sigma(noise)
    stack = stacked_residuals(difference, _places(difference), [1e3, 2e3])
    assert stack.scorr is None
    assert np.isfinite(stack.diff).all()


def test_failed_cells_are_left_out_of_frames_and_refused_alone(
    sky_pair: Callable, subtracted: Callable
) -> None:
    science, template = sky_pair((300, 310))
    image = science.image.copy()
    image[:110, :110] = np.nan
    difference = subtracted(
        (science.replace(image=image), template), doSpatialGrid=True, gridInnerSize=3.0
    )
    (failed, *_) = difference.failed
    assert scorr_statistics(difference).n_pixels > 0.5 * image.size
    assert abs(whiteness(difference).pull) < 4.5
    assert scorr_statistics(failed, difference.plan).n_pixels == 0
    assert whiteness(failed, difference.plan).n_lags == 0
    for judge in (CELL["input noise"], CELL["support"], CELL["match"]):
        with pytest.raises(InputError, match=r"cell r0c0 has no result \(.*missing or masked"):
            judge(difference, failed)
    assert len(noise_table(difference)) == len(difference.cells)
