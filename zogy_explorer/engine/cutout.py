"""What the computation of one cell needs, cut out of the plan: small, frozen, picklable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.flags import Flag, raise_flag
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.noise_terms import NoiseTerms
from zogy_explorer.engine.padding import (
    NoiseSource,
    cut_with_constant,
    cut_with_mirror,
    cut_with_noise,
    lsst_noise,
    seeded_noise,
)
from zogy_explorer.engine.pixels import Flags, either
from zogy_explorer.engine.plan import Settings, SubtractionPlan, evaluate_psf
from zogy_explorer.engine.prepare import PreparedImage
from zogy_explorer.engine.statistics import MEAN_SAMPLE, clipped_mean, mean_variance, noise_sample
from zogy_explorer.errors import PsfError
from zogy_explorer.geometry import Box
from zogy_explorer.masks import bit_mask
from zogy_explorer.psf import Psf, Stamp

Checkpoint = Callable[[], None]
"""Called between steps; may raise `CancelledError`."""

_SAFE_SIGMA = (1e-7, 1e6)  # between these the kernels² of S, about σ⁻⁴, fit into single precision
_BRIGHTEST_IN_SINGLE = 500.0
"""[σ] A brighter pixel is rounded off by more than 1e-4 σ in single precision."""
_ABSURD = 1e9
"""[σ] Squares of what is brighter still may not fit into the result's planes, which are single in
any case: it is computed in single precision, where what overflows is found and flagged."""


@dataclass(frozen=True, eq=False)
class CellImage:
    """One image's share of a cell.

    ``image`` and ``variance`` cover the outer box, padding included; ``stamp`` is the unit-sum
    PSF at the centre of the inner box; ``background_variance`` the σ² of a pixel.
    """

    image: NDArray[np.floating]
    variance: NDArray[np.floating]
    stamp: Stamp
    background_variance: float


@dataclass(frozen=True, eq=False)
class CellInput:
    """Both images of a cell; ``science`` is None if the cell has failed already (see ``flags``).

    ``region`` is the box that the result will cover. ``mask`` (bits of both images) covers the
    outer box, cut at the image's edge to ``seen``; ``grows`` says whether it has any of
    ``growing_bits``, which grow with the kernels; ``missing`` (None: nowhere) covers the region,
    ``quiet`` its `noise_sample`.
    ``terms`` are the noise terms of S that are on.
    """

    cell: Cell
    settings: Settings
    border: int
    region: Box
    seen: Box
    science: CellImage | None
    template: CellImage | None
    mask: NDArray[np.int32]
    growing_bits: np.int32
    grows: bool
    missing: Flags | None
    quiet: Flags
    stamps: tuple[Stamp | None, Stamp | None]
    flags: tuple[Flag, ...]
    terms: NoiseTerms


def cut_cell(
    plan: SubtractionPlan,
    cell: Cell,
    *,
    psfs: tuple[Psf | None, Psf | None] = (None, None),
    variances: tuple[float | None, float | None] = (None, None),
) -> CellInput:
    """Cut a cell out of the plan: PSFs, σ², padded planes, mask. Raises nothing for bad data.

    Parameters
    ----------
    plan, cell
        The subtraction and one of its cells.
    psfs
        PSFs to use in place of those of the science image and the template.
    variances
        σ² of a pixel to use in place of the measured ones [calibrated unit²].
    """
    plan = plan.for_cell(cell)
    xy0 = (plan.bbox.x0, plan.bbox.y0)
    region = result_region(plan, cell)
    seen = plan.bbox.intersection(cell.outer)
    assert seen is not None  # cells tile the image
    flags = list(plan.flags)
    images = ((plan.science, "science"), (plan.template, "template"))
    stamps = tuple(
        _stamp(psf or image.source.psf, cell, role, flags)
        for (image, role), psf in zip(images, psfs, strict=True)
    )
    levels = tuple(
        _background_variance(plan, image, cell, role, flags) if given is None else given
        for (image, role), given in zip(images, variances, strict=True)
    )
    _check_pixels(plan, cell, xy0, flags)
    if any(flag.name == "NO_GOOD_PIXELS" for flag in flags):  # which says why
        flags = [flag for flag in flags if flag.name != "NO_VARIANCE"]
    halves: list[CellImage | None] = [None, None]
    if not any(flag.severity == "failed" for flag in flags):
        dtype = _working_type(plan, seen, levels)
        for i, (image, _) in enumerate(images):
            stamp = stamps[i]
            assert stamp is not None
            halves[i] = _cell_image(plan, cell, image, i, stamp, levels[i], dtype)
    mask = plan.science.mask[seen.slices(xy0)] | plan.template.mask[seen.slices(xy0)]
    growing_bits = bit_mask(plan.mask_planes, _growing_planes(plan.config))
    inside = region.slices(xy0)
    step = noise_sample(region.shape)[0].step
    return CellInput(
        cell=cell,
        settings=plan.config,
        border=plan.border,
        region=region,
        seen=seen,
        science=halves[0],
        template=halves[1],
        mask=mask,
        growing_bits=growing_bits,
        grows=_may_grow(plan, growing_bits) and bool((mask & growing_bits).any()),
        missing=_missing(plan, inside),
        quiet=plan.science.quiet(inside, step) & plan.template.quiet(inside, step),
        stamps=(stamps[0], stamps[1]),
        flags=tuple(flags),
        terms=plan.noise_terms,
    )


def _may_grow(plan: SubtractionPlan, bits: np.int32) -> bool:
    """Whether any pixel of the frame may have one of ``bits``: saves to look at each cell's."""
    images = (plan.science, plan.template)
    return any(not image.complete or image.flagged & int(bits) for image in images)


