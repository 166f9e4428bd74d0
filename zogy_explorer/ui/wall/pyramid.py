"""A 2-D array reduced to exactly the pixels that a screen shows, fast enough to do it live.

A `Pyramid` keeps the full-resolution array as it is (never copied, never written to) and halves
it lazily, level by level. A cut starts from the level whose pixels are one half to one quarter
of a screen pixel and reduces that to the screen's own grid, so that nothing jumps as the user
zooms through a level. How pixels are joined depends on what they mean, see `Reduction`.

New pixels of a cell (`Pyramid.update`) are kept as a patch over the untouched array, and only
the touched part of each level is made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box
from zogy_explorer.ui.wall.taps import Taps, area_taps, span_taps

Reduction = Literal["mean", "extreme", "or"]
"""``mean`` of images, the value of larger ``extreme`` |value| of images whose noise straddles
zero and whose rare outliers must survive, ``or`` of bit masks."""

View = tuple[float, float, float, float]
"""Left, bottom, right and top edge on the pixel grid; pixel i covers i − ½ … i + ½."""

_BLOCK_ROWS = 128  # rows reduced at a time: two blocks of a 4096-pixel-wide image stay in cache
_MAX_PATCHES = 256  # beyond this, patches are folded into one array

_Reducer = Callable[[NDArray[Any]], NDArray[Any]]


class Pyramid:
    """Lazily halved copies of one image, cut to the screen's pixels on request.

    Parameters
    ----------
    array : (ny, nx) array, or None
        Full-resolution pixels; NaN (0 in masks) is "no data". Kept by reference. None: no data
        yet, everywhere.
    kind
        How pixels are joined.
    box
        Where the array lies on the pixel grid; gives the shape if there is no array.

    Raises
    ------
    InputError
        If the array does not have the shape of the box.
    """

    def __init__(self, array: NDArray[Any] | None, kind: Reduction, box: Box) -> None:
        if array is not None and array.shape != box.shape:
            raise InputError(
                f"array of shape {array.shape} does not fill the {box} box: they must agree"
            )
        self.kind: Reduction = kind
        self.box = box
        self.dtype: np.dtype[Any] = np.dtype(np.int32 if kind == "or" else np.float32)
        self._blank: float = 0 if kind == "or" else np.nan
        self._base = array
        self._patches: dict[Box, NDArray[Any]] = {}
        self._levels: list[NDArray[Any]] = []

    @property
    def empty(self) -> bool:
        """Whether no pixel was ever given."""
        return self._base is None and not self._patches

    def build(self, scale: float) -> Pyramid:
        """Make the levels needed at ``scale`` image pixels a screen pixel; returns itself.

        The slow part (tens of ms for 4096²), free of shared state: call it in a worker thread
        before handing the pyramid to a page.
        """
        self._level(self._level_for(scale))
        return self

    def cut(self, view: View, out_shape: tuple[int, int]) -> NDArray[Any]:
        """Pixels of ``view`` on a screen of ``out_shape`` (rows, columns).

        Upsampling repeats the nearest pixel, so that a pixel looks like a square.

        Returns
        -------
        (rows, columns) array
            float32, NaN outside the image and where there is no data; int32 for masks.
        """
        height, width = out_shape
        x0, y0, x1, y1 = view
        step_x, step_y = (x1 - x0) / width, (y1 - y0) / height
        level = 0 if self.empty else self._level_for(min(step_x, step_y))
        side = float(1 << level)
        left, bottom = x0 - self.box.x0 + 0.5, y0 - self.box.y0 + 0.5
        make = area_taps if self.kind == "mean" else span_taps
        columns = make(left / side, step_x / side, width, self.box.width / side)
        rows = make(bottom / side, step_y / side, height, self.box.height / side)
        if columns is None or rows is None or self.empty:
            return np.full(out_shape, self._blank, self.dtype)
        source = self._read(level, rows.extent, columns.extent)
        with np.errstate(all="ignore"):
            out = _gather(source, rows, columns, self.kind)
        if not rows.inside.all():
            out[~rows.inside] = self._blank
        if not columns.inside.all():
            out[:, ~columns.inside] = self._blank
        return out

    def update(self, box: Box, array: NDArray[Any]) -> None:
        """Replace the pixels of ``box`` (what of it lies outside the image is left out).

        The array must not be written to afterwards.
        """
        if array.shape != box.shape:
            raise InputError(f"patch of shape {array.shape} does not fill the {box} box")
        common = box.intersection(self.box)
        if common is None:
            return
        patch = array[common.slices((box.x0, box.y0))]
        self._patches = {b: a for b, a in self._patches.items() if not common.contains(b)}
        self._patches[common] = patch
        if len(self._patches) > _MAX_PATCHES:
            self._fold()
        y, x = common.slices((self.box.x0, self.box.y0))
        for level in range(1, len(self._levels) + 1):
            y, x = _parents(y), _parents(x)
            below_y, below_x = slice(2 * y.start, 2 * y.stop), slice(2 * x.start, 2 * x.stop)
            self._levels[level - 1][y, x] = _reduce(
                self._read(level - 1, below_y, below_x), self.kind, self.dtype
            )

    def region(self, box: Box) -> NDArray[Any]:
        """Pixels of a box inside the image at full resolution; not to be written to."""
        y, x = box.slices((self.box.x0, self.box.y0))
        return self._read(0, y, x)

    def minus(self, other: Pyramid) -> Pyramid:
        """Pyramid of the pixel-by-pixel difference from another image of the same box."""
        return Pyramid(self.region(self.box) - other.region(self.box), self.kind, self.box)

    def value(self, x: int, y: int) -> float | int | None:
        """Exact pixel value, None outside the image or where nothing was given yet."""
        if not self.box.contains_point(x, y) or self.empty:
            return None
        column, row = x - self.box.x0, y - self.box.y0
        pixel = self._read(0, slice(row, row + 1), slice(column, column + 1))
        return pixel[0, 0].item()

    def sample(self, scale: float = 1.0, size: int = 20_000) -> NDArray[Any]:
        """About ``size`` values as they look at ``scale`` image pixels a screen pixel, 1-D."""
        if self.empty:
            return np.empty(0, self.dtype)
        level = 0 if scale <= 1 else min(round(np.log2(scale)), self._top)
        array = self._base if level == 0 and self._base is not None else None
        if array is None and level == 0:
            array = self._read(0, slice(0, self.box.height), slice(0, self.box.width))
        elif array is None:
            array = self._level(level)
        step = max(1, int(np.sqrt(array.size / size)))
        # Rows and columns taken at a fixed step would follow bad columns and amplifiers: let
        # the columns slip along from row to row.
        ny, nx = array.shape
        rows = np.arange(0, ny, step)
        columns = (np.arange(0, nx, step)[None, :] + (rows * 7)[:, None] // 3) % nx
        return array[rows[:, None], columns].astype(self.dtype).ravel()

    @property
    def _top(self) -> int:
        """The highest level: a pixel or so."""
        return max(0, int(np.log2(max(1, min(self.box.shape)))))

    def _level_for(self, scale: float) -> int:
        """Level with 2 to 4 pixels across a screen pixel of ``scale`` image pixels."""
        return 0 if scale < 4 else min(int(np.log2(scale)) - 1, self._top)

    def _level(self, level: int) -> NDArray[Any]:
        """Level ``level`` ≥ 1, made now if it never was (0 makes nothing)."""
        while len(self._levels) < level:
            below = len(self._levels)
            ny, nx = self.box.shape if below == 0 else self._levels[-1].shape
            out = np.empty(((ny + 1) // 2, (nx + 1) // 2), self.dtype)
            for row in range(0, ny, _BLOCK_ROWS):
                block = self._read(below, slice(row, min(row + _BLOCK_ROWS, ny)), slice(0, nx))
                out[row // 2 : (row + _BLOCK_ROWS) // 2] = _reduce(block, self.kind, self.dtype)
            self._levels.append(out)
        return self._levels[level - 1] if level else np.empty((0, 0), self.dtype)

    def _read(self, level: int, y: slice, x: slice) -> NDArray[Any]:
        """Part of a level, patches included; never to be written to."""
        if level:
            return self._level(level)[y, x]
        y = slice(y.start, min(y.stop, self.box.height))
        x = slice(x.start, min(x.stop, self.box.width))
        shape = (y.stop - y.start, x.stop - x.start)
        part = Box(x.start + self.box.x0, y.start + self.box.y0, shape[1], shape[0])
        hits = [(b, a, c) for b, a in self._patches.items() if (c := part.intersection(b))]
        if self._base is None:
            out = np.full(shape, self._blank, self.dtype)
        elif not hits:
            return self._base[y, x].astype(self.dtype, copy=False)
        else:
            out = self._base[y, x].astype(self.dtype, copy=True)
        for box, array, common in hits:
            out[common.slices((part.x0, part.y0))] = array[common.slices((box.x0, box.y0))]
        return out

    def _fold(self) -> None:
        """Merge all patches into one full-resolution array of our own."""
        self._base = self._read(0, slice(0, self.box.height), slice(0, self.box.width))
        self._patches = {}


def _parents(span: slice) -> slice:
    """Pixels of the next level that the pixels ``span`` of this one fall in."""
    return slice(span.start // 2, (span.stop + 1) // 2)


def _reduce(block: NDArray[Any], kind: Reduction, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Halve a block, NaN-aware; an odd last row or column stands for itself."""
    block = block.astype(dtype, copy=False)
    ny, nx = block.shape
    if ny % 2 or nx % 2:
        block = np.pad(block, ((0, ny % 2), (0, nx % 2)), mode="edge")
    with np.errstate(all="ignore"):
        return _REDUCERS[kind](block)


