"""What a chapter wants drawn, as plain values; `views` draws them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Plane = NDArray[np.floating]


@dataclass(frozen=True)
class Mark:
    """A ring around (x, y) with a word beside it."""

    x: float
    y: float
    word: str = ""
    radius: float = 5.0


@dataclass(frozen=True, eq=False)
class ImagePicture:
    """An image.

    Parameters
    ----------
    title
        Above it.
    plane
        Pixels (ny, nx).
    low, high
        Values of the first and last colour.
    diverging
        Zero in the middle of a two-sided map; False: a map from dark to bright.
    marks
        Rings.
    lines
        Grid lines, as (x0, y0, x1, y1).
    """

    title: str
    plane: Plane
    low: float
    high: float
    diverging: bool = False
    marks: tuple[Mark, ...] = ()
    lines: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class Curve:
    """A line or points in a plot; styles differ by dash and mark as well as by colour.

    Parameters
    ----------
    name
        In the legend.
    x, y
        Values.
    style
        0, 1, 2: one of three looks.
    error
        Half-widths of error bars, drawn with points.
    points
        Points instead of a line.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    style: int = 0
    error: ArrayLike | None = None
    points: bool = False


@dataclass(frozen=True, eq=False)
class PlotPicture:
    """A plot of curves.

    Parameters
    ----------
    title, x_label, y_label
        Words.
    curves
        What is drawn.
    x_range, y_range
        Fixed ends of the axes, so that a moving curve is seen to move.
    legend
        Corner of the legend: one that no curve goes to.
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    legend: str = "top_right"


Picture = ImagePicture | PlotPicture


def sky(title: str, plane: Plane, sigma: float, **more: object) -> ImagePicture:
    """An image of the sky, from −2σ to +15σ."""
    return ImagePicture(title, plane, -2 * sigma, 15 * sigma, False, **more)  # type: ignore[arg-type]


def residual(title: str, plane: Plane, sigma: float = 1.0, **more: object) -> ImagePicture:
    """An image around zero, ±5σ."""
    return ImagePicture(title, plane, -5 * sigma, 5 * sigma, True, **more)  # type: ignore[arg-type]