def _missing(plan: SubtractionPlan, inside: tuple[slice, slice]) -> Flags | None:
    """Pixels that either image lacks; None: nowhere."""
    parts = [image.missing[inside] for image in (plan.science, plan.template) if not image.complete]
    return either(parts[0], parts[1] if len(parts) > 1 else None) if parts else None


def result_region(plan: SubtractionPlan, cell: Cell) -> Box:
    """Inner box widened by the blending zone, within border and image."""
    margin = min(plan.config.blendCells, plan.for_cell(cell).border)
    wide = Box(
        cell.inner.x0 - margin,
        cell.inner.y0 - margin,
        cell.inner.width + 2 * margin,
        cell.inner.height + 2 * margin,
    )
    region = wide.intersection(plan.bbox)
    assert region is not None
    return region


def _growing_planes(settings: Settings) -> tuple[str, ...]:
    """Planes whose pixels spoil their surroundings."""
    return (*settings.fillMaskPlanes, "NO_DATA")


def _stamp(psf: Psf | None, cell: Cell, role: str, flags: list[Flag]) -> Stamp | None:
    x, y = cell.inner.center
    assert psf is not None  # prepare_pair has checked
    try:
        stamp = evaluate_psf(psf, x, y, f"the PSF of {role}")
    except PsfError as error:
        flags.append(raise_flag("PSF_INVALID", str(error)))
        return None
    h, w = stamp.shape
    if h > cell.outer.height or w > cell.outer.width:
        flags.append(
            raise_flag(
                "PSF_TOO_LARGE",
                f"the {w}×{h} PSF stamp of {role} does not fit into the padded cell of "
                f"{cell.outer.width}×{cell.outer.height} px",
            )
        )
    return stamp


def _background_variance(
    plan: SubtractionPlan, image: PreparedImage, cell: Cell, role: str, flags: list[Flag]
) -> float:
    inside = cell.inner.slices((plan.bbox.x0, plan.bbox.y0))
    # LSST seeds its padding noise from the bits of this mean: there it takes every pixel.
    sample = None if plan.config.noiseSeed is None else MEAN_SAMPLE
    value = mean_variance(image.variance[inside], image.usable(inside), sample=sample)
    if value > 0:
        return value
    fallback = image.fallback_variance
    if fallback > 0:
        flags.append(
            raise_flag(
                "VARIANCE_FALLBACK",
                f"the mean variance of {role} in this cell is {value:g}; "
                f"{fallback:.6g} of the whole image is used",
            )
        )
        return fallback
    flags.append(
        raise_flag(
            "NO_VARIANCE",
            f"no unmasked pixel of {role} with a positive variance is left, here or in the image",
        )
    )
    return np.nan


