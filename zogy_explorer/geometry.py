"""Integer pixel boxes: where an image, a cell or its padding lies on the sky's pixel grid.

Integer coordinates are pixel centres. A box may lie partly or wholly outside an image, as the
padded box of a cell at the edge does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zogy_explorer.errors import InputError


@dataclass(frozen=True, slots=True)
class Box:
    """A box of whole pixels, ``width`` × ``height`` from pixel (``x0``, ``y0``).

    Parameters
    ----------
    x0, y0
        First column and row [px].
    width, height
        Extent [px]; at least 1.

    Raises
    ------
    InputError
        If the box has no pixels.
    """

    x0: int
    y0: int
    width: int
    height: int

    def __post_init__(self) -> None:
        for name in ("x0", "y0", "width", "height"):
            object.__setattr__(self, name, int(getattr(self, name)))
        if self.width < 1 or self.height < 1:
            raise InputError(
                f"box is {self.width}×{self.height} px: width and height must be at least 1"
            )

    @classmethod
    def from_shape(cls, shape: tuple[int, int], xy0: tuple[int, int] = (0, 0)) -> Box:
        """Box of an array of ``shape`` (ny, nx) whose pixel [0, 0] lies at ``xy0`` (x, y)."""
        return cls(xy0[0], xy0[1], shape[1], shape[0])

    @property
    def min_x(self) -> int:
        """First column."""
        return self.x0

    @property
    def min_y(self) -> int:
        """First row."""
        return self.y0

    @property
    def max_x(self) -> int:
        """Last column (inclusive)."""
        return self.x0 + self.width - 1

    @property
    def max_y(self) -> int:
        """Last row (inclusive)."""
        return self.y0 + self.height - 1

    @property
    def end_x(self) -> int:
        """One past the last column."""
        return self.x0 + self.width

    @property
    def end_y(self) -> int:
        """One past the last row."""
        return self.y0 + self.height

    @property
    def shape(self) -> tuple[int, int]:
        """Array shape (ny, nx)."""
        return (self.height, self.width)

    @property
    def area(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        """Geometric centre (x, y) [px]."""
        return (self.x0 + (self.width - 1) / 2, self.y0 + (self.height - 1) / 2)

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Outer pixel edges (left, bottom, right, top) [px], for drawing."""
        return (self.x0 - 0.5, self.y0 - 0.5, self.end_x - 0.5, self.end_y - 0.5)

    def contains(self, other: Box) -> bool:
        """Whether every pixel of ``other`` lies in this box."""
        return (
            self.x0 <= other.x0
            and self.y0 <= other.y0
            and other.end_x <= self.end_x
            and other.end_y <= self.end_y
        )

    def contains_point(self, x: float, y: float) -> bool:
        """Whether (x, y) falls on a pixel of this box."""
        left, bottom, right, top = self.edges
        return left <= x < right and bottom <= y < top

    def intersection(self, other: Box) -> Box | None:
        """Common pixels, or None if there are none."""
        x0, y0 = max(self.x0, other.x0), max(self.y0, other.y0)
        x1, y1 = min(self.end_x, other.end_x), min(self.end_y, other.end_y)
        return Box(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None

    def shifted(self, dx: int, dy: int) -> Box:
        """The box moved by (dx, dy) pixels."""
        return Box(self.x0 + dx, self.y0 + dy, self.width, self.height)

    def slices(self, xy0: tuple[int, int] = (0, 0)) -> tuple[slice, slice]:
        """Slices (y, x) of this box in an array whose pixel [0, 0] lies at ``xy0`` (x, y)."""
        x, y = self.x0 - xy0[0], self.y0 - xy0[1]
        return (slice(y, y + self.height), slice(x, x + self.width))

    def __iter__(self) -> Iterator[int]:
        return iter((self.x0, self.y0, self.width, self.height))

    def __str__(self) -> str:
        return f"{self.width}×{self.height} at ({self.x0}, {self.y0})"
