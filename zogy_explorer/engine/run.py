"""`run`: all cells of a plan, on any executor, with progress and cancel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from zogy_explorer.checks import instance
from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.engine.work import prepared_run
from zogy_explorer.errors import InputError, NoUsableCellError

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
        to the bit. A cell whose worker dies is tried once more, alone.
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
    if executor is not None:
        instance("executor", executor, Executor, "give one of concurrent.futures, or none")
    cells = _ordered(plan, order)
    with prepared_run(plan, calculate_score, executor, cancel) as work:
        for done, result in enumerate(work.results(cells), 1):
            if plan.config.strict and not result.ok:
                raise InputError(f"cell {result.cell.name} failed: {result.describe_failure()}")
            work.mosaic.paste(result)
            if on_cell is not None:
                on_cell(result)
            if progress is not None:
                progress(done, len(cells))
            if cancel is not None:
                cancel.check()
        return work.mosaic.difference()


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


def _ordered(plan: SubtractionPlan, order: Iterable[int] | None) -> list[Cell]:
    first = dict.fromkeys(order or ())
    for index in first:
        if not 0 <= index < len(plan.cells):
            raise InputError(
                f"order names cell {index}: the plan has cells 0 to {len(plan.cells) - 1}"
            )
    rest = [cell.index for cell in plan.cells if cell.index not in first]
    return [plan.cells[index] for index in (*first, *rest)]