def _reduce_mean(block: NDArray[Any]) -> NDArray[Any]:
    rows = block[::2] + block[1::2]
    out = rows[:, ::2] + rows[:, 1::2]
    out *= np.float32(0.25)
    # Plain sums are several times faster than nansum: repair the few pixels that touch a NaN.
    y, x = np.nonzero(np.isnan(out))
    if y.size:
        children = np.stack([block[2 * y + dy, 2 * x + dx] for dy in (0, 1) for dx in (0, 1)])
        known = ~np.isnan(children)
        out[y, x] = np.where(known, children, 0).sum(axis=0) / known.sum(axis=0)
    return out


def _reduce_extreme(block: NDArray[Any]) -> NDArray[Any]:
    high, low = np.fmax(block[::2], block[1::2]), np.fmin(block[::2], block[1::2])
    high, low = np.fmax(high[:, ::2], high[:, 1::2]), np.fmin(low[:, ::2], low[:, 1::2])
    return np.where(high >= -low, high, low)


def _reduce_or(block: NDArray[Any]) -> NDArray[Any]:
    rows = block[::2] | block[1::2]
    return rows[:, ::2] | rows[:, 1::2]


_REDUCERS: dict[Reduction, _Reducer] = {
    "mean": _reduce_mean,
    "extreme": _reduce_extreme,
    "or": _reduce_or,
}


