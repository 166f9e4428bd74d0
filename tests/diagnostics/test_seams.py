"""Steps across seams: none where there are none, clear where there are, fewer when blended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from zogy_explorer import CallablePsf, CellResult, Exposure, KernelPsf, ZogyConfig, plan, run
from zogy_explorer.diagnostics import Seam, SeamReport, seam_steps
from zogy_explorer.engine import Difference
from zogy_explorer.masks import MASK_PLANES

Pair = tuple[Exposure, Exposure]


def gaussian(sigma: float, side: int = 25) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - side // 2
    stamp = np.exp(-(x * x + y * y) / (2 * sigma**2))
    return stamp / stamp.sum()


def noise_pair(shape: tuple[int, int] = (330, 420), *, seed: int = 3, smooth: bool = False) -> Pair:
    """Empty skies; ``smooth`` correlates the noise of neighbouring pixels."""
    rng = np.random.default_rng(seed)
    pair = []
    for sigma, width in ((3.0, 1.8), (2.0, 1.3)):
        image = rng.normal(0, sigma, shape)
        if smooth:
            image = (image + np.roll(image, 1, 0) + np.roll(image, 1, 1)) / np.sqrt(3)
        pair.append(Exposure(image, variance=sigma**2, psf=KernelPsf(gaussian(width))))
    return pair[0], pair[1]


def subtract(pair: Pair, **settings: object) -> Difference:
    config = {"doSpatialGrid": True, "gridInnerSize": 2.0, "background": "none"} | settings
    return run(plan(*pair, ZogyConfig(**config)))


def middle(difference: Difference) -> CellResult:
    """A cell with neighbours on all sides."""
    return next(result for result in difference.cells if result.cell.name == "r2c3")


def changed_in_one_cell(
    difference: Difference, change: Callable[[np.ndarray], np.ndarray]
) -> tuple[Difference, str]:
    """D and Scorr, both in σ, changed in a cell in the middle; and the cell's name."""
    cell = middle(difference).cell
    inside = cell.inner.slices()
    sigma = np.sqrt(difference.diff.variance)
    diff, scorr = difference.diff.image / sigma, difference.scorr.copy()
    diff[inside], scorr[inside] = change(diff[inside]), change(scorr[inside])
    diff = difference.diff.replace(image=diff * sigma)
    return replace(difference, diff=diff, scorr=scorr), cell.name


def touching(report: SeamReport, name: str) -> tuple[list[Seam], list[Seam]]:
    """Seams of the cell of this name, and the others."""
    its = [seam for seam in report.seams if name in seam.name.split("|")]
    return its, [seam for seam in report.seams if seam not in its]


@pytest.fixture(scope="module")
def quiet() -> Difference:
    return subtract(noise_pair())


@pytest.mark.parametrize("seed", range(3))
def test_cells_of_one_psf_show_what_noise_alone_gives(seed: int) -> None:
    report = seam_steps(subtract(noise_pair(seed=seed)))
    assert report.rms_error == pytest.approx(1 / np.sqrt(2 * len(report.seams)))
    for rms in (report.diff_rms, report.scorr_rms):
        assert abs(rms - 1) < 4 * report.rms_error
    assert report.diff_local == pytest.approx(1, abs=0.12)
    assert report.scorr_local == pytest.approx(1, abs=0.12)


def test_the_error_counts_noise_that_is_correlated_between_pixels() -> None:
    report = seam_steps(subtract(noise_pair(smooth=True)))
    assert abs(report.diff_rms - 1) < 4 * report.rms_error
    assert report.diff_local == pytest.approx(1, abs=0.12)
    white = seam_steps(subtract(noise_pair()))
    assert report.seams[0].diff.error > 1.2 * white.seams[0].diff.error


def test_every_pair_of_neighbours_has_its_seam(quiet: Difference) -> None:
    columns = 1 + max(result.cell.column for result in quiet.cells)
    rows = 1 + max(result.cell.row for result in quiet.cells)
    seams = seam_steps(quiet).seams
    assert len(seams) == rows * (columns - 1) + columns * (rows - 1)
    assert len({seam.name for seam in seams}) == len(seams)
    assert seams[0].name == "r0c0|r0c1"


