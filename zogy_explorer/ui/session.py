"""`Session`: all state of one user of the page, and everything that can happen to it.

Views watch its parameters and call its methods; they hold no state of their own. With
``live=False`` the work is done at once in the caller's thread, so that a script or a test sees
each result without a browser.

Who may land where: every change of the settings or the pair raises `revision`. A frame or a live
cell carries the revision and the pair it was made for; it is dropped if something newer is
already shown, if the pair has changed, or if another cell was selected meanwhile.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import param

from zogy_explorer.engine import CellResult, SubtractionPlan, ZogyConfig
from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.engine.cell_cache import CellCache
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box
from zogy_explorer.ui import loading
from zogy_explorer.ui.history import History
from zogy_explorer.ui.journal import Journal
from zogy_explorer.ui.layers import GrowingFrame
from zogy_explorer.ui.live import (
    Courier,
    InlineCourier,
    Job,
    Lane,
    Progress,
    cell_pool,
    current_courier,
    frame_pool,
)
from zogy_explorer.ui.state import Frame, LiveCell, Pair, frame_notices
from zogy_explorer.ui.wall.display import DisplaySettings
from zogy_explorer.ui.work import (
    FrameOrder,
    Present,
    compute_cell,
    compute_frame,
    open_frame,
    plain_settings,
)


class Session(Journal):
    """One user's pair, settings, results and selection.

    Parameters
    ----------
    config
        Settings at the start; edits change this object, so it is live in Python too.
    live
        Compute in background threads; False: at once, in the caller's thread.
    root
        Folder that files may be opened from; None: anywhere the server may read.
    """

    config = param.ClassSelector(class_=ZogyConfig, constant=True, doc="Settings; edits land here.")
    frame = param.Parameter(default=None, doc="The `Frame` on screen, or None.")
    live_cell = param.Parameter(default=None, doc="A `LiveCell` newer than the frame, or None.")
    growing = param.Parameter(default=None, doc="Cells of the frame under way, newly arrived.")
    anchor = param.Parameter(default=None, doc="Point (x, y) whose cell is selected, or None.")
    display = param.ClassSelector(
        class_=DisplaySettings, default=DisplaySettings(), doc="How the images are shown."
    )
    activity = param.String(default="", doc="What is going on, in words; empty when idle.")
    progress = param.Number(default=0.0, bounds=(0, 1), doc="Share of the running work done.")
    busy = param.Boolean(default=False, doc="Whether a frame is being read or computed.")
    stale = param.Boolean(default=False, doc="Whether the frame is older than the settings.")
    pinned = param.Parameter(default=None, doc="The `Frame` A to compare with, or None.")
    compare = param.Selector(
        default="present",
        objects=["present", "pinned", "swipe", "difference"],
        doc="What of the present result and the pinned one is on the wall.",
    )
    can_undo = param.Boolean(default=False, doc="Whether there is an earlier state of settings.")
    can_redo = param.Boolean(default=False, doc="Whether there is a later state of settings.")

    def __init__(
        self, config: ZogyConfig | None = None, *, live: bool = True, root: Path | None = None
    ) -> None:
        super().__init__(config=config or ZogyConfig(doSpatialGrid=True))
        self._start_config = self.config.to_dict()
        self._root = root
        self._frames = Lane(frame_pool, cancel_running=True, on_idle=self._rest)
        self._cells = Lane(cell_pool)
        self._cell_cache = CellCache()
        self._courier: Callable[[], Courier] = current_courier if live else InlineCourier
        self._history = History(self.config.to_dict())
        self._revision = 0
        self._runs = 0
        self._dragging = False
        self._quiet = False
        self._suited: dict[str, Any] = {}
        self._committed: dict[str, Any] = self.config.to_dict()
        self.visible_box: Callable[[], Box | None] = lambda: None
        """Asked for what the wall shows, so that those cells are computed first."""
        self.present: Present = lambda frame, before: {}
        """Called in the worker to prepare what a view needs of a new frame, given the old one."""
        self.config.param.watch(self._config_changed, list(ZogyConfig.field_names()))

    # -- what is shown ---------------------------------------------------------------------

    @property
    def pair(self) -> Pair | None:
        """The pair on screen."""
        return self.frame.pair if self.frame is not None else None

    @property
    def revision(self) -> int:
        """Counts changes of the settings and the pair."""
        return self._revision

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

    # -- opening a pair --------------------------------------------------------------------

    def open_paths(self, science: str, template: str) -> None:
        """Open two files on the machine that serves the page."""
        self.open(lambda: loading.pair_from_paths(science, template, self._root), "reading files")

    def open_uploads(self, science: tuple[str, bytes], template: tuple[str, bytes]) -> None:
        """Open two uploaded files, each as (name, content)."""
        self.open(lambda: loading.pair_from_uploads(science, template), "reading uploads")

    def open_sample(self) -> None:
        """Open the simulated pair that comes with the package."""
        self.open(loading.sample_pair, "simulating the sample pair")

    def open_exposures(self, science: Exposure, template: Exposure) -> None:
        """Open a pair that is in memory."""
        pair = Pair(science, template, science.name or "science", template.name or "template")
        self.open(lambda: pair, "preparing")

    def open(self, load: Callable[[], Pair], activity: str) -> None:
        """Load and subtract a pair in the background; the old one stays until that worked."""
        order = self._order(self._own_settings(), self._next_revision())
        self._submit(
            functools.partial(open_frame, load, order), self._land_new_pair, activity, growing=None
        )

    # -- settings --------------------------------------------------------------------------

    def drag(self, **changes: Any) -> None:
        """Change settings while a control moves: only the selected cell is computed again."""
        self._dragging = True
        try:
            self._update(changes)
        finally:
            self._dragging = False

    def commit(self) -> None:
        """The control was released: the frame follows, and undo has one step more."""
        settings = self.config.to_dict()
        if settings == self._committed:
            self._come_back()
            return
        self._committed = settings
        self._history.push(settings)
        self._history_changed()
        self._run_frame()

    def _come_back(self) -> None:
        """The control was moved and brought back: the frame on screen is right again."""
        frame = self.frame
        if self.stale and frame is not None and frame.plan.config_hash == self.config.hash():
            self._cells.cancel()
            self.param.update(live_cell=None, stale=False)
            self.param.trigger("frame")

    def edit(self, **changes: Any) -> None:
        """Change settings at once: drag and release in one."""
        self._update(changes)

    def undo(self) -> None:
        """Back to the settings before the last change."""
        self._restore(self._history.undo())

    def redo(self) -> None:
        """Forward to the settings that were undone."""
        self._restore(self._history.redo())

    def reset(self) -> None:
        """The settings that this session started with."""
        self.edit(**self._start_config)

    def use_preset(self, preset: ZogyConfig) -> None:
        """Take over all settings of ``preset``, as one step of undo."""
        self.edit(**preset.to_dict())

    def recompute(self) -> None:
        """Compute the frame again with the settings as they are."""
        self._committed = self.config.to_dict()
        self._run_frame()

    def cancel(self) -> None:
        """Stop the running work; what was on screen stays."""
        self._frames.cancel()
        self._cells.cancel()

    # -- comparing -------------------------------------------------------------------------

    def pin(self) -> None:
        """Keep the frame on screen as A, in place of what was pinned before."""
        if self.frame is not None:
            self.param.update(pinned=replace(self.frame, shown={}), compare="present")
            self.say("info", f"pinned run {self.frame.number} as A")

    def unpin(self) -> None:
        """Let A go, and its memory."""
        self.param.update(pinned=None, compare="present")

    # -- selection -------------------------------------------------------------------------

    def select_at(self, x: float, y: float) -> None:
        """Select the cell at pixel position (x, y); nothing happens off the image."""
        shown = self.frame.plan if self.frame is not None else None
        cell = shown.cell_at(x, y) if shown is not None else None
        if cell is not None:
            self.select(cell.index)

    def select(self, index: int) -> None:
        """Select a cell of the frame by its index."""
        if self.frame is None or not 0 <= index < len(self.frame.cells):
            return
        self.param.update(anchor=self.frame.plan.cells[index].inner.center, live_cell=None)

    def step(self, columns: int, rows: int) -> None:
        """Select a neighbour, ``columns`` to the right and ``rows`` up, if there is one."""
        if self.frame is None or self.cell is None:
            return
        here = self.cell.cell
        for cell in self.frame.plan.cells:
            if (cell.column, cell.row) == (here.column + columns, here.row + rows):
                self.select(cell.index)

    def courier(self) -> Courier:
        """What carries results of work to the thread that may touch the page."""
        return self._courier()

    def close(self) -> None:
        """The page is gone: stop its work."""
        self._frames.close()
        self._cells.close()

    # -- inside ----------------------------------------------------------------------------

    def _update(self, changes: dict[str, Any]) -> None:
        try:
            self.config.param.update(**changes)
        except ValueError as error:  # param says which value breaks which bound
            self.report(error)

    def _config_changed(self, *events: param.parameterized.Event) -> None:
        if self._quiet:
            return
        self._next_revision()
        self.stale = self.frame is not None
        self._run_cell()
        if not self._dragging:
            self.commit()

    def _own_settings(self) -> ZogyConfig:
        """The settings without those that only suited the pair on screen."""
        start = {
            name: self._start_config[name]
            for name, value in self._suited.items()
            if getattr(self.config, name) == value
        }
        return self.config.copy(**start)

    def _restore(self, snapshot: Mapping[str, Any]) -> None:
        # The history already stands at this snapshot, so committing it adds no step.
        self._update(dict(snapshot))
        self._history_changed()

    def _history_changed(self) -> None:
        self.param.update(can_undo=self._history.can_undo, can_redo=self._history.can_redo)

    def _next_revision(self) -> int:
        self._revision += 1
        return self._revision

    def _run_cell(self) -> None:
        """Compute the selected cell again with the settings of this moment."""
        frame, anchor = self.frame, self.anchor
        if frame is None or anchor is None:
            return
        settings, revision = self.config.copy(), self._revision
        prepared, cache = (self.plan or frame.plan).prepared, self._cell_cache

        def work(token: CancelToken, progress: Progress) -> LiveCell:
            return compute_cell(frame, anchor, settings, prepared, revision, token, cache)

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
        work = functools.partial(compute_frame, frame.pair, order)
        self._submit(work, self._land_frame, "subtracting", growing=order.arrived)

    def _order(self, settings: ZogyConfig, revision: int) -> FrameOrder:
        return FrameOrder(settings, self._runs + 1, revision, self.present)

    def _submit(
        self,
        work: Callable[[CancelToken, Progress], Frame],
        land: Callable[[Frame], None],
        activity: str,
        *,
        growing: list[GrowingFrame] | None,
    ) -> None:
        def poll(progress: Progress) -> None:
            words = activity
            if progress.total:
                words = f"subtracting: {progress.done} of {progress.total} cells"
            self.param.update(progress=progress.fraction, activity=words)
            if growing:
                self.growing = growing[-1]
                self.param.trigger("growing")

        self.param.update(busy=True, progress=0.0, activity=activity)
        self._frames.submit(
            Job(
                work,
                land,
                self._frame_failed,
                self._frame_cancelled,
                poll,
                courier=self._courier(),
            )
        )

    def _land_new_pair(self, frame: Frame) -> None:
        """A pair was opened: it replaces everything that belonged to the old one."""
        self._cells.cancel()
        self._cell_cache = CellCache()
        self._runs = frame.number
        edited_meanwhile = self.config.to_dict() != self._committed or self._revision > (
            frame.revision
        )
        self._suited = dict(frame.pair.config)
        if not edited_meanwhile:
            self._quiet = True
            try:
                self.config.param.update(**plain_settings(frame.plan))
            finally:
                self._quiet = False
        self._committed = self.config.to_dict()
        self._history = History(self._committed)
        centre = frame.plan.cell_at(*frame.plan.bbox.center)
        self.param.update(
            frame=frame,
            live_cell=None,
            growing=None,
            pinned=None,
            compare="present",
            anchor=centre.inner.center if centre is not None else None,
            alert="",
            stale=edited_meanwhile,
        )
        self._history_changed()
        pair = frame.pair
        self.say("info", f"opened {pair.science_name} ▸ {pair.template_name}")
        self.tell(*pair.remarks, *frame_notices(frame))
        if edited_meanwhile:
            self._run_frame()

    def _land_frame(self, frame: Frame) -> None:
        if frame.pair is not self.pair or frame.revision < self.frame.revision:
            return
        self._runs = frame.number
        live = self.live_cell
        keep = live is not None and live.revision > frame.revision
        self.param.update(
            frame=frame,
            live_cell=live if keep else None,
            growing=None,
            alert="",
            stale=frame.revision < self._revision,
        )
        self.tell(*frame_notices(frame))

    def _frame_failed(self, error: Exception) -> None:
        self._drop_growing()
        self.report(error)

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
