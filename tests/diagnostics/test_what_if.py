"""What-if gives what a run with the changed pair gives; a slider can follow it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zogy_explorer import Exposure, ZogyConfig, plan, run
from zogy_explorer.diagnostics import Bench, best_shift, compare_results, what_if
from zogy_explorer.engine import Difference
from zogy_explorer.errors import InputError
from zogy_explorer.simulate import FlawedPair, Moffat

SETTINGS = {"background": "none"}


def subtract(pair: tuple[Exposure, Exposure], **settings: object) -> Difference:
    return run(plan(*pair, ZogyConfig(**(SETTINGS | settings))))


def in_sigma(plane: np.ndarray, difference: Difference) -> float:
    """Largest deviation of D, away from the frame's edge, where the padding matters [σ]."""
    return float(np.abs(plane[25:-25, 25:-25]).max() / np.sqrt(difference.diff.variance.min()))


@pytest.fixture(scope="module")
def difference() -> Difference:
    return subtract(FlawedPair(shift=(0.3, -0.2)).draw(3))


def ask(difference: Difference, **changes: object):
    return what_if(difference.plan, difference.cells[0], **changes)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(96, 100), (95, 101)])
def test_no_change_gives_the_cell_itself(dtype: type, shape: tuple[int, int]) -> None:
    before = subtract(FlawedPair(dtype=dtype, shape=shape, xy0=(7, -4)).draw(1))
    same = ask(before)
    cell = before.cells[0]
    tolerance = 1e-9 if dtype is np.float64 else 1e-3
    np.testing.assert_allclose(same.diff, cell.diff, atol=tolerance * np.abs(cell.diff).max())
    np.testing.assert_allclose(same.scorr, cell.scorr, atol=tolerance * np.abs(cell.scorr).max())
    assert not same.diff_change.any()
    assert same.chi2 == same.chi2_before


def test_moving_the_template_undoes_a_shift(difference: Difference) -> None:
    right = ask(difference, shift=(0.3, -0.2))
    unshifted = subtract(FlawedPair().draw(3))
    assert in_sigma(right.diff - unshifted.diff.image, difference) < 1.5  # its noise moved too
    assert right.chi2 < right.chi2_before
    assert ask(difference, shift=(-0.3, 0.2)).chi2 > right.chi2_before
    assert (
        np.abs(right.scorr[40:56, 40:56]).max() < 5 < np.abs(difference.scorr[40:56, 40:56]).max()
    )


def test_a_flux_ratio_is_that_of_a_run_with_it(difference: Difference) -> None:
    ratio = 1.1
    pair = FlawedPair(shift=(0.3, -0.2)).draw(3)
    settings = {"scaleByCalibration": False, "scienceFluxScaling": ratio}
    other = subtract(pair, **settings)
    answer = ask(difference, flux_ratio=ratio)
    assert in_sigma(answer.diff - other.diff.image, difference) < 1e-6
    assert np.abs(answer.scorr - other.scorr).max() < 1e-2 * np.abs(other.scorr).max()


def test_a_background_is_that_of_a_run_without_it(difference: Difference) -> None:
    science, template = FlawedPair(shift=(0.3, -0.2)).draw(3)
    other = subtract((science.replace(image=science.image - 4.0), template), padSky=False)
    answer = ask(difference, background=4.0)
    assert in_sigma(answer.diff - other.diff.image, difference) < 0.2
    assert answer.diff_change.mean() < 0


def test_a_wider_psf_is_that_of_a_run_with_it(difference: Difference) -> None:
    width = 0.08
    science, template = FlawedPair(shift=(0.3, -0.2)).draw(3)
    wide = FlawedPair(psfs=(Moffat(3.2 * (1 + width), 3.5, 0.08, 0.6), Moffat(2.6))).draw(3)[0]
    other = subtract((science.replace(psf=wide.psf), template))
    answer = ask(difference, psf_width=width)
    change = other.diff.image - difference.diff.image
    assert in_sigma(answer.diff - other.diff.image, difference) < 0.05 * in_sigma(
        change, difference
    )


NOISY = {"stars": ((48.3, 47.6, 60000.0), (70.4, 30.2, 20000.0)), "gain": 1.5}
TERMS = {"astrometricNoise": ((0.05, 0.02), (0.03, 0.04)), "fluxScaleError": 0.02}


def test_noise_terms_and_photon_noise_follow_a_changed_flux_ratio() -> None:
    """Variances are propagated anew: Scorr is that of a run with the changed pair."""
    pair = FlawedPair(shift=(0.3, -0.2), **NOISY).draw(3)
    before = subtract(pair, **TERMS)
    other = subtract(pair, scaleByCalibration=False, scienceFluxScaling=1.3, **TERMS)
    answer = ask(before, flux_ratio=1.3)
    np.testing.assert_allclose(answer.scorr, other.scorr, atol=1e-6 * np.abs(other.scorr).max())


