"""Point-spread functions: one stamp, a grid of stamps interpolated over the field, any callable.

A PSF is any object with ``kernel_image(x=…, y=…)`` that returns a 2-D stamp centred on pixel
``n // 2`` of both axes. The models here return unit-sum float64 stamps. Shifting and resampling
of stamps is not done here: a stamp is taken as it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RegularGridInterpolator
from scipy.spatial import Delaunay, QhullError

from zogy_explorer.errors import PsfError

Stamp = NDArray[np.float64]


@runtime_checkable
class Psf(Protocol):
    """What the engine asks of a PSF."""

    def kernel_image(self, *, x: float, y: float) -> NDArray[np.floating]:
        """Unit-sum stamp (ny, nx) at pixel position (x, y), centred on pixel n // 2."""
        ...


def unit_sum(stamp: ArrayLike, *, what: str = "PSF stamp") -> Stamp:
    """Stamp as a native float64 array of unit sum.

    Parameters
    ----------
    stamp : (ny, nx) array_like
        Any flux unit.
    what
        Name used in error messages.

    Raises
    ------
    PsfError
        If it is not 2-D, not finite, or its sum is not positive.
    """
    try:
        raw = np.asarray(stamp)
    except ValueError:  # rows of different length
        raw = np.array(None)
    if raw.dtype.kind not in "fiub":
        raise PsfError(
            f"{what} is a {type(stamp).__name__} of type {raw.dtype}: "
            "a 2-D array of real numbers is needed"
        )
    array = np.array(raw, dtype=np.float64)
    if array.ndim != 2 or array.size == 0:
        raise PsfError(f"{what} has shape {array.shape}: a 2-D image of the PSF is needed")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise PsfError(
            f"{what} has {bad} non-finite pixels: every pixel must be a number; "
            "set the missing ones to 0 or measure the PSF again"
        )
    total = array.sum()
    if not total > 0:
        raise PsfError(
            f"{what} sums to {total:g}: a PSF needs a positive sum; "
            "check that the right image was given as the PSF"
        )
    # A stamp that was normalised before sums to 1 only within round-off; dividing again would
    # change its last bits, and a file would not give back what was written.
    round_off = 64 * np.finfo(np.float64).eps * np.abs(array).sum()
    return array if abs(total - 1.0) <= round_off else array / total


class KernelPsf:
    """The same stamp everywhere in the field.

    Parameters
    ----------
    stamp : (ny, nx) array_like
        Centred on pixel ``n // 2``; normalised to unit sum here.

    Raises
    ------
    PsfError
        If the stamp is not 2-D, not finite, or does not have a positive sum.
    """

    def __init__(self, stamp: ArrayLike) -> None:
        self._stamp = unit_sum(stamp)
        self._stamp.flags.writeable = False

    @property
    def stamp(self) -> Stamp:
        """The unit-sum stamp (ny, nx), read-only."""
        return self._stamp

    def kernel_image(self, *, x: float = 0.0, y: float = 0.0) -> Stamp:
        """The stamp, wherever (x, y) lies."""
        return self._stamp

    def __repr__(self) -> str:
        ny, nx = self._stamp.shape
        return f"KernelPsf({ny}×{nx})"


class GridPsf:
    """Stamps measured at several positions, interpolated linearly between them.

    On a full rectangular grid of positions the interpolation is bilinear; on scattered positions
    it is linear within the triangles that they span. Outside the positions the nearest point of
    their region is used: PSFs are not extrapolated.

    Parameters
    ----------
    stamps : (n, ny, nx) array_like
        Each centred on pixel ``n // 2``; normalised to unit sum here.
    positions : (n, 2) array_like
        Pixel position (x, y) of each stamp.

    Raises
    ------
    PsfError
        If the shapes do not go together or a stamp is unusable.
    """

    def __init__(self, stamps: ArrayLike, positions: ArrayLike) -> None:
        cube = np.asarray(stamps)
        xy = np.array(positions, dtype=np.float64)
        if cube.ndim != 3 or xy.ndim != 2 or xy.shape != (len(cube), 2):
            raise PsfError(
                f"PSF stamps have shape {cube.shape} and positions {xy.shape}: "
                "n stamps (n, ny, nx) need n positions (n, 2) in (x, y)"
            )
        if not np.isfinite(xy).all():
            raise PsfError("PSF positions are not all finite: each stamp needs an (x, y) in pixels")
        self._stamps = np.stack(
            [unit_sum(stamp, what=f"PSF stamp {i}") for i, stamp in enumerate(cube)]
        )
        self._stamps.flags.writeable = False
        self._positions = xy
        self._positions.flags.writeable = False

    @property
    def stamps(self) -> NDArray[np.float64]:
        """Unit-sum stamps (n, ny, nx), read-only."""
        return self._stamps

    @property
    def positions(self) -> NDArray[np.float64]:
        """Their positions (n, 2) in (x, y) [px], read-only."""
        return self._positions

    def weights(self, x: float, y: float) -> NDArray[np.float64]:
        """Interpolation weights (n,) of the stamps at (x, y); they sum to one."""
        point = np.array([x, y], dtype=np.float64)
        on_grid = _grid_weights(self._positions, point)
        return on_grid if on_grid is not None else _triangle_weights(self._positions, point)

    def kernel_image(self, *, x: float, y: float) -> Stamp:
        """Interpolated unit-sum stamp (ny, nx) at (x, y)."""
        stamp: Stamp = np.tensordot(self.weights(x, y), self._stamps, axes=1)
        return stamp / stamp.sum()

    def __repr__(self) -> str:
        n, ny, nx = self._stamps.shape
        return f"GridPsf({n} stamps of {ny}×{nx})"


