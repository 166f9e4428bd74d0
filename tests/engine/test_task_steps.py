"""A script of ZogyTask's documented steps gives the bits of `run`, and takes changes seriously."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from zogy_explorer import CallablePsf, Exposure, ZogyConfig, ZogyTask
from zogy_explorer.engine import Struct, generate_grid
from zogy_explorer.engine.arithmetic import fast_installed
from zogy_explorer.errors import InputError, ShapeMismatchError

GRID = {"doSpatialGrid": True, "gridInnerSize": 1.5}


def make_pair(
    gaussian: Callable[..., np.ndarray],
    dtype: Any = np.float64,
    shape: tuple[int, int] = (110, 124),
) -> tuple[Exposure, Exposure]:
    """PSFs that widen over the field, a star, a varying variance, bad pixels, a NaN, an xy0."""
    rng = np.random.default_rng(3)
    pair = []
    for sigma, width, side, calib in ((3.0, 1.6, 23, 1.5), (2.0, 1.2, 19, 1.0)):

        def stamp(x: float, y: float, width: float = width, side: int = side) -> np.ndarray:
            return gaussian(width * (1 + 0.001 * x), side)

        image = rng.normal(0, sigma, shape)
        image[20, 30] += 1000
        image[60, 61] = np.nan
        mask = np.zeros(shape, dtype=np.int32)
        mask[40:42, 50:53] = 1
        variance = sigma**2 + rng.uniform(0, 0.3, shape)
        pair.append(
            Exposure(
                image.astype(dtype),
                variance=variance.astype(dtype),
                mask=mask,
                psf=CallablePsf(stamp),
                photo_calib=calib,
                xy0=(7, -3),
            )
        )
    return pair[0], pair[1]


def spectra(task: ZogyTask, **changes: Any) -> dict[str, Any]:
    """Arguments of calculateFourierDiffim for the cell prepared last."""
    return {
        "psf1": task.psfFft1,
        "im1": task.subImgFft1,
        "varPlane1": task.subVarImgFft1,
        "F1": task.F1,
        "varMean1": task.subExpVar1,
        "psf2": task.psfFft2,
        "im2": task.subImgFft2,
        "varPlane2": task.subVarImgFft2,
        "F2": task.F2,
        "varMean2": task.subExpVar2,
    } | changes


def boxes(task: ZogyTask) -> list[Struct]:
    """The grid of `run`, asked for as an LSST script does."""
    box, border = task.fullExp1.bbox, int(task.borderSize)
    inner = (box.width, box.height)
    if task.config.doSpatialGrid:
        inner = (int(border * task.config.gridInnerSize),) * 2
    return task.generateGrid(box, (border, border), inner, sizing=task.config.fftSizing)


def script(
    task: ZogyTask,
    pair: tuple[Exposure, Exposure],
    score: bool = True,
    change: Callable[[Struct], None] = lambda ftDiff: None,
) -> tuple[Exposure, Exposure | None]:
    """What a user of LSST's task wrote, cell by cell."""
    task.prepareFullExposure(*pair, correctBackground=task.config.correctBackground)
    diffExp = task.fullExp1.clone()
    scoreExp = task.fullExp1.clone() if score else None
    for boxPair in boxes(task):
        try:
            task.prepareSubExposure(boxPair)
        except ValueError:
            continue
        ftDiff = task.calculateFourierDiffim(**spectra(task), calculateScore=score)
        change(ftDiff)
        task.pasteSubDiffImg(ftDiff, diffExp, scoreExp)
    task.finishResultExposures(diffExp, scoreExp)
    return diffExp, scoreExp


def assert_same_bits(ours: Exposure, expected: Exposure) -> None:
    for plane in ("image", "variance", "mask"):
        a, b = getattr(ours, plane), getattr(expected, plane)
        assert a.dtype == b.dtype, plane
        assert a.tobytes() == b.tobytes(), plane
    for x, y in ((10.0, 0.0), (60.0, 50.0), (125.0, 100.0)):
        np.testing.assert_array_equal(
            ours.psf.kernel_image(x=x, y=y), expected.psf.kernel_image(x=x, y=y)
        )
    for field in ("photo_calib", "xy0", "meta", "mask_planes", "name"):
        assert getattr(ours, field) == getattr(expected, field), field


