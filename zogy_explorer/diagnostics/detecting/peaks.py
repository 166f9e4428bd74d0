"""Peaks of Scorr: where they are, how bright, and with what errors.

Detection is by Scorr, measurement by S: for white noise in D the place and the flux that fit a
point source best are the maximum of S and S/F_S there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.detecting.local_maxima import local_maxima
from zogy_explorer.diagnostics.point_response import PointResponse
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.engine.subpixel import Splines, bilinear, maxima, windows

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_SAME_PLACE = 1.0  # [px]
_CLIMB = 1.5  # [FWHM of P_D] from a peak of Scorr to the maximum of S that it belongs to
_SAME_LIGHT = 1.25  # FWHM of P_S within which a peak may be a bump on the flank of another


@dataclass(frozen=True, eq=False)
class Peaks:
    """n peaks; every field is an array (n,).

    Parameters
    ----------
    row, column
        Highest pixel, as array indices.
    sign
        +1 or −1.
    cell
        Index of the cell.
    x, y
        Offset of the maximum of S from that pixel [px].
    score, variance
        S and V_total there.
    x_error, y_error
        1σ errors of the position [px].
    flux_score
        F_S of the cell.
    flank
        Whether S has no maximum there, only Scorr.
    """

    row: Indices
    column: Indices
    sign: NDArray[np.int64]
    cell: Indices
    x: Array
    y: Array
    score: Array
    variance: Array
    x_error: Array
    y_error: Array
    flux_score: Array
    flank: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.row)

    @property
    def significance(self) -> Array:
        """Scorr at the maximum [σ], signed."""
        return self.score / np.sqrt(self.variance)

    @property
    def flux(self) -> Array:
        """α = S/F_S (eqs. 41, 42) [calibrated unit]."""
        return self.score / self.flux_score

    @property
    def flux_error(self) -> Array:
        """σ_α = √V / F_S (eqs. 41, 42) [calibrated unit]."""
        return np.sqrt(self.variance) / self.flux_score

    @property
    def array_x(self) -> Array:
        """Position as array column [px]."""
        return self.column + self.x

    @property
    def array_y(self) -> Array:
        """Position as array row [px]."""
        return self.row + self.y

    def take(self, which: Any) -> Self:
        """Some of the peaks, by index array or boolean mask."""
        return replace(self, **{name: getattr(self, name)[which] for name in _FIELDS})

    def separation(self, i: int, others: Any) -> Array:
        """Distances of peak ``i`` from ``others`` [px]."""
        return np.hypot(
            self.array_x[others] - self.array_x[i], self.array_y[others] - self.array_y[i]
        )


_FIELDS = tuple(Peaks.__dataclass_fields__)


def find_peaks(
    difference: Difference, threshold: float, response_of: Callable[[int], PointResponse]
) -> Peaks:
    """Peaks of |Scorr| above ``threshold`` [σ], measured, brightest first.

    Parameters
    ----------
    difference
        With S and Scorr.
    threshold
        Positive.
    response_of
        Gives the response of the cell of an index.

    Notes
    -----
    The error of a position x̂, where ∇S = 0, follows from S = A·F_S·ρ(x − x₀) + noise:
    cov(x̂) = H⁻¹ G H⁻¹ with H = S(x̂)·C, C the curvature of P_S at its centre (eq. 17), and
    G = cov ∇S = (∇k_n)²⊗V_n + (∇k_r)²⊗V_r, as eqs. 26 and 27 have it for S itself. For uniform
    noise this is the Cramér-Rao bound σ_x = √V_S / (S √C_xx).
    """
    return _with_errors(find_maxima(difference, threshold, response_of), difference, response_of)


def find_maxima(
    difference: Difference, threshold: float, response_of: Callable[[int], PointResponse]
) -> Peaks:
    """`find_peaks` without the errors of the places, which are NaN: in less time."""
    assert difference.score is not None
    assert difference.scorr is not None
    found = [(*local_maxima(difference.scorr, threshold, sign), sign) for sign in (1, -1)]
    row = np.concatenate([rows for rows, _, _ in found])
    column = np.concatenate([columns for _, columns, _ in found])
    sign = np.concatenate([np.full(len(rows), s) for rows, _, s in found]).astype(np.int64)
    if row.size == 0:
        return _no_peaks()
    peaks = _measured(difference, row, column, sign)
    lost = np.flatnonzero(peaks.flank)
    if lost.size:
        summits = _summits(difference.score.image, peaks.take(lost), response_of)
        reached = _measured(difference, *summits, sign[lost])
        usable = ~reached.flank & (np.abs(reached.significance) >= threshold)
        peaks = _with_summits(peaks.take(~_among(lost[usable], len(peaks))), reached.take(usable))
    # A spline may fall a little below the pixel that it goes through.
    size = np.abs(peaks.significance)
    order = np.argsort(-size, kind="stable")
    return _deblended(peaks.take(order[size[order] >= threshold]), threshold, response_of)


def _measured(
    difference: Difference, row: Indices, column: Indices, sign: NDArray[np.int64]
) -> Peaks:
    """Peaks at the maxima of S next to pixels; at the pixels themselves where there are none."""
    score, total = difference.score, difference.total_variance
    assert score is not None
    assert total is not None
    splines = Splines.through(windows(score.image, row, column))
    dx, dy, found = maxima(splines, sign.astype(float))
    index = _cell_indices(difference, row, column)
    scales = {i: difference.cells[i].flux_score for i in np.unique(index)}
    unknown = np.full(row.size, np.nan)
    return Peaks(
        row=row,
        column=column,
        sign=sign,
        cell=index,
        x=dx,
        y=dy,
        score=splines.at(dx, dy),
        variance=bilinear(total, row, column, dx, dy),
        x_error=unknown,
        y_error=unknown,
        flux_score=np.array([scales[i] for i in index], dtype=np.float64),
        flank=~found,
    )


def _summits(
    score: NDArray[np.floating], peaks: Peaks, response_of: Callable[[int], PointResponse]
) -> tuple[Indices, Indices]:
    """Highest pixels of S that lie uphill of peaks of Scorr, as far as the PSF is wide."""
    row, column = peaks.row.copy(), peaks.column.copy()
    ny, nx = score.shape
    for i in range(len(peaks)):
        for _ in range(int(np.ceil(_CLIMB * response_of(int(peaks.cell[i])).fwhm))):
            y0, x0 = max(row[i] - 1, 0), max(column[i] - 1, 0)
            around = peaks.sign[i] * score[y0 : min(row[i] + 2, ny), x0 : min(column[i] + 2, nx)]
            dy, dx = np.unravel_index(int(np.argmax(around)), around.shape)
            if (y0 + dy, x0 + dx) == (row[i], column[i]):
                break
            row[i], column[i] = y0 + dy, x0 + dx
    return row, column


def _among(indices: Indices, n: int) -> NDArray[np.bool_]:
    """Which of 0…n-1 are among ``indices``."""
    chosen = np.zeros(n, dtype=bool)
    chosen[indices] = True
    return chosen


def _with_summits(peaks: Peaks, summits: Peaks) -> Peaks:
    """Peaks, and those summits that are not among them, each once."""
    places = [
        (x, y, sign) for x, y, sign in zip(peaks.array_x, peaks.array_y, peaks.sign, strict=True)
    ]
    new = []
    for i in range(len(summits)):
        x, y, sign = summits.array_x[i], summits.array_y[i], summits.sign[i]
        if not any(sign == s and np.hypot(x - a, y - b) < _SAME_PLACE for a, b, s in places):
            places.append((x, y, sign))
            new.append(i)
    both = {
        name: np.concatenate([getattr(peaks, name), getattr(summits, name)[new]])
        for name in _FIELDS
    }
    return Peaks(**both)


def _no_peaks() -> Peaks:
    whole, real = np.zeros(0, dtype=np.intp), np.zeros(0)
    sign = np.zeros(0, dtype=np.int64)
    flank = np.zeros(0, dtype=bool)
    return Peaks(whole, whole, sign, whole, real, real, real, real, real, real, real, flank)


def _cell_indices(difference: Difference, row: Indices, column: Indices) -> Indices:
    """Index of the cell of each pixel; the grid is regular, so by its edges."""
    cells, bbox = difference.plan.cells, difference.plan.bbox
    n_columns = max(cell.column for cell in cells) + 1
    lefts = [cell.inner.x0 - bbox.x0 for cell in cells if cell.row == 0]
    bottoms = [cell.inner.y0 - bbox.y0 for cell in cells if cell.column == 0]
    grid_row = np.searchsorted(bottoms, row, side="right") - 1
    grid_column = np.searchsorted(lefts, column, side="right") - 1
    return np.asarray(grid_row * n_columns + grid_column, dtype=np.intp)


def _deblended(
    peaks: Peaks, threshold: float, response_of: Callable[[int], PointResponse]
) -> Peaks:
    """Peaks, brightest first, without the bumps that noise makes on the flanks of brighter ones.

    A peak within reach of a brighter one of its sign stays if S, less the P_S of that one, is
    still beyond the threshold.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(np.column_stack([peaks.array_x, peaks.array_y]))
    keep = np.ones(len(peaks), dtype=bool)
    noise = np.sqrt(peaks.variance)
    for i in range(len(peaks)):
        if not keep[i]:
            continue
        response = response_of(int(peaks.cell[i]))
        reach = max(_SAME_LIGHT * np.sqrt(2) * response.fwhm, 1.5)
        near = np.array(tree.query_ball_point((peaks.array_x[i], peaks.array_y[i]), reach))
        near = near[(near > i) & keep[near]]
        near = near[peaks.sign[near] == peaks.sign[i]]
        if near.size == 0:
            continue
        middle = response.side // 2
        x = np.rint(peaks.array_x[near] - peaks.array_x[i]).astype(int)
        y = np.rint(peaks.array_y[near] - peaks.array_y[i]).astype(int)
        expected = peaks.score[i] * response.psf_score[middle + y, middle + x]
        rest = peaks.sign[near] * (peaks.score[near] - expected)
        keep[near[rest < threshold * noise[near]]] = False
    return peaks.take(keep)


