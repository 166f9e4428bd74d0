"""What a session has, on the image wall: pair, results, cells, view and imported regions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from zogy_explorer.engine import SubtractionPlan
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box
from zogy_explorer.ui.layers import cell_layers, frame_layers
from zogy_explorer.ui.presenting import flag_text
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.state import Frame
from zogy_explorer.ui.wall import ImageWall


class OnTheWall:
    """Shows a session on its wall of images; each method one thing of it, as it is now.

    Parameters
    ----------
    session, wall
        Whose images, and where.
    appeared
        Called when images have been put there.
    """

    def __init__(self, session: Session, wall: ImageWall, appeared: Callable[[], None]) -> None:
        self.session = session
        self.wall = wall
        self._appeared = appeared
        self._painted_frame: Frame | None = None
        self._on_wall: tuple[Exposure, Exposure] | None = None  # whose images these are

    def release(self) -> None:
        """Let all images go: the page has gone."""
        self.wall.release()
        self._painted_frame = self._on_wall = None

    def show_frame(self) -> None:
        """A frame has landed, or the old one must be shown again after a cancel."""
        frame = self.session.frame
        if frame is None:
            if self._on_wall is not None:  # a first pair that was cancelled on its way
                self._on_wall = None
                self.wall.clear()
            return
        before, self._painted_frame = self._painted_frame, frame
        # What was prepared in the worker has been patched if it was shown before.
        layers = frame.shown if frame is not before and frame.shown else frame_layers(frame)
        if self._is_on_wall(frame.plan):
            self.wall.set_layers(layers)
        else:
            self._put_on_wall(frame.plan, layers)
        self._show_grid()
        self._appeared()

    def show_live(self) -> None:
        """The newest result of the selected cell."""
        live = self.session.live_cell
        if live is not None:
            box, layers = cell_layers(live.plan, live.result)
            self.wall.patch(box, layers)
            self._show_grid()

    def show_growing(self) -> None:
        """Cells of a frame under way, as they arrive; the inputs of a first pair before them."""
        growing = self.session.growing
        if growing is None:
            return
        if not self._is_on_wall(growing.plan):
            if self.session.frame is not None:
                return  # the old pair stays until the new one is complete
            self._put_on_wall(growing.plan, growing.inputs)
        patch = growing.merged(growing.take(), self.wall.pixels)
        if patch is not None:
            self.wall.patch(*patch)
            self._appeared()

    def show_wanted_view(self) -> None:
        """What the session asks for, such as that of a saved one."""
        if self.session.wanted_view is not None:
            self.wall.set_view(self.session.wanted_view)

    def show_display(self) -> None:
        """The display settings."""
        self.wall.set_display(self.session.display)

    def show_imported(self) -> None:
        """Regions from a file, as long as they belong to this pair."""
        imported = self.session.imported
        marks = imported.marks(self.session.pair) if imported is not None else []
        self.wall.mark("regions", marks)

    def visible_box(self) -> Box | None:
        """What the wall shows, in whole pixels; None before that is known."""
        left, bottom, right, top = self.wall.view
        if not all(map(math.isfinite, (left, bottom, right, top))) or right <= left:
            return None
        x0, y0 = math.floor(left), math.floor(bottom)
        return Box(x0, y0, math.ceil(right) - x0, math.ceil(top) - y0)

    def _show_grid(self) -> None:
        """All cells with their flags, the selected one's of the newest result."""
        frame, live = self.session.frame, self.session.live_cell
        results = list(frame.cells)
        if live is not None:
            inner = live.result.cell.inner
            results = [live.result if r.cell.inner == inner else r for r in results]
        self.wall.set_grid(
            [r.cell for r in results],
            [r.worst for r in results],
            [flag_text(r, frame.plan.overrides.get(r.cell.name, {})) for r in results],
        )

    def _is_on_wall(self, plan: SubtractionPlan) -> bool:
        """Whether the wall shows the pair of this plan."""
        return self._on_wall == (plan.science.source, plan.template.source)

    def _put_on_wall(self, plan: SubtractionPlan, layers: Mapping[str, Any]) -> None:
        self._on_wall = (plan.science.source, plan.template.source)
        self.wall.set_frame(
            plan.bbox, layers, plan.mask_planes, plan.science.source.wcs, reset_view=True
        )
