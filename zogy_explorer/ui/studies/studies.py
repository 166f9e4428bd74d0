"""All questions of one session, and what a tap on an image means to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import param

from zogy_explorer.ui.studies.asking import WhatIfStudy
from zogy_explorer.ui.studies.detections import DetectionStudy
from zogy_explorer.ui.studies.explaining import ExplainStudy
from zogy_explorer.ui.studies.importing import RegionStudy
from zogy_explorer.ui.studies.injecting import InjectStudy
from zogy_explorer.ui.studies.study import Study

if TYPE_CHECKING:
    from zogy_explorer.ui.session import Session

_REACH = 9.0  # screen px around a marker in which a tap means it
_CLOSE = 4.0  # screen px by which a tap may miss the residual that is meant


class Studies(param.Parameterized):
    """The questions, made with the session and closed with it.

    Parameters
    ----------
    session
        Whose they are.
    """

    point = param.Parameter(default=None, doc="Position (x, y) that was tapped last, or None.")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.detections = DetectionStudy(session)
        self.explaining = ExplainStudy(session)
        self.injecting = InjectStudy(session)
        self.asking = WhatIfStudy(session)
        self.importing = RegionStudy(session)
        self.cursor: Callable[[], tuple[float, float] | None] = lambda: None
        """Asked where the cursor rests on the images."""
        self._left: tuple[float, float] | None = None  # where the cursor was when a row was chosen
        session.param.watch(self._new_frame, "frame")
        self._session = session

    @property
    def all(self) -> tuple[Study, ...]:
        """Every one of them."""
        return (self.detections, self.explaining, self.injecting, self.asking, self.importing)

    @property
    def idle(self) -> bool:
        """Whether none is being worked on."""
        return not any(study.busy for study in self.all)

    def tap(self, x: float, y: float, step: float = 1.0) -> None:
        """An image was tapped at (x, y); ``step`` is the size of a screen pixel there [px]."""
        frame = self._session.frame
        if frame is None or not frame.plan.bbox.contains_point(x, y):
            return
        self.point, self._left = (x, y), None
        self.detections.choose_at(x, y, _REACH * max(step, 0.25))
        if self.explaining.wanted:
            self.explaining.ask(
                *self.explaining.nearest_peak(x, y, _CLOSE * step if step > 1 else 0)
            )

        if self.injecting.wanted and self.injecting.armed:
            self.injecting.inject(x, y)

    def choose_detection(self, row: int) -> None:
        """A row of the table was tapped: that is the place which is meant from now on."""
        self.detections.choose(row)
        if self.detections.chosen is None:
            return
        self.point, self._left = self.detections.position(self.detections.chosen), self.cursor()
        if self.explaining.wanted:
            self.explaining.ask(*self.point)

    def explain_here(self) -> None:
        """Explain what the cursor rests on, or else what was tapped last."""
        cursor = self.cursor()
        place = cursor if self.point is None or cursor not in (None, self._left) else self.point
        if place is None:
            self.explaining.message = "Point at a residual first, or tap one."
        else:
            self.explaining.ask(*place)

    def explain_last(self) -> None:
        """Explain what was tapped last."""
        if self.point is None:
            self.explaining.message = "Tap a residual on an image first."
        else:
            self.explaining.ask(*self.point)

    def close(self) -> None:
        """The page is gone."""
        for study in self.all:
            study.close()

    def _new_frame(self, event: param.parameterized.Event) -> None:
        """A position means nothing on another pair."""
        if event.old is not None and event.new is not None and event.old.pair is not event.new.pair:
            self.point = self._left = None
