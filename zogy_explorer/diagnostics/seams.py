"""Steps of D and Scorr across the seams between cells.

Each cell is subtracted with the PSFs, noise and flux ratio of its own centre, so the planes jump
where two cells meet if those change quickly over the field. `seam_steps` measures the jumps in
short pieces of each seam and takes their error from the same measurement along lines *inside*
the cells, where nothing can jump: this needs no model of how neighbouring pixels correlate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.field import spoiling_bits
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.result import Difference
from zogy_explorer.engine.statistics import clipped_sigma
from zogy_explorer.geometry import Box

Plane = NDArray[np.floating]

STRIP = 3
"""Width of a strip [px]; two lie on each side of a seam."""
PIECE = 8
"""Length of a piece of a seam [px]."""

# Step between the inner strips less the slope that the outer strips show: a smooth plane, such
# as the flank of a source beside the seam, gives about 0, and a step h gives h.
_STENCIL = np.array([0.5, -1.5, 1.5, -0.5])
_LEAST_REFERENCE = 30  # pieces inside the cells, from which an error can be told
_OUTLIER = 4.0  # errors beyond which a piece is left out of the mean along its seam


@dataclass(frozen=True)
class Step:
    """Step of one plane across one seam, from the first cell to the second.

    Parameters
    ----------
    step
        Mean along the seam, without outlying pieces [σ of a pixel].
    error
        Its sampling error [σ of a pixel].
    pieces
        Steps of the pieces of the seam, each over its own error: of rms 1 if there is only
        noise. Stars that the seam cuts stand out here rather than in ``step``.
    """

    step: float
    error: float
    pieces: tuple[float, ...] = field(repr=False)

    @property
    def pull(self) -> float:
        """Mean step over its error."""
        return self.step / self.error

    @property
    def local(self) -> float:
        """Rms of the pieces: 1 if there is only noise."""
        return _rms(self.pieces)


@dataclass(frozen=True)
class Seam:
    """Common seam of two neighbouring cells, ``first`` to the left of or below ``second``."""

    first: Cell
    second: Cell
    diff: Step
    scorr: Step | None

    @property
    def name(self) -> str:
        """Both cells, such as ``r0c1|r0c2``."""
        return f"{self.first.name}|{self.second.name}"


@dataclass(frozen=True)
class SeamReport:
    """All seams between working cells; noise alone gives 1 for every rms, no seams give NaN."""

    seams: tuple[Seam, ...]

    @property
    def diff_rms(self) -> float:
        """Rms over the seams of the mean step of D over its error."""
        return _rms(seam.diff.pull for seam in self.seams)

    @property
    def scorr_rms(self) -> float:
        """Rms over the seams of the mean step of Scorr over its error."""
        return _rms(seam.scorr.pull for seam in self.seams if seam.scorr is not None)

    @property
    def rms_error(self) -> float:
        """Sampling error of `diff_rms` and `scorr_rms` if there is only noise."""
        return float(1 / np.sqrt(2 * len(self.seams))) if self.seams else float("nan")

    @property
    def diff_local(self) -> float:
        """Rms of D's steps over all pieces of all seams."""
        return _rms(piece for seam in self.seams for piece in seam.diff.pieces)

    @property
    def scorr_local(self) -> float:
        """Rms of Scorr's steps over all pieces of all seams."""
        steps = (seam.scorr for seam in self.seams if seam.scorr is not None)
        return _rms(piece for step in steps for piece in step.pieces)

    def worst(self) -> Seam | None:
        """The seam whose pieces are farthest from noise, in D or Scorr; None if there is none."""

        def roughness(seam: Seam) -> float:
            return max(step.local for step in (seam.diff, seam.scorr) if step is not None)

        return max(self.seams, key=roughness, default=None)


def seam_steps(difference: Difference) -> SeamReport:
    """Steps of D (over its σ) and of Scorr across the seams between working cells.

    Parameters
    ----------
    difference
        A finished subtraction. Pieces of a seam with a bad pixel (of the planes that are filled,
        or NO_DATA) within two strips are left out; pixels of sources count.

    Returns
    -------
    report
        Empty if there is one cell only. A seam too short to measure, or masked all along, is
        left out.
    """
    pairs = tuple(_neighbours(difference))
    variance = difference.diff.variance
    assert variance is not None  # every difference has it
    positive = np.where(variance > 0, variance, np.nan)  # LSST's rules keep negative ones
    diff = _measured(difference, difference.diff.image / np.sqrt(positive), pairs)
    scorr: list[Step | None] = [None] * len(pairs)
    if difference.scorr is not None:
        scorr = _measured(difference, difference.scorr, pairs)
    return SeamReport(
        tuple(
            Seam(first, second, of_diff, of_scorr)
            for (first, second), of_diff, of_scorr in zip(pairs, diff, scorr, strict=True)
            if of_diff is not None
        )
    )


