"""Where the cells of a run are computed: here, on threads, on processes, or anywhere else.

Whatever the place, a worker that dies takes no other cell with it: what was lost is tried once
more when the rest is done, one cell at a time, so that none can be lost together with another.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import (
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    as_completed,
)
from contextlib import contextmanager
from typing import Any

from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.engine.cell import compute_cell, subtract_cell
from zogy_explorer.engine.cutout import CellInput, cut_cell, result_region
from zogy_explorer.engine.flags import raise_flag
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.mosaic import Mosaic
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.planes import CellPlanes, Spread
from zogy_explorer.engine.result import CellResult
from zogy_explorer.engine.shared import SharedFolder, SharedRun, subtract_shared
from zogy_explorer.engine.transfer import TransferCache
from zogy_explorer.errors import CancelledError
from zogy_explorer.version import __version__

Task = tuple[Callable[..., Any], Any, dict[str, Any]]


class Work:
    """The cells of one run, computed here and now.

    Parameters
    ----------
    mosaic
        Where they go; has the plan.
    calculate_score
        Whether S and Scorr are wanted.
    cancel
        Looked at before each cell and, where cells share this process's memory, within them.
    """

    def __init__(
        self, mosaic: Mosaic, calculate_score: bool, cancel: CancelToken | None = None
    ) -> None:
        self.mosaic, self.plan = mosaic, mosaic.plan
        self._calculate_score = calculate_score
        self._check = cancel.check if cancel is not None else lambda: None
        self._cache = TransferCache()

    def results(self, cells: list[Cell]) -> Iterator[CellResult]:
        """Each cell, once, as it is done."""
        for cell in cells:
            self._check()
            yield self._subtract(cell, self.mosaic.room(cell))

    def _subtract(self, cell: Cell, room: CellPlanes | None, spread: Spread = map) -> CellResult:
        return subtract_cell(
            self.plan,
            cell,
            calculate_score=self._calculate_score,
            checkpoint=self._check,
            cache=self._cache,
            room=room,
            spread=spread,
        )


class PooledWork(Work):
    """The cells of one run, on an executor: its threads, or workers that get cut-outs."""

    def __init__(
        self,
        mosaic: Mosaic,
        calculate_score: bool,
        executor: Executor,
        cancel: CancelToken | None = None,
    ) -> None:
        super().__init__(mosaic, calculate_score, cancel)
        self._executor = executor

    def results(self, cells: list[Cell]) -> Iterator[CellResult]:
        """Each cell, once, as it is done; lost ones last."""
        if len(cells) == 1 and isinstance(self._executor, ThreadPoolExecutor):
            self._check()
            # Its pieces are what is shared out.
            yield self._subtract(cells[0], self.mosaic.room(cells[0]), self._executor.map)
            return
        futures = {self._submit(self._executor, cell): cell for cell in cells}
        lost: list[Cell] = []
        try:
            for future in as_completed(tuple(futures)):
                # Forgotten at once: the frame has its own copy, and a cluster frees its worker's.
                cell = futures.pop(future)
                error = future.exception()
                if error is None or isinstance(error, CancelledError):
                    yield self._received(future.result(), cell)
                else:
                    lost.append(cell)
        finally:
            for future in futures:
                future.cancel()
        yield from self._again(lost)

    def _again(self, cells: list[Cell]) -> Iterator[CellResult]:
        """Lost cells, one at a time."""
        for cell in cells:
            self._check()
            yield self._result_of(self._submit(self._executor, cell), cell)

    def _submit(self, executor: Executor, cell: Cell) -> Future[Any]:
        """The cell's future; a pool that has broken gives a failed one, as a lost worker does."""
        work, argument, others = self._task(cell)
        try:
            return executor.submit(work, argument, **others)
        except Exception as error:  # every executor has its own
            future: Future[Any] = Future()
            future.set_exception(error)
            return future

    def _task(self, cell: Cell) -> Task:
        """What to submit for a cell: a function, its first argument, and the others by name."""
        if isinstance(self._executor, ThreadPoolExecutor):
            # Not in the thread: the mosaic is of one thread, which makes the frame's planes.
            return self._subtract, cell, {"room": self.mosaic.room(cell)}
        others = {"calculate_score": self._calculate_score, "attempt": uuid.uuid4().hex}
        return _compute, cut_cell(self.plan, cell), others

    def _received(self, outcome: Any, cell: Cell) -> CellResult:
        """The result from what a worker sent."""
        received: CellResult = outcome
        return received

    def _result_of(self, future: Future[Any], cell: Cell) -> CellResult:
        """The cell's result, or one that says that its worker died."""
        try:
            return self._received(future.result(), cell)
        except CancelledError:
            raise
        except Exception as error:  # a lost worker is any exception of any executor
            cause = f"the worker was lost ({type(error).__name__}: {error})"
            return CellResult(
                cell=cell,
                region=result_region(self.plan, cell),
                flags=(raise_flag("CELL_ERROR", cause),),
                config_hash=self.plan.for_cell(cell).config_hash,
                version=__version__,
            )


