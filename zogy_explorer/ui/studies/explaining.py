"""`ExplainStudy`: why D shows something at a place, and whether it moved by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import param

from zogy_explorer.diagnostics import (
    Explanation,
    Verdict,
    explain,
    mover_or_misregistration,
)
from zogy_explorer.errors import InputError
from zogy_explorer.ui.state import Frame
from zogy_explorer.ui.studies.cures import Cure, cures
from zogy_explorer.ui.studies.study import Study

if TYPE_CHECKING:
    from zogy_explorer.ui.session import Session

Place = tuple[float, float]


class ExplainStudy(Study):
    """The explanation of one place on the frame on screen; it follows the frame while wanted.

    Parameters
    ----------
    session
        Whose frame is asked.
    """

    place = param.Parameter(default=None, doc="Position (x, y) that is explained, or None.")
    wanted = param.Boolean(default=False, doc="Whether the answer is being looked at.")
    explanation = param.Parameter(default=None, doc="The `Explanation`, or None.")
    verdict = param.Parameter(default=None, doc="Mover or misregistration: a `Verdict`, or None.")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._verdicts = self._new_lane(cancel_running=True)
        self._explained: Frame | None = None
        session.param.watch(lambda event: self._follow(event.old), "frame")
        self.param.watch(lambda event: self._follow(session.frame), "wanted")

    def ask(self, x: float, y: float) -> None:
        """Explain D around a position of the frame on screen."""
        frame = self._session.frame
        if frame is None:
            return
        if not frame.plan.bbox.contains_point(x, y):
            self.message = f"({x:g}, {y:g}) is off the frame {frame.plan.bbox}."
            return
        place = (float(x), float(y))
        self._begin(frame, place)

        def land(explanation: Explanation) -> None:
            if self._is_current(frame, place):
                self.explanation = explanation
                self._judge(frame, place)

        difference = frame.difference
        self._ask(lambda token, progress: explain(difference, *place), land)

    def answer(self, x: float, y: float) -> Explanation:
        """The explanation itself, worked out at once in the caller's thread, and shown.

        Raises
        ------
        InputError
            If there is no frame, or the position is off it.
        """
        frame = self._session.frame
        if frame is None:
            raise InputError("there is nothing to explain yet: the first subtraction is not done")
        explanation = explain(frame.difference, x, y)
        place = (float(x), float(y))
        self._lane.cancel()
        self._begin(frame, place)
        self.param.update(explanation=explanation, message="")
        self._judge(frame, place)
        return explanation

    def close(self) -> None:
        """The page is gone."""
        super().close()
        self._explained = None

    def _begin(self, frame: Frame, place: Place) -> None:
        self._verdicts.cancel()
        self._explained = frame
        self.param.update(place=place, explanation=None, verdict=None)

    def _is_current(self, frame: Frame, place: Place) -> bool:
        return frame is self._session.frame and place == self.place

    def _judge(self, frame: Frame, place: Place) -> None:
        """Find out whether it moved by itself."""

        def land(verdict: Verdict) -> None:
            if self._is_current(frame, place):
                self.verdict = verdict

        difference = frame.difference
        self._ask(
            lambda token, progress: mover_or_misregistration(difference, *place),
            land,
            lane=self._verdicts,
        )

    def ask_strongest(self) -> None:
        """Explain the pixel of the selected cell with the largest |Scorr|, or |D| without one."""
        place = self.strongest()
        if place is None:
            self.message = "Select a cell that worked: it has no residual to explain."
        else:
            self.ask(*place)

    def strongest(self) -> Place | None:
        """Where |Scorr| of the selected cell is largest; None if there is no such cell."""
        frame, anchor = self._session.frame, self._session.anchor
        if frame is None or anchor is None:
            return None
        cell = frame.plan.cell_at(*anchor)
        if cell is None or not frame.cells[cell.index].ok:
            return None
        difference, bbox = frame.difference, frame.plan.bbox
        plane = difference.diff.image if difference.scorr is None else difference.scorr
        inside = np.abs(plane[cell.inner.slices((bbox.x0, bbox.y0))])
        if not np.isfinite(inside).any():
            return None
        row, column = np.unravel_index(int(np.nanargmax(inside)), inside.shape)
        return (float(column + cell.inner.x0), float(row + cell.inner.y0))

    def nearest_peak(self, x: float, y: float, reach: float) -> Place:
        """The largest |Scorr| within ``reach`` [px]: what a tap on a small image means."""
        frame = self._session.frame
        scorr = None if frame is None else frame.difference.scorr
        if frame is None or scorr is None or reach < 1.5:
            return (x, y)
        bbox = frame.plan.bbox
        n = int(np.ceil(reach))
        column, row = round(x) - bbox.x0, round(y) - bbox.y0
        rows = np.arange(max(row - n, 0), min(row + n + 1, bbox.height))
        columns = np.arange(max(column - n, 0), min(column + n + 1, bbox.width))
        around = np.abs(scorr[np.ix_(rows, columns)])
        near = np.hypot(rows[:, None] - row, columns[None, :] - column) <= reach
        values = np.where(near & np.isfinite(around), around, -1.0)
        i, j = np.unravel_index(int(np.argmax(values)), values.shape)
        return (float(columns[j] + bbox.x0), float(rows[i] + bbox.y0))

    @property
    def cures(self) -> tuple[Cure, ...]:
        """What settings can do about the causes."""
        if self.explanation is None or self._explained is None:
            return ()
        return cures(self.explanation, self._explained.plan)

    def apply(self, cure: Cure) -> None:
        """Change the settings, as one step of undo; the explanation follows the new frame."""
        self._session.edit(**cure.changes)

    def _follow(self, old: Frame | None) -> None:
        """A frame has landed, or somebody looks again: explain the same place on it."""
        frame = self._session.frame
        if frame is None or self.place is None:
            return
        if old is not None and old.pair is not frame.pair:
            self.cancel()
            self.param.update(place=None, explanation=None, verdict=None, message="")
        elif self.wanted and self._explained is not frame:
            self.ask(*self.place)