def _gather(source: NDArray[Any], rows: Taps, columns: Taps, kind: Reduction) -> NDArray[Any]:
    """Join the taps of each screen pixel, rows first: they are contiguous."""
    if kind == "or":
        for taps, axis in ((rows, 0), (columns, 1)):
            parts = [np.take(source, index, axis) for index in taps.indices]
            source = parts[0]
            for part in parts[1:]:
                source |= part
        return source
    if kind == "extreme":
        high = low = source
        for taps, axis in ((rows, 0), (columns, 1)):
            highs = [np.take(high, index, axis) for index in taps.indices]
            lows = highs if high is low else [np.take(low, index, axis) for index in taps.indices]
            high, low = highs[0], lows[0]
            for above, below in zip(highs[1:], lows[1:], strict=True):
                high, low = np.fmax(high, above), np.fmin(low, below)
        return np.where(high >= -low, high, low)
    out = _weigh(source, rows, columns)
    if np.isnan(out).any():
        known = ~np.isnan(source)
        total = _weigh(np.where(known, source, np.float32(0)), rows, columns)
        weight = _weigh(known.astype(np.float32), rows, columns)
        out = np.where(weight > 1e-4, total / weight, np.float32(np.nan))
    return out


def _weigh(source: NDArray[Any], rows: Taps, columns: Taps) -> NDArray[Any]:
    """Weighted sum of the taps; a tap of weight 0 does not spread its NaN."""
    for taps, axis in ((rows, 0), (columns, 1)):
        if len(taps.indices) == 1:
            source = np.take(source, taps.indices[0], axis)
            continue
        out: NDArray[Any] | None = None
        for index, weight in zip(taps.indices, taps.weights, strict=True):
            part = np.take(source, index, axis)
            part *= weight[:, None] if axis == 0 else weight
            out = part if out is None else np.add(out, part, out=out)
        assert out is not None
        source = out
    return source
