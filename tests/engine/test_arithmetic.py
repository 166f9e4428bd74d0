"""The compiled arithmetic and that of numpy and scipy give the same result, within round-off."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from zogy_explorer import CancelToken, Exposure, ZogyConfig, plan, run
from zogy_explorer.engine import Difference
from zogy_explorer.engine.arithmetic import NUMPY, arithmetic_named, fast_installed
from zogy_explorer.errors import CancelledError, MissingExtraError

Pair = tuple[Exposure, Exposure]

GRID = {"doSpatialGrid": True, "gridInnerSize": 2.5}
SINGLE, DOUBLE = 1e-4, 1e-9  # [σ] what D and Scorr may differ by


@pytest.fixture(autouse=True)
def _installed() -> None:
    if fast_installed():
        return
    reason = "numba and ducc0 are not installed: pip install 'zogy-explorer[fast]'"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def pair(noise_pair: Callable[..., Pair], add_star: Callable[..., Exposure]) -> Pair:
    """Sky of general variance with stars, a hole and a bad pixel."""
    made = []
    rng = np.random.default_rng(11)
    for exposure in noise_pair((210, 190), seed=3, dtype=np.float32):
        variance = (exposure.variance * rng.gamma(20, 0.05, exposure.shape)).astype(np.float32)
        image, mask = exposure.image.copy(), exposure.mask.copy()
        image[70, 80] = np.nan
        mask[20:23, 100:104] = 1 << exposure.mask_planes["CR"]
        with_star = add_star(
            exposure.replace(image=image, variance=variance, mask=mask), 60, 50, 4e3
        )
        made.append(add_star(with_star, 180, 170, 2e3))
    return made[0], made[1]


def differences(pair: Pair, **settings: object) -> tuple[Difference, Difference]:
    made = [run(plan(*pair, ZogyConfig(arithmetic=name, **settings))) for name in ("numpy", "fast")]
    return made[0], made[1]


def assert_alike(ours: Difference, theirs: Difference, tolerance: float) -> None:
    assert ours.score is not None
    assert theirs.score is not None
    sigma = np.sqrt(theirs.diff.variance)
    assert (np.abs(ours.diff.image - theirs.diff.image) / sigma).max() < tolerance
    assert np.abs(ours.scorr - theirs.scorr).max() < tolerance
    for name in ("diff", "score"):
        np.testing.assert_allclose(
            getattr(ours, name).variance, getattr(theirs, name).variance, rtol=tolerance
        )
    np.testing.assert_array_equal(ours.diff.mask, theirs.diff.mask)
    for our_cell, their_cell in zip(ours.cells, theirs.cells, strict=True):
        assert [flag.name for flag in our_cell.flags] == [flag.name for flag in their_cell.flags]
        assert our_cell.flux_score == pytest.approx(their_cell.flux_score, rel=tolerance)
        np.testing.assert_allclose(our_cell.psf_diff, their_cell.psf_diff, atol=tolerance / 10)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        GRID,
        GRID | {"blendCells": 8},
        {"pieceSize": 96},
        {"frequencyFloor": 0.0},
        {"astrometricNoise": 0.1, "fluxScaleError": 0.02},
        {"scaleByCalibration": False, "scienceFluxScaling": 1.7},
    ],
    ids=["one cell", "grid", "blended", "pieces", "no floor", "noise terms", "flux scale"],
)
@pytest.mark.parametrize("precision", ["input", "double"])
def test_both_arithmetics_agree(pair: Pair, settings: dict[str, object], precision: str) -> None:
    tolerance = SINGLE if precision == "input" else DOUBLE
    if settings.get("frequencyFloor") == 0:
        tolerance = 1e-2 if precision == "input" else 1e-6  # P/|P| of two round-offs, see floor.py
    assert_alike(*differences(pair, workingPrecision=precision, **settings), tolerance)


def test_both_agree_on_uniform_variances(noise_pair: Callable[..., Pair]) -> None:
    assert_alike(*differences(noise_pair(dtype=np.float32)), SINGLE)


def test_both_agree_where_only_one_variance_varies(pair: Pair) -> None:
    flat = pair[1].replace(variance=np.full(pair[1].shape, 4.0, np.float32))
    assert_alike(*differences((pair[0], flat)), SINGLE)
    assert_alike(*differences((flat, pair[0])), SINGLE)


def test_threads_give_the_bits_of_a_serial_run_in_compiled_code_too(pair: Pair) -> None:
    steps = plan(*pair, ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0, arithmetic="fast"))
    serial = run(steps)
    with ThreadPoolExecutor(3) as pool:
        threaded = run(steps, executor=pool)
    np.testing.assert_array_equal(threaded.diff.image, serial.diff.image)
    np.testing.assert_array_equal(threaded.scorr, serial.scorr)


@pytest.mark.parametrize("name", ["numpy", "fast"])
def test_pieces_of_one_cell_on_threads_give_the_bits_of_a_serial_run(pair: Pair, name: str) -> None:
    steps = plan(*pair, ZogyConfig(pieceSize=96, arithmetic=name))
    assert len(steps.cells) == 1
    serial, token = run(steps), CancelToken()
    with ThreadPoolExecutor(3) as pool:
        threaded = run(steps, executor=pool)
        token.cancel()
        with pytest.raises(CancelledError):
            run(steps, executor=pool, cancel=token)
    np.testing.assert_array_equal(threaded.diff.image, serial.diff.image)
    np.testing.assert_array_equal(threaded.score.variance, serial.score.variance)
    np.testing.assert_array_equal(threaded.scorr, serial.scorr)


@pytest.mark.parametrize("name", ["numpy", "fast"])
@pytest.mark.parametrize("settings", [{}, GRID, {"pieceSize": 96}], ids=["cell", "grid", "pieces"])
@pytest.mark.parametrize("flux", [3e3, 1e4, 3e4, 3e5, 3e7])
@pytest.mark.parametrize("where", ["both", "science"])
def test_single_precision_costs_a_ten_thousandth_of_sigma_or_the_last_bit_of_the_result(
    noise_pair: Callable[..., Pair],
    add_star: Callable[..., Exposure],
    name: str,
    settings: dict[str, object],
    flux: float,
    where: str,
) -> None:
    """Also beside the brightest stars, and where they leave nothing."""
    single = noise_pair((200, 330), widths=(0.9, 1.1), sides=(12, 15), dtype=np.float32)
    lit = [add_star(exposure, 120, 90, flux) for exposure in single]
    single = (lit[0], lit[1] if where == "both" else single[1])
    double = tuple(
        e.replace(image=e.image.astype(np.float64), variance=e.variance.astype(np.float64))
        for e in single
    )
    config = ZogyConfig(arithmetic=name, **settings)
    ours, theirs = (run(plan(*pair, config)) for pair in (single, double))
    assert ours.diff.image.dtype == np.float32
    assert theirs.diff.image.dtype == np.float64
    sigma = np.sqrt(theirs.diff.variance)
    for mine, true in (
        (ours.diff.image / sigma, theirs.diff.image / sigma),
        (ours.scorr, theirs.scorr),
    ):
        last_bit = np.finfo(np.float32).eps * np.abs(true)
        assert (np.abs(mine - true) < np.maximum(SINGLE, last_bit)).all()


def test_auto_takes_the_compiled_one_and_the_preset_of_lsst_does_not() -> None:
    assert arithmetic_named("auto").name == "fast"
    assert arithmetic_named(ZogyConfig.lsst().arithmetic) is NUMPY


def test_without_the_packages_auto_is_numpy_and_fast_names_the_extra(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zogy_explorer.engine.arithmetic.fast_installed", lambda: False)
    assert arithmetic_named("auto") is NUMPY
    with pytest.raises(MissingExtraError, match=r"zogy-explorer\[fast\]"):
        plan(*pair, ZogyConfig(arithmetic="fast"))


def test_after_a_warm_up_nothing_more_is_compiled(pair: Pair) -> None:
    code = (
        "import numba, numpy as np\n"
        "from zogy_explorer import ZogyConfig, make_pair, plan, run\n"
        "from zogy_explorer.engine import fast\n"
        "from zogy_explorer.engine.arithmetic import warm_up\n"
        "warm_up()\n"
        "compiled = [f for f in vars(fast).values() if hasattr(f, 'signatures')]\n"
        "before = {f.__name__: len(f.signatures) for f in compiled}\n"
        "assert all(before.values()) and len(before) == 4, before\n"
        "science, template, _ = make_pair(seed=1, shape=(200, 200))\n"
        "assert science.image.dtype == np.float32\n"
        "steps = plan(science, template, ZogyConfig(doSpatialGrid=True, gridInnerSize=1.0))\n"
        "assert steps.cells[-1].column\n"
        "run(steps)\n"
        "run(plan(science, template, ZogyConfig()))\n"
        "assert {f.__name__: len(f.signatures) for f in compiled} == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_numpy_arithmetic_never_imports_the_compiler() -> None:
    code = (
        "import sys, numpy as np\n"
        "from zogy_explorer import ZogyConfig, make_pair, plan, run\n"
        "science, template, _ = make_pair(seed=1, shape=(96, 96))\n"
        "run(plan(science, template, ZogyConfig(arithmetic='numpy')))\n"
        "assert not {'numba', 'ducc0'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
