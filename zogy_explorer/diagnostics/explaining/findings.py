"""What an inquiry found, before it is put into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from zogy_explorer.diagnostics.explaining.damage import Pixel
from zogy_explorer.diagnostics.explaining.field_errors import FieldErrors
from zogy_explorer.diagnostics.explaining.residual_fit import Added, Fit, Window
from zogy_explorer.diagnostics.explaining.suspects import Edge, Hits, PointSource
from zogy_explorer.diagnostics.local_pair import Plane
from zogy_explorer.engine.result import CellResult, Difference

IMAGES = ("science image", "template")
"""What the images are called, by their numbers."""


@dataclass(frozen=True, eq=False)
class Finding:
    """A cause with the figures that speak for it."""

    name: str
    delta_chi2: float
    gain: float
    supported: bool
    fit: Fit | None = None
    source: PointSource | None = None
    hits: Hits | None = None
    far: Hits | None = None
    edge: Edge | None = None
    shapes: tuple[Added, ...] = ()
    pixels: tuple[Pixel, ...] = ()
    planes: tuple[str, ...] = ()
    plane: Plane | None = None


class Inquiry(Protocol):
    """What the words need to know of the inquiry."""

    difference: Difference
    cell: CellResult
    window: Window
    x: float
    y: float
    chi2: float
    pull: float
    excess: float
    field: FieldErrors | None


@dataclass(frozen=True)
class Size:
    """How large a cause is, and the words for it; the fields are those of `Cause`."""

    amplitude: float
    error: float
    unit: str
    sentence: str
    advice: str
    values: dict[str, float]
