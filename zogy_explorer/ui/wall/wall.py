"""The wall of linked images: one panel a layer, one view for all, cells drawn over them.

`ImageWall` owns Bokeh models; the images behind them are a `Frame`. It knows nothing of sessions
or of subtraction. All its methods are for the thread that holds the document's lock. What is slow
with large images can be done elsewhere, with `build_pyramids`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bokeh import events
from bokeh.models import InlineStyleSheet
from numpy.typing import NDArray

from zogy_explorer.geometry import Box
from zogy_explorer.ui.wall.comparison import CompareMode
from zogy_explorer.ui.wall.cut_line import Line
from zogy_explorer.ui.wall.display import DisplaySettings
from zogy_explorer.ui.wall.frame import Frame, LayerData
from zogy_explorer.ui.wall.hold import call_later, one_message
from zogy_explorer.ui.wall.images import Images
from zogy_explorer.ui.wall.layers import DEFAULT_LAYERS, LayerSpec
from zogy_explorer.ui.wall.layout import arrange, place_panels
from zogy_explorer.ui.wall.legend import Legend
from zogy_explorer.ui.wall.linked_view import LinkedView
from zogy_explorer.ui.wall.marks import CellLike
from zogy_explorer.ui.wall.overlays import Overlays
from zogy_explorer.ui.wall.palettes import DARK, LIGHT, Theme
from zogy_explorer.ui.wall.panel import Panel
from zogy_explorer.ui.wall.points import PointMark
from zogy_explorer.ui.wall.pyramid import Pyramid, View
from zogy_explorer.ui.wall.readout import Readout
from zogy_explorer.ui.wall.sky import tangent_plane
from zogy_explorer.ui.wall.viewport import Window, box_view, centred_on, paint_window

if TYPE_CHECKING:
    from astropy.wcs import WCS

_ASSUMED_SIZE = (400, 300)  # of a panel, where there is no browser to tell [px]
_PAN_MARGIN = 0.1  # painted beyond the view, so that a pan does not start with blank edges
_NOWHERE = Box(0, 0, 100, 100)  # a place to be without a pair
_FIT_MARGIN = 0.02  # around the whole image: selected cells may reach past its edge


class ImageWall:
    """Linked image panels of a pair and its subtraction.

    Parameters
    ----------
    layers
        One panel each, row by row.
    dark
        Theme.
    columns
        Panels in a row.
    waits
        Paint nothing before a browser has told the size of a panel.

    Attributes
    ----------
    model
        The Bokeh layout; stretches to the space it is given.
    readout
        The line of values under the cursor: a Bokeh model to be placed in the same document.
    panels : dict of str to Panel
        By layer name.
    overlays
        What is drawn over the images.
    painted : int
        How many times images were painted so far.
    tapped, line
        The last point that was tapped and the last line that was drawn on this pair; None: none.
    """

    def __init__(
        self,
        layers: Sequence[LayerSpec] = DEFAULT_LAYERS,
        *,
        dark: bool = True,
        columns: int = 3,
        waits: bool = False,
    ) -> None:
        self.layers = tuple(layers)
        self.painted = 0
        self._theme = DARK if dark else LIGHT
        self._frame = Frame(self.layers)
        self._columns = columns
        self._assumed_size = None if waits else _ASSUMED_SIZE
        self._alone: str | None = None
        self._tap_callbacks: list[Callable[[float, float], None]] = []
        self._cut_callbacks: list[Callable[[Line], None]] = []
        self.tapped: tuple[float, float] | None = None
        self.line: Line | None = None
        self._linked = LinkedView(
            size=lambda: self._size or _ASSUMED_SIZE,
            paint=self._paint,
            hold=self._hold,
            later=lambda call, wait: call_later(self.model.document, call, wait),
            blank=lambda: self._frame.blank,
            sized=lambda: self._size is not None,
        )

        self.panels: dict[str, Panel] = {}
        for spec in self.layers:
            self.panels[spec.name] = Panel(spec, self._linked.x_range, self._linked.y_range)
        self._images = Images(self.panels, self._frame, self._theme)
        self.overlays = Overlays(self.panels, self._theme, self._on_divider, self._on_cut)
        self._readout = Readout(self.layers, self.overlays.grid.cells, self._frame.exact)
        self._readout.attach(
            [panel.figure for panel in self.panels.values()],
            [panel.source for panel in self.panels.values()],
        )
        self.readout = self._readout.model
        self._toolbar_style = InlineStyleSheet(css="")
        self.model = arrange(list(self.panels.values()), columns, self._toolbar_style)
        self._restyle()
        self._images.write_headers(self.step)
        self._listen()

    # What a page tells the wall.

    def call_later_by(self, later: Callable[[Callable[[], None], int], object]) -> None:
        """Have ``later`` run calls after some milliseconds where models may be written.

        By default a served page's document does.
        """
        self._linked.later = later

    def release(self) -> None:
        """Let all images go, without a word to the browser: the page has gone."""
        self._frame.reset(_NOWHERE, {}, {}, None)

    def clear(self) -> None:
        """Show nothing."""
        self.set_frame(_NOWHERE, {}, {})

    def set_frame(
        self,
        bbox: Box,
        layers: Mapping[str, LayerData],
        mask_planes: Mapping[str, int],
        wcs: WCS | None = None,
        *,
        reset_view: bool = True,
    ) -> None:
        """Show a new pair, without cells and selection.

        Parameters
        ----------
        bbox
            Where all arrays lie on the pixel grid.
        layers
            Arrays (or pyramids of `build_pyramids`) by layer name; missing or None: no data yet.
            Arrays are kept by reference and not written to.
        mask_planes
            Plane name to bit of the mask layers.
        wcs
            Of array indices.
        reset_view
            Show the whole frame; else the view stays.
        """
        self._frame.reset(bbox, layers, mask_planes, wcs)
        self.tapped = self.line = None
        with self._hold():
            plane = tangent_plane(wcs, bbox)
            self._readout.set_wcs(plane)
            self.overlays.clear(plane)
            if reset_view:
                self._linked.wanted = box_view(bbox, _FIT_MARGIN)
            self._linked.fit()
        self._linked.tell()

    def set_layers(self, layers: Mapping[str, LayerData]) -> None:
        """Replace the full frame of some layers; the view stays."""
        self._frame.replace(layers)
        with self._hold():
            self._paint()

    def patch(self, box: Box, layers: Mapping[str, NDArray[Any]]) -> None:
        """Replace the pixels of one cell; the view stays, and is painted if the cell is in it.

        The arrays must not be written to afterwards.
        """
        names = self._frame.patch(box, layers)
        left, bottom, right, top = box.edges
        x0, y0, x1, y1 = self.view
        if left < x1 and right > x0 and bottom < y1 and top > y0:
            with self._hold():
                self._paint(names)

    def pin(self, layers: Mapping[str, Pyramid]) -> None:
        """Keep the layers of another result (A) to be compared with; none: no longer."""
        self._frame.comparison.pin(layers)
        self.compare(self._frame.comparison.mode)

    def compare(self, mode: CompareMode) -> None:
        """Show the present result, the pinned one, both beside a divider, or A − B."""
        comparison = self._frame.comparison
        with self._hold():
            comparison.mode = mode if comparison.active else "present"
            comparison.divider = self.overlays.divider.show(comparison.mode == "swipe", self.view)
            self._paint()

    @property
    def comparing(self) -> CompareMode:
        """What of A and B is shown."""
        return self._frame.comparison.mode

    def set_display(self, settings: DisplaySettings) -> None:
        """Change how the layers are shown."""
        if settings == self._frame.settings:
            return
        self._frame.settings = settings
        with self._hold():
            self._restyle()
            self._paint()

    def set_grid(
        self, cells: Sequence[CellLike], worst: Sequence[str], flag_text: Sequence[str]
    ) -> None:
        """Draw these cells, each with its worst severity and the text of its flags."""
        with self._hold():
            self.overlays.grid.set_cells(cells, worst, flag_text)
            self.overlays.grid.follow(self.step)

    def select(self, cell: CellLike | None) -> None:
        """Outline a cell in all panels, or none."""
        with self._hold():
            self.overlays.selection.set_cell(cell)

    def mark(self, kind: str, marks: Sequence[PointMark]) -> None:
        """Replace the marks of one kind, such as ``"detections"``, in all panels."""
        with self._hold():
            self.overlays.points.show(kind, marks)
            self.overlays.points.follow(self.step)

    @property
    def marks(self) -> tuple[PointMark, ...]:
        """Marks of all kinds."""
        return self.overlays.points.marks

    def zoom_to(self, box: Box, margin: float = 0.1) -> None:
        """Show a box with a margin, as a fraction of its longer side."""
        self.set_view(box_view(box, margin))

    def bring_into_view(self, box: Box) -> None:
        """Move the view to a box that is not wholly in it, at the same scale."""
        view = centred_on(box, self.view)
        if view != self.view:
            self.set_view(view)

    def reset_view(self) -> None:
        """Show the whole frame."""
        self.set_view(box_view(self._frame.box, _FIT_MARGIN))

    def zoom_in(self) -> None:
        """Half the view, about its centre."""
        self._linked.zoom(0.5)

    def zoom_out(self) -> None:
        """Twice the view, about its centre."""
        self._linked.zoom(2.0)

    def maximise(self, name: str) -> None:
        """Give one layer all the room; if it has it already, all layers share it again."""
        self._alone = None if self._alone == name else name
        with self._hold():
            place_panels(self.model, list(self.panels.values()), self._columns, self._alone)

    def set_view(self, view: View) -> None:
        """Show at least this part of the pixel grid (left, bottom, right, top)."""
        self._linked.show(view)

    def set_dark(self, dark: bool) -> None:
        """Change the theme."""
        self._theme = DARK if dark else LIGHT
        with self._hold():
            self._restyle()
            self._images.write_headers(self.step)

    # What the wall tells a page.

    @property
    def view(self) -> View:
        """Left, bottom, right and top of what the panels show, on the pixel grid."""
        return self._linked.shown

    @property
    def settings(self) -> DisplaySettings:
        """How the layers are shown."""
        return self._frame.settings

    @property
    def sky_limits(self) -> tuple[float, float] | None:
        """What the darkest and the brightest colour of science and template stand for."""
        return self._frame.sky_limits

    def on_tap(self, callback: Callable[[float, float], None]) -> None:
        """Call with (x, y) on the pixel grid when a panel is tapped (once or twice)."""
        self._tap_callbacks.append(callback)

    def on_cut(self, callback: Callable[[Line], None]) -> None:
        """Call with (x0, y0, x1, y1) on the pixel grid when a line was drawn over the images."""
        self._cut_callbacks.append(callback)

    def legends(self) -> list[Legend]:
        """What each panel in view shows, for a picture of them."""
        names = [name for name in self.panels if self._alone in (None, name)]
        return self._images.legends(names, self.step)

    @property
    def theme(self) -> Theme:
        """Colours of all but the images."""
        return self._theme

    def pixels(self, box: Box) -> dict[str, NDArray[Any]]:
        """Full-resolution pixels of a box inside the frame, by layer; not to be written to."""
        return self._frame.region(box)

    def on_view(self, callback: Callable[[View], None]) -> None:
        """Call with the view after it has changed and was painted."""
        self._linked.on_change(callback)

    # Models.

    def _listen(self) -> None:
        for panel in self.panels.values():
            for dimension in ("inner_width", "inner_height"):
                panel.figure.on_change(dimension, self._on_size)
            for event in (events.Tap, events.DoubleTap):
                panel.figure.on_event(event, self._on_tap)

    def _restyle(self) -> None:
        """Colours and overlays that do not depend on the images."""
        theme = self._theme
        self._images.restyle(theme)
        self.overlays.restyle(theme, self.settings)
        self._readout.set_theme(theme)
        self._toolbar_style.css = theme.toolbar_css

    # Painting.

    @property
    def _size(self) -> tuple[int, int] | None:
        """Width and height of each panel's frame [px]; None before they are known."""
        seen = [p for name, p in self.panels.items() if self._alone in (None, name)]
        known = (panel.size for panel in seen)
        return next((size for size in known if size is not None), self._assumed_size)

    @property
    def cursor(self) -> tuple[float, float] | None:
        """Where the cursor rested last on an image, on the pixel grid."""
        return self._readout.rested

    @property
    def step(self) -> float:
        """Image pixels a screen pixel."""
        return self._linked.step

    def _paint(self, names: Iterable[str] | None = None) -> None:
        """Paint some layers, or all; called within `_hold`."""
        size = self._size
        if size is None:
            return  # painted when a browser tells it
        window = paint_window(self.view, *size, self._frame.box, _PAN_MARGIN)
        wanted = self.panels if names is None else names
        # Those behind a maximised panel are painted when they are back.
        seen = [name for name in wanted if self._alone in (None, name)]
        self._images.paint(seen, window, self.step)
        self._draw_contours(window)
        self._images.write_headers(self.step)
        self.overlays.follow(self.view, self.step, size[0])
        self._readout.refresh()
        self.painted += 1

    def _draw_contours(self, window: Window | None) -> None:
        """Of the first layer, if they are wanted."""
        name = self.layers[0].name
        if window is None or not self.settings.contours or self._frame.empty(name):
            self.overlays.contours.clear()
        else:
            self.overlays.contours.show(
                self._frame.shown(name, window), window, self._frame.sample(name)
            )

    @contextmanager
    def _hold(self) -> Iterator[None]:
        """What is written inside leaves as one message, and is known to be our own."""
        with self._linked.writing(), one_message(self.model.document):
            yield

    # What a browser tells the wall.

    def _on_size(self, attr: str, old: int, new: int) -> None:
        self._linked.soon()

    def _on_cut(self, line: Line) -> None:
        self.line = line
        for callback in self._cut_callbacks:
            callback(line)

    def _on_divider(self, where: float) -> None:
        self._frame.comparison.divider = where
        self._linked.soon()

    def _on_tap(self, event: Any) -> None:
        if event.x is None or event.y is None:
            return
        self.overlays.selection.tapped()
        self.tapped = (float(event.x), float(event.y))
        for callback in self._tap_callbacks:
            callback(float(event.x), float(event.y))
