"""Cells on a pool of processes: the bits of a serial run, shared planes, processes that die."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from zogy_explorer import CallablePsf, CancelToken, Exposure, ZogyConfig, plan, run
from zogy_explorer.engine import Difference, SubtractionPlan, shared
from zogy_explorer.errors import CancelledError

Pair = tuple[Exposure, Exposure]


def config(**changes: object) -> ZogyConfig:
    return ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0, **changes)


@pytest.fixture(scope="module")
def pair(noise_pair: Callable[..., Pair]) -> Pair:
    """General variances, a masked hit, missing pixels in one of the two."""
    science, template = noise_pair((110, 160), dtype=np.float32)
    rng = np.random.default_rng(4)
    variance = (science.variance * rng.gamma(20, 0.05, science.shape)).astype(np.float32)
    image, mask = science.image.copy(), science.mask.copy()
    image[30:32, 80] = np.nan
    mask[70:73, 20:24] = 1 << science.mask_planes["CR"]
    return science.replace(image=image, variance=variance, mask=mask), template


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    # As Windows starts them: a fresh interpreter that has imported nothing.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as made:
        yield made


def assert_same(ours: Difference, theirs: Difference) -> None:
    for name in ("diff", "score"):
        for plane in ("image", "variance", "mask"):
            np.testing.assert_array_equal(
                getattr(getattr(ours, name), plane), getattr(getattr(theirs, name), plane)
            )
    np.testing.assert_array_equal(ours.scorr, theirs.scorr)
    for our_cell, their_cell in zip(ours.cells, theirs.cells, strict=True):
        assert our_cell.cell == their_cell.cell
        assert our_cell.flags == their_cell.flags
        assert our_cell.noise == their_cell.noise
        np.testing.assert_array_equal(our_cell.scorr, their_cell.scorr)
        np.testing.assert_array_equal(our_cell.mask, their_cell.mask)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"blendCells": 6},
        {"padFill": "mirror"},
        {"workingPrecision": "double"},
        {"astrometricNoise": 0.1},
        {"arithmetic": "numpy"},
    ],
    ids=["default", "blended", "mirror", "double", "noise term", "numpy"],
)
def test_processes_give_the_bits_of_a_serial_run(
    pair: Pair, pool: ProcessPoolExecutor, changes: dict[str, object]
) -> None:
    steps = plan(*pair, config(**changes))
    order = [4, 0]  # the rows that a cell needs are there whatever comes first
    assert_same(run(steps, executor=pool, order=order), run(steps))


def test_cells_with_settings_of_their_own_keep_them(pair: Pair, pool: ProcessPoolExecutor) -> None:
    steps = plan(*pair, config(), overrides={"r0c1": {"growMask": 0.0, "borderScale": 12.0}})
    assert_same(run(steps, executor=pool), run(steps))


def test_a_psf_that_cannot_travel_is_evaluated_here(pair: Pair, pool: ProcessPoolExecutor) -> None:
    stamp = pair[0].psf.kernel_image(x=0, y=0)
    steps = plan(pair[0].replace(psf=CallablePsf(lambda x, y: stamp)), pair[1], config())
    assert_same(run(steps, executor=pool), run(steps))


def test_without_room_for_shared_planes_cut_outs_travel(
    pair: Pair, pool: ProcessPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "_SPARE", 1e12)
    steps = plan(*pair, config())
    assert_same(run(steps, executor=pool), run(steps))


def test_without_score_only_d_travels(pair: Pair, pool: ProcessPoolExecutor) -> None:
    steps = plan(*pair, config())
    ours = run(steps, executor=pool, calculate_score=False)
    assert ours.score is None
    np.testing.assert_array_equal(ours.diff.image, run(steps).diff.image)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where shared planes are put, in place of the system's folders."""
    monkeypatch.setattr(shared, "_IN_MEMORY", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_nothing_is_left_behind(
    pair: Pair, pool: ProcessPoolExecutor, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, seen = plan(*pair, config()), []
    ours = run(steps, executor=pool, on_cell=lambda _: seen.append(len(list(folders.iterdir()))))
    assert set(seen) == {1}
    assert list(folders.iterdir()) == []
    assert_same(ours, run(steps))  # the result outlives the files' names
    token = CancelToken()
    with pytest.raises(CancelledError):
        run(steps, executor=pool, cancel=token, on_cell=lambda _: token.cancel())
    assert list(folders.iterdir()) == []


DEADLY = """
import os
from multiprocessing import parent_process

class DeadlyPsf:
    def __init__(self, stamp, x):
        self.stamp, self.x = stamp, x

    def kernel_image(self, *, x, y):
        if parent_process() is not None and abs(x - self.x) < 1 and y < 50:
            os._exit(1)
        return self.stamp
"""


def test_a_cell_that_kills_its_process_loses_only_itself(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead process breaks the whole pool; those who waited in it are tried again."""
    (tmp_path / "deadly_psf.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(tmp_path)  # a fresh interpreter is told where to look
    from deadly_psf import DeadlyPsf

    doomed = plan(*pair, config()).cells[1]
    psf = DeadlyPsf(pair[0].psf.kernel_image(x=0, y=0), doomed.inner.center[0])
    steps: SubtractionPlan = plan(pair[0].replace(psf=psf), pair[1], config())
    serial = run(steps)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        ours = run(steps, executor=pool)
    assert [cell.cell.index for cell in ours.failed] == [doomed.index]
    assert "the worker was lost (BrokenProcessPool" in ours.failed[0].describe_failure()
    elsewhere = np.ones(ours.scorr.shape, dtype=bool)
    elsewhere[doomed.inner.slices()] = False
    np.testing.assert_array_equal(ours.scorr[elsewhere], serial.scorr[elsewhere])