class CallablePsf:
    """Any function of position as a PSF.

    Parameters
    ----------
    function
        Called as ``function(x, y)``; returns a stamp, normalised to unit sum here.
    average_position
        Where the PSF is typical (x, y) [px]; the centre of the image if None.
    """

    def __init__(
        self,
        function: Callable[[float, float], ArrayLike],
        *,
        average_position: tuple[float, float] | None = None,
    ) -> None:
        self.function = function
        if average_position is not None:
            self.average_position = average_position

    def kernel_image(self, *, x: float, y: float) -> Stamp:
        """Unit-sum stamp of ``function(x, y)``."""
        return unit_sum(self.function(x, y), what=f"PSF stamp at ({x:g}, {y:g})")

    def __repr__(self) -> str:
        return f"CallablePsf({self.function!r})"


def average_position(psf: object, center: Sequence[float]) -> tuple[float, float]:
    """Position (x, y) at which ``psf`` is typical: its own ``average_position``, else ``center``.

    ``average_position`` may be an attribute or a method, with x and y or a pair of numbers.
    """
    own = getattr(psf, "average_position", None)
    if callable(own):
        own = own()
    if own is None:
        return (float(center[0]), float(center[1]))
    if hasattr(own, "x") and hasattr(own, "y"):
        return (float(own.x), float(own.y))
    return (float(own[0]), float(own[1]))


def _grid_weights(
    positions: NDArray[np.float64], point: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Bilinear weights if the positions fill a rectangular grid, else None."""
    xs, ix = np.unique(positions[:, 0], return_inverse=True)
    ys, iy = np.unique(positions[:, 1], return_inverse=True)
    if len(xs) * len(ys) != len(positions) or len(set(zip(ix, iy, strict=True))) != len(positions):
        return None
    # A single column or row (or one stamp) still interpolates along the other axis.
    axes = tuple(axis if len(axis) > 1 else np.array([axis[0], axis[0] + 1.0]) for axis in (ys, xs))
    unit = np.zeros((len(axes[0]), len(axes[1]), len(positions)))
    unit[iy, ix, np.arange(len(positions))] = 1.0
    if len(ys) == 1:
        unit[1] = unit[0]
    if len(xs) == 1:
        unit[:, 1] = unit[:, 0]
    clamped = [
        np.clip(point[1], axes[0][0], axes[0][-1]),
        np.clip(point[0], axes[1][0], axes[1][-1]),
    ]
    return np.asarray(RegularGridInterpolator(axes, unit)(clamped)[0])


def _triangle_weights(
    positions: NDArray[np.float64], point: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Barycentric weights in the Delaunay triangle of ``point``, or of the nearest hull point."""
    weights = np.zeros(len(positions))
    try:
        mesh = Delaunay(positions)
    except QhullError:  # fewer than three positions, or all on one line
        return _segment_weights(positions, point)
    simplex = int(mesh.find_simplex(point))
    if simplex < 0:
        candidates = [_segment_weights(positions[edge], point) for edge in mesh.convex_hull]
        feet = [w @ positions[e] for w, e in zip(candidates, mesh.convex_hull, strict=True)]
        best = int(np.argmin([np.sum((foot - point) ** 2) for foot in feet]))
        weights[mesh.convex_hull[best]] = candidates[best]
        return weights
    corners = mesh.simplices[simplex]
    transform = mesh.transform[simplex]
    first = transform[:2] @ (point - transform[2])
    weights[corners] = [*first, 1.0 - first.sum()]
    return weights


def _segment_weights(
    positions: NDArray[np.float64], point: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Linear weights between the two positions (on a line) that bracket ``point``."""
    weights = np.zeros(len(positions))
    if len(positions) == 1:
        weights[0] = 1.0
        return weights
    origin = positions[0]
    far = positions[np.argmax(np.sum((positions - origin) ** 2, axis=1))]
    length = np.hypot(*(far - origin))
    if length == 0:
        weights[0] = 1.0
        return weights
    along = (positions - origin) @ (far - origin) / length
    order = np.argsort(along)
    target = np.clip((point - origin) @ (far - origin) / length, along[order[0]], along[order[-1]])
    upper = int(np.clip(np.searchsorted(along[order], target), 1, len(order) - 1))
    low, high = order[upper - 1], order[upper]
    span = along[high] - along[low]
    fraction = (target - along[low]) / span if span > 0 else 0.0
    weights[low] += 1.0 - fraction
    weights[high] += fraction
    return weights
