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
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box
from zogy_explorer.ui import loading, samples
from zogy_explorer.ui.couriers import Courier, InlineCourier, current_courier
from zogy_explorer.ui.courtesy import PoliteToken, courtesy
from zogy_explorer.ui.editing import Editing
from zogy_explorer.ui.layers import GrowingFrame
from zogy_explorer.ui.live import Job, Lane, Progress, cell_pool, frame_pool
from zogy_explorer.ui.registering import registered_pair
from zogy_explorer.ui.runs import FrameCache, with_run
from zogy_explorer.ui.session_file import SessionSpec, display_from, parse_session
from zogy_explorer.ui.state import Frame, LiveCell, Pair, frame_notices
from zogy_explorer.ui.studies import Studies
from zogy_explorer.ui.wall.display import DisplaySettings
from zogy_explorer.ui.work import (
    FirstLook,
    FrameOrder,
    Present,
    compute_cell,
    compute_frame,
    open_frame,
    plain_settings,
    show_again,
)


class Session(Editing):
    """One user's pair, settings, results and selection.

    Parameters
    ----------
    config
        Settings at the start; edits change this object, so it is live in Python too.
    live
        Compute in background threads; False: at once, in the caller's thread.
    root
        Folder that files may be opened from; None: anywhere the server may read.
    courier
        Carries results to the page; None: that of the document in which the work is asked for.
    """

    frame = param.Parameter(default=None, doc="The `Frame` on screen, or None.")
    live_cell = param.Parameter(default=None, doc="A `LiveCell` newer than the frame, or None.")
    growing = param.Parameter(default=None, doc="Cells of the frame under way, newly arrived.")
    anchor = param.Parameter(default=None, doc="Point (x, y) whose cell is selected, or None.")
    view = param.Parameter(default=None, doc="What the wall shows (left, bottom, right, top) [px].")
    imported = param.Parameter(default=None, doc="`ImportedRegions` to mark, or None.")
    wanted_view = param.Parameter(default=None, doc="What the wall is asked to show, or None.")
    runs = param.ClassSelector(class_=tuple, default=(), doc="The runs on this pair, oldest first.")
    display = param.ClassSelector(
        class_=DisplaySettings, default=DisplaySettings(), doc="How the images are shown."
    )
    activity = param.String(default="", doc="What is going on, in words; empty when idle.")
    progress = param.Number(default=0.0, bounds=(0, 1), doc="Share of the running work done.")
    busy = param.Boolean(default=False, doc="Whether a frame is being read or computed.")
    pinned = param.Parameter(default=None, doc="The `Frame` A to compare with, or None.")
    compare = param.Selector(
        default="present",
        objects=["present", "pinned", "swipe", "difference"],
        doc="What of the present result and the pinned one is on the wall.",
    )

    def __init__(
        self,
        config: ZogyConfig | None = None,
        *,
        live: bool = True,
        root: Path | None = None,
        courier: Courier | None = None,
    ) -> None:
        super().__init__(config)
        self._root = root
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
        self._afterword = ""
        self.visible_box: Callable[[], Box | None] = lambda: None
        """Asked for what the wall shows, so that those cells are computed first."""
        self.sky_limits: Callable[[], tuple[float, float] | None] = lambda: None
        """Asked for the limits of the sky images on the wall."""
        self.present: Present = lambda frame, before: {}
        """Called in the worker to prepare what a view needs of a new frame, given the old one."""
        self.first_look: FirstLook = lambda plan: {}
        """The same of a new pair, before it is subtracted."""
        self.param.watch(lambda *events: self._mirror(), "anchor")
        self.studies = Studies(self)
        """Questions about the results."""

    # -- what is shown ---------------------------------------------------------------------

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

    # -- opening a pair --------------------------------------------------------------------

    def open_paths(self, science: str, template: str) -> None:
        """Open two files on the machine that serves the page."""
        self.open(lambda: loading.pair_from_paths(science, template, self._root), "reading files")

    def open_uploads(self, science: tuple[str, bytes], template: tuple[str, bytes]) -> None:
        """Open two uploaded files, each as (name, content)."""
        self.open(lambda: loading.pair_from_uploads(science, template), "reading uploads")

    def open_sample(self, title: str = samples.FIELD) -> None:
        """Open a simulated pair (see `samples.load_sample`)."""
        self.open(functools.partial(samples.load_sample, title), f"simulating: {title}")

    def open_session(
        self,
        spec: SessionSpec,
        *,
        exact: bool = True,
        otherwise: Callable[[Exception], None] | None = None,
    ) -> None:
        """Show the page that a saved session describes.

        Parameters
        ----------
        spec
            The session.
        exact
            Take its settings as they are; else with what suits its pair.
        otherwise
            Called in place of a report if it cannot be opened.
        """
        order = self._order(spec.zogy_config(), self._next_revision())
        order = replace(order, overrides=spec.overrides, exact=exact)
        load = functools.partial(loading.pair_of_session, spec, self._root, self.pair)
        self._submit(
            functools.partial(open_frame, load, order),
            functools.partial(self._land_session, spec),
            "opening the session",
            growing=None,
            failed=otherwise,
        )

    def say_when_open(self, error: Exception) -> None:
        """Report an error now, and keep it in sight when the next pair has been opened."""
        self.report(error)
        self._afterword = self.alert

    def open_session_file(self, content: bytes, name: str) -> None:
        """Show the page that the content of a session file describes."""
        try:
            self.open_session(parse_session(content, name))
        except InputError as error:
            self.report(error)

    def open_exposures(self, science: Exposure, template: Exposure) -> None:
        """Open a pair that is in memory."""
        pair = Pair(science, template, science.name or "science", template.name or "template")
        self.open(lambda: pair, "preparing")

    def open(self, load: Callable[[], Pair], activity: str) -> None:
        """Load and subtract a pair in the background; the old one stays until that worked."""
        order = self._order(self._own_settings(), self._next_revision())
        self._submit(
            functools.partial(open_frame, load, order),
            self._land_new_pair,
            activity,
            growing=order.arrived,
        )

    def _open_moved(self, snapshot: Mapping[str, Any]) -> None:
        """The pair on screen with its template moved otherwise."""
        pair = self.pair
        if pair is None:
            return
        order = self._order(ZogyConfig.from_dict(snapshot["config"]), self._next_revision())
        order = replace(order, overrides=snapshot["cells"], exact=True)
        load = functools.partial(registered_pair, pair, *snapshot["moved"])
        self._submit(
            functools.partial(open_frame, load, order),
            functools.partial(self._land_new_pair, moved=True),
            "registering the template",
            growing=None,
        )

    # -- computing -------------------------------------------------------------------------

    def recompute(self) -> None:
        """Compute the frame again with the settings as they are."""
        self._committed = self._snapshot()
        self._kept.forget(self.settings_hash)
        self._run_frame()

    def return_to(self, number: int) -> None:
        """Take the settings of an earlier run; its frame is shown at once if it was kept."""
        run = next((run for run in self.runs if run.number == number), None)
        if run is not None:
            self.take_settings(run.settings, run.overrides)

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
        self._kept.clear()
        self._cell_cache = CellCache()
        self.studies.close()
        # A late answer or the server may hold on to this object for a while; not to its images.
        with param.parameterized.discard_events(self):
            self.param.update(frame=None, live_cell=None, growing=None, pinned=None, runs=())

    # -- inside ----------------------------------------------------------------------------

    def _selected_name(self) -> str | None:
        if self.frame is None or self.anchor is None:
            return None
        cell = self.frame.plan.cell_at(*self.anchor)
        return None if cell is None else cell.name

    def _moved_by(self) -> tuple[float, float]:
        moved = self.pair.registered if self.pair is not None else None
        return (0.0, 0.0) if moved is None else (moved.dx, moved.dy)

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
    ) -> None:
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
                land,
                failed or self._frame_failed,
                self._frame_cancelled,
                poll,
                PoliteToken(),
                courier=self._courier(),
            )
        )

    def _land_new_pair(self, frame: Frame, *, moved: bool = False) -> None:
        """A pair was opened: it replaces everything that belonged to the old one.

        The same pair, with its template ``moved``, keeps the history of undo and the selection.
        """
        self._cells.cancel()
        self._cell_cache = CellCache()
        self._runs = frame.number
        edited_meanwhile = self._snapshot() != self._committed or self._revision > frame.revision
        if not moved:
            self._suited = dict(frame.pair.config)
        if edited_meanwhile:
            # What was edited stays, the rest suits the pair; its grid may not be that of the
            # old settings of single cells.
            now, suits = self.config.to_dict(), plain_settings(frame.plan)
            untouched = [name for name in self._suited if now[name] == self._start_config[name]]
            self._set_quietly(now | {name: suits[name] for name in untouched}, {})
        else:
            self._set_quietly(plain_settings(frame.plan), frame.plan.overrides)
        self._kept.clear()
        self._kept.keep(frame)
        afterword, self._afterword = self._afterword, ""
        here = self.anchor if moved and self.anchor is not None else frame.plan.bbox.center
        selected = frame.plan.cell_at(*here)
        self.param.update(
            frame=frame,
            live_cell=None,
            growing=None,
            pinned=None,
            compare="present",
            anchor=selected.inner.center if selected is not None else None,
            alert=afterword,
            stale=edited_meanwhile,
            runs=with_run((), frame),
            scope="all",
        )
        if moved:
            self._go_on_with_history()
        else:
            self._start_history(plain_settings(frame.plan), frame.plan.overrides)
        pair = frame.pair
        self.say("info", f"opened {pair.science_name} ▸ {pair.template_name}")
        self.tell(*pair.remarks, *frame_notices(frame))
        if edited_meanwhile:
            self._run_frame()

    def _land_session(self, spec: SessionSpec, frame: Frame) -> None:
        """The pair of a saved session was opened: the rest of the page follows."""
        self._land_new_pair(frame)
        named = next((cell for cell in frame.plan.cells if cell.name == spec.cell), None)
        self.display = display_from(spec.display)
        self.studies.detections.threshold = spec.threshold
        if named is not None:
            self.select(named.index)
        if spec.view is not None:
            self.wanted_view = spec.view
            self.param.trigger("wanted_view")

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