@pytest.mark.parametrize("score", [True, False], ids=["score", "no_score"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "changes",
    [{}, GRID, GRID | {"blendCells": 6}, {"padFill": "mirror"}, {"correctBackground": True}],
    ids=["single", "grid", "blended", "mirror", "background"],
)
@pytest.mark.parametrize("preset", [ZogyConfig, ZogyConfig.lsst], ids=["default", "lsst"])
def test_the_script_gives_the_bits_of_run(
    preset: Callable[..., ZogyConfig],
    changes: dict,
    dtype: type,
    score: bool,
    gaussian: Callable[..., np.ndarray],
) -> None:
    pair = make_pair(gaussian, dtype)
    task = ZogyTask(config=preset(**changes))
    expected = task.run(*pair, calculateScore=score)
    assert (len(expected.cells) > 1) == task.config.doSpatialGrid
    diffExp, scoreExp = script(task, pair, score)
    assert_same_bits(diffExp, expected.diffExp)
    if score:
        assert_same_bits(scoreExp, expected.scoreExp)
    else:
        assert expected.scoreExp is None


def test_a_power_of_two_grid_is_run_with_that_sizing(gaussian: Callable[..., np.ndarray]) -> None:
    pair = make_pair(gaussian)
    task = ZogyTask(config=ZogyConfig(fftSizing="powerOfTwo", **GRID))
    cells = task.run(*pair).cells
    task.prepareFullExposure(*pair)
    border = int(task.borderSize)
    inner = int(border * task.config.gridInnerSize)
    grid = task.generateGrid(task.fullExp1.bbox, (border, border), (inner, inner), powerOfTwo=True)
    assert [(b.innerBox, b.outerBox) for b in grid] == [(c.cell.inner, c.cell.outer) for c in cells]


@pytest.mark.parametrize("arithmetic", ["numpy", "fast"])
@pytest.mark.parametrize("preset", [ZogyConfig, ZogyConfig.lsst], ids=["default", "lsst"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_script_gives_the_bits_of_run_in_either_arithmetic(
    arithmetic: str,
    preset: Callable[..., ZogyConfig],
    dtype: type,
    gaussian: Callable[..., np.ndarray],
) -> None:
    if arithmetic == "fast" and not fast_installed():
        pytest.skip("numba and ducc0 are not installed: pip install 'zogy-explorer[fast]'")
    pair = make_pair(gaussian, dtype)
    task = ZogyTask(config=preset(arithmetic=arithmetic, **GRID))
    expected = task.run(*pair)
    diffExp, scoreExp = script(task, pair)
    assert_same_bits(diffExp, expected.diffExp)
    assert_same_bits(scoreExp, expected.scoreExp)


def test_cells_in_pieces_give_the_bits_of_run_too(gaussian: Callable[..., np.ndarray]) -> None:
    pair = make_pair(gaussian, shape=(660, 640))
    whole = ZogyTask(config=ZogyConfig(pieceSize=0, frequencyFloor=1e-3)).run(*pair)
    task = ZogyTask(config=ZogyConfig(pieceSize=256, frequencyFloor=1e-3))
    expected = task.run(*pair)
    assert not np.array_equal(expected.diffExp.image, whole.diffExp.image)
    diffExp, scoreExp = script(task, pair)
    assert_same_bits(diffExp, expected.diffExp)
    assert_same_bits(scoreExp, expected.scoreExp)


def test_a_failed_cell_is_blank_as_in_run(gaussian: Callable[..., np.ndarray]) -> None:
    science, template = make_pair(gaussian)
    drifting = CallablePsf(lambda x, y: gaussian(1.2, 19, (0.004 * x, 0.0)))
    pair = (science, template.replace(psf=drifting))
    task = ZogyTask(config=ZogyConfig(**GRID))
    expected = task.run(*pair)
    assert 0 < len(expected.difference.failed) < len(expected.cells)
    diffExp, scoreExp = script(task, pair)
    assert_same_bits(diffExp, expected.diffExp)
    assert_same_bits(scoreExp, expected.scoreExp)


def test_copied_spectra_give_the_same_to_round_off(gaussian: Callable[..., np.ndarray]) -> None:
    """What the spectra say is enough; what they remember only saves the last bits."""
    pair = make_pair(gaussian)
    task = ZogyTask(config=ZogyConfig(frequencyFloor=1e-3))
    expected = task.run(*pair)
    task.prepareFullExposure(*pair)
    (cell,) = boxes(task)
    task.prepareSubExposure(cell)
    copies = {
        name: value.copy() for name, value in spectra(task).items() if isinstance(value, np.ndarray)
    }
    ftDiff = task.calculateFourierDiffim(**spectra(task, **copies))
    diffExp, scoreExp = task.fullExp1.clone(), task.fullExp1.clone()
    task.pasteSubDiffImg(ftDiff, diffExp, scoreExp)
    task.finishResultExposures(diffExp, scoreExp)
    for ours, theirs in ((diffExp, expected.diffExp), (scoreExp, expected.scoreExp)):
        sigma = np.sqrt(theirs.variance)
        np.testing.assert_allclose(ours.image / sigma, theirs.image / sigma, atol=1e-6)
        np.testing.assert_allclose(ours.variance, theirs.variance, rtol=1e-6)
        np.testing.assert_array_equal(ours.mask, theirs.mask)


def test_a_struct_of_ones_own_can_be_pasted(gaussian: Callable[..., np.ndarray]) -> None:
    pair = make_pair(gaussian)
    names = ("Fd", "D", "varPlaneD", "Pd", "S", "varPlaneS", "Ps")
    task = ZogyTask(config=ZogyConfig(growMask=0.0))
    expected = task.run(*pair)
    task.prepareFullExposure(*pair)
    task.prepareSubExposure(boxes(task)[0])
    given = task.calculateFourierDiffim(**spectra(task))
    own = Struct(**{n: getattr(given, n) if n == "Fd" else getattr(given, n) + 0 for n in names})
    diffExp = task.fullExp1.clone()
    task.pasteSubDiffImg(own, diffExp)
    task.finishResultExposures(diffExp)
    sigma = np.sqrt(expected.diffExp.variance)
    departure = np.abs(diffExp.image - expected.diffExp.image) / sigma
    assert departure.max() < 1e-8
    np.testing.assert_array_equal(diffExp.mask, expected.diffExp.mask)
    stamp = expected.diffExp.psf.kernel_image(x=0, y=0)
    np.testing.assert_allclose(diffExp.psf.kernel_image(x=0, y=0), stamp, atol=1e-12)


def test_changed_spectra_change_the_result(gaussian: Callable[..., np.ndarray]) -> None:
    pair = make_pair(gaussian)
    task = ZogyTask()
    plain, _ = script(task, pair, score=False)

    def double(ftDiff: Struct) -> None:
        ftDiff.D = 2 * ftDiff.D

    doubled, _ = script(task, pair, score=False, change=double)
    sigma = np.sqrt(plain.variance)
    np.testing.assert_allclose(doubled.image / sigma, 2 * plain.image / sigma, atol=1e-9)
    assert not np.array_equal(doubled.image, plain.image)


def test_spectra_left_on_the_task_cannot_be_changed_in_place(
    gaussian: Callable[..., np.ndarray],
) -> None:
    task = ZogyTask()
    task.prepareFullExposure(*make_pair(gaussian))
    task.prepareSubExposure(boxes(task)[0])
    with pytest.raises(ValueError, match="read-only"):
        task.subImgFft1 *= 2


def test_spectra_are_those_of_the_sub_exposures(gaussian: Callable[..., np.ndarray]) -> None:
    task = ZogyTask()
    task.prepareFullExposure(*make_pair(gaussian))
    for cell in boxes(task):
        task.prepareSubExposure(cell)
        for number in "12":
            sub = getattr(task, f"subExp{number}")
            assert sub.bbox == cell.outerBox
            assert sub.shape == task.freqSpaceShape
            np.testing.assert_array_equal(
                getattr(task, f"subImgFft{number}"), task.padAndFftImage(sub.image).imFft
            )
            np.testing.assert_allclose(
                getattr(task, f"subVarImgFft{number}"),
                task.padAndFftImage(sub.variance).imFft,
                atol=1e-9 * sub.variance.sum(),
            )
            stamp = getattr(task, f"psf{number}")
            padded = task.padCenterOriginArray(stamp, task.freqSpaceShape)
            np.testing.assert_allclose(
                getattr(task, f"psfFft{number}"), np.fft.fft2(padded), atol=1e-14
            )


def test_sub_images_of_the_prepared_exposures_are_padded_as_in_run(
    gaussian: Callable[..., np.ndarray],
) -> None:
    task = ZogyTask(config=ZogyConfig(**GRID))
    task.prepareFullExposure(*make_pair(gaussian))
    cell = boxes(task)[0]
    task.prepareSubExposure(cell)
    for full, sub, variance in (
        (task.fullExp1, task.subExp1, task.subExpVar1),
        (task.fullExp2, task.subExp2, task.subExpVar2),
    ):
        ours = task.initializeSubImage(full, cell.innerBox, cell.outerBox, variance)
        assert ours.image.tobytes() == sub.image.tobytes()
        assert ours.variance.tobytes() == sub.variance.tobytes()


def test_psfs_and_noise_can_be_given(gaussian: Callable[..., np.ndarray]) -> None:
    task = ZogyTask()
    task.prepareFullExposure(*make_pair(gaussian))
    stamp = gaussian(2.0, 21)
    task.prepareSubExposure(boxes(task)[0], psf1=stamp, sig2=2.5)
    np.testing.assert_array_equal(task.psf1, stamp / stamp.sum())
    assert task.psfShape1 == (21, 21)
    assert task.psfShape2 == (19, 19)
    assert task.subExpVar2 == 6.25
    assert task.subExpVar1 == pytest.approx(1.5**2 * 9.15, rel=0.02)


def test_the_prepared_exposures_are_clones(gaussian: Callable[..., np.ndarray]) -> None:
    pair = make_pair(gaussian)
    before = [exposure.image.copy() for exposure in pair]
    task = ZogyTask()
    task.prepareFullExposure(*pair)
    for exposure in (task.fullExp1, task.fullExp2):
        assert np.isfinite(exposure.image).all()
        exposure.image[...] = 0
        exposure.mask[...] = 1
    for exposure, image in zip(pair, before, strict=True):
        np.testing.assert_array_equal(exposure.image, image)


def test_cells_outside_the_grid_of_run_work_too(gaussian: Callable[..., np.ndarray]) -> None:
    task = ZogyTask()
    pair = make_pair(gaussian)
    task.prepareFullExposure(*pair)
    expected = task.run(*pair).diffExp
    (cell,) = generate_grid(task.fullExp1.bbox, (30, 30), (200, 200), sizing="exact")
    task.prepareSubExposure(Struct(innerBox=cell.inner, outerBox=cell.outer))
    diffExp = task.fullExp1.clone()
    task.pasteSubDiffImg(task.calculateFourierDiffim(**spectra(task)), diffExp)
    task.finishResultExposures(diffExp)
    far = (slice(25, -25), slice(25, -25))
    np.testing.assert_allclose(
        (diffExp.image / np.sqrt(diffExp.variance))[far],
        (expected.image / np.sqrt(expected.variance))[far],
        atol=0.05,
    )


def test_steps_out_of_order_say_what_is_missing(gaussian: Callable[..., np.ndarray]) -> None:
    task, pair = ZogyTask(config=ZogyConfig(**GRID)), make_pair(gaussian)
    with pytest.raises(InputError, match="call prepareFullExposure first"):
        task.prepareSubExposure(Struct(innerBox=pair[0].bbox, outerBox=pair[0].bbox))
    task.prepareFullExposure(*pair)
    diffExp = task.fullExp1.clone()
    with pytest.raises(InputError, match="call prepareSubExposure first"):
        task.pasteSubDiffImg(Struct(S=None), diffExp)
    with pytest.raises(InputError, match="no cell was pasted"):
        task.finishResultExposures(diffExp)
    task.prepareSubExposure(boxes(task)[0])
    ftDiff = task.calculateFourierDiffim(**spectra(task), calculateScore=False)
    assert (ftDiff.S, ftDiff.varPlaneS, ftDiff.Ps) == (None, None, None)
    with pytest.raises(InputError, match="calculateScore=True"):
        task.pasteSubDiffImg(ftDiff, diffExp, diffExp.clone())
    task.pasteSubDiffImg(ftDiff, diffExp)
    assert [sorted(part.getDict()) for part in task.gridPsfs] == [["Pd", "Ps", "bbox"]]
    with pytest.raises(InputError, match="pasted without one"):
        task.finishResultExposures(diffExp, diffExp.clone())
    with pytest.raises(ShapeMismatchError, match="share one frequency plane"):
        task.calculateFourierDiffim(**spectra(task, im2=np.ones((4, 4), complex)))
    ftDiff.D = np.ones((4, 4), complex)
    with pytest.raises(ShapeMismatchError, match="paste each cell"):
        task.pasteSubDiffImg(ftDiff, diffExp)


def test_a_cell_with_psfs_apart_raises_value_error(gaussian: Callable[..., np.ndarray]) -> None:
    task = ZogyTask()
    task.prepareFullExposure(*make_pair(gaussian))
    with pytest.raises(ValueError, match=r"centroids are 1\.000 px apart"):
        task.prepareSubExposure(boxes(task)[0], psf2=gaussian(1.2, 19, (1.0, 0.0)))


@pytest.mark.parametrize("changes", [{}, GRID], ids=["single", "grid"])
def test_the_debug_struct_of_run_is_that_of_its_last_cell(
    changes: dict, gaussian: Callable[..., np.ndarray]
) -> None:
    pair = make_pair(gaussian)
    task = ZogyTask(config=ZogyConfig(**changes))
    result = task.run(*pair)
    found = result.ftDiff
    assert set(vars(found)) == {"freqSpaceShape", "psfShape1", "psfShape2", "borderSize"}
    task.prepareFullExposure(*pair)
    task.prepareSubExposure(boxes(task)[-1])
    ftDiff = task.calculateFourierDiffim(**spectra(task))
    for name in ("Fd", "D", "varPlaneD", "Pd", "S", "varPlaneS", "Ps"):
        np.testing.assert_array_equal(getattr(found, name), getattr(ftDiff, name))
    assert found.freqSpaceShape == task.freqSpaceShape
    assert (found.psfShape1, found.psfShape2) == ((23, 23), (19, 19))
    assert found.borderSize == task.borderSize
    assert not hasattr(found, "nonsense")


def test_what_is_written_into_the_prepared_exposure_counts(
    gaussian: Callable[..., np.ndarray],
) -> None:
    science, template = make_pair(gaussian)
    task = ZogyTask(config=ZogyConfig(scaleByCalibration=False, background="none"))
    star = np.zeros(science.shape)
    star[50:73, 50:73] = 500 * gaussian(1.6, 23)
    diffs = []
    for added in (0, star):
        task.prepareFullExposure(science, template)
        task.fullExp1.image[...] += added
        task.prepareSubExposure(boxes(task)[0])
        diffExp = task.fullExp1.clone()
        task.pasteSubDiffImg(task.calculateFourierDiffim(**spectra(task)), diffExp)
        diffs.append(diffExp.image)
    assert (diffs[1] - diffs[0]).sum() == pytest.approx(500, rel=1e-3)
