"""The layers of the wall: what there is to see of a pair and its subtraction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from zogy_explorer.ui.wall.pyramid import Reduction

LayerKind = Literal["sky", "diverging", "mask"]


@dataclass(frozen=True)
class LayerSpec:
    """One panel of the wall.

    Parameters
    ----------
    name
        Key of the layer's array, and part of its models' names (``figure-<name>``).
    title
        What it is called above the panel.
    kind
        ``sky`` layers share one stretch, ``diverging`` ones are centred on zero, ``mask`` holds
        bits.
    unit
        Unit of the values, or "".
    label
        Short name for the readout; the title by default.
    """

    name: str
    title: str
    kind: LayerKind
    unit: str = ""
    label: str = ""

    @property
    def reduction(self) -> Reduction:
        """How its pixels are joined when there are more than the screen can show."""
        return _REDUCTIONS[self.kind]


_REDUCTIONS: Mapping[LayerKind, Reduction] = MappingProxyType(
    {"sky": "mean", "diverging": "extreme", "mask": "or"}
)

DEFAULT_LAYERS = (
    LayerSpec("science", "Science", "sky"),
    LayerSpec("template", "Template", "sky"),
    LayerSpec("difference", "Difference D", "diverging", label="D"),
    LayerSpec("score", "Score S", "diverging", label="S"),
    LayerSpec("scorr", "Scorr", "diverging", "σ"),
    LayerSpec("mask", "Mask", "mask"),
)
"""Both images, D, S and Scorr, and the mask of the result."""
