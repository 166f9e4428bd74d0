"""Running a plan: order, progress, cancel, executors, lost workers, snapshots, pickling."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest

from zogy_explorer import (
    CancelToken,
    CellResult,
    Exposure,
    Mosaic,
    ZogyConfig,
    ZogyTask,
    plan,
    run,
    subtract_cell,
)
from zogy_explorer.engine import (
    Cell,
    Difference,
    SubtractionPlan,
    compute_cell,
    cut_cell,
    prepare_pair,
)
from zogy_explorer.errors import CancelledError, InputError
from zogy_explorer.masks import MASK_PLANES

Pair = tuple[Exposure, Exposure]

PLANES = ("diff", "diff_variance", "score", "score_variance", "scorr", "mask")


def grid_config(**changes: object) -> ZogyConfig:
    return ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0, **changes)


@pytest.fixture(scope="module")
def pair(noise_pair: Callable[..., Pair]) -> Pair:
    return noise_pair((110, 160))


@pytest.fixture(scope="module")
def steps(pair: Pair) -> SubtractionPlan:
    made = plan(*pair, grid_config())
    assert len(made.cells) == 6
    return made


@pytest.fixture(scope="module")
def serial(steps: SubtractionPlan) -> Difference:
    return run(steps)


def assert_same(ours: Difference, theirs: Difference) -> None:
    np.testing.assert_array_equal(ours.diff.image, theirs.diff.image)
    np.testing.assert_array_equal(ours.diff.variance, theirs.diff.variance)
    np.testing.assert_array_equal(ours.diff.mask, theirs.diff.mask)
    np.testing.assert_array_equal(ours.score.image, theirs.score.image)
    np.testing.assert_array_equal(ours.score.variance, theirs.score.variance)
    np.testing.assert_array_equal(ours.scorr, theirs.scorr)
    assert [c.cell for c in ours.cells] == [c.cell for c in theirs.cells]
    assert [c.flags for c in ours.cells] == [c.flags for c in theirs.cells]


def assert_same_cell(ours: CellResult, theirs: CellResult) -> None:
    for name in PLANES:
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    assert ours.flags == theirs.flags
    assert ours.flux_score == theirs.flux_score


# --- order and progress ----------------------------------------------------------------------


def test_progress_counts_every_cell_once(steps: SubtractionPlan) -> None:
    counts = []
    run(steps, progress=lambda done, total: counts.append((done, total)))
    assert counts == [(n, 6) for n in range(1, 7)]


def test_cells_asked_for_first_come_first(steps: SubtractionPlan, serial: Difference) -> None:
    seen = []
    ours = run(steps, order=[4, 2, 4], on_cell=lambda result: seen.append(result.cell.index))
    assert seen == [4, 2, 0, 1, 3, 5]
    assert_same(ours, serial)
    assert [cell.cell.index for cell in ours.cells] == list(range(6))


@pytest.mark.parametrize("index", [6, -1, 1000])
def test_a_cell_that_does_not_exist_cannot_come_first(steps: SubtractionPlan, index: int) -> None:
    with pytest.raises(InputError, match=rf"order names cell {index}.*0 to 5"):
        run(steps, order=[index])


def test_without_score_only_d_is_made(steps: SubtractionPlan, serial: Difference) -> None:
    ours = run(steps, calculate_score=False)
    assert ours.score is None
    assert ours.scorr is None
    np.testing.assert_array_equal(ours.diff.image, serial.diff.image)


# --- cancel ----------------------------------------------------------------------------------


def test_cancel_stops_before_the_next_cell(steps: SubtractionPlan) -> None:
    token, seen = CancelToken(), []

    def stop_after_two(result: CellResult) -> None:
        seen.append(result.cell.index)
        if len(seen) == 2:
            token.cancel()

    with pytest.raises(CancelledError, match="stopped on request"):
        run(steps, cancel=token, on_cell=stop_after_two)
    assert seen == [0, 1]


def test_cancel_stops_within_a_cell(steps: SubtractionPlan) -> None:
    calls = []

    def checkpoint() -> None:
        calls.append(None)
        if len(calls) == 3:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        subtract_cell(steps, steps.cells[0], checkpoint=checkpoint)
    assert len(calls) == 3


def test_cancel_before_the_start_computes_nothing(steps: SubtractionPlan) -> None:
    token, seen = CancelToken(), []
    token.cancel()
    token.cancel()
    assert token.cancelled
    with pytest.raises(CancelledError):
        run(steps, cancel=token, on_cell=seen.append)
    assert not seen


def test_cancel_reaches_cells_on_threads(steps: SubtractionPlan) -> None:
    token, seen = CancelToken(), []

    def stop(result: CellResult) -> None:
        seen.append(result.cell.index)
        token.cancel()

    with ThreadPoolExecutor(2) as pool, pytest.raises(CancelledError):
        run(steps, executor=pool, cancel=token, on_cell=stop)
    assert len(seen) == 1


# --- executors -------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_threads_give_the_bits_of_a_serial_run(
    steps: SubtractionPlan, serial: Difference, workers: int
) -> None:
    with ThreadPoolExecutor(workers) as pool:
        assert_same(run(steps, executor=pool), serial)


def test_one_plan_serves_many_threads(steps: SubtractionPlan, serial: Difference) -> None:
    with ThreadPoolExecutor(4) as pool:
        cell = steps.cells[1]
        for result in pool.map(lambda _: subtract_cell(steps, cell), range(12)):
            assert_same_cell(result, serial.cells[1])


class Inline(Executor):
    """Runs in place; the calls of the given numbers end as ``fail`` says."""

    def __init__(self, fail: dict[int, BaseException]) -> None:
        self.fail, self.calls = fail, 0

    def submit(self, fn: Callable, /, *args: object, **kwargs: object) -> Future:
        future: Future = Future()
        number, self.calls = self.calls, self.calls + 1
        if number in self.fail:
            future.set_exception(self.fail[number])
        else:
            future.set_result(fn(*args, **kwargs))
        return future


def test_a_lost_worker_loses_only_its_cell(steps: SubtractionPlan, serial: Difference) -> None:
    died = RuntimeError("worker died")
    ours = run(steps, executor=Inline({3: died, 6: died}))  # 6 is the second try of 3
    assert [cell.cell.index for cell in ours.failed] == [3]
    lost = ours.cells[3]
    assert lost.flags[0].name == "CELL_ERROR"
    assert "RuntimeError: worker died" in lost.describe_failure()
    for index in (0, 1, 2, 4, 5):
        assert_same_cell(ours.cells[index], serial.cells[index])
    no_data = 1 << MASK_PLANES["NO_DATA"]
    assert (ours.diff.mask[lost.cell.inner.slices()] & no_data).all()


def test_a_cell_that_is_lost_once_is_tried_again(
    steps: SubtractionPlan, serial: Difference
) -> None:
    died = RuntimeError("worker died")
    executor, seen = Inline({1: died, 3: died}), []
    ours = run(steps, executor=executor, on_cell=lambda result: seen.append(result.cell.index))
    assert_same(ours, serial)
    assert executor.calls == 8
    assert set(seen[-2:]) == {1, 3}


class Broken(Executor):
    """A pool that breaks while cells are handed to it, as a process pool does."""

    def __init__(self, after: int) -> None:
        self.after, self.calls = after, 0

    def submit(self, fn: Callable, /, *args: object, **kwargs: object) -> Future:
        self.calls += 1
        if self.calls > self.after:
            raise RuntimeError("the pool is broken")
        future: Future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_a_pool_that_breaks_keeps_what_was_done(steps: SubtractionPlan) -> None:
    ours = run(steps, executor=Broken(after=4))
    assert [cell.cell.index for cell in ours.failed] == [4, 5]
    assert "the pool is broken" in ours.failed[0].describe_failure()


def test_an_error_within_a_cell_is_flagged(
    steps: SubtractionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zogy_explorer.engine import cell as module

    def broken(*_: object, **__: object) -> None:
        raise FloatingPointError("impossible")

    monkeypatch.setattr(module, "centroid", module.centroid)
    monkeypatch.setattr(module, "cut_psf", broken)
    result = subtract_cell(steps, steps.cells[0])
    assert not result.ok
    assert result.flags[0].name == "CELL_ERROR"
    assert "FloatingPointError: impossible" in result.describe_failure()


# --- mosaic ----------------------------------------------------------------------------------


def test_mosaic_in_any_order_is_the_run(steps: SubtractionPlan, serial: Difference) -> None:
    mosaic = Mosaic(steps)
    for index in (5, 0, 3, 1, 4, 2):
        assert index in mosaic.missing
        mosaic.paste(subtract_cell(steps, steps.cells[index]))
    assert mosaic.missing == []
    assert_same(mosaic.difference(), serial)


def test_mosaic_refuses_a_cell_twice(steps: SubtractionPlan, serial: Difference) -> None:
    mosaic = Mosaic(steps)
    mosaic.paste(serial.cells[2])
    with pytest.raises(InputError, match="cell r0c2 was pasted before"):
        mosaic.paste(serial.cells[2])


def test_mosaic_refuses_a_cell_of_another_configuration(pair: Pair, steps: SubtractionPlan) -> None:
    other = plan(*pair, grid_config(maxPsfCentroidDist=0.5))
    foreign = subtract_cell(other, other.cells[0])
    with pytest.raises(InputError, match=f"{foreign.config_hash}.*{steps.config_hash}"):
        Mosaic(steps).paste(foreign)


def test_mosaic_refuses_to_be_read_unfinished(steps: SubtractionPlan, serial: Difference) -> None:
    mosaic = Mosaic(steps)
    mosaic.paste(serial.cells[0])
    with pytest.raises(InputError, match="5 of 6 cells are missing"):
        mosaic.difference()


def test_mosaic_refuses_a_cell_without_score(steps: SubtractionPlan, serial: Difference) -> None:
    bare = subtract_cell(steps, steps.cells[0], calculate_score=False)
    with pytest.raises(InputError, match="r0c0 has no S"):
        Mosaic(steps).paste(bare)
    mosaic = Mosaic(steps, calculate_score=False)
    mosaic.paste(bare)
    mosaic.paste(serial.cells[1])  # one with a score serves as well


# --- snapshots -------------------------------------------------------------------------------


def test_a_plan_does_not_see_later_changes_of_its_config(pair: Pair, serial: Difference) -> None:
    config = grid_config()
    steps = plan(*pair, config)
    before = steps.config_hash
    config.frequencyFloor = 0.5
    config.padFill = "zero"
    config.ignoreMaskPlanes.append("SUSPECT")
    assert steps.config_hash == before != config.hash()
    assert_same(run(steps), serial)


def test_settings_of_a_plan_are_frozen_and_hashable(steps: SubtractionPlan) -> None:
    with pytest.raises(AttributeError, match="frozen"):
        steps.config.padFill = "zero"
    with pytest.raises(TypeError):
        steps.config["padFill"] = "zero"
    same = plan(steps.science.source, steps.template.source, grid_config())
    assert steps.config == same.config
    assert hash(steps.config) == hash(same.config)
    assert dict(steps.config)["padFill"] == "noise"


def test_prepared_planes_are_reused_only_for_the_same_preparation(pair: Pair) -> None:
    prepared = prepare_pair(*pair, grid_config())
    assert plan(*pair, grid_config(padFill="zero"), prepared).prepared is prepared
    assert plan(*pair, grid_config(fillMasked=False), prepared).prepared is not prepared
    other = pair[0].replace(image=pair[0].image + 1)
    assert plan(other, pair[1], grid_config(), prepared).prepared is not prepared


@pytest.mark.parametrize("field", ["padFill", "frequencyFloor", "borderScale", "growMask"])
def test_reusing_prepared_planes_changes_nothing(pair: Pair, field: str) -> None:
    from_new = {"padFill": "zero", "frequencyFloor": 0.0, "borderScale": 20.0, "growMask": 0.1}
    config = grid_config(**{field: from_new[field]})
    reused = plan(*pair, config, prepare_pair(*pair, grid_config()))
    assert_same(run(reused), run(plan(*pair, config)))


def test_the_inputs_are_not_changed(pair: Pair) -> None:
    image = pair[0].image.copy()
    mask = np.zeros(image.shape, np.int32)
    mask[20:24, 20:24] = 1 << MASK_PLANES["CR"]
    image[50, 50] = np.nan
    science = pair[0].replace(image=image + 100.0, mask=mask)
    copies = [plane.copy() for e in (science, pair[1]) for plane in (e.image, e.variance, e.mask)]
    ZogyTask(config=ZogyConfig()).run(science, pair[1])
    ZogyTask(config=ZogyConfig.lsst()).run(science, pair[1])
    after = [plane for e in (science, pair[1]) for plane in (e.image, e.variance, e.mask)]
    for before, now in zip(copies, after, strict=True):
        np.testing.assert_array_equal(before, now)


# --- pickling --------------------------------------------------------------------------------


def copies(thing: object) -> Iterator[object]:
    for protocol in (4, pickle.HIGHEST_PROTOCOL):
        yield pickle.loads(pickle.dumps(thing, protocol))


def test_a_plan_survives_pickling(steps: SubtractionPlan, serial: Difference) -> None:
    for copy in copies(steps):
        assert copy.config == steps.config
        assert copy.cells == steps.cells
        assert_same_cell(subtract_cell(copy, copy.cells[3]), serial.cells[3])


def test_a_cut_out_survives_pickling_and_is_small(
    steps: SubtractionPlan, serial: Difference
) -> None:
    cut = cut_cell(steps, steps.cells[4])
    for copy in copies(cut):
        assert_same_cell(compute_cell(copy), serial.cells[4])
    area = steps.cells[4].outer.area
    assert len(pickle.dumps(cut)) < 60 * area  # four planes of 8 bytes, masks, stamps


def test_a_result_survives_pickling(serial: Difference) -> None:
    for copy in copies(serial.cells[0]):
        assert_same_cell(copy, serial.cells[0])
        assert copy.noise == serial.cells[0].noise
        assert copy.worst == serial.cells[0].worst


def test_a_result_says_how_it_was_made(steps: SubtractionPlan, serial: Difference) -> None:
    for result in serial.cells:
        assert result.config_hash == steps.config_hash
        assert result.version
        assert result.timings["total"] > 0
    assert steps.cell_at(0, 0) is steps.cells[0]
    assert steps.cell_at(159, 109) is steps.cells[-1]
    assert steps.cell_at(160, 0) is None


def test_the_frame_is_made_by_the_caller_and_not_by_the_threads(
    steps: SubtractionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two threads that made it at the same time would each write into a frame of its own.
    makers = set()
    room = Mosaic.room

    def watched(self: Mosaic, cell: Cell) -> object:
        makers.add(threading.current_thread())
        return room(self, cell)

    monkeypatch.setattr(Mosaic, "room", watched)
    with ThreadPoolExecutor(2) as pool:
        run(steps, executor=pool)
    assert makers == {threading.current_thread()}
