"""`DetectionStudy`: what changed in the frame on screen, as a table, and which row is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import param

from zogy_explorer.diagnostics import detect
from zogy_explorer.engine import Difference
from zogy_explorer.geometry import Box
from zogy_explorer.ui.live import frame_pool
from zogy_explorer.ui.studies.study import Study

if TYPE_CHECKING:
    from astropy.table import QTable

    from zogy_explorer.ui.session import Session

LEAST_THRESHOLD = 3.0
"""[σ] Below it, noise alone fills the table."""
CLOSE_UP = 48
"""[px] Side of what is shown of the surroundings of a chosen detection."""


class DetectionStudy(Study):
    """Detections of the frame on screen; nothing is computed before somebody wants to see them.

    Parameters
    ----------
    session
        Whose frame is searched.
    """

    threshold = param.Number(
        default=5.0,
        bounds=(LEAST_THRESHOLD, None),
        softbounds=(LEAST_THRESHOLD, 20),
        doc="|Scorr| from which a local maximum counts as a detection [σ], as predicted: nothing "
        "is rescaled. The column Scorr/σ has it over the σ that was measured in its cell.",
    )
    markers = param.Boolean(
        default=False,
        doc="Mark the detections on all images: circles where the science image is brighter, "
        "squares where the template is; blue without flags, yellow with.",
    )
    wanted = param.Boolean(default=False, doc="Whether the table is being looked at.")
    table = param.Parameter(default=None, doc="Detections of the frame on screen, or None.")
    chosen = param.Integer(default=None, allow_None=True, doc="Row of the table, from 0.")

    def __init__(self, session: Session) -> None:
        super().__init__(session, frame_pool)
        self._known: WeakKeyDictionary[Difference, dict[float, QTable]] = WeakKeyDictionary()
        session.param.watch(lambda event: self._follow(), "frame")
        self.param.watch(lambda *events: self._follow(), ["threshold", "markers", "wanted"])

    def choose(self, row: int) -> None:
        """Choose a detection, select its cell; the page shows its surroundings."""
        if self.table is None or not 0 <= row < len(self.table):
            return
        self.chosen = row
        self._session.select_at(*self.position(row))

    def choose_at(self, x: float, y: float, reach: float) -> bool:
        """Choose the marked detection within ``reach`` [px] of a position, if there is one."""
        if self.table is None or not self.markers or not len(self.table):
            return False
        distance = np.hypot(self.table["x"].value - x, self.table["y"].value - y)
        nearest = int(np.argmin(distance))
        if distance[nearest] > reach:
            return False
        self.chosen = nearest
        return True

    def position(self, row: int) -> tuple[float, float]:
        """Where a detection lies [px]."""
        return float(self.table["x"][row].value), float(self.table["y"][row].value)

    def close_up(self) -> Box | None:
        """Surroundings of the chosen detection."""
        if self.chosen is None or self.table is None:
            return None
        x, y = self.position(self.chosen)
        half = CLOSE_UP // 2
        return Box(round(x) - half, round(y) - half, CLOSE_UP, CLOSE_UP)

    def _follow(self) -> None:
        """Search the frame on screen, if somebody looks and it is not known yet."""
        frame, threshold = self._session.frame, float(self.threshold)
        if frame is None or not (self.wanted or self.markers):
            self._show(None)
            return
        known = self._known.setdefault(frame.difference, {}).get(threshold)
        if known is not None:
            self._lane.cancel()
            self.message = ""
            self._show(known)
            return

        def land(table: QTable) -> None:
            self._known.setdefault(frame.difference, {})[threshold] = table
            if frame is self._session.frame and threshold == self.threshold:
                self._show(table)

        def failed(error: Exception) -> None:
            self._show(None)
            self._failed(error)

        self._ask(
            lambda token, progress: detect(frame.difference, threshold), land, on_error=failed
        )

    def _show(self, table: Any) -> None:
        if table is not self.table:
            self.param.update(table=table, chosen=None)
