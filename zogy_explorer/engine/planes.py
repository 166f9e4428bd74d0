"""D and S of a cell with their variances, in one transform or in overlapping pieces.

A cell much larger than the reach of its kernels need not be transformed whole: pieces that
overlap by that reach give the same planes (overlap-save), stay in the processor's cache, and
need memory for one piece only. All pieces share one set of kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from zogy_explorer.engine.equations import proper_difference, score
from zogy_explorer.engine.fourier import Plane, backward, forward
from zogy_explorer.engine.noise_terms import NO_TERMS, NoiseTerms, term_planes
from zogy_explorer.engine.transfer import Transfer
from zogy_explorer.engine.variance import VarianceSpectrum, propagate

Slices = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class CellPlanes:
    """D (unit variance, flux scale F_D) and S with their variances, of one shape.

    ``scorr`` is where Scorr is to go, if there is a place for it already. The variances of noise
    terms are None where a term is off.
    """

    diff: Plane
    diff_variance: Plane
    score: Plane | None
    score_variance: Plane | None
    scorr: Plane | None = None
    astrometric_variance: Plane | None = None
    flux_variance: Plane | None = None

    @classmethod
    def empty(
        cls,
        shape: tuple[int, int],
        dtype: np.dtype,
        with_score: bool,
        terms: NoiseTerms = NO_TERMS,
    ) -> Self:
        """Planes yet to be filled."""
        return cls(
            np.empty(shape, dtype),
            np.empty(shape, dtype),
            np.empty(shape, dtype) if with_score else None,
            np.empty(shape, dtype) if with_score else None,
            **{name: np.empty(shape, dtype) for name in terms.names if with_score},
        )

    def paste(self, target: Slices, part: CellPlanes, source: Slices) -> None:
        """Copy the pixels ``source`` of a part to the pixels ``target``."""
        self.diff[target] = part.diff[source]
        self.diff_variance[target] = part.diff_variance[source]
        if self.score is not None and part.score is not None:
            self.score[target] = part.score[source]
        if self.score_variance is not None and part.score_variance is not None:
            self.score_variance[target] = part.score_variance[source]
        if self.astrometric_variance is not None and part.astrometric_variance is not None:
            self.astrometric_variance[target] = part.astrometric_variance[source]
        if self.flux_variance is not None and part.flux_variance is not None:
            self.flux_variance[target] = part.flux_variance[source]


def transform(
    images: tuple[Plane, Plane],
    variances: tuple[Plane, Plane],
    transfer: Transfer,
    calculate_score: bool,
    checkpoint: Callable[[], None],
    terms: NoiseTerms = NO_TERMS,
) -> CellPlanes:
    """Planes of science and template (ny, nx) to planes of the same shape, all in one transform.

    Parameters
    ----------
    images, variances
        Padded planes of science and template.
    transfer
        Kernels on planes of this shape.
    calculate_score
        Whether S and its variance are wanted.
    checkpoint
        Called between transforms.
    terms
        Noise terms of S that are on.
    """
    shape = (images[0].shape[0], images[0].shape[1])
    kernels, compact = transfer.kernels, transfer.compact
    spectra = (forward(images[0]), forward(images[1]))
    checkpoint()
    last = not calculate_score  # what is not needed again may be overwritten
    diff = backward(proper_difference(*spectra, kernels, overwrite=last), shape)
    checkpoint()
    score_plane = None
    if calculate_score:
        score_plane = backward(score(*spectra, kernels, overwrite=True), shape)
        checkpoint()
    extra: dict[str, Plane] = {}
    if score_plane is not None and terms.names:  # of the spectra, S has spoilt that of N only
        extra = term_planes(score_plane, spectra[1], kernels, terms)
        checkpoint()
    del spectra
    variance = (VarianceSpectrum.of(variances[0]), VarianceSpectrum.of(variances[1]))
    checkpoint()
    propagated = propagate(variance, compact.diff_squares, overwrite=last)
    diff_variance = propagated.plane(shape, overwrite=True)
    if not calculate_score:
        return CellPlanes(diff, diff_variance, None, None)
    checkpoint()
    propagated = propagate(variance, compact.score_squares, overwrite=True)
    score_variance = propagated.plane(shape, overwrite=True)
    return CellPlanes(diff, diff_variance, score_plane, score_variance, **extra)


def transform_in_pieces(
    images: tuple[Plane, Plane],
    variances: tuple[Plane, Plane],
    transfer: Transfer,
    out: CellPlanes,
    inside: Slices,
    margin: int,
    checkpoint: Callable[[], None],
    terms: NoiseTerms = NO_TERMS,
) -> None:
    """The same, in pieces of the size of ``transfer``; the pixels ``inside`` go to ``out``.

    Parameters
    ----------
    inside
        Pixels of the padded planes that are wanted.
    margin
        Overlap [px]: beyond it the kernels are negligible. Off the padded planes it wraps
        around, as one transform would.
    """
    shape = images[0].shape
    for target_y, source_y, rows in _pieces(inside[0], transfer.shape[0], margin, shape[0]):
        for target_x, source_x, columns in _pieces(inside[1], transfer.shape[1], margin, shape[1]):
            part = transform(
                (_cut(images[0], rows, columns), _cut(images[1], rows, columns)),
                (_cut(variances[0], rows, columns), _cut(variances[1], rows, columns)),
                transfer,
                out.score is not None,
                checkpoint,
                terms,
            )
            out.paste((target_y, target_x), part, (source_y, source_x))
            checkpoint()


def _pieces(
    inside: slice, side: int, margin: int, length: int
) -> Iterator[tuple[slice, slice, slice]]:
    """Along one axis: where each piece goes, which of its pixels, and which pixels it takes."""
    step = side - 2 * margin
    for start in range(inside.start, inside.stop, step):
        stop = min(start + step, inside.stop)
        yield (
            slice(start - inside.start, stop - inside.start),
            slice(margin, margin + stop - start),
            slice(start - margin, start - margin + side),
        )


def _cut(plane: Plane, rows: slice, columns: slice) -> Plane:
    """The pixels of a plane that goes on periodically; a view if they lie on it."""
    ny, nx = plane.shape
    row_runs, column_runs = _runs(rows, ny), _runs(columns, nx)
    if len(row_runs) == len(column_runs) == 1:
        return plane[row_runs[0][1], column_runs[0][1]]
    out = np.empty((rows.stop - rows.start, columns.stop - columns.start), plane.dtype)
    for to_rows, from_rows in row_runs:
        for to_columns, from_columns in column_runs:
            out[to_rows, to_columns] = plane[from_rows, from_columns]
    return out


def _runs(span: slice, length: int) -> list[tuple[slice, slice]]:
    """A span on a periodic axis as runs: their places in the span and on the axis."""
    runs, at = [], span.start
    while at < span.stop:
        first = at % length
        n = min(length - first, span.stop - at)
        to = at - span.start
        runs.append((slice(to, to + n), slice(first, first + n)))
        at += n
    return runs
