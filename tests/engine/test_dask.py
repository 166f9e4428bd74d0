"""A real Dask cluster of processes: the same bits, progress, cancel, and workers that die."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zogy_explorer import CancelToken, CellResult, Exposure, ZogyConfig, plan, run
from zogy_explorer.engine import Difference, SubtractionPlan
from zogy_explorer.errors import CancelledError

GRID = {"doSpatialGrid": True, "gridInnerSize": 2.0}
N_CELLS = 12
DOOMED = 5  # index of the cell that kills its worker

Compute = Callable[[], CellResult]


@pytest.fixture(scope="module")
def steps(noise_pair: Callable[..., tuple[Exposure, Exposure]]) -> SubtractionPlan:
    made = plan(*noise_pair((160, 220)), ZogyConfig(**GRID))
    assert len(made.cells) == N_CELLS
    return made


@pytest.fixture(scope="module")
def serial(steps: SubtractionPlan) -> Difference:
    return run(steps)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Client of two worker processes, each watched by a nanny that starts it again."""
    try:
        import dask
        from dask.distributed import Client, LocalCluster
    except ImportError:
        reason = "dask.distributed is not installed: pip install 'zogy-explorer[dask]'"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    # Its default, 30 s, is how long it may talk to a worker that has just died.
    # A task may lose two workers, not four, before it is blamed: each takes seconds to come back.
    settings = {
        "distributed.comm.timeouts.connect": "3s",
        "distributed.scheduler.allowed-failures": 1,
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=2,
            processes=True,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=":0",  # None is a fixed port, which another cluster may hold
            silence_logs="CRITICAL",  # it logs each lost worker as an error, as it should
        ) as cluster,
        Client(cluster) as made,
    ):
        yield made


class Instead(Executor):
    """Hands every cell to another executor, with ``work`` in place of its computation.

    ``work`` is called with the cell's index and the computation as a function without arguments;
    it must be defined within a test, so that it travels to the worker by value.
    """

    def __init__(self, executor: Executor, work: Callable[[int, Compute], CellResult]) -> None:
        self.executor, self.work = executor, work

    def submit(self, fn: Callable[..., CellResult], /, *args: Any, **kwargs: Any) -> Future:
        work = self.work

        def replaced(inputs: Any, **kwargs: Any) -> CellResult:
            return work(inputs.cell.index, lambda: fn(inputs, **kwargs))

        return self.executor.submit(replaced, *args, **kwargs)


def assert_same(ours: Difference, theirs: Difference) -> None:
    for exposure in ("diff", "score"):
        for plane in ("image", "variance", "mask"):
            np.testing.assert_array_equal(
                getattr(getattr(ours, exposure), plane), getattr(getattr(theirs, exposure), plane)
            )
    np.testing.assert_array_equal(ours.scorr, theirs.scorr)
    for our_cell, their_cell in zip(ours.cells, theirs.cells, strict=True):
        assert our_cell.cell == their_cell.cell
        assert our_cell.flags == their_cell.flags
        assert our_cell.noise == their_cell.noise


def test_a_cluster_gives_the_bits_of_a_serial_run(
    client: Any, steps: SubtractionPlan, serial: Difference
) -> None:
    assert_same(run(steps, executor=client.get_executor()), serial)


def test_a_cluster_gives_the_bits_of_a_serial_run_with_numpy_alone(
    client: Any, steps: SubtractionPlan
) -> None:
    numpy_alone = plan(
        steps.science.source, steps.template.source, ZogyConfig(**GRID, arithmetic="numpy")
    )
    assert_same(run(numpy_alone, executor=client.get_executor()), run(numpy_alone))


def test_progress_counts_every_cell_once(client: Any, steps: SubtractionPlan) -> None:
    counts, seen = [], []
    run(
        steps,
        executor=client.get_executor(),
        progress=lambda done, total: counts.append((done, total)),
        on_cell=lambda result: seen.append(result.cell.index),
    )
    assert counts == [(n, N_CELLS) for n in range(1, N_CELLS + 1)]
    assert sorted(seen) == list(range(N_CELLS))


def test_cancel_stops_the_cells_that_wait_and_the_next_run_is_whole(
    client: Any, steps: SubtractionPlan, serial: Difference, tmp_path: Path
) -> None:
    def slowly(index: int, compute: Compute) -> CellResult:
        (tmp_path / str(index)).touch()
        time.sleep(0.3)
        return compute()

    token, seen = CancelToken(), []

    def stop(result: CellResult) -> None:
        seen.append(result.cell.index)
        token.cancel()

    with pytest.raises(CancelledError, match="stopped on request"):
        run(steps, executor=Instead(client.get_executor(), slowly), cancel=token, on_cell=stop)
    assert len(seen) == 1
    assert_same(run(steps, executor=client.get_executor()), serial)
    assert len(list(tmp_path.iterdir())) <= N_CELLS / 2  # were begun before the word got round


def test_the_same_run_again_at_once_after_a_cancel_is_whole(
    client: Any, steps: SubtractionPlan, serial: Difference
) -> None:
    """Dask knows a computation by its content: cancelled cells must not stay cancelled."""
    for _ in range(3):
        token = CancelToken()
        with pytest.raises(CancelledError):
            run(
                steps,
                executor=client.get_executor(),
                cancel=token,
                on_cell=lambda result, token=token: token.cancel(),
            )
        assert_same(run(steps, executor=client.get_executor()), serial)


def test_a_worker_killed_in_the_middle_costs_no_cell(
    client: Any, steps: SubtractionPlan, serial: Difference
) -> None:
    def slowly(index: int, compute: Compute) -> CellResult:
        time.sleep(0.1)
        return compute()

    killed = []

    def kill_one_worker(result: CellResult) -> None:
        if not killed:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    executor = Instead(client.get_executor(), slowly)
    assert_same(run(steps, executor=executor, on_cell=kill_one_worker), serial)
    assert killed


def test_a_cell_that_kills_every_worker_loses_only_itself(
    client: Any, steps: SubtractionPlan, serial: Difference
) -> None:
    """Cells that wait on a dying worker are blamed with it, and tried again."""

    def deadly(index: int, compute: Compute) -> CellResult:
        if index == doomed:
            os._exit(1)
        return compute()

    doomed = DOOMED
    client.wait_for_workers(2, timeout=120)  # started anew, on a machine that may be busy
    ours = run(steps, executor=Instead(client.get_executor(), deadly))
    lost = {result.cell.index: result.describe_failure() for result in ours.failed}
    assert list(lost) == [DOOMED], lost
    (flag,) = ours.cells[DOOMED].flags
    assert flag.name == "CELL_ERROR"
    assert "the worker was lost (KilledWorker:" in flag.cause
    blank = steps.cells[DOOMED].inner.slices()
    assert not ours.scorr[blank].any()
    elsewhere = np.ones(ours.scorr.shape, dtype=bool)
    elsewhere[blank] = False
    np.testing.assert_array_equal(ours.scorr[elsewhere], serial.scorr[elsewhere])


def test_a_cluster_that_is_gone_flags_the_cells_and_the_run_ends(
    client: Any, steps: SubtractionPlan
) -> None:
    executor = client.get_executor()
    executor.shutdown()
    ours = run(steps, executor=executor)
    assert len(ours.failed) == N_CELLS
    assert "cannot schedule new futures after shutdown" in ours.failed[0].describe_failure()
