"""`Session`: all state of one user of the page, and everything that can happen to it.

Views watch its parameters and call its methods; they hold no state of their own. With
``live=False`` the work is done at once in the caller's thread, so that a script or a test sees
each result without a browser.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import param

from zogy_explorer.engine import ZogyConfig
from zogy_explorer.engine.cell_cache import CellCache
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.ui import loading, samples
from zogy_explorer.ui.computing import Computing
from zogy_explorer.ui.couriers import Courier
from zogy_explorer.ui.runs import with_run
from zogy_explorer.ui.session_file import SessionSpec, display_from, parse_session
from zogy_explorer.ui.state import Frame, Pair, frame_notices
from zogy_explorer.ui.studies import Studies
from zogy_explorer.ui.wall.display import DisplaySettings
from zogy_explorer.ui.work import open_frame, plain_settings


class Session(Computing):
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

    view = param.Parameter(default=None, doc="What the wall shows (left, bottom, right, top) [px].")
    imported = param.Parameter(default=None, doc="`ImportedRegions` to mark, or None.")
    wanted_view = param.Parameter(default=None, doc="What the wall is asked to show, or None.")
    display = param.ClassSelector(
        class_=DisplaySettings, default=DisplaySettings(), doc="How the images are shown."
    )
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
        super().__init__(config, live=live, courier=courier)
        self._root = root
        self._afterword = ""
        self.sky_limits: Callable[[], tuple[float, float] | None] = lambda: None
        """Asked for the limits of the sky images on the wall."""
        self.studies = Studies(self)
        """Questions about the results."""

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

    # -- computing -------------------------------------------------------------------------

    def return_to(self, number: int) -> None:
        """Take the settings of an earlier run; its frame is shown at once if it was kept."""
        run = next((run for run in self.runs if run.number == number), None)
        if run is not None:
            self.take_settings(run.settings, run.overrides)

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

    def close(self) -> None:
        """The page is gone: stop its work."""
        super().close()
        self.studies.close()
        # A late answer or the server may hold on to this object for a while; not to its images.
        with param.parameterized.discard_events(self):
            self.param.update(
                frame=None, live_cell=None, growing=None, pinned=None, imported=None, runs=()
            )

    # -- inside ----------------------------------------------------------------------------

    def _land_new_pair(self, frame: Frame) -> None:
        """A pair was opened: it replaces everything that belonged to the old one."""
        self._cells.cancel()
        self._cell_cache = CellCache()
        self._runs = frame.number
        edited_meanwhile = self._snapshot() != self._committed or self._revision > frame.revision
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
        centre = frame.plan.cell_at(*frame.plan.bbox.center)
        self.param.update(
            frame=frame,
            live_cell=None,
            growing=None,
            pinned=None,
            compare="present",
            anchor=centre.inner.center if centre is not None else None,
            alert=afterword,
            stale=edited_meanwhile,
            runs=with_run((), frame),
            scope="all",
        )
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