@pytest.mark.parametrize("terms", [{}, TERMS])
def test_noise_terms_and_photon_noise_follow_a_moved_template(terms: dict[str, object]) -> None:
    moved = FlawedPair(**NOISY).draw(3)
    before = subtract(FlawedPair(shift=(0.3, -0.2), **NOISY).draw(3), **terms)
    other = subtract(moved, **terms)
    answer = ask(before, shift=(0.3, -0.2))
    inner = (slice(25, -25), slice(25, -25))
    # Their noise was not moved, and that of a bright star is a part of its light: what is left.
    assert np.abs(answer.scorr - other.scorr)[inner].max() < 2.5
    assert np.abs(answer.scorr_change[inner]).max() > 5  # the terms mute part of it


def test_a_bench_answers_like_single_questions(difference: Difference) -> None:
    bench = Bench(difference.plan, difference.cells[0])
    for changes in ({"flux_ratio": 1.05}, {"shift": (0.1, 0.0)}, {"psf_width": -0.03}):
        np.testing.assert_array_equal(
            bench.what_if(**changes).diff, ask(difference, **changes).diff
        )


def test_cells_of_a_grid_and_cells_without_score_are_answered() -> None:
    pair = FlawedPair(shape=(150, 160)).draw(2)
    settings = ZogyConfig(background="none", doSpatialGrid=True, gridInnerSize=1.5, blendCells=6)
    gridded = run(plan(*pair, settings), calculate_score=False)
    assert len(gridded.cells) > 4
    for cell in gridded.cells:
        answer = what_if(gridded.plan, cell, shift=(0.1, 0.0))
        assert answer.diff.shape == cell.region.shape
        assert answer.scorr is None
        assert answer.scorr_change is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shift": (np.nan, 0.0)}, "shift is"),
        ({"shift": (80.0, 0.0)}, "half the border"),
        ({"psf_width": 0.9}, "psf_width is 0.9"),
        ({"flux_ratio": 0.0}, "flux_ratio is 0"),
        ({"background": np.inf}, "background is inf"),
    ],
)
def test_values_that_make_no_pair_are_an_error(
    difference: Difference, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        ask(difference, **changes)


def test_a_failed_cell_cannot_be_asked(difference: Difference) -> None:
    failed = replace(difference.cells[0], diff=None)
    with pytest.raises(InputError, match="has no result"):
        what_if(difference.plan, failed)
    assert best_shift(difference.plan, failed, 48, 48) is None


def test_the_best_shift_is_the_one_that_was_made(difference: Difference) -> None:
    best = best_shift(difference.plan, difference.cells[0], 48, 48)
    assert best.dx == pytest.approx(0.3, abs=4 * best.dx_error)
    assert best.dy == pytest.approx(-0.2, abs=4 * best.dy_error)
    assert best.chi2 < 1.3 * best.n_pixels < best.chi2_before
    there = ask(difference, shift=(best.dx, best.dy))
    assert there.chi2 < min(ask(difference, shift=s).chi2 for s in ((0.1, -0.2), (0.3, 0.0)))


def test_without_light_there_is_no_best_shift(difference: Difference) -> None:
    empty = subtract(FlawedPair(stars=()).draw(1))
    assert best_shift(empty.plan, empty.cells[0], 50, 50) is None
    with pytest.raises(InputError, match="off cell r0c0"):
        best_shift(empty.plan, empty.cells[0], 200, 50)


def test_a_comparison_lists_what_changed(difference: Difference) -> None:
    other = subtract(FlawedPair().draw(3))
    compared = compare_results(difference, other)
    np.testing.assert_allclose(compared.diff_change, other.diff.image - difference.diff.image)
    assert compared.row("scorr_max").change < -10
    assert compared.row("over_5").b == 0 < compared.row("over_5").a
    assert not compared.row("config").changed
    cells = compare_results(difference.cells[0], other.cells[0])
    np.testing.assert_allclose(cells.scorr_change, other.scorr - difference.scorr)
    assert cells.row("flux_score").change == pytest.approx(0)
    with pytest.raises(InputError, match="no row is called seeing"):
        cells.row("seeing")


def test_a_result_compared_with_itself_has_not_changed(difference: Difference) -> None:
    assert compare_results(difference, difference).changed == ()
    cell = difference.cells[0]
    assert compare_results(cell, cell).changed == ()
    failed = replace(cell, diff=None, scorr=None)
    assert compare_results(cell, failed).diff_change is None


def test_unlike_results_cannot_be_compared(difference: Difference) -> None:
    other = subtract(FlawedPair(xy0=(5, 0)).draw(3))
    for a, b in ((difference, other), (difference.cells[0], other.cells[0])):
        with pytest.raises(InputError, match="the same pixels"):
            compare_results(a, b)
    with pytest.raises(InputError, match="two cells or two differences"):
        compare_results(difference, other.cells[0])
