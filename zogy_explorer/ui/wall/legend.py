"""What a panel shows, in words and colours: for those who see the picture and not the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zogy_explorer.ui.wall.display import DisplaySettings
from zogy_explorer.ui.wall.layers import LayerSpec
from zogy_explorer.ui.wall.palettes import plane_color
from zogy_explorer.ui.wall.panel import Panel, short_number
from zogy_explorer.ui.wall.stretch import Stretch

_NO_DATA = "no data"


@dataclass(frozen=True)
class Legend:
    """Of one panel.

    Parameters
    ----------
    figure
        Id of the model of the image.
    title
        Name of the layer, with its unit.
    how
        Where the limits come from, and the stretch; "no data" where there is none.
    low, high
        What the ends of the colour bar stand for; "" where there is no bar.
    colors
        Of the bar, evenly spaced over it, from low to high.
    planes
        Mask planes in view: (name, CSS colour).
    """

    figure: str
    title: str
    how: str
    low: str = ""
    high: str = ""
    colors: tuple[str, ...] = ()
    planes: tuple[tuple[str, str], ...] = ()


def value_legend(
    panel: Panel,
    layer: LayerSpec,
    settings: DisplaySettings,
    palette: Sequence[str],
    stretch: Stretch | None,
) -> Legend:
    """Legend of a layer of values; without a ``stretch`` there are none."""
    title = f"{layer.title} [{layer.unit}]" if layer.unit else layer.title
    if stretch is None:
        return Legend(panel.figure.id, title, _NO_DATA)
    return Legend(
        panel.figure.id,
        title,
        f"{_limits_words(layer, settings)}, {stretch.name}",
        short_number(stretch.low),
        short_number(stretch.high),
        # The first colour is that of "no data". The rest are levels: even steps of the bar are
        # even steps of the screen's brightness, and of the values only if the stretch is linear.
        tuple(palette[1:]),
    )


def mask_legend(
    panel: Panel, layer: LayerSpec, present: Sequence[str], own: Mapping[str, str]
) -> Legend:
    """Legend of a mask, with the planes ``present`` in view; ``own`` are colours of some."""
    planes = tuple((name, own.get(name) or plane_color(name)) for name in present)
    how = "" if planes else "no plane in view"
    return Legend(panel.figure.id, layer.title, how, planes=planes)


def _limits_words(layer: LayerSpec, settings: DisplaySettings) -> str:
    if layer.kind == "diverging":
        return f"±{settings.diverging_sigma:g} σ"
    if settings.sky_limits == "percentile":
        return f"central {settings.percentile:g} %"
    if settings.sky_limits == "sigma":
        return f"±{settings.n_sigma:g} σ"
    return settings.sky_limits
