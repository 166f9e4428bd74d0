"""`WhatIfStudy`: D and Scorr of the selected cell for a pair that were a little different."""

from __future__ import annotations

from typing import TYPE_CHECKING

import param

from zogy_explorer.diagnostics import Bench, BestShift, WhatIf, best_shift
from zogy_explorer.engine import CellResult
from zogy_explorer.ui.state import Frame
from zogy_explorer.ui.studies.study import Study

if TYPE_CHECKING:
    from zogy_explorer.ui.session import Session

KNOBS = ("dx", "dy", "width", "ratio", "background")
"""What can be changed."""


class WhatIfStudy(Study):
    """Five knobs, and what the selected cell would be with them.

    Parameters
    ----------
    session
        Whose selected cell is asked.
    """

    dx = param.Number(default=0.0, doc="Move the template by this many pixels along x.")
    dy = param.Number(default=0.0, doc="Move the template by this many pixels along y.")
    width = param.Number(
        default=0.0,
        bounds=(-50, 50),
        doc="Take the science PSF for this much wider than its model [% of its width].",
    )
    ratio = param.Number(
        default=0.0,
        bounds=(-90, 900),
        doc="Raise the flux ratio F_n/F_r by this [%].",
    )
    background = param.Number(
        default=0.0, doc="Take this off every pixel of the science image [calibrated unit]."
    )
    wanted = param.Boolean(default=False, doc="Whether the answer is being looked at.")
    answer = param.Parameter(default=None, doc="The newest `WhatIf`, or None.")
    answered = param.Parameter(default=None, doc="The `CellResult` that it belongs to, or None.")
    best = param.Parameter(default=None, doc="The `BestShift` found last, or None.")

    def __init__(self, session: Session) -> None:
        super().__init__(session, cancel_running=False)
        self._bench: Bench | None = None
        self._searches = self._new_lane()
        session.param.watch(lambda event: self._new_frame(event.old), "frame")
        session.param.watch(lambda *events: self._follow(), ["frame", "live_cell", "anchor"])
        self.param.watch(lambda *events: self._follow(), [*KNOBS, "wanted"])

    @property
    def changed(self) -> bool:
        """Whether any knob is off its rest."""
        return any(getattr(self, knob) != 0 for knob in KNOBS)

    def reset(self) -> None:
        """All knobs at rest."""
        self.param.update(**dict.fromkeys(KNOBS, 0.0), best=None, message="")

    def find_shift(self) -> None:
        """Find the move of the template that leaves least around the tapped position."""
        session = self._session
        made, cell = session.plan, session.cell
        if made is None or cell is None or not cell.ok:
            self.message = "Select a cell that worked first."
            return
        place = session.studies.point
        if place is None or not cell.cell.inner.contains_point(*place):
            place = session.studies.explaining.strongest()
        if place is None:
            self.message = "There is no residual in this cell."
            return
        x, y = place

        def land(found: BestShift | None) -> None:
            if session.cell is not cell:
                return
            if found is None:
                self.message = (
                    f"There is no light around ({x:.0f}, {y:.0f}) from which a shift could be told."
                )
                return
            self.param.update(dx=round(found.dx, 4), dy=round(found.dy, 4), best=found)

        self._ask(lambda token, progress: best_shift(made, cell, x, y), land, lane=self._searches)

    def register(self) -> None:
        """Subtract again with the whole template moved by (dx, dy), as a new pair."""
        pair = self._session.pair
        if pair is None or (self.dx == 0 and self.dy == 0):
            self.message = "Choose a shift first: dx and dy are 0."
            return
        old = pair.registered
        start = (0.0, 0.0) if old is None else (old.dx, old.dy)
        self._session.move_template(start[0] + self.dx, start[1] + self.dy)

    def unregister(self) -> None:
        """Back to the template as it came."""
        pair = self._session.pair
        if pair is not None and pair.registered is not None:
            self._session.move_template(0.0, 0.0)

    def close(self) -> None:
        """The page is gone."""
        super().close()
        self._bench = None

    def _new_frame(self, old: Frame | None) -> None:
        frame = self._session.frame
        if frame is None or old is None or old.pair is frame.pair:
            return
        self._bench = None
        self.reset()

    def _follow(self) -> None:
        session = self._session
        made, cell = session.plan, session.cell
        if not self.wanted or made is None or cell is None:
            return
        if not cell.ok:
            self._lane.cancel()
            self.param.update(answer=None, answered=None)
            self.message = f"This cell has no result: {cell.describe_failure()}."
            return
        question = {
            "shift": (float(self.dx), float(self.dy)),
            "psf_width": self.width / 100,
            "flux_ratio": 1 + self.ratio / 100,
            "background": float(self.background),
        }

        def work(token: object, progress: object) -> tuple[CellResult, WhatIf]:
            bench = self._bench
            if bench is None or bench.cell is not cell:
                bench = self._bench = Bench(made, cell)
            return cell, bench.what_if(**question)

        def land(found: tuple[CellResult, WhatIf]) -> None:
            if session.cell is found[0]:
                self.param.update(answered=found[0], answer=found[1])

        self._ask(work, land)