def test_a_background_left_in_one_cell_is_a_step_at_its_seams_alone(quiet: Difference) -> None:
    raised, name = changed_in_one_cell(quiet, lambda pixels: pixels + 1.0)
    report = seam_steps(raised)
    its, others = touching(report, name)
    assert len(its) == 4
    for seam in its:
        upwards = 1.0 if seam.second.name == name else -1.0
        assert seam.diff.step == pytest.approx(upwards, abs=4 * seam.diff.error)
        assert abs(seam.diff.pull) > 4
        assert seam.scorr.step == pytest.approx(upwards, abs=4 * seam.scorr.error)
    unchanged = {seam.name: seam.diff.step for seam in seam_steps(quiet).seams}
    assert all(seam.diff.step == unchanged[seam.name] for seam in others)
    assert report.diff_rms > 1 + 4 * report.rms_error


def test_a_flux_ratio_wrong_in_one_cell_is_a_step_where_there_is_light(quiet: Difference) -> None:
    galaxy_left_over = 0.02 * 500  # flux ratio wrong by 2 %, light of 500σ
    light, name = changed_in_one_cell(quiet, lambda pixels: pixels + galaxy_left_over)
    report = seam_steps(light)
    its, _ = touching(report, name)
    assert report.worst() in its
    assert all(abs(seam.scorr.pull) > 20 for seam in its)


@pytest.fixture(scope="module")
def varying() -> Pair:
    """Bright stars, one every 24 px, and a science PSF that grows quickly to the right."""
    rng = np.random.default_rng(1)
    pair = []
    for sigma, psf in (
        (3.0, CallablePsf(lambda x, y: gaussian(1.2 + 0.0025 * x, 31))),
        (2.0, CallablePsf(lambda x, y: gaussian(1.3, 31))),
    ):
        image = rng.normal(0, sigma, (160, 400))
        for y in range(20, 140, 24):
            for x in range(20, 384, 23):
                image[y - 15 : y + 16, x - 15 : x + 16] += 3e4 * psf.kernel_image(x=x, y=y)
        pair.append(Exposure(image, variance=sigma**2, psf=psf))
    return pair[0], pair[1]


def test_a_quickly_varying_psf_makes_steps_that_blending_takes_out(varying: Pair) -> None:
    hard, soft = (seam_steps(subtract(varying, blendCells=b)) for b in (0, 16))
    assert hard.scorr_local > 3
    assert soft.scorr_local < hard.scorr_local / 2
    assert soft.diff_local < hard.diff_local / 1.5


def test_one_cell_has_no_seams() -> None:
    report = seam_steps(subtract(noise_pair((60, 64)), doSpatialGrid=False))
    assert report.seams == ()
    assert report.worst() is None
    assert np.isnan([report.diff_rms, report.scorr_rms, report.diff_local, report.rms_error]).all()


def test_a_failed_cell_has_no_seams(quiet: Difference) -> None:
    failed = middle(quiet)
    cells = tuple(replace(cell, diff=None) if cell is failed else cell for cell in quiet.cells)
    names = [seam.name for seam in seam_steps(replace(quiet, cells=cells)).seams]
    assert len(names) == len(seam_steps(quiet).seams) - 4
    assert not any(failed.cell.name in name.split("|") for name in names)


def test_without_score_only_d_is_measured(quiet: Difference) -> None:
    report = seam_steps(replace(quiet, score=None, scorr=None))
    assert [seam.diff for seam in report.seams] == [seam.diff for seam in seam_steps(quiet).seams]
    assert all(seam.scorr is None for seam in report.seams)
    assert np.isnan(report.scorr_rms)
    assert report.worst() is not None


def test_bad_pixels_are_left_out(quiet: Difference) -> None:
    seam_at = quiet.cells[0].cell.inner.end_x
    image, mask = quiet.diff.image.copy(), quiet.diff.mask.copy()
    image[10:14, seam_at : seam_at + 3] = 1e6
    mask[10:14, seam_at : seam_at + 3] |= 1 << MASK_PLANES["BAD"]
    masked = replace(quiet, diff=quiet.diff.replace(image=image, mask=mask))
    (first, *_), (before, *_) = seam_steps(masked).seams, seam_steps(quiet).seams
    assert 0 < len(first.diff.pieces) < len(before.diff.pieces)
    assert first.diff.local == pytest.approx(before.diff.local, rel=0.4)


def test_reports_are_frozen_and_the_difference_is_not_changed(quiet: Difference) -> None:
    image, scorr = quiet.diff.image.copy(), quiet.scorr.copy()
    report = seam_steps(quiet)
    np.testing.assert_array_equal(quiet.diff.image, image)
    np.testing.assert_array_equal(quiet.scorr, scorr)
    with pytest.raises(FrozenInstanceError):
        report.seams = ()
