"""All questions of one session, and what a tap on an image means to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import param

from zogy_explorer.ui.studies.detections import DetectionStudy
from zogy_explorer.ui.studies.study import Study

if TYPE_CHECKING:
    from zogy_explorer.ui.session import Session

_REACH = 9.0  # screen px around a marker in which a tap means it


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
        self.in_front: Callable[[], str] = lambda: ""
        """Asked for the title of the inspector's tab in front."""
        session.param.watch(self._new_frame, "frame")
        self._session = session

    @property
    def all(self) -> tuple[Study, ...]:
        """Every one of them."""
        return (self.detections,)

    @property
    def idle(self) -> bool:
        """Whether none is being worked on."""
        return not any(study.busy for study in self.all)

    def tap(self, x: float, y: float, step: float = 1.0) -> None:
        """An image was tapped at (x, y); ``step`` is the size of a screen pixel there [px]."""
        frame = self._session.frame
        if frame is None or not frame.plan.bbox.contains_point(x, y):
            return
        self.point = (x, y)
        self.detections.choose_at(x, y, _REACH * max(step, 0.25))

    def close(self) -> None:
        """The page is gone."""
        for study in self.all:
            study.close()

    def _new_frame(self, event: param.parameterized.Event) -> None:
        """A position means nothing on another pair."""
        if event.old is not None and event.new is not None and event.old.pair is not event.new.pair:
            self.point = None
