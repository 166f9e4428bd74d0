"""The images behind the wall: pyramids, limits, and what they become on a screen.

No Bokeh here: all of it runs, and is tested, without a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.geometry import Box
from zogy_explorer.masks import names_of
from zogy_explorer.ui.wall.comparison import Comparison
from zogy_explorer.ui.wall.display import DisplaySettings
from zogy_explorer.ui.wall.layers import DEFAULT_LAYERS, LayerSpec
from zogy_explorer.ui.wall.mask_codes import MaskCodes
from zogy_explorer.ui.wall.pyramid import Pyramid
from zogy_explorer.ui.wall.sky import sexagesimal, sky_position
from zogy_explorer.ui.wall.stretch import Stretch, diverging_limits, sky_limits
from zogy_explorer.ui.wall.viewport import Window

if TYPE_CHECKING:
    from astropy.wcs import WCS

LayerData = NDArray[Any] | Pyramid | None
"""Full-resolution pixels, or a pyramid made of them; None: no data yet."""

_TYPICAL_PANEL = 300  # shorter side of a panel [px], for levels made in advance


def build_pyramids(
    bbox: Box,
    layers: Mapping[str, LayerData],
    specs: Sequence[LayerSpec] = DEFAULT_LAYERS,
) -> dict[str, Pyramid]:
    """Pyramids of full-frame arrays, ready to be shown; safe in a worker thread.

    Parameters
    ----------
    bbox
        Where all arrays lie on the pixel grid.
    layers
        Arrays by layer name; names without a panel are left out.
    specs
        The panels.
    """
    scale = max(bbox.width, bbox.height) / _TYPICAL_PANEL
    built = {}
    for spec in specs:
        if spec.name in layers:
            data = layers[spec.name]
            if not isinstance(data, Pyramid):
                data = Pyramid(data, spec.reduction, bbox)
            built[spec.name] = data if data.empty else data.build(scale)
    return built


class Frame:
    """Images of one pair and its subtraction, and how they are shown.

    Parameters
    ----------
    specs
        The layers.
    """

    def __init__(self, specs: Sequence[LayerSpec]) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._settings = DisplaySettings()
        self._limits: dict[tuple[str, int], tuple[float, float] | None] = {}
        self._patched: dict[str, int] = {}
        self.comparison = Comparison()
        self.reset(Box(0, 0, 100, 100), {}, {}, None)  # a place to be before there is a pair

    def reset(
        self,
        bbox: Box,
        layers: Mapping[str, LayerData],
        mask_planes: Mapping[str, int],
        wcs: WCS | None,
    ) -> None:
        """Take the images of another pair; layers that are missing have no data yet."""
        self.box, self.wcs = bbox, wcs
        self.codes = MaskCodes(mask_planes)
        self.comparison.pin({})
        self._pyramids = {
            name: Pyramid(None, spec.reduction, bbox) for name, spec in self._specs.items()
        }
        self._patched = {}
        self.replace(layers)

    def replace(self, layers: Mapping[str, LayerData]) -> None:
        """Take the full frame of some layers anew."""
        for name, pyramid in build_pyramids(self.box, layers, list(self._specs.values())).items():
            self._pyramids[name] = pyramid
            self._patched.pop(name, None)
            self.comparison.replaced(name)
        self._limits = {}

    def patch(self, box: Box, layers: Mapping[str, NDArray[Any]]) -> list[str]:
        """Replace the pixels of a box; returns the names of the layers that there are."""
        names = [name for name in layers if name in self._pyramids]
        for name in names:
            was_empty = self._pyramids[name].empty
            self._pyramids[name].update(box, layers[name])
            self.comparison.patched(name, box, layers[name])
            self._count(name, box, was_empty)
        return names

    @property
    def settings(self) -> DisplaySettings:
        """How the layers are shown."""
        return self._settings

    @settings.setter
    def settings(self, settings: DisplaySettings) -> None:
        self._settings = settings
        self._limits = {}

    def stretch(self, name: str, step: float) -> Stretch | None:
        """Limits and curve of a layer shown with ``step`` image pixels a screen pixel.

        None for masks, and for layers without data.
        """
        spec = self._specs[name]
        if spec.kind == "mask":
            return None
        if spec.kind == "sky":
            limits = self.sky_limits
            return None if limits is None else Stretch(*limits, self._settings.sky_stretch)
        limits = self._diverging_limits(name, step)
        return None if limits is None else Stretch(*limits)

    def levels(
        self, name: str, window: Window, stretch: Stretch | None
    ) -> NDArray[np.uint8] | None:
        """A layer in a window as the bytes a browser gets, None if it has no data."""
        pyramid = self._pyramids[name]
        if pyramid.empty:
            return None
        pixels = self.comparison.cut(self._specs[name], pyramid, window)
        if self._specs[name].kind == "mask":
            return self.codes.encode(pixels)
        return None if stretch is None else stretch.levels(pixels)

    def shown(self, name: str, window: Window) -> NDArray[Any]:
        """Pixels of the present layer as the screen shows them, before any stretch."""
        return self._pyramids[name].cut(window.region, window.shape)

    @property
    def blank(self) -> bool:
        """Whether there is nothing to show at all."""
        return all(pyramid.empty for pyramid in self._pyramids.values())

    def empty(self, name: str) -> bool:
        """Whether a layer has no data yet."""
        return self._pyramids[name].empty

    def sample(self, name: str) -> NDArray[Any]:
        """Some of the values of a layer."""
        return self._pyramids[name].sample()

    def region(self, box: Box) -> dict[str, NDArray[Any]]:
        """Full-resolution pixels of a box, by layer; layers without data are left out."""
        return {n: p.region(box) for n, p in self._pyramids.items() if not p.empty}

    def exact(self, x: float, y: float) -> tuple[str, list[str]]:
        """Sky position and full-resolution value of every layer at a position, as texts."""
        sky = sky_position(self.wcs, self.box, x, y)
        column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
        texts = []
        for name, spec in self._specs.items():
            value = self.comparison.shown(spec, self._pyramids[name]).value(column, row)
            if spec.kind == "mask":
                texts.append(" ".join(names_of(int(value or 0), self.codes.planes)))
            elif value is None or not np.isfinite(value):
                texts.append("–")
            else:
                texts.append(f"{value:.6g}".replace("-", "−"))
        return (sexagesimal(*sky) if sky else "", texts)

    @property
    def sky_limits(self) -> tuple[float, float] | None:
        """Common limits of all sky layers: the union, so that both can be compared."""
        settings = self._settings
        if settings.sky_limits == "manual":
            return settings.manual_limits
        key = ("", 0)
        if key not in self._limits:
            found = [
                sky_limits(
                    self._pyramids[name].sample(),
                    settings.sky_limits,
                    percentile=settings.percentile,
                    n_sigma=settings.n_sigma,
                )
                for name, spec in self._specs.items()
                if spec.kind == "sky"
            ]
            known = [limits for limits in found if limits is not None]
            self._limits[key] = (
                (min(low for low, _ in known), max(high for _, high in known)) if known else None
            )
        return self._limits[key]

    def _diverging_limits(self, name: str, step: float) -> tuple[float, float] | None:
        """Limits from pixels as they are shown: zoomed out, extremes of noise are large."""
        source, pyramid = self.comparison.scaled_by(self._specs[name], self._pyramids[name])
        key = (source, max(0, round(np.log2(max(step, 1e-9)))))
        if key not in self._limits:
            sample = pyramid.sample(step)
            self._limits[key] = diverging_limits(sample, self._settings.diverging_sigma)
        return self._limits[key]

    def _count(self, name: str, box: Box, was_empty: bool) -> None:
        """Find limits again while a frame fills cell by cell, but not while one cell is tuned."""
        if was_empty:
            self._patched[name] = 0
        if name not in self._patched:
            return  # the full frame was known
        before, now = self._patched[name], self._patched[name] + box.area
        self._patched[name] = now
        if was_empty or before.bit_length() != now.bit_length():
            self._limits = {k: v for k, v in self._limits.items() if k[0] not in (name, "")}
