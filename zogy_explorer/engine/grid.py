"""The grid of cells: inner boxes that tile the image, outer boxes with padding around them."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.fft import next_fast_len

from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box

_POWERS_OF_TWO = tuple(2**n for n in range(4, 14))  # 16 … 8192; larger cells are left as they are


@dataclass(frozen=True)
class Cell:
    """One cell of the grid: the unit of compute, tuning and diagnosis."""

    index: int
    column: int
    row: int
    inner: Box
    outer: Box

    @property
    def name(self) -> str:
        """Row and column, such as ``r0c2``."""
        return f"r{self.row}c{self.column}"


def generate_grid(
    image_box: Box,
    min_edge: tuple[int, int],
    inner_dims: tuple[int, int],
    min_total: tuple[int, int] | None = None,
    *,
    sizing: str = "exact",
) -> tuple[Cell, ...]:
    """Cells that cover each pixel of the image exactly once, row by row.

    Parameters
    ----------
    image_box
        Pixels to cover.
    min_edge
        Smallest border (x, y) between inner and outer box [px].
    inner_dims
        Wanted inner size (width, height) [px]; stretched so that whole cells fit, the remainder
        going to the last column and row.
    min_total
        Smallest outer size (width, height) [px].
    sizing
        ``"fast"``, ``"powerOfTwo"`` or ``"exact"``: how outer sizes are rounded up (always even).

    Raises
    ------
    InputError
        If a size is not usable.
    """
    if min(inner_dims) < 1 or min(min_edge) < 0:
        raise InputError(
            f"grid with inner size {inner_dims} and border {min_edge}: "
            "the inner size must be at least 1 px and the border not negative"
        )
    columns = _divide(image_box.x0, image_box.width, inner_dims[0])
    rows = _divide(image_box.y0, image_box.height, inner_dims[1])
    least = min_total or (0, 0)
    x_spans = [(x, w, *_outer(x, w, min_edge[0], least[0], sizing)) for x, w in columns]
    y_spans = [(y, h, *_outer(y, h, min_edge[1], least[1], sizing)) for y, h in rows]
    return tuple(
        Cell(
            index=row * len(x_spans) + column,
            column=column,
            row=row,
            inner=Box(x, y, width, height),
            outer=Box(outer_x, outer_y, outer_width, outer_height),
        )
        for row, (y, height, outer_y, outer_height) in enumerate(y_spans)
        for column, (x, width, outer_x, outer_width) in enumerate(x_spans)
    )


def padded_box(inner: Box, border: int, least: int, sizing: str) -> Box:
    """Outer box of one cell by the rules of `generate_grid`."""
    x, width = _outer(inner.x0, inner.width, border, least, sizing)
    y, height = _outer(inner.y0, inner.height, border, least, sizing)
    return Box(x, y, width, height)


def padded_length(length: int, sizing: str) -> int:
    """Transform length ≥ ``length``, even, by the rule ``sizing``."""
    if sizing == "powerOfTwo":
        length = next((n for n in _POWERS_OF_TWO if n >= length), length)
    elif sizing == "fast":
        return _next_fast_even(length)
    elif sizing != "exact":
        raise InputError(f"fftSizing is {sizing!r}: it must be fast, powerOfTwo or exact")
    return length + length % 2


def split_border(inner: Box, outer: Box) -> tuple[Box, ...]:
    """The eight boxes of the border, counter-clockwise from the lower left.

    Raises
    ------
    InputError
        Unless the outer box exceeds the inner one on all four sides.
    """
    left, right = inner.x0 - outer.x0, outer.end_x - inner.end_x
    bottom, top = inner.y0 - outer.y0, outer.end_y - inner.end_y
    if min(left, right, bottom, top) < 1:
        raise InputError(
            f"outer box {outer} does not exceed inner box {inner} on every side: "
            "a border of at least 1 px is needed all round"
        )
    return (
        Box(outer.x0, outer.y0, left, bottom),
        Box(inner.x0, outer.y0, inner.width, bottom),
        Box(inner.end_x, outer.y0, right, bottom),
        Box(inner.end_x, inner.y0, right, inner.height),
        Box(inner.end_x, inner.end_y, right, top),
        Box(inner.x0, inner.end_y, inner.width, top),
        Box(outer.x0, inner.end_y, left, top),
        Box(outer.x0, inner.y0, left, inner.height),
    )


def _divide(start: int, length: int, wanted: int) -> list[tuple[int, int]]:
    """(start, length) of each whole part; the last takes the remainder."""
    n = max(length // wanted, 1)
    size = length // n
    parts = [(start + i * size, size) for i in range(n)]
    last = parts[-1][0]
    parts[-1] = (last, start + length - last)
    return parts


def _outer(start: int, length: int, edge: int, least: int, sizing: str) -> tuple[int, int]:
    """(start, length) of the padded span; the lower border is the smaller half."""
    total = padded_length(max(length + 2 * edge, least), sizing)
    return start - (total - length) // 2, total


def _next_fast_even(length: int) -> int:
    """Next even length with prime factors up to 11."""
    candidate = length + length % 2
    while (fast := next_fast_len(candidate)) % 2:
        candidate = fast + 1
    return int(fast)