class ProcessWork(PooledWork):
    """The cells of one run, on a pool of processes that share the planes, if ``folder`` is given.

    A process that dies breaks its whole pool. Lost cells are then tried in pools of one process.
    """

    def __init__(
        self,
        mosaic: Mosaic,
        calculate_score: bool,
        executor: ProcessPoolExecutor,
        cancel: CancelToken | None,
        folder: SharedFolder | None,
        shared: SharedRun | None,
    ) -> None:
        super().__init__(mosaic, calculate_score, executor, cancel)
        self._folder, self._shared = folder, shared

    def _task(self, cell: Cell) -> Task:
        if self._folder is None or self._shared is None:
            return super()._task(cell)
        self._folder.fill(self.plan, cell)
        return subtract_shared, self._shared, {"index": cell.index}

    def _received(self, outcome: Any, cell: Cell) -> CellResult:
        return outcome if self._shared is None else self.mosaic.completed(*outcome)

    def _again(self, cells: list[Cell]) -> Iterator[CellResult]:
        pool: ProcessPoolExecutor | None = None
        try:
            for cell in cells:
                self._check()
                if pool is None:
                    context = getattr(self._executor, "_mp_context", None)
                    pool = ProcessPoolExecutor(1, mp_context=context)
                future = self._submit(pool, cell)
                if future.exception() is not None:  # this pool is broken, too
                    pool.shutdown()
                    pool = None
                yield self._result_of(future, cell)
        finally:
            if pool is not None:
                pool.shutdown()


@contextmanager
def prepared_run(
    plan: SubtractionPlan,
    calculate_score: bool,
    executor: Executor | None,
    cancel: CancelToken | None,
) -> Iterator[Work]:
    """The work of a run on an executor, as suits that; None: here."""
    if not isinstance(executor, ProcessPoolExecutor):
        mosaic = Mosaic(plan, calculate_score=calculate_score)
        if executor is None:
            yield Work(mosaic, calculate_score, cancel)
        else:
            yield PooledWork(mosaic, calculate_score, executor, cancel)
        return
    folder, mosaic, shared = _shared(plan, calculate_score)
    try:
        yield ProcessWork(mosaic, calculate_score, executor, cancel, folder, shared)
    finally:
        if folder is not None:
            folder.close()


def _shared(
    plan: SubtractionPlan, calculate_score: bool
) -> tuple[SharedFolder | None, Mosaic, SharedRun | None]:
    """Shared planes of a run and its mosaic; None where they cannot be shared."""
    folder = None
    if not plan.config.blendCells:  # blended cells overlap: each must come on its own
        try:
            folder = SharedFolder(plan)
            mosaic = Mosaic(plan, calculate_score=calculate_score, zeros=folder.zeros)
            return folder, mosaic, folder.share(mosaic, calculate_score)
        except Exception:  # no room, or a PSF that cannot be pickled: whatever pickle may raise
            if folder is not None:
                folder.close()
    return None, Mosaic(plan, calculate_score=calculate_score), None


def _compute(inputs: CellInput, *, calculate_score: bool, attempt: str) -> CellResult:
    """The cell; ``attempt`` sets it apart from the same cell of another run.

    Dask knows a computation by its content: without it, a run that follows a cancelled one at
    once would be given the cancelled cells.
    """
    return compute_cell(inputs, calculate_score=calculate_score)
