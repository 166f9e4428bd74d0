"""The work of a session's jobs: whole frames and live cells. Runs in worker threads.

Everything a job needs is copied into an order when it is submitted, so that nothing here looks
at a session.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from zogy_explorer.engine import PreparedPair, SubtractionPlan, ZogyConfig, plan, run, subtract_cell
from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.engine.cell_cache import CellCache
from zogy_explorer.engine.overrides import CellSettings
from zogy_explorer.geometry import Box
from zogy_explorer.ui.layers import GrowingFrame
from zogy_explorer.ui.live import Progress
from zogy_explorer.ui.opening import FIELD, raised_limit, raised_limit_notice
from zogy_explorer.ui.state import Frame, LiveCell, Pair, frame_noise

Present = Callable[[Frame, Frame | None], Mapping[str, Any]]
"""Prepares, in the worker, what a view needs of a new frame, given the one before."""

FirstLook = Callable[[SubtractionPlan], Mapping[str, Any]]
"""Prepares, in the worker, the inputs of a new pair, to be seen before the subtraction is done."""


@dataclass(frozen=True, eq=False)
class FrameOrder:
    """A frame to be computed.

    Parameters
    ----------
    settings
        A copy that nobody changes.
    number, revision
        Of the run, and of the settings.
    prepared
        Planes of an earlier plan, reused if they fit.
    visible
        What the wall shows: cells there come first.
    before
        The frame on screen, if it is of the same pair.
    present, first_look
        Prepare what a view needs.
    arrived
        Gets the growing frame as soon as there is one.
    overrides
        Settings of single cells.
    exact
        Open a pair with these settings and no others, whatever would suit it.
    """

    settings: ZogyConfig
    number: int
    revision: int
    present: Present
    first_look: FirstLook
    prepared: PreparedPair | None = None
    visible: Box | None = None
    before: Frame | None = None
    arrived: list[GrowingFrame] = field(default_factory=list)
    overrides: CellSettings = field(default_factory=dict)
    exact: bool = False


def compute_frame(pair: Pair, order: FrameOrder, token: CancelToken, progress: Progress) -> Frame:
    """Plan and subtract a whole frame."""
    frame = _subtract(pair, order, token, progress)
    return replace(frame, shown=order.present(frame, order.before))


def show_again(kept: Frame, order: FrameOrder, token: CancelToken, progress: Progress) -> Frame:
    """A frame that was computed before, as the present one."""
    frame = replace(kept, revision=order.revision)
    return replace(frame, shown=order.present(frame, order.before))


def open_frame(
    load: Callable[[], Pair], order: FrameOrder, token: CancelToken, progress: Progress
) -> Frame:
    """Load a pair and subtract it with the settings that suit it."""
    pair = load()
    token.check()
    if order.exact:
        pair = replace(pair, config={})
    order = replace(order, settings=order.settings.copy(**suited(pair, order.settings)))
    frame = _subtract(pair, order, token, progress, order.first_look)
    inputs = order.arrived[-1].inputs
    limit = None if order.exact else raised_limit(frame.difference, order.settings)
    if limit is not None:
        pair = replace(
            pair,
            config={**pair.config, FIELD: limit},
            remarks=(*pair.remarks, raised_limit_notice(frame.difference, limit)),
        )
        wider = order.settings.copy(**{FIELD: limit})
        order = replace(order, settings=wider, prepared=frame.plan.prepared)
        frame = _subtract(pair, order, token, progress, lambda made: inputs)
    return replace(frame, shown={**inputs, **order.present(frame, frame)})


def compute_cell(
    frame: Frame,
    anchor: tuple[float, float],
    settings: ZogyConfig,
    prepared: PreparedPair,
    revision: int,
    token: CancelToken,
    cache: CellCache,
    overrides: CellSettings,
) -> LiveCell:
    """The cell at ``anchor`` with other settings than its frame's."""
    pair = frame.pair
    made = plan(pair.science, pair.template, settings, prepared, overrides)
    cell = made.cell_at(*anchor) or made.cells[0]
    result = subtract_cell(made, cell, checkpoint=token.check, cache=cache)
    return LiveCell(pair, made, result, anchor, revision)


def plain_settings(made: SubtractionPlan) -> dict[str, Any]:
    """A plan's frozen settings as `ZogyConfig` takes them."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in made.config.items()}


def suited(pair: Pair, settings: ZogyConfig) -> dict[str, Any]:
    """The pair's own settings, where the user has none."""
    return {
        name: value
        for name, value in pair.config.items()
        if getattr(settings, name) == ZogyConfig.param[name].default
    }


def _subtract(
    pair: Pair,
    order: FrameOrder,
    token: CancelToken,
    progress: Progress,
    look: FirstLook = lambda made: {},
) -> Frame:
    start = time.perf_counter()
    made = plan(pair.science, pair.template, order.settings, order.prepared, order.overrides)
    planned = time.perf_counter() - start
    growing = GrowingFrame(made, look(made))
    order.arrived.append(growing)
    start = time.perf_counter()
    difference = run(
        made,
        progress=progress,
        cancel=token,
        order=_visible_first(made, order.visible),
        on_cell=growing.add,
    )
    seconds = planned + time.perf_counter() - start
    noise = frame_noise(difference)
    return Frame(pair, difference, order.number, seconds, order.revision, noise)


def _visible_first(made: SubtractionPlan, visible: Box | None) -> list[int]:
    if visible is None:
        return []
    return [cell.index for cell in made.cells if cell.inner.intersection(visible) is not None]
