"""Bad input: errors that name value, rule and remedy; bad cells that do not take others along."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from zogy_explorer import CallablePsf, Exposure, KernelPsf, ZogyConfig, ZogyTask, plan, run
from zogy_explorer.engine import REGISTRY
from zogy_explorer.errors import (
    InputError,
    MissingDataError,
    NoUsableCellError,
    PsfError,
    ShapeMismatchError,
    ZogyError,
)
from zogy_explorer.masks import MASK_PLANES

Pair = tuple[Exposure, Exposure]

BAD = np.int32(1 << MASK_PLANES["BAD"])
GRID = {"doSpatialGrid": True, "gridInnerSize": 2.0}


@pytest.fixture
def pair(noise_pair: Callable[..., Pair]) -> Pair:
    return noise_pair((110, 120))


class Stamp:
    """A PSF that gives whatever it was made with."""

    def __init__(self, stamp: object) -> None:
        self.stamp = stamp

    def kernel_image(self, *, x: float, y: float) -> object:
        return self.stamp


def message(pair: Pair, kind: type[Exception], **settings: object) -> str:
    """What the task says about a pair that it refuses."""
    with pytest.raises(kind) as caught:
        ZogyTask(config=ZogyConfig(**settings)).run(*pair)
    assert isinstance(caught.value, ZogyError)
    assert isinstance(caught.value, ValueError)  # as callers of LSST's task expect
    return str(caught.value)


def says(text: str, *parts: str) -> bool:
    missing = [part for part in parts if part not in text]
    assert not missing, f"{missing} not in: {text}"
    return True


# --- pairs that are refused ------------------------------------------------------------------


def test_images_of_different_shape(pair: Pair, noise_pair: Callable[..., Pair]) -> None:
    other = noise_pair((110, 121))[1]
    text = message((pair[0], other), ShapeMismatchError)
    assert says(text, "120×110", "121×110", "share one pixel grid", "warp the template")


def test_image_without_a_finite_pixel(pair: Pair) -> None:
    dark = pair[1].replace(image=np.full(pair[1].shape, np.nan))
    text = message((pair[0], dark), InputError)
    assert says(text, "template", "no finite pixel", "13200", "check")


@pytest.mark.parametrize("which", [0, 1])
def test_missing_variance(pair: Pair, which: int) -> None:
    bare = list(pair)
    bare[which] = pair[which].replace(variance=None)
    text = message(tuple(bare), MissingDataError)
    assert says(text, ("science", "template")[which], "no variance plane", "give Exposure")


@pytest.mark.parametrize("value", [0.0, -4.0, np.nan])
def test_variance_without_a_positive_value(pair: Pair, value: float) -> None:
    text = message((pair[0].replace(variance=np.full(pair[0].shape, value)), pair[1]), InputError)
    assert says(text, "science", "no positive value", "give one in the image unit squared")


def test_missing_psf(pair: Pair) -> None:
    text = message((pair[0], pair[1].replace(psf=None)), MissingDataError)
    assert says(text, "template", "no PSF", "KernelPsf(stamp)")


def test_missing_calibration(pair: Pair) -> None:
    bare = (pair[0].replace(photo_calib=None), pair[1])
    text = message(bare, MissingDataError)
    assert says(text, "science", "no photometric calibration", "photo_calib", "scienceFluxScaling")
    assert ZogyTask(config=ZogyConfig(scaleByCalibration=False)).run(*bare).cells[0].ok


def test_psf_larger_than_the_image(
    noise_pair: Callable[..., Pair], gaussian: Callable[..., np.ndarray]
) -> None:
    small = noise_pair((40, 50))
    big = small[1].replace(psf=KernelPsf(gaussian(1.5, (41, 21))))
    text = message((small[0], big), PsfError)
    assert says(text, "template", "21×41", "50×40", "must not be larger", "crop the stamp")


@pytest.mark.parametrize(
    ("stamp", "words"),
    [
        (np.zeros((15, 15)), ("sums to 0", "positive sum")),
        (-np.ones((15, 15)), ("sums to -225", "positive sum")),
        (np.full((15, 15), np.nan), ("225 non-finite pixels", "must be a number")),
        (np.ones(15), ("shape (15,)", "2-D")),
        (np.ones((0, 3)), ("shape (0, 3)", "2-D")),
    ],
)
def test_unusable_psf_everywhere(pair: Pair, stamp: np.ndarray, words: tuple[str, ...]) -> None:
    text = message((pair[0].replace(psf=Stamp(stamp)), pair[1]), PsfError)
    assert says(text, "the PSF of science", *words)


@pytest.mark.parametrize("stamp", [None, "round", [[1.0, "a"]], 1j * np.ones((5, 5))])
def test_psf_that_gives_no_array_of_numbers(pair: Pair, stamp: object) -> None:
    text = message((pair[0].replace(psf=Stamp(stamp)), pair[1]), PsfError)
    assert says(text, "the PSF of science")


def test_psf_that_raises_everywhere(pair: Pair) -> None:
    def off_the_detector(x: float, y: float) -> np.ndarray:
        raise RuntimeError("off the detector")

    text = message((pair[0].replace(psf=CallablePsf(off_the_detector)), pair[1]), PsfError)
    assert says(text, "cannot be evaluated", "off the detector", "covers the whole field")


def test_all_pixels_masked(pair: Pair) -> None:
    veiled = (pair[0].replace(mask=np.full(pair[0].shape, BAD)), pair[1])
    for settings in ({}, {"background": "none"}, {"background": "none", "fillMasked": False}):
        text = message(veiled, InputError, **settings)
        assert says(text, "science")
        assert any(word in text for word in ("mask", "missing"))


def test_all_pixels_of_both_images_masked(pair: Pair) -> None:
    veiled = tuple(e.replace(mask=np.full(e.shape, BAD)) for e in pair)
    for fill in (True, False):
        with pytest.raises(InputError, match=r"masked|missing"):
            ZogyTask(config=ZogyConfig(fillMasked=fill)).run(*veiled)


# --- cells that fail -------------------------------------------------------------------------


def right_half_raises(x: float, y: float) -> np.ndarray:
    if x > 60:
        raise KeyError("no PSF here")
    line = np.exp(-(np.arange(-10, 11) ** 2) / 4.5)
    return line[:, None] * line


def test_cells_whose_psf_raises_fail_and_the_others_go_on(pair: Pair) -> None:
    psf = CallablePsf(right_half_raises, average_position=(20.0, 20.0))
    result = ZogyTask(config=ZogyConfig(**GRID)).run(pair[0].replace(psf=psf), pair[1])
    for cell in result.cells:
        assert cell.ok == (cell.cell.inner.center[0] <= 60)
        if not cell.ok:
            (flag,) = [f for f in cell.flags if f.severity == "failed"]
            assert flag.name == "PSF_INVALID"
            assert says(flag.cause, "the PSF of science", "no PSF here")
            assert flag.advice == REGISTRY["PSF_INVALID"].advice
    assert 0 < len(result.difference.failed) < len(result.cells)
    assert np.isfinite(result.diffExp.image).all()
    psf_there = result.diffExp.psf.kernel_image(x=110.0, y=50.0)
    assert psf_there.sum() == pytest.approx(1.0)  # the nearest cell's


def test_psf_that_grows_beyond_its_cell_fails_there(pair: Pair) -> None:
    def growing(x: float, y: float) -> np.ndarray:
        side = 21 if x < 60 else 301
        r2 = (np.arange(side) - side // 2) ** 2
        return np.exp(-(r2[:, None] + r2) / 6.0)

    psf = CallablePsf(growing, average_position=(20.0, 20.0))
    result = ZogyTask(config=ZogyConfig(**GRID)).run(pair[0].replace(psf=psf), pair[1])
    names = {flag.name for cell in result.difference.failed for flag in cell.flags}
    assert "PSF_TOO_LARGE" in names
    cause = result.difference.failed[0].describe_failure()
    assert says(cause, "301×301", "does not fit", "science")


def test_a_cell_without_data_fails_and_the_others_go_on(pair: Pair) -> None:
    steps = plan(*pair, ZogyConfig(**GRID))
    image = pair[0].image.copy()
    image[steps.cells[1].inner.slices()] = np.nan
    result = ZogyTask(config=ZogyConfig(**GRID)).run(pair[0].replace(image=image), pair[1])
    assert [cell.cell.index for cell in result.difference.failed] == [1]
    assert says(result.cells[1].describe_failure(), "pixels of science are missing")


def test_strict_also_fails_a_cell_without_data(pair: Pair) -> None:
    steps = plan(*pair, ZogyConfig(**GRID))
    image = pair[0].image.copy()
    image[steps.cells[1].inner.slices()] = np.nan
    text = message((pair[0].replace(image=image), pair[1]), InputError, strict=True, **GRID)
    assert says(text, "cell r0c1 failed", "pixels of science are missing")


def test_no_usable_cell_says_why_in_words(pair: Pair, gaussian: Callable[..., np.ndarray]) -> None:
    off = pair[0].replace(psf=KernelPsf(gaussian(1.8, 25, (1.0, 0.0))))
    text = message((off, pair[1]), NoUsableCellError, **GRID)
    assert says(text, "none of the 4 cells", "1.000 px apart", "allows 0.2 px", "common centre")


def test_strict_raises_at_the_first_failed_cell(pair: Pair) -> None:
    psf = CallablePsf(right_half_raises, average_position=(20.0, 20.0))
    done = []
    steps = plan(pair[0].replace(psf=psf), pair[1], ZogyConfig(strict=True, **GRID))
    with pytest.raises(InputError, match=r"cell r0c1 failed.*no PSF here"):
        run(steps, on_cell=lambda result: done.append(result.cell.index))
    assert done == [0]


@pytest.mark.parametrize(("dtype", "value"), [(np.float32, 3e38), (np.float64, 1e308)])
def test_a_pixel_that_overflows_the_transform_fails_its_cell(
    noise_pair: Callable[..., Pair], dtype: type, value: float
) -> None:
    science, template = noise_pair((110, 120), dtype=dtype)
    image, mask = science.image.copy(), science.mask.copy()
    image[20, 20] = value
    config = ZogyConfig(background="none", **GRID)
    result = ZogyTask(config=config).run(science.replace(image=image), template)
    assert not result.cells[0].ok
    assert result.cells[0].flags[0].name == "OVERFLOW"
    assert result.cells[-1].ok
    assert np.isfinite(result.diffExp.image).all()
    # The advice of the flag: masked, it does no harm.
    mask[20, 20] = BAD
    result = ZogyTask(config=config).run(science.replace(image=image, mask=mask), template)
    assert all(cell.ok for cell in result.cells)
    assert np.abs(result.scorr).max() < 6


@pytest.mark.parametrize("scale", [1e-25, 1e-20, 1e20])
def test_a_calibration_far_from_one_does_not_underflow(
    noise_pair: Callable[..., Pair], scale: float
) -> None:
    plain = noise_pair(dtype=np.float32)
    expected = ZogyTask(config=ZogyConfig()).run(*plain)
    scaled = ZogyTask(config=ZogyConfig()).run(*(e.replace(photo_calib=scale) for e in plain))
    np.testing.assert_allclose(scaled.scorr, expected.scorr, rtol=0, atol=1e-4)
    assert scaled.diffExp.image.std() == pytest.approx(
        expected.diffExp.image.std() * scale, rel=1e-4
    )
