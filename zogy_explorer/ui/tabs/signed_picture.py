"""Small pictures of planes that straddle zero, side by side on one scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.geometry import Box
from zogy_explorer.ui.style import Palette
from zogy_explorer.ui.tabs.padding_plots import Picture
from zogy_explorer.ui.wall.palettes import DARK, LIGHT, diverging_palette
from zogy_explorer.ui.wall.stretch import Stretch

Plane = NDArray[np.floating]


def show_signed(
    picture: Picture, plane: Plane | None, box: Box, limit: float, title: str, colors: Palette
) -> None:
    """A plane from −``limit`` to ``limit`` in a diverging map; None shows nothing."""
    if plane is None:
        picture.clear(title)
        return
    theme = DARK if colors.name == "dark" else LIGHT
    palette = diverging_palette(theme.diverging)
    picture.show(plane, box, "extreme", Stretch(-limit, limit), palette, [], title)


def common_limit(planes: list[Plane], quantile: float = 0.995) -> float:
    """Range that shows the strongest of some planes without being ruled by one pixel."""
    largest = 0.0
    for plane in planes:
        finite = np.abs(plane[np.isfinite(plane)])
        if finite.size:
            largest = max(largest, float(np.quantile(finite, quantile)))
    return largest or 1.0
