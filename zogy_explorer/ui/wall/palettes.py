"""Colours: of the two themes, of severities and mask planes, and of pixel values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import colorcet
from bokeh.colors import RGB, named
from bokeh.palettes import cividis, viridis

from zogy_explorer.ui.wall.display import SkyMap


@dataclass(frozen=True)
class Theme:
    """Colours of the wall itself, as CSS colours."""

    background: str  # around the images
    no_data: str  # inside the panels, where there is no image
    text: str
    muted: str
    crosshair: str
    selection: str
    selection_halo: str
    severities: Mapping[str, str]
    clean: str  # pixels without a mask plane
    diverging: str  # name of the colour map
    contour: str  # lines that are drawn over images

    @property
    def toolbar_css(self) -> str:
        """Style of the toolbar."""
        return (
            f":host{{background:{self.background};--color:{self.muted};padding-left:2px}}"
            f".bk-tool-icon{{background-color:{self.muted}}}"
        )


DARK = Theme(
    background="#15181d",
    no_data="#20242b",
    text="#e4e7ec",
    muted="#8d96a5",
    crosshair="rgba(255,255,255,0.45)",
    selection="#ffffff",
    selection_halo="rgba(0,0,0,0.75)",
    severities=MappingProxyType(
        {"ok": "#5d6878", "info": "#56b4e9", "warning": "#f0e442", "failed": "#ff6f3c"}
    ),
    clean="#000000",
    diverging="bkr",
    contour="#7ee0a8",
)
LIGHT = Theme(
    background="#ffffff",
    no_data="#e7e9ee",
    text="#1c2230",
    muted="#667085",
    crosshair="rgba(0,0,0,0.5)",
    selection="#111111",
    selection_halo="rgba(255,255,255,0.85)",
    severities=MappingProxyType(
        {"ok": "#9aa3b2", "info": "#1c7ed6", "warning": "#c99700", "failed": "#e0480f"}
    ),
    clean="#343b48",
    diverging="coolwarm",
    contour="#0b7a3e",
)

SEVERITIES = ("ok", "info", "warning", "failed")
"""From harmless to hopeless: worse cells are drawn over better ones."""

# Okabe & Ito's colours (safe for colour-blind eyes), in the order in which planes win a pixel:
# what hides data before what merely points at something.
PLANE_COLORS: Mapping[str, str] = MappingProxyType(
    {
        "NO_DATA": "#9aa0a6",
        "BAD": "#cc79a7",
        "SAT": "#e69f00",
        "CR": "#f0e442",
        "INTRP": "#d55e00",
        "SUSPECT": "#b39ddb",
        "EDGE": "#0072b2",
        "DETECTED_NEGATIVE": "#56b4e9",
        "DETECTED": "#009e73",
    }
)
_DARK = 0.12  # luminance below which a colour needs a light halo: blue, but not red
_OTHER_COLORS = ("#80cbc4", "#f48fb1", "#c5e1a5", "#ffab91", "#90caf9", "#bcaaa4")


def halo_of(color: str) -> str | None:
    """What a line of this CSS colour needs below it to be seen on any image.

    None: it is no name or ``#rrggbb`` that is known.
    """
    try:
        known = (
            RGB.from_hex_string(color)
            if color.startswith("#")
            else getattr(named, color.lower()).to_rgb()
        )
    except (AttributeError, ValueError):
        return None
    dark = known.luminance < _DARK
    return LIGHT.selection_halo if dark else DARK.selection_halo


def plane_color(name: str) -> str:
    """Colour of a mask plane, the same for a name wherever it is met."""
    return PLANE_COLORS.get(name) or _OTHER_COLORS[sum(name.encode()) % len(_OTHER_COLORS)]


def sky_palette(name: SkyMap) -> list[str]:
    """Palette of 256: nothing for "no data", then 255 colours from low to high."""
    if name == "gray":
        colors = [f"#{v:02x}{v:02x}{v:02x}" for v in range(256)]
    else:
        colors = list((cividis if name == "cividis" else viridis)(256))
    return ["#00000000", *colors[1:]]


def diverging_palette(name: str) -> list[str]:
    """Palette of 256: nothing for "no data", then 255 colours with the middle one at zero."""
    return ["#00000000", *colorcet.palette[name][1:]]