def _neighbours(difference: Difference) -> Iterator[tuple[Cell, Cell]]:
    """Working cells side by side or one above the other."""
    working = {(c.cell.column, c.cell.row): c.cell for c in difference.cells if c.ok}
    for (column, row), cell in working.items():
        for place in ((column + 1, row), (column, row + 1)):
            if place in working:
                yield cell, working[place]


def _measured(
    difference: Difference, plane: Plane, pairs: tuple[tuple[Cell, Cell], ...]
) -> list[Step | None]:
    """Step of a plane [σ] between each pair of cells; None where there is nothing to measure."""
    plan = difference.plan
    good = (difference.diff.mask & spoiling_bits(plan)) == 0
    usable = np.where(good, plane, np.nan).astype(np.float64)
    frame = _Lines(usable, plan.bbox)
    blended = min(plan.config.blendCells, plan.border)
    cells = dict.fromkeys(cell for pair in pairs for cell in pair)
    inside = [line for cell in cells for line in frame.inside(cell.inner, blended)]
    sigma, inflation = _noise(inside)
    return [_step(frame.seam(*pair), sigma, inflation) for pair in pairs]


@dataclass(frozen=True, eq=False)
class _Lines:
    """Steps of a plane along lines between pixels; NaN for pieces with a bad pixel."""

    plane: Plane
    bbox: Box

    def seam(self, first: Cell, second: Cell) -> Plane:
        """Along the seam of two cells."""
        if first.row == second.row:
            return self._across_columns(first.inner, second.inner.x0)
        return self._across_rows(first.inner, second.inner.y0)

    def inside(self, box: Box, margin: int) -> Iterator[Plane]:
        """Along lines inside a box, wholly outside of ``margin`` pixels around it."""
        reach = 2 * STRIP + margin
        for x in range(box.x0 + reach, box.end_x - reach + 1, 2 * STRIP):
            yield self._across_columns(box, x)
        for y in range(box.y0 + reach, box.end_y - reach + 1, 2 * STRIP):
            yield self._across_rows(box, y)

    def _across_columns(self, box: Box, x: int) -> Plane:
        band = Box(x - 2 * STRIP, box.y0, 4 * STRIP, box.height)
        return self._pieces(band, transpose=False)

    def _across_rows(self, box: Box, y: int) -> Plane:
        band = Box(box.x0, y - 2 * STRIP, box.width, 4 * STRIP)
        return self._pieces(band, transpose=True)

    def _pieces(self, band: Box, *, transpose: bool) -> Plane:
        if not self.bbox.contains(band):  # cells narrower than two strips
            return np.empty(0)
        pixels = self.plane[band.slices((self.bbox.x0, self.bbox.y0))]
        pixels = pixels.T if transpose else pixels
        n = len(pixels) // PIECE
        blocks = pixels[: n * PIECE].reshape(n, PIECE, 4, STRIP)
        return np.asarray(blocks.mean(axis=(1, 3)) @ _STENCIL)


def _noise(lines: list[Plane]) -> tuple[float, float]:
    """σ of a piece inside the cells, and by how much neighbours inflate the variance of a mean.

    σ is robust, so that sources do not count; NaN if there are too few pieces.
    """
    pieces = np.concatenate([*lines, np.empty(0)])
    pieces = pieces[np.isfinite(pieces)]
    if pieces.size < _LEAST_REFERENCE:
        return float("nan"), 1.0
    sigma = clipped_sigma(pieces)
    products = np.concatenate([line[1:] * line[:-1] for line in lines])
    quiet = np.concatenate([np.maximum(abs(line[1:]), abs(line[:-1])) for line in lines])
    quiet = quiet <= _OUTLIER * sigma
    if not quiet.any() or not sigma > 0:
        return sigma, 1.0
    return sigma, max(1 + 2 * float(products[quiet].mean()) / sigma**2, 1.0)


def _step(pieces: Plane, sigma: float, inflation: float) -> Step | None:
    """Step of one seam from those of its pieces."""
    pieces = pieces[np.isfinite(pieces)]
    if pieces.size == 0 or not sigma > 0:
        return None
    kept = pieces[np.abs(pieces - np.median(pieces)) <= _OUTLIER * sigma]
    if kept.size == 0:  # wild all along: then that is the step
        kept = pieces
    error = sigma * float(np.sqrt(inflation / kept.size))
    return Step(float(kept.mean()), error, tuple((pieces / sigma).tolist()))


def _rms(values: Iterable[float]) -> float:
    array = np.fromiter(values, dtype=np.float64)
    return float(np.sqrt(np.mean(array**2))) if array.size else float("nan")
