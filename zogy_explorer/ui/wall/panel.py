"""One panel of the wall: a figure, its image and the line above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from bokeh.core.property.descriptors import UnsetValueError
from bokeh.models import (
    BasicTicker,
    BasicTickFormatter,
    BoxZoomTool,
    Column,
    ColumnDataSource,
    GlyphRenderer,
    Image,
    LinearAxis,
    LinearColorMapper,
    PanTool,
    Range1d,
    WheelZoomTool,
)
from bokeh.plotting import figure
from numpy.typing import NDArray
from panel.models.markup import HTML

from zogy_explorer.ui.wall.drawing import Drawing
from zogy_explorer.ui.wall.layers import LayerSpec
from zogy_explorer.ui.wall.palettes import Theme, plane_color
from zogy_explorer.ui.wall.pyramid import View
from zogy_explorer.ui.wall.stretch import Stretch

HEADER_HEIGHT = 22
_BLANK = np.zeros((1, 1), np.uint8)
_NO_TABLE = np.full(256, np.nan, np.float32)
_FEW = 4  # mask planes whose names fit above a narrow panel at full size
_FONT = "font:12px/20px system-ui,sans-serif"


class Panel:
    """Models of one layer.

    Parameters
    ----------
    layer
        What it shows.
    x_range, y_range
        Shared by all panels.
    """

    def __init__(
        self,
        layer: LayerSpec,
        x_range: Range1d,
        y_range: Range1d,
    ) -> None:
        self.layer = layer
        self.source = ColumnDataSource(name=f"image-{layer.name}", data=_image(_BLANK, None))
        self.mapper = LinearColorMapper(palette=["#00000000"], low=-0.5, high=255.5)
        pan, wheel = PanTool(), WheelZoomTool()
        # A new box keeps square pixels: all panels share both ranges.
        box = BoxZoomTool(match_aspect=True)
        self.tools, self.drag_tools = (pan, box, wheel), (pan, box)
        self.figure = figure(
            name=f"figure-{layer.name}", x_range=x_range, y_range=y_range,
            tools=[pan, wheel, box], active_drag=pan, active_scroll=wheel, active_inspect=None,
            toolbar_location=None, sizing_mode="stretch_both", min_width=80, min_height=60,
            # No "level of detail": it would paint each panel once more after every turn of a wheel.
            min_border=0, lod_threshold=None, lod_interval=0, output_backend="canvas", title=None,
            x_axis_type=None, y_axis_type=None,  # see `set_borders`
        )  # fmt: skip
        self.figure.toolbar.logo = None
        self._axes: dict[str, LinearAxis] = {}
        self._theme: Theme | None = None
        self.drawing = Drawing(self.source)
        self.show_image(self, self.mapper, f"pixels-{layer.name}")
        # Not Bokeh's Div: a change of its text lays the whole page out again.
        self.header = HTML(
            name=f"header-{layer.name}", height=HEADER_HEIGHT, sizing_mode="stretch_width",
            margin=0, run_scripts=False,
            # A long legend is cut off; it must not push the panels out of their columns.
            styles={"overflow": "hidden", "contain": "strict", "padding": "0 4px 0 0"},
            stylesheets=[":host > div { width: 100%; }"],
        )  # fmt: skip
        self.model = Column(self.header, self.figure, sizing_mode="stretch_both", spacing=0)

    def show_image(self, other: Panel, mapper: LinearColorMapper, name: str) -> GlyphRenderer:
        """Draw this panel's image in another one, below all lines, through a mapper of its own."""
        glyph = Image(image="image", x="x", y="y", dw="dw", dh="dh", color_mapper=mapper)
        return self.drawing.add_to(other.figure, glyph, name=name, level="image")

    def set_borders(self, left: int, bottom: int) -> None:
        """Room for tick labels [px]; 0 has no axis, and an axis is made when there is room."""
        plot = self.figure
        plot.min_border_left, plot.min_border_bottom = left, bottom
        for place, border in (("left", left), ("below", bottom)):
            if border > 0 and place not in self._axes:
                self._axes[place] = _axis(self._theme)
                plot.add_layout(self._axes[place], place)
            elif place in self._axes:
                self._axes[place].visible = border > 0
        self.header.styles = self.header.styles | {"padding": f"0 4px 0 {left}px"}

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme, palette and header apart."""
        plot, self._theme = self.figure, theme
        plot.background_fill_color = theme.no_data
        plot.border_fill_color = theme.background
        # The page shows through: paint would stay at the canvas's edge after a change of theme.
        plot.border_fill_alpha = 0.0
        plot.outline_line_color = None
        for axis in self._axes.values():
            _colour(axis, theme)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the frame [px], None before a browser has sent them."""
        try:
            width, height = self.figure.inner_width, self.figure.inner_height
        except UnsetValueError:
            return None
        return (int(width), int(height)) if width and height else None

    def paint(
        self,
        levels: NDArray[np.uint8] | None,
        region: View | None,
        stretch: Stretch | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        """Show levels in a region of the pixel grid, nothing if there are none.

        Parameters
        ----------
        stretch
            Gives the readout the value of each level.
        names
            Mask plane names of each level.
        """
        data = _image(_BLANK if levels is None else levels, region)
        data["table"] = [_NO_TABLE if stretch is None else stretch.table()]
        data["names"] = [list(names or ())]
        if not _same(data, self.source.data):
            self.source.data = data

    def set_palette(self, palette: list[str]) -> None:
        """Colours of the levels."""
        if self.mapper.palette != palette:
            self.mapper.palette = palette

    def set_header(self, text: str) -> None:
        """The line above the panel, HTML."""
        text = escape(text)  # the model takes escaped HTML
        if self.header.text != text:
            self.header.text = text


def _axis(theme: Theme | None) -> LinearAxis:
    """Few ticks with small labels."""
    axis = LinearAxis(
        ticker=BasicTicker(desired_num_ticks=4),
        formatter=BasicTickFormatter(use_scientific=False),
        axis_line_color=None, minor_tick_line_color=None, major_tick_in=0, major_tick_out=4,
        major_label_standoff=2, major_label_text_font="system-ui, sans-serif",
        major_label_text_font_size="10px",
    )  # fmt: skip
    if theme is not None:
        _colour(axis, theme)
    return axis


def _colour(axis: LinearAxis, theme: Theme) -> None:
    axis.major_label_text_color = axis.major_tick_line_color = theme.muted


def _same(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether a browser would show and read the same: then it need not be sent."""
    arrays = ("image", "table")
    return all(new[k] == old[k] for k in new if k not in arrays) and all(
        np.array_equal(new[k][0], old[k][0], equal_nan=k == "table") for k in arrays
    )


def _image(levels: NDArray[np.uint8], region: View | None) -> dict[str, Any]:
    x0, y0, x1, y1 = region or (0.0, 0.0, 1.0, 1.0)
    return {
        "image": [np.ascontiguousarray(levels)],
        "x": [x0],
        "y": [y0],
        "dw": [x1 - x0],
        "dh": [y1 - y0],
        "table": [_NO_TABLE],
        "names": [[]],
    }


def value_header(
    layer: LayerSpec,
    theme: Theme,
    palette: list[str],
    stretch: Stretch | None,
    *,
    arrived: bool = False,
) -> str:
    """Name of a layer and its limits at the ends of a thin colour bar.

    Without a ``stretch``, ``arrived`` says whether the pixels are there and hold nothing, or are
    still on their way.
    """
    unit = f" [{layer.unit}]" if layer.unit else ""
    if stretch is None:
        scale = (
            f'<span style="color:{theme.muted}">{"no data" if arrived else "no data yet"}</span>'
        )
    else:
        stops = ",".join(palette[1 + round(k * 254 / 16)] for k in range(17))
        low, high = short_number(stretch.low), short_number(stretch.high)
        scale = (
            f'<span style="flex:none;color:{theme.muted}">{low}</span>'
            # The bar gives way before the title does.
            f'<span style="flex:0 100000 72px;min-width:8px;height:6px;border-radius:3px;'
            f'background:linear-gradient(90deg,{stops})"></span>'
            f'<span style="flex:none;color:{theme.muted}">{high}</span>'
        )
    return _line(theme, escape(layer.title + unit), scale, title_flex="1 1 auto")


def mask_header(
    layer: LayerSpec, theme: Theme, present: Sequence[str], own: Mapping[str, str] | None = None
) -> str:
    """Name of a mask layer and the planes that occur in view, underlined in their colours.

    ``own`` has the colours of planes that do not have their usual one.
    """
    own = own or {}
    size = "11px" if len(present) <= _FEW else "9.5px"
    chips = "".join(
        f'<span title="{escape(name)}" style="flex:0 1 auto;overflow:hidden;line-height:13px;'
        f"font-size:{size};color:{theme.muted};"
        f'border-bottom:3px solid {own.get(name) or plane_color(name)}">'
        f"{escape(_short_plane(name))}</span>"
        for name in present
    )
    return _line(theme, escape(layer.title), chips or f'<span style="color:{theme.muted}">–</span>')


def _line(theme: Theme, title: str, right: str, title_flex: str = "1 0 auto") -> str:
    """A title and what stands at its right; one that may shrink is cut off with dots."""
    return (
        f'<div style="display:flex;align-items:center;gap:4px;width:100%;white-space:nowrap;'
        f'overflow:hidden;{_FONT};font-variant-numeric:tabular-nums;color:{theme.text}">'
        f'<b title="{title}" style="font-weight:600;flex:{title_flex};overflow:hidden;'
        f'text-overflow:ellipsis">{title}</b>{right}</div>'
    )


def _short_plane(name: str) -> str:
    return {
        "DETECTED": "DET",
        "DETECTED_NEGATIVE": "NEG",
        "SUSPECT": "SUSP",
        "NO_DATA": "NODATA",
    }.get(name, name)


def short_number(value: float) -> str:
    """Three significant digits, with a true minus sign."""
    size = abs(value)
    if size >= 1e5 or 0 < size < 1e-3:
        text = f"{value:.1e}"
    elif size >= 1000:
        text = f"{value:.0f}"
    else:
        text = f"{value:.3g}"
    return text.replace("-", "−")