def _with_errors(
    peaks: Peaks, difference: Difference, response_of: Callable[[int], PointResponse]
) -> Peaks:
    """Peaks with the errors of their positions; see `find_peaks`."""
    x_error, y_error = peaks.x_error.copy(), peaks.y_error.copy()
    plan = difference.plan
    for index in np.unique(peaks.cell):
        here = np.flatnonzero(peaks.cell == index)
        response = response_of(int(index))
        noise = np.zeros((here.size, 3))
        for image, squares in zip(
            (plan.science, plan.template), response.gradient_squares, strict=True
        ):
            reach = squares[0].shape[0] // 2
            around = windows(image.variance, peaks.row[here], peaks.column[here], reach)
            # A convolution: the kernel is turned round where it meets the variances.
            turned = np.stack([square[::-1, ::-1] for square in squares])
            noise += np.einsum("nyx,kyx->nk", around, turned, optimize=True)
        inverse = np.linalg.inv(response.curvature)
        gradient = np.stack([noise[:, [0, 2]], noise[:, [2, 1]]], axis=1)
        covariance = inverse @ gradient @ inverse / peaks.score[here, None, None] ** 2
        x_error[here] = np.sqrt(covariance[:, 0, 0])
        y_error[here] = np.sqrt(covariance[:, 1, 1])
    return replace(peaks, x_error=x_error, y_error=y_error)


def responses(cells: tuple[CellResult, ...]) -> Callable[[int], PointResponse]:
    """The response of a cell by its index; each is made once, when it is asked for."""
    made: dict[int, PointResponse] = {}

    def response_of(index: int) -> PointResponse:
        if index not in made:
            made[index] = PointResponse.of(cells[index])
        return made[index]

    return response_of
