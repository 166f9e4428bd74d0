"""How much padding a cell needs: the same cell subtracted with several borders.

Fourier transforms are periodic, so what lies at one edge of the padded cell leaks into the other
unless the border is wider than the kernels. `padding_curve` subtracts one cell with growing
borders and measures, in a rim along the edge of the inner box, how far D and Scorr still are from
those with a border twice the planned one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.engine.cell import subtract_cell
from zogy_explorer.engine.grid import Cell, generate_grid
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box

Plane = NDArray[np.floating]

SHARES = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5)
"""Borders that are tried, as fractions of the planned one."""
REFERENCE = 2.0
"""Border that the others are compared with, as a fraction of the planned one."""

_RIM = 3.0  # widths of the wider PSF, as σ


@dataclass(frozen=True, eq=False)
class PaddingTrial:
    """The cell with one border.

    Parameters
    ----------
    border
        Border asked for [px].
    outer
        Padded box that it gave.
    change
        D less D of the reference over the inner box, in σ of D; None if the cell failed so.
    diff_edge, scorr_edge
        Root mean square of that change of D, and of Scorr, in the rim [σ]; NaN if it failed.
    cause
        Why it failed; empty if it worked.
    """

    border: int
    outer: Box
    change: Plane | None = field(repr=False)
    diff_edge: float
    scorr_edge: float
    cause: str = ""


@dataclass(frozen=True, eq=False)
class PaddingCurve:
    """Edge residual against padding.

    Parameters
    ----------
    cell
        Name of the cell.
    trials
        In order of the border.
    planned, reference
        Border of the plan, and that of the reference [px].
    rim
        Width of the rim in which residuals were measured [px].
    """

    cell: str
    trials: tuple[PaddingTrial, ...]
    planned: int
    reference: int
    rim: int


def padded_cell(plan: SubtractionPlan, cell: Cell, border: int) -> Cell:
    """The cell with another border, its padded box sized by the plan's rule."""
    inner = cell.inner
    (grown,) = generate_grid(
        inner, (border, border), (inner.width, inner.height), sizing=plan.config.fftSizing
    )
    return replace(cell, outer=grown.outer)


def padding_curve(
    plan: SubtractionPlan,
    cell: Cell,
    borders: Sequence[int] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancel: CancelToken | None = None,
) -> PaddingCurve:
    """Subtract one cell with several borders and compare with a generous one.

    Parameters
    ----------
    plan, cell
        The subtraction and one of its cells.
    borders
        To be tried [px]; by default `SHARES` of the planned one.
    progress
        Called with (subtractions done, in all).
    cancel
        Checked within each.

    Raises
    ------
    InputError
        If a border is negative, or the cell fails even with the widest.
    CancelledError
        If ``cancel`` was set.
    """
    planned = max(plan.border, 1)
    tried = sorted({max(round(planned * share), 1) for share in SHARES})
    if borders is not None:
        tried = sorted(set(borders))
        if not tried or tried[0] < 0:
            raise InputError(f"borders are {list(borders)}: give whole numbers of at least 0 px")
    widest = max(math.ceil(REFERENCE * planned), tried[-1] + 1)
    reference = _subtracted(plan, cell, widest, cancel)
    if not reference.ok:
        raise InputError(
            f"cell {cell.name} fails whatever its padding: {reference.describe_failure()}"
        )
    total = len(tried) + 1
    rim = _rim_width(plan, cell.inner)
    trials = []
    for done, border in enumerate(tried, 1):
        if progress is not None:
            progress(done, total)
        result = _subtracted(plan, cell, border, cancel)
        trials.append(_judged(result, reference, border, rim))
    if progress is not None:
        progress(total, total)
    return PaddingCurve(cell.name, tuple(trials), plan.border, widest, rim)


def _subtracted(
    plan: SubtractionPlan, cell: Cell, border: int, cancel: CancelToken | None
) -> CellResult:
    checkpoint = cancel.check if cancel is not None else None
    return subtract_cell(
        replace(plan, border=border), padded_cell(plan, cell, border), checkpoint=checkpoint
    )


def _judged(result: CellResult, reference: CellResult, border: int, rim: int) -> PaddingTrial:
    outer = result.cell.outer
    if result.diff is None or reference.diff is None or reference.diff_variance is None:
        return PaddingTrial(border, outer, None, np.nan, np.nan, result.describe_failure())
    inner = result.cell.inner
    edge = _edge(inner, rim)
    sigma = np.sqrt(_inside(reference.diff_variance, reference))
    change = (_inside(result.diff, result) - _inside(reference.diff, reference)) / sigma
    scorr_edge = np.nan
    if result.scorr is not None and reference.scorr is not None:
        scorr_edge = _rms(
            (_inside(result.scorr, result) - _inside(reference.scorr, reference))[edge]
        )
    return PaddingTrial(border, outer, change, _rms(change[edge]), scorr_edge)


def _inside(plane: Plane, result: CellResult) -> Plane:
    region = result.region
    return plane[result.cell.inner.slices((region.x0, region.y0))]


def _edge(inner: Box, rim: int) -> NDArray[np.bool_]:
    edge = np.ones(inner.shape, bool)
    if 2 * rim < min(inner.shape):
        edge[rim:-rim, rim:-rim] = False
    return edge


def _rim_width(plan: SubtractionPlan, inner: Box) -> int:
    return int(np.clip(round(_RIM * max(plan.psf_sigma)), 2, max(min(inner.shape) // 4, 2)))


def _rms(values: Plane) -> float:
    finite = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(np.square(finite, dtype=np.float64)))) if finite.size else np.nan
