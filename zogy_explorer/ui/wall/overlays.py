"""All that is drawn over the images: cells, selection, marks, divider, cut, contours, compass."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zogy_explorer.ui.wall.contours import Contours
from zogy_explorer.ui.wall.cut_line import CutLine, Line
from zogy_explorer.ui.wall.display import DisplaySettings
from zogy_explorer.ui.wall.divider import Divider
from zogy_explorer.ui.wall.marks import GridMarks, SelectionMarks
from zogy_explorer.ui.wall.palettes import Theme
from zogy_explorer.ui.wall.panel import Panel
from zogy_explorer.ui.wall.points import PointMarks
from zogy_explorer.ui.wall.pyramid import View
from zogy_explorer.ui.wall.sky_marks import SkyMarks


class Overlays:
    """What is drawn over the images of a wall.

    Parameters
    ----------
    panels
        By layer name; the first has the compass.
    theme
        Colours at the start.
    on_divider, on_cut
        Called with where the divider was dragged, and with a line that was drawn [px].
    """

    def __init__(
        self,
        panels: Mapping[str, Panel],
        theme: Theme,
        on_divider: Callable[[float], None],
        on_cut: Callable[[Line], None],
    ) -> None:
        plots = [panel.figure for panel in panels.values()]
        self.grid = GridMarks(theme)
        self.selection = SelectionMarks(theme, self.grid.cells)
        self.points = PointMarks(theme)
        for plot in plots:
            self.grid.add_to(plot)
            self.selection.add_to(plot)
            self.points.add_to(plot)
        self.divider = Divider(plots, on_divider)
        self.cut_line = CutLine(on_cut)
        self.cut_line.attach(plots, [t for p in panels.values() for t in p.drag_tools])
        self.contours = Contours([p.figure for p in panels.values() if p.layer.kind == "diverging"])
        self.sky_marks = SkyMarks(plots[0])

    def clear(self, plane: list[float]) -> None:
        """Draw nothing of the pair before; ``plane`` is the new one's (see `tangent_plane`)."""
        self.sky_marks.set_plane(plane)
        self.cut_line.clear()
        self.selection.set_cell(None)
        self.grid.set_cells((), (), ())

    def restyle(self, theme: Theme, settings: DisplaySettings) -> None:
        """Take a theme, and what the display settings say of the grid."""
        self.grid.set_theme(theme, visible=settings.grid)
        for marks in (self.selection, self.points, self.divider, self.cut_line, self.contours):
            marks.set_theme(theme)

    def follow(self, view: View, step: float, width: int) -> None:
        """Fit a view of ``step`` image pixels a screen pixel, in panels ``width`` wide [px]."""
        self.divider.follow(view)
        self.points.follow(step)
        self.grid.follow(step)
        self.sky_marks.follow(step, width)
