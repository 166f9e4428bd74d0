"""D and S of a cell with their variances, in one transform or in overlapping pieces.

A cell much larger than the reach of its kernels need not be transformed whole: pieces that
overlap by that reach give the same planes (overlap-save), stay in the processor's cache, and
need memory for one piece only. All pieces share one set of kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from zogy_explorer.engine.arithmetic import Arithmetic
from zogy_explorer.engine.compact import blocks_of
from zogy_explorer.engine.cutout import Checkpoint
from zogy_explorer.engine.equations import Factors
from zogy_explorer.engine.fourier import Plane, Spectrum
from zogy_explorer.engine.noise_terms import NO_TERMS, NoiseTerms, term_planes
from zogy_explorer.engine.transfer import Transfer
from zogy_explorer.engine.variance import VarianceSpectrum, propagate_both

Slices = tuple[slice, slice]
Spread = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]

PLANES = (
    "diff",
    "diff_variance",
    "score",
    "score_variance",
    "astrometric_variance",
    "flux_variance",
)
"""Planes that come out of a transform."""


@dataclass(frozen=True, eq=False)
class CellPlanes:
    """D (unit variance, flux scale F_D) and S with their variances, of one shape.

    ``scorr`` is where Scorr is to go; what comes out of a transform has no place for it. The
    variances of noise terms are None where a term is off.
    """

    diff: Plane
    diff_variance: Plane
    score: Plane | None = None
    score_variance: Plane | None = None
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
            np.empty(shape, dtype) if with_score else None,
            **{name: np.empty(shape, dtype) for name in terms.names if with_score},
        )

    def rows(self, rows: slice) -> Self:
        """Some rows of all planes; the same memory."""
        return replace(self, **{name: plane[rows] for name, plane in self.by_name().items()})

    def by_name(self) -> dict[str, Any]:
        """The planes that there are."""
        planes = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: plane for name, plane in planes.items() if plane is not None}

    def paste(self, target: Slices, part: CellPlanes) -> None:
        """Copy a part to the pixels ``target``."""
        for name in PLANES:
            whole, piece = getattr(self, name), getattr(part, name)
            if whole is not None and piece is not None:
                whole[target] = piece


@dataclass(frozen=True, eq=False)
class Job:
    """What is wanted of a cell, and how it is to be made.

    Parameters
    ----------
    calculate_score
        Whether S and its variances are wanted.
    terms
        Noise terms of S that are on.
    arithmetic
        What transforms and multiplies.
    checkpoint
        Called between steps.
    spread
        How a function is called for each of several pieces: like `map`, perhaps on threads.
    """

    calculate_score: bool
    terms: NoiseTerms
    arithmetic: Arithmetic
    checkpoint: Checkpoint
    spread: Spread = map


@dataclass(frozen=True, eq=False)
class CellSpectra:
    """Half spectra of the images and variances of a cell; the same whatever the kernels."""

    images: tuple[Spectrum, Spectrum]
    variances: tuple[VarianceSpectrum, VarianceSpectrum]
    shape: tuple[int, int]

    @classmethod
    def of(
        cls,
        images: tuple[Plane, Plane],
        variances: tuple[Plane, Plane],
        job: Job,
    ) -> Self:
        """Spectra of padded planes of science and template (ny, nx)."""
        forward = job.arithmetic.forward
        science, template = (forward(image) for image in images)
        job.checkpoint()
        variance_n, variance_r = (VarianceSpectrum.of(plane, forward) for plane in variances)
        job.checkpoint()
        shape = (images[0].shape[0], images[0].shape[1])
        return cls((science, template), (variance_n, variance_r), shape)


def transform(
    spectra: CellSpectra,
    transfer: Transfer,
    inside: Slices,
    job: Job,
    *,
    overwrite: bool = False,
) -> CellPlanes:
    """D, S and their variances over the pixels ``inside``, all in one transform.

    Parameters
    ----------
    spectra
        Of science and template; spoilt if ``overwrite``.
    transfer
        Kernels on planes of the shape of the spectra.
    inside
        Pixels that are wanted.
    job
        What is wanted of them, and how.
    """
    rows, columns = inside
    shape, arithmetic, terms = spectra.shape, job.arithmetic, job.terms
    diff_spectrum, score_spectrum, score_r_spectrum = _difference(
        spectra.images, transfer, job, overwrite
    )
    job.checkpoint()
    score, extra = None, {}
    if score_r_spectrum is not None and score_spectrum is not None:
        # Gradients look beyond the pixels that are wanted.
        whole = arithmetic.backward(score_spectrum, shape, slice(None))
        job.checkpoint()
        score_r = arithmetic.backward(score_r_spectrum, shape, slice(None))
        extra = {name: v[inside] for name, v in term_planes(whole, score_r, terms).items()}
        score = whole[inside]
    elif score_spectrum is not None:
        score = arithmetic.backward(score_spectrum, shape, rows)[:, columns]
    job.checkpoint()
    diff = arithmetic.backward(diff_spectrum, shape, rows)[:, columns]
    del diff_spectrum, score_spectrum, score_r_spectrum
    job.checkpoint()
    compact = transfer.compact
    diff_propagated, score_propagated = propagate_both(
        spectra.variances,
        compact.diff_squares,
        compact.score_squares if job.calculate_score else None,
        arithmetic,
        overwrite,
    )
    job.checkpoint()
    diff_variance = diff_propagated.plane(shape, rows, arithmetic.backward)[:, columns]
    if score_propagated is None:
        return CellPlanes(diff, diff_variance)
    job.checkpoint()
    score_variance = score_propagated.plane(shape, rows, arithmetic.backward)[:, columns]
    return CellPlanes(diff, diff_variance, score, score_variance, **extra)


def _difference(
    images: tuple[Spectrum, Spectrum], transfer: Transfer, job: Job, overwrite: bool
) -> tuple[Spectrum, Spectrum | None, Spectrum | None]:
    """Spectra of D, S and, for the noise terms, S_R; kernels are never made for the whole plane."""
    diff, score = images if overwrite else (np.empty_like(image) for image in images)
    score_r = np.empty_like(score) if job.calculate_score and job.terms.names else None
    factors = Factors.of(transfer.weights, transfer.floor, diff.real.dtype)
    assert transfer.psfs is not None
    for part, (psf_n, psf_r) in blocks_of(transfer.psfs, job.arithmetic):
        if not overwrite:
            diff[part], score[part] = images[0][part], images[1][part]
        job.arithmetic.difference_and_score(
            psf_n,
            psf_r,
            diff[part],
            score[part],
            factors,
            job.calculate_score,
            None if score_r is None else score_r[part],
        )
    return diff, score if job.calculate_score else None, score_r


def transform_in_pieces(
    images: tuple[Plane, Plane],
    variances: tuple[Plane, Plane],
    transfer: Transfer,
    out: CellPlanes,
    inside: Slices,
    margin: int,
    job: Job,
) -> None:
    """The same, in pieces of the size of ``transfer``; the pixels ``inside`` go to ``out``.

    Parameters
    ----------
    images, variances
        Padded planes of science and template.
    inside
        Pixels of the padded planes that are wanted.
    margin
        Overlap [px]: beyond it the kernels are negligible. Off the padded planes it wraps
        around, as one transform would.
    """
    ny, nx = images[0].shape

    def one(piece: tuple[tuple[slice, slice, slice], tuple[slice, slice, slice]]) -> None:
        (target_y, source_y, rows), (target_x, source_x, columns) = piece
        spectra = CellSpectra.of(
            (_cut(images[0], rows, columns), _cut(images[1], rows, columns)),
            (_cut(variances[0], rows, columns), _cut(variances[1], rows, columns)),
            job,
        )
        with np.errstate(over="ignore", invalid="ignore"):  # each thread has its own
            part = transform(spectra, transfer, (source_y, source_x), job, overwrite=True)
        out.paste((target_y, target_x), part)
        job.checkpoint()

    rows = _pieces(inside[0], transfer.shape[0], margin, ny)
    columns = list(_pieces(inside[1], transfer.shape[1], margin, nx))
    for _ in job.spread(one, ((row, column) for row in rows for column in columns)):
        pass


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
