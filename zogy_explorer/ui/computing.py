"""The work of a session: subtracting whole frames and single cells, and who may land where.

Every change of the settings or the pair raises `revision`. A frame or a live cell carries the
revision and the pair it was made for; it is dropped if something newer is already shown, if the
pair has changed, or if another cell was selected meanwhile.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import param

from zogy_explorer.engine import CellResult, SubtractionPlan, ZogyConfig
from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.engine.cell_cache import CellCache
from zogy_explorer.geometry import Box
from zogy_explorer.ui.couriers import Courier, InlineCourier, current_courier
from zogy_explorer.ui.courtesy import PoliteToken, courtesy
from zogy_explorer.ui.editing import Editing
from zogy_explorer.ui.layers import GrowingFrame
from zogy_explorer.ui.live import Job, Lane, Progress, cell_pool, frame_pool
from zogy_explorer.ui.runs import FrameCache, with_run
from zogy_explorer.ui.state import Frame, LiveCell, Pair, frame_notices
from zogy_explorer.ui.work import (
    FirstLook,
    FrameOrder,
    Present,
    compute_cell,
    compute_frame,
    show_again,
)


class Computing(Editing):
    """Settings, and what was computed with them; `Session` opens the pairs.

    Parameters
    ----------
    config
        Settings at the start; edits change this object.
    live
        Compute in background threads; False: at once, in the caller's thread.
    courier
        Carries results to the page; None: that of the document in which the work is asked for.
    """

    frame = param.Parameter(default=None, doc="The `Frame` on screen, or None.")
    live_cell = param.Parameter(default=None, doc="A `LiveCell` newer than the frame, or None.")
    growing = param.Parameter(default=None, doc="Cells of the frame under way, newly arrived.")
    anchor = param.Parameter(default=None, doc="Point (x, y) whose cell is selected, or None.")
    runs = param.ClassSelector(class_=tuple, default=(), doc="The runs on this pair, oldest first.")
    activity = param.String(default="", doc="What is going on, in words; empty when idle.")
    progress = param.Number(default=0.0, bounds=(0, 1), doc="Share of the running work done.")
    busy = param.Boolean(default=False, doc="Whether a frame is being read or computed.")

    def __init__(
        self,
        config: ZogyConfig | None = None,
        *,
        live: bool = True,
        courier: Courier | None = None,
    ) -> None:
        super().__init__(config)
        self._frames = Lane(frame_pool, cancel_running=True, on_idle=self._rest)
        self._cells = Lane(cell_pool)
        self._cell_cache = CellCache()
        self._courier: Callable[[], Courier] = current_courier if live else InlineCourier
        if courier is not None:
            self._courier = lambda: courier
        if live:
            cell_pool()  # gets ready while the first pair is opened
        self.failure = ""
        """Why the newest opening or subtraction of a frame failed; empty if it did not."""
        self._runs = 0
        self._kept = FrameCache()
        self.visible_box: Callable[[], Box | None] = lambda: None
        """Asked for what the wall shows, so that those cells are computed first."""
        self.present: Present = lambda frame, before: {}
        """Called in the worker to prepare what a view needs of a new frame, given the old one."""
        self.first_look: FirstLook = lambda plan: {}
        """The same of a new pair, before it is subtracted."""
        self.param.watch(lambda *events: self._mirror(), "anchor")

    @property
    def pair(self) -> Pair | None:
        """The pair on screen."""
        return self.frame.pair if self.frame is not None else None

    @property
    def plan(self) -> SubtractionPlan | None:
        """The newest plan on screen: of the live cell while a slider moves, else of the frame."""
        if self.live_cell is not None:
            return self.live_cell.plan
        return self.frame.plan if self.frame is not None else None

    @property
    def cell(self) -> CellResult | None:
        """The selected cell's newest result."""
        if self.live_cell is not None:
            return self.live_cell.result
        if self.frame is None or self.anchor is None:
            return None
        cell = self.frame.plan.cell_at(*self.anchor)
        return None if cell is None else self.frame.cells[cell.index]

    @property
    def idle(self) -> bool:
        """Whether no work is running or waiting."""
        return self._frames.idle and self._cells.idle

    def recompute(self) -> None:
        """Compute the frame again with the settings as they are."""
        self._committed = self._snapshot()
        self._kept.forget(self.settings_hash)
        self._run_frame()

    def cancel(self) -> None:
        """Stop the running work; what was on screen stays."""
        self._frames.cancel()
        self._cells.cancel()

    def courier(self) -> Courier:
        """What carries results of work to the thread that may touch the page."""
        return self._courier()

    def close(self) -> None:
        """The page is gone: stop its work."""
        self._frames.close()
        self._cells.close()
        self._kept.clear()
        self._cell_cache = CellCache()

    # -- inside ----------------------------------------------------------------------------

    def _selected_name(self) -> str | None:
        if self.frame is None or self.anchor is None:
            return None
        cell = self.frame.plan.cell_at(*self.anchor)
        return None if cell is None else cell.name

    def _has_frame(self) -> bool:
        return self.frame is not None

    def _come_back(self) -> None:
        """The control was moved and brought back: the frame on screen is right again."""
        frame = self.frame
        if self.stale and frame is not None and frame.plan.settings_hash == self.settings_hash:
            self._cells.cancel()
            self.param.update(live_cell=None, stale=False)
            self.param.trigger("frame")

    def _run_cell(self) -> None:
        """Compute the selected cell again with the settings of this moment."""
        frame, anchor = self.frame, self.anchor
        if frame is None or anchor is None:
            return
        settings, revision = self.config.copy(), self._revision
        overrides = self._snapshot()["cells"]
        prepared, cache = (self.plan or frame.plan).prepared, self._cell_cache

        def work(token: CancelToken, progress: Progress) -> LiveCell:
            with courtesy().first():
                return compute_cell(
                    frame, anchor, settings, prepared, revision, token, cache, overrides
                )

        self._cells.submit(Job(work, self._land_cell, self.report, courier=self._courier()))

    def _land_cell(self, live: LiveCell) -> None:
        newest = self.live_cell.revision if self.live_cell is not None else 0
        shown = max(newest, self.frame.revision if self.frame is not None else 0)
        if live.pair is self.pair and live.anchor == self.anchor and live.revision >= shown:
            self.live_cell = live

    def _run_frame(self) -> None:
        frame = self.frame
        if frame is None:
            return
        order = replace(
            self._order(self.config.copy(), self._revision),
            prepared=(self.plan or frame.plan).prepared,
            visible=self.visible_box(),
            before=frame,
        )
        kept = self._kept.find(self.settings_hash)
        if kept is not None:
            again = functools.partial(show_again, kept, order)
            self._submit(again, self._land_frame, f"back to run {kept.number}", growing=None)
            return
        work = functools.partial(compute_frame, frame.pair, order)
        self._submit(work, self._land_frame, "subtracting", growing=order.arrived)

    def _order(self, settings: ZogyConfig, revision: int) -> FrameOrder:
        order = FrameOrder(settings, self._runs + 1, revision, self.present, self.first_look)
        return replace(order, overrides=self._snapshot()["cells"])

    def _submit(
        self,
        work: Callable[[CancelToken, Progress], Frame],
        land: Callable[[Frame], None],
        activity: str,
        *,
        growing: list[GrowingFrame] | None,
        failed: Callable[[Exception], None] | None = None,
        cancelled: str = "",
    ) -> None:
        """Have a frame made; ``cancelled`` is the `failure` if it is cancelled."""

        def fail(error: Exception) -> None:
            self.failure = str(error)  # first: what is done about it may be to open another pair
            (failed or self._frame_failed)(error)

        def stop() -> None:
            if not self._frames.waiting:
                self.failure = cancelled
            self._frame_cancelled()

        def arrive(frame: Frame) -> None:
            self.failure = ""
            land(frame)

        def poll(progress: Progress) -> None:
            words = activity
            if progress.total:
                words = f"subtracting: {progress.done} of {progress.total} cells"
            self.param.update(progress=progress.fraction, activity=words)
            if growing:
                self.growing = growing[-1]
                self.param.trigger("growing")

        self.failure = ""
        self.param.update(busy=True, progress=0.0, activity=activity)
        self._frames.submit(
            Job(
                work,
                arrive,
                fail,
                stop,
                poll,
                PoliteToken(),
                courier=self._courier(),
            )
        )

    def _land_frame(self, frame: Frame) -> None:
        if frame.pair is not self.pair or frame.revision < self.frame.revision:
            return
        came_back = any(run.number == frame.number for run in self.runs)
        self._runs = max(self._runs, frame.number)
        self._kept.keep(frame)
        live = self.live_cell
        keep = live is not None and live.revision > frame.revision
        self.param.update(
            frame=frame,
            live_cell=live if keep else None,
            growing=None,
            alert="",
            stale=frame.revision < self._revision,
            runs=with_run(self.runs, frame),
        )
        if came_back:
            self.say("info", f"back to run {frame.number}")
        else:
            self.tell(*frame_notices(frame))

    def _frame_failed(self, error: Exception) -> None:
        self._drop_growing()
        self.report(error)
        self.failure = self.alert

    def _drop_growing(self) -> None:
        """Show the old frame where parts of a new one were shown already."""
        if self.growing is not None:
            self.growing = None
            self.param.trigger("frame")

    def _frame_cancelled(self) -> None:
        """Back to the old frame, unless a newer job is already on its way."""
        if self._frames.waiting:
            return
        self._drop_growing()
        self.say("info", "cancelled: what was on screen stays")

    def _rest(self) -> None:
        self.param.update(busy=False, progress=0.0, activity="")