def _check_pixels(
    plan: SubtractionPlan, cell: Cell, xy0: tuple[int, int], flags: list[Flag]
) -> None:
    inside = cell.inner.slices(xy0)
    area = cell.inner.area
    for image, role in ((plan.science, "science"), (plan.template, "template")):
        missing = 0 if image.complete else np.count_nonzero(image.missing[inside])
        replaced = image.filled(inside)
        filled = 0 if replaced is None else np.count_nonzero(replaced)
        nothing = filled == area if plan.config.fillMasked else missing == area
        if nothing and plan.config.fillNonFinite != "mean":  # LSST goes on with the mean
            flags.append(
                raise_flag(
                    "NO_GOOD_PIXELS", f"all {area} pixels of {role} are missing or masked here"
                )
            )
        elif filled > 0.2 * area:
            flags.append(
                raise_flag(
                    "MASKED_AREA", f"{filled / area:.0%} of the pixels of {role} are bad or missing"
                )
            )
        elif filled:
            flags.append(
                raise_flag("PIXELS_FILLED", f"{filled} pixels of {role} were interpolated")
            )
        if image.sky != 0:
            flags.append(
                raise_flag("SKY_SUBTRACTED", f"a sky of {image.sky:.6g} was subtracted from {role}")
            )


def _working_type(plan: SubtractionPlan, seen: Box, variances: tuple[float, ...]) -> np.dtype:
    """Single precision where it costs less than 1e-4 σ, double elsewhere."""
    single, double = np.dtype(np.float32), np.dtype(np.float64)
    images = (plan.science.image, plan.template.image)
    if plan.config.workingPrecision != "input" or any(i.dtype != single for i in images):
        return double
    part = seen.slices((plan.bbox.x0, plan.bbox.y0))
    for image, variance in zip(images, variances, strict=True):
        sigma = np.sqrt(variance)
        if not _SAFE_SIGMA[0] < sigma < _SAFE_SIGMA[1]:
            return double
        brightest = max(image[part].max(), -image[part].min())
        if _BRIGHTEST_IN_SINGLE * sigma < brightest < _ABSURD * sigma:
            return double
    return single


def _cell_image(
    plan: SubtractionPlan,
    cell: Cell,
    image: PreparedImage,
    number: int,
    stamp: Stamp,
    variance: float,
    dtype: np.dtype,
) -> CellImage:
    config = plan.config
    if config.padFill == "mirror":
        pixels = cut_with_mirror(image.image, plan.bbox, cell.outer)
        variances = cut_with_mirror(image.variance, plan.bbox, cell.outer)
    else:
        pixels = cut_with_noise(
            image.image,
            plan.bbox,
            cell.inner,
            cell.outer,
            sigma=float(np.sqrt(variance)),
            noise=_noise_source(config, number, cell, variance),
            sky=_local_sky(plan, cell, image),
        )
        variances = cut_with_constant(image.variance, plan.bbox, cell.outer, variance)
    return CellImage(
        image=pixels.astype(dtype, copy=False),
        variance=variances.astype(dtype, copy=False),
        stamp=stamp,
        background_variance=variance,
    )


def _noise_source(config: Settings, number: int, cell: Cell, variance: float) -> NoiseSource | None:
    if config.padFill == "zero":
        return None
    if config.noiseSeed is None:
        return lsst_noise(variance)
    return seeded_noise(config.noiseSeed, number, cell.index)


def _local_sky(plan: SubtractionPlan, cell: Cell, image: PreparedImage) -> float:
    """Clipped mean of the usable pixels of a cell that needs padding; 0 if there are none."""
    if not plan.config.padSky or plan.bbox.contains(cell.outer):
        return 0.0
    inside = cell.inner.slices((plan.bbox.x0, plan.bbox.y0))
    level = clipped_mean(image.image[inside], image.usable(inside), sample=MEAN_SAMPLE)
    return level if np.isfinite(level) else 0.0
