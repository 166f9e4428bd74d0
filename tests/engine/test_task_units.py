"""Each documented method of ZogyTask alone, against the reference outputs or its documentation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zogy_explorer import Box, CallablePsf, Exposure, KernelPsf, ZogyConfig, ZogyTask
from zogy_explorer.engine import Struct
from zogy_explorer.errors import InputError, PsfError

DOCUMENTED = (
    "calculateFourierDiffim",
    "calculateMaskPlane",
    "checkCentroids",
    "computePsfAtCenter",
    "emptyMetadata",
    "estimateMatchingKernelSize",
    "finishResultExposures",
    "generateGrid",
    "getCentroid",
    "getFullMetadata",
    "getFullName",
    "getName",
    "getTaskDict",
    "initializeSubImage",
    "inverseFftAndCropImage",
    "makeField",
    "makeKernelPsfFromArray",
    "makeSpatialPsf",
    "makeSubtask",
    "padAndFftImage",
    "padCenterOriginArray",
    "pasteSubDiffImg",
    "pixelSpaceSquare",
    "prepareFullExposure",
    "prepareSubExposure",
    "removeNonFinitePixels",
    "run",
    "splitBorder",
    "subtractImageMean",
    "timer",
)


@pytest.fixture(scope="module")
def reference(shared_data: Path) -> dict[str, Any]:
    return json.loads((shared_data / "goldens/unit/zogy_unit.json").read_text())


@pytest.fixture(params=[ZogyConfig, ZogyConfig.lsst], ids=["default", "lsst"])
def task(request: pytest.FixtureRequest) -> ZogyTask:
    return ZogyTask(config=request.param())


def full(entry: dict) -> np.ndarray:
    return np.array(entry["re"]) + 1j * np.array(entry["im"])


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_method_is_there_and_documented(name: str) -> None:
    assert callable(getattr(ZogyTask, name))
    assert getattr(ZogyTask, name).__doc__


def test_the_documentation_lists_every_documented_method() -> None:
    page = Path(__file__).resolve().parents[2] / "docs/reference/zogytask.md"
    text = page.read_text()
    assert [name for name in DOCUMENTED if f"`{name}`" not in text] == []


@pytest.mark.shared_data
def test_generate_grid(reference: dict, task: ZogyTask) -> None:
    for case in reference["generateGrid"]:
        grid = task.generateGrid(
            Box(*case["imageBox"]),
            case["minEdgeDims"],
            case["innerBoxDims"],
            minTotalDims=case["minTotalDims"],
            powerOfTwo=case["powerOfTwo"],
        )
        ours = [{"inner": [*cell.innerBox], "outer": [*cell.outerBox]} for cell in grid]
        assert ours == case["cells"]


@pytest.mark.shared_data
def test_split_border(reference: dict, task: ZogyTask) -> None:
    for case in reference["splitBorder"]:
        inner, outer = Box(*case["innerBox"]), Box(*case["outerBox"])
        if "raises" in case:
            with pytest.raises(ValueError, match="on every side"):
                task.splitBorder(inner, outer)
        else:
            assert [[*box] for box in task.splitBorder(inner, outer)] == case["borders"]


@pytest.mark.shared_data
def test_pad_center_origin_array(reference: dict, task: ZogyTask) -> None:
    for case in reference["padCenterOriginArray"]:
        arguments = (np.array(case["input"]), tuple(case["newShape"]), case["useInverse"])
        if "raises" in case:
            with pytest.raises(ValueError, match="stamp"):
                task.padCenterOriginArray(*arguments)
        else:
            np.testing.assert_array_equal(task.padCenterOriginArray(*arguments), case["output"])


@pytest.mark.shared_data
def test_centroids(reference: dict, task: ZogyTask) -> None:
    for case in reference["getCentroid"]:
        assert task.getCentroid(case["array"]) == pytest.approx(case["centroid_y_x"], abs=1e-12)
    for case in reference["checkCentroids"]:
        limit = case["maxPsfCentroidDist"]
        strict = ZogyTask(config=ZogyConfig.lsst(maxPsfCentroidDist=limit))
        if case["passes"]:
            assert strict.checkCentroids(case["psf1"], case["psf2"]) is None
        else:
            with pytest.raises(ValueError, match="maxPsfCentroidDist"):
                strict.checkCentroids(case["psf1"], case["psf2"])


@pytest.mark.shared_data
def test_estimate_matching_kernel_size(reference: dict, task: ZogyTask) -> None:
    for case in reference["estimateMatchingKernelSize"]:
        for wrap in (np.array, KernelPsf):
            size = task.estimateMatchingKernelSize(wrap(case["psf1"]), wrap(case["psf2"]))
            assert isinstance(size, float)
            # Our moments iterate until they stand still, the reference's stop at about 1e-6.
            assert size == pytest.approx(case["size"], rel=2e-5)
            assert int(size) == case["sizeInt"]


@pytest.mark.shared_data
def test_pixel_space_square(reference: dict, task: ZogyTask) -> None:
    for case in reference["pixelSpaceSquare"]:
        square = task.pixelSpaceSquare(full(case["input"]))
        np.testing.assert_allclose(square, full(case["output"]), atol=1e-12)


@pytest.mark.shared_data
def test_initialize_sub_image(reference: dict, task: ZogyTask) -> None:
    for case in reference["initializeSubImage"]:
        x0, y0, _, _ = case["fullBox"]
        image = Exposure(case["image"], variance=case["variance"], xy0=(x0, y0))
        outer = Box(*case["outerBox"])
        sub = task.initializeSubImage(
            image, Box(*case["innerBox"]), outer, case["noiseMeanVar"], useNoise=case["useNoise"]
        )
        assert sub.bbox == outer
        np.testing.assert_array_equal(sub.image, case["subImage"])
        np.testing.assert_array_equal(sub.variance, case["subVariance"])


@pytest.mark.shared_data
def test_calculate_fourier_diffim_of_raw_spectra(reference: dict, task: ZogyTask) -> None:
    for case in reference["calculateFourierDiffim"]:
        spectra = {
            name: full(case[name])
            for name in ("psf1", "im1", "varPlane1", "psf2", "im2", "varPlane2")
        }
        scales = {name: case[name] for name in ("F1", "varMean1", "F2", "varMean2")}
        result = task.calculateFourierDiffim(**spectra, **scales)
        assert result.Fd == pytest.approx(case["Fd"], rel=1e-14)
        for name in ("D", "varPlaneD", "Pd", "S", "varPlaneS", "Ps"):
            expected = full(case[name])
            # The frequency floor of the default acts where both PSFs vanish: 1e-11 at most here.
            tolerance = (1e-13 if task.config.frequencyFloor == 0 else 1e-10) * np.abs(
                expected
            ).max()
            np.testing.assert_allclose(
                getattr(result, name), expected, rtol=0, atol=tolerance, err_msg=case["label"]
            )


@pytest.mark.shared_data
def test_remove_non_finite_pixels(reference: dict, task: ZogyTask) -> None:
    (case,) = reference["removeNonFinitePixels"]
    array = np.array(case["input"], dtype=float)
    infinite, nan = task.removeNonFinitePixels(array)
    np.testing.assert_allclose(array, case["output"], rtol=1e-15)
    np.testing.assert_array_equal(infinite, case["filtInf"])
    np.testing.assert_array_equal(nan, case["filtNaN"])
    with pytest.raises(InputError, match="all 4 pixels"):
        task.removeNonFinitePixels(np.full((2, 2), np.nan))


@pytest.mark.shared_data
def test_subtract_image_mean(reference: dict, task: ZogyTask) -> None:
    for case in reference["statistics"]:
        control = Struct(**{name: case[name] for name in ("numSigmaClip", "numIter", "andMask")})
        image, mask = np.array(case["values"], dtype=case["dtype"]), np.array(case["mask"])
        before, mean = image.copy(), case["MEANCLIP"]
        if not np.isfinite(mean):
            with pytest.raises(ValueError, match="not a number"):
                task.subtractImageMean(image, mask, control)
            continue
        assert task.subtractImageMean(image, mask, control) is None
        finite = np.isfinite(before)
        np.testing.assert_allclose(
            image[finite], (before - before.dtype.type(mean))[finite], rtol=1e-12, atol=1e-10
        )


@pytest.mark.shared_data
def test_documented_config_defaults(reference: dict) -> None:
    config = ZogyTask().config
    assert {name: getattr(config, name) for name in reference["configDefaults"]} == reference[
        "configDefaults"
    ]


def test_subtract_image_mean_leaves_masked_pixels_out(task: ZogyTask) -> None:
    image = np.full((30, 30), 5.0) + np.random.default_rng(1).normal(0, 1e-3, (30, 30))
    image[:10] = 5.002
    for mask in (np.arange(900).reshape(30, 30) < 300, np.where(image == 5.002, 1, 0)):
        copy = image.copy()
        task.subtractImageMean(copy, mask)
        assert abs(copy[10:].mean()) < 1e-5


@pytest.mark.parametrize("shape", [(8, 8), (7, 10), (9, 9), (12, 5)])
def test_pad_and_fft_and_back(shape: tuple[int, int], task: ZogyTask) -> None:
    image = np.random.default_rng(2).normal(size=shape)
    image[1, 2], image[3, 3] = np.nan, -np.inf
    given = image.copy()
    for task.freqSpaceShape in (None, (16, 12), (15, 13)):
        work = given.copy()
        result = task.padAndFftImage(work)
        assert result.imFft.shape == (task.freqSpaceShape or shape)
        assert np.isfinite(work).all()
        padded = task.padCenterOriginArray(work, result.imFft.shape)
        np.testing.assert_allclose(result.imFft, np.fft.fft2(padded), atol=1e-12)
        back = task.inverseFftAndCropImage(result.imFft, shape, result.filtInf, result.filtNaN)
        assert np.isnan(back[1, 2])
        assert np.isposinf(back[3, 3])
        rest = np.isfinite(given)
        np.testing.assert_allclose(back[rest], given[rest], atol=1e-12)
        single = task.inverseFftAndCropImage(result.imFft, (3, 3), dtype=np.float32)
        assert single.dtype == np.float32
        with pytest.raises(ValueError, match="cannot be cut"):
            task.inverseFftAndCropImage(result.imFft, (40, 40))
    task.freqSpaceShape = (4, 4)
    with pytest.raises(ValueError, match="cannot be padded"):
        task.padAndFftImage(given.copy())


def test_pad_center_origin_array_gives_the_type_asked_for(task: ZogyTask) -> None:
    assert task.padCenterOriginArray(np.eye(3), (5, 5), dtype=np.float32).dtype == np.float32


def test_psf_at_center(task: ZogyTask, gaussian: Callable[..., np.ndarray]) -> None:
    seen = []

    def stamp(x: float, y: float) -> np.ndarray:
        seen.append((x, y))
        return 3 * gaussian(1.5, 15)

    exposure = Exposure(np.zeros((20, 31)), psf=CallablePsf(stamp), xy0=(100, -5))
    np.testing.assert_allclose(task.computePsfAtCenter(exposure), gaussian(1.5, 15), atol=1e-16)
    assert seen == [(115.0, 4.5)]
    with pytest.raises(InputError, match="has no PSF"):
        task.computePsfAtCenter(Exposure(np.zeros((5, 5))))


def test_psfs_from_arrays_and_grids(task: ZogyTask, gaussian: Callable[..., np.ndarray]) -> None:
    one = task.makeKernelPsfFromArray(7 * gaussian(1.5, 15))
    np.testing.assert_allclose(one.kernel_image(x=3, y=4), gaussian(1.5, 15), atol=1e-16)
    with pytest.raises(PsfError):
        task.makeKernelPsfFromArray(np.zeros((3, 3)))
    left, right = gaussian(1.2, 15), gaussian(1.9, 15)
    psf = task.makeSpatialPsf(
        [
            Struct(bbox=Box(0, 0, 10, 20), psf=left),
            Struct(bbox=Box(10, 0, 10, 20), psf=KernelPsf(right)),
        ]
    )
    np.testing.assert_array_equal(psf.kernel_image(x=3, y=19), left)
    np.testing.assert_allclose(psf.kernel_image(x=50, y=-7), right, atol=1e-16)
    with pytest.raises(InputError, match="gridPsfs is empty"):
        task.makeSpatialPsf([])


def test_masks_are_combined(task: ZogyTask) -> None:
    first, second = np.array([[1, 0, 4]], np.int32), np.array([[2, 0, 4]], np.int32)
    np.testing.assert_array_equal(task.calculateMaskPlane(first, second), [[3, 0, 4]])
