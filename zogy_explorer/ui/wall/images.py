"""The images in all panels: their levels, their colours, and the lines above them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bokeh.models import GlyphRenderer, LinearColorMapper

from zogy_explorer.ui.wall.frame import Frame
from zogy_explorer.ui.wall.layers import LayerSpec
from zogy_explorer.ui.wall.legend import Legend, mask_legend, value_legend
from zogy_explorer.ui.wall.palettes import Theme, diverging_palette, sky_palette
from zogy_explorer.ui.wall.panel import Panel, mask_header, value_header
from zogy_explorer.ui.wall.viewport import Window


class Images:
    """Writes a frame into panels.

    Parameters
    ----------
    panels
        By layer name.
    frame
        What they show.
    theme
        Colours of all but the images.
    """

    def __init__(self, panels: dict[str, Panel], frame: Frame, theme: Theme) -> None:
        self._panels = panels
        self._frame = frame
        self._theme = theme
        self._masks = [panel for panel in panels.values() if panel.layer.kind == "mask"]
        self._present: list[str] = []  # mask planes in view
        self._overlay_mapper = LinearColorMapper(palette=["#00000000"], low=-0.5, high=255.5)
        self._overlays: list[GlyphRenderer] = []

    def restyle(self, theme: Theme) -> None:
        """Take a theme, and what the display settings say of colours."""
        self._theme, settings = theme, self._frame.settings
        for panel in self._panels.values():
            panel.set_theme(theme)
            if panel.layer.kind != "mask":
                panel.set_palette(self._palette(panel.layer))
        if settings.mask_overlay and not self._overlays:
            self._overlays = self._overlay_masks()
        for overlay in self._overlays:
            overlay.visible = settings.mask_overlay
            overlay.glyph.global_alpha = settings.mask_opacity
        self._recolor_masks()

    def paint(self, names: Iterable[str], window: Window | None, step: float) -> None:
        """Show some layers in a window, at ``step`` image pixels a screen pixel."""
        region = None if window is None else window.region
        for name in names:
            panel = self._panels[name]
            is_mask = panel.layer.kind == "mask"
            stretch = None if is_mask else self._frame.stretch(name, step)
            levels = None if window is None else self._frame.levels(name, window, stretch)
            if is_mask:
                self._present = [] if levels is None else self._frame.codes.present(levels)
                self._recolor_masks()
            codes = self._frame.codes.names() if is_mask else None
            panel.paint(levels, region, stretch, codes)

    def write_headers(self, step: float) -> None:
        """Names, limits and mask planes above the panels."""
        own = dict(self._frame.settings.plane_colors)
        for name, panel in self._panels.items():
            layer = self._titled(panel)
            if layer.kind == "mask":
                text = mask_header(layer, self._theme, self._present, own)
            else:
                stretch = self._frame.stretch(name, step)
                arrived = not self._frame.empty(name)
                text = value_header(
                    layer, self._theme, self._palette(layer), stretch, arrived=arrived
                )
            panel.set_header(text)

    def legends(self, names: Iterable[str], step: float) -> list[Legend]:
        """What some panels show, for a picture of them."""
        settings, made = self._frame.settings, []
        for panel in map(self._panels.__getitem__, names):
            layer = self._titled(panel)
            if layer.kind == "mask":
                own = dict(settings.plane_colors)
                visible = [name for name in self._present if name not in settings.hidden_planes]
                made.append(mask_legend(panel, layer, visible, own))
            else:
                stretch = self._frame.stretch(layer.name, step)
                made.append(value_legend(panel, layer, settings, self._palette(layer), stretch))
        return made

    def _titled(self, panel: Panel) -> LayerSpec:
        """The layer with the title that says what of two results is shown."""
        return replace(panel.layer, title=self._frame.comparison.title(panel.layer))

    def _overlay_masks(self) -> list[GlyphRenderer]:
        """The mask over the other panels, from the same source; few pages ever show it."""
        return [
            self._masks[0].show_image(panel, self._overlay_mapper, f"overlay-{panel.layer.name}")
            for panel in self._panels.values()
            if self._masks and panel not in self._masks
        ]

    def _recolor_masks(self) -> None:
        """Colours of the mask codes met so far."""
        settings, codes = self._frame.settings, self._frame.codes
        hidden, own = settings.hidden_planes, dict(settings.plane_colors)
        for panel in self._masks:
            panel.set_palette(codes.palette(hidden, self._theme.clean, own))
        palette = codes.palette(hidden, own=own)
        if self._overlay_mapper.palette != palette:
            self._overlay_mapper.palette = palette

    def _palette(self, spec: LayerSpec) -> list[str]:
        if spec.kind == "sky":
            return sky_palette(self._frame.settings.sky_map)
        return diverging_palette(self._theme.diverging)
