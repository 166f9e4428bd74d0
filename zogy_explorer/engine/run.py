"""`run`: all cells of a plan, on any executor, with progress and cancel."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from typing import Any

from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.engine.cell import compute_cell, subtract_cell
from zogy_explorer.engine.cutout import CellInput, cut_cell, result_region
from zogy_explorer.engine.flags import raise_flag
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.mosaic import Mosaic
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.engine.transfer import TransferCache
from zogy_explorer.errors import CancelledError, InputError, NoUsableCellError
from zogy_explorer.version import __version__

Progress = Callable[[int, int], None]
"""Called with (cells done, cells in all)."""


def run(
    plan: SubtractionPlan,
    *,
    calculate_score: bool = True,
    executor: Executor | None = None,
    progress: Progress | None = None,
    cancel: CancelToken | None = None,
    order: Iterable[int] | None = None,
    on_cell: Callable[[CellResult], None] | None = None,
) -> Difference:
    """Subtract every cell and paste them together.

    Parameters
    ----------
    plan
        The subtraction.
    calculate_score
        Whether S and Scorr are wanted.
    executor
        Any `concurrent.futures.Executor`: threads, processes, or a Dask client's
        ``get_executor()``. None computes here, one cell after the other. The result is the same
        to the bit.
    progress
        Called in this thread after each cell.
    cancel
        Checked before each cell and, where cells share this process's memory, within them.
    order
        Indices of cells to do first; the others follow.
    on_cell
        Called in this thread with each finished cell.

    Raises
    ------
    CancelledError
        If ``cancel`` was set.
    InputError
        Under ``strict``, if a cell failed.
    """
    mosaic = Mosaic(plan, calculate_score=calculate_score)
    cells = _ordered(plan, order)
    for done, result in enumerate(_results(mosaic, cells, calculate_score, executor, cancel), 1):
        if plan.config.strict and not result.ok:
            raise InputError(f"cell {result.cell.name} failed: {result.describe_failure()}")
        mosaic.paste(result)
        if on_cell is not None:
            on_cell(result)
        if progress is not None:
            progress(done, len(cells))
        if cancel is not None:
            cancel.check()
    return mosaic.difference()


def require_usable_cell(difference: Difference) -> Difference:
    """The difference itself, if at least one of its cells worked.

    Raises
    ------
    NoUsableCellError
        If none did.
    """
    if any(cell.ok for cell in difference.cells):
        return difference
    causes = list(dict.fromkeys(cell.describe_failure() for cell in difference.cells))
    more = f" (and {len(causes) - 1} other causes)" if len(causes) > 1 else ""
    raise NoUsableCellError(
        f"none of the {len(difference.cells)} cells could be subtracted: {causes[0]}{more}; "
        f"{difference.cells[0].flags[0].advice}"
    )


def _results(
    mosaic: Mosaic,
    cells: list[Cell],
    calculate_score: bool,
    executor: Executor | None,
    cancel: CancelToken | None,
) -> Iterable[CellResult]:
    plan = mosaic.plan
    checkpoint = cancel.check if cancel is not None else None
    cache = TransferCache()
    if executor is None:
        for cell in cells:
            if checkpoint is not None:
                checkpoint()
            yield subtract_cell(
                plan,
                cell,
                calculate_score=calculate_score,
                checkpoint=checkpoint,
                cache=cache,
                room=mosaic.room(cell),
            )
        return
    futures: dict[Future[CellResult], Cell] = {}
    run_id = uuid.uuid4().hex
    for cell in cells:
        if isinstance(executor, ThreadPoolExecutor):
            future = _submitted(
                executor,
                subtract_cell,
                plan,
                cell,
                calculate_score=calculate_score,
                checkpoint=checkpoint,
                cache=cache,
                room=mosaic.room(cell),
            )
        else:  # only the cut-out travels to another process
            future = _submitted(
                executor,
                _compute_in_run,
                cut_cell(plan, cell),
                run_id=run_id,
                calculate_score=calculate_score,
            )
        futures[future] = cell
    try:
        for future in as_completed(tuple(futures)):
            # Forgotten at once: the frame has its own copy, and a cluster frees its worker's.
            yield _result_of(future, futures.pop(future), plan)
    finally:
        for future in futures:
            future.cancel()


def _compute_in_run(inputs: CellInput, *, run_id: str, calculate_score: bool) -> CellResult:
    """The cell; ``run_id`` sets it apart from the same cell of another run.

    Dask knows a computation by its content: without it, a run that follows a cancelled one at
    once would be given the cancelled cells.
    """
    return compute_cell(inputs, calculate_score=calculate_score)


def _submitted(
    executor: Executor, work: Callable[..., CellResult], *args: Any, **kwargs: Any
) -> Future[CellResult]:
    """The work's future; a pool that has broken gives one that failed, as a lost worker does."""
    try:
        return executor.submit(work, *args, **kwargs)
    except Exception as error:  # every executor has its own
        future: Future[CellResult] = Future()
        future.set_exception(error)
        return future


def _result_of(future: Future[CellResult], cell: Cell, plan: SubtractionPlan) -> CellResult:
    """The cell's result, or one that says that its worker died."""
    try:
        return future.result()
    except CancelledError:
        raise
    except Exception as error:  # a lost worker is any exception of any executor
        cause = f"the worker was lost ({type(error).__name__}: {error})"
        return CellResult(
            cell=cell,
            region=result_region(plan, cell),
            flags=(raise_flag("CELL_ERROR", cause),),
            config_hash=plan.for_cell(cell).config_hash,
            version=__version__,
        )


def _ordered(plan: SubtractionPlan, order: Iterable[int] | None) -> list[Cell]:
    first = dict.fromkeys(order or ())
    for index in first:
        if not 0 <= index < len(plan.cells):
            raise InputError(
                f"order names cell {index}: the plan has cells 0 to {len(plan.cells) - 1}"
            )
    rest = [cell.index for cell in plan.cells if cell.index not in first]
    return [plan.cells[index] for index in (*first, *rest)]
