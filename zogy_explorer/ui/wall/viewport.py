"""Which part of the pixel grid a panel shows, and which screen pixels an image must have for it.

The *wanted* box is what a user or a button asked for. The ranges of the axes are derived from it
each time the panels change size; deriving them from the former ranges would zoom out a little
with every transient size a browser passes through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zogy_explorer.geometry import Box
from zogy_explorer.ui.wall.pyramid import View


@dataclass(frozen=True)
class Window:
    """The part of an image to be painted.

    Parameters
    ----------
    region
        Edges on the pixel grid.
    shape
        Screen pixels (rows, columns) to paint it with.
    """

    region: View
    shape: tuple[int, int]


def box_view(box: Box, margin: float = 0.0) -> View:
    """View of a box with a ``margin`` on each side, as a fraction of its longer side."""
    left, bottom, right, top = box.edges
    pad = margin * max(box.width, box.height)
    return (left - pad, bottom - pad, right + pad, top + pad)


def centred_on(box: Box, view: View) -> View:
    """The view if the box is wholly in it; else one of the same size with the box's centre."""
    left, bottom, right, top = box.edges
    x0, y0, x1, y1 = view
    if x0 <= left and y0 <= bottom and right <= x1 and top <= y1:
        return view
    half_x, half_y = (x1 - x0) / 2, (y1 - y0) / 2
    x, y = (left + right) / 2, (bottom + top) / 2
    return (x - half_x, y - half_y, x + half_x, y + half_y)


def fitted(view: View, width: float, height: float) -> View:
    """The smallest view around ``view`` whose pixels are square on width × height screen pixels."""
    x0, y0, x1, y1 = view
    step = max((x1 - x0) / width, (y1 - y0) / height)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    half_x, half_y = step * width / 2, step * height / 2
    return (x - half_x, y - half_y, x + half_x, y + half_y)


def differs(view: View, other: View, tolerance: float = 2e-3) -> bool:
    """Whether two views differ by more than a fraction of their width: a screen pixel or so."""
    reach = tolerance * max(view[2] - view[0], other[2] - other[0])
    return any(abs(a - b) > reach for a, b in zip(view, other, strict=True))


def paint_window(view: View, width: int, height: int, box: Box, margin: float) -> Window | None:
    """What to paint of the image in ``box``, None if the view shows nothing of it.

    Parameters
    ----------
    view
        Shown on ``width`` × ``height`` screen pixels.
    margin
        Painted beyond the view on each side, so that a pan does not begin with blank edges
        [fraction of the view].
    """
    left, bottom, right, top = box.edges
    x0, y0, x1, y1 = view
    pad_x, pad_y = margin * (x1 - x0), margin * (y1 - y0)
    columns = _lattice(left, right, x0 - pad_x, x1 + pad_x, (x1 - x0) / width)
    rows = _lattice(bottom, top, y0 - pad_y, y1 + pad_y, (y1 - y0) / height)
    if columns is None or rows is None:
        return None
    return Window((columns[0], rows[0], columns[1], rows[1]), (rows[2], columns[2]))


def _lattice(
    low: float, high: float, start: float, end: float, step: float
) -> tuple[float, float, int] | None:
    """First edge, last edge and number of painted pixels along one axis.

    The lattice hangs on the image and not on the view: else a pan by a fraction of a pixel would
    sample the noise anew, and the image would shimmer. Zoomed in, image pixels are painted as
    they are and the browser makes squares of them.
    """
    step = max(step, 1.0)
    first = int(np.floor((max(start, low) - low) / step))
    last = int(np.ceil((min(end, high) - low) / step))
    if last <= first:
        return None
    return (low + first * step, low + last * step, last - first)
