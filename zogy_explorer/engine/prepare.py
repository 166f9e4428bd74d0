"""From two exposures to planes that can be transformed: the part that concerns the whole frame.

Calibration, sky, missing and masked pixels, and the variance that stands in where a cell has
none of its own. The result depends on few settings (`config.PREPARE_FIELDS`) and is reused while
the others change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.background import AUTO_THRESHOLD, sky_level, sky_mesh
from zogy_explorer.engine.config import PREPARE_FIELDS, ZogyConfig, hash_settings
from zogy_explorer.engine.pixels import (
    Flags,
    either,
    inverse,
    not_finite,
    not_positive,
    with_bits,
)
from zogy_explorer.engine.registration import StarRegistration, register_stars
from zogy_explorer.engine.repair import Holes
from zogy_explorer.engine.statistics import (
    SAMPLE,
    SKY_SAMPLE,
    clipped_mean,
    mean_variance,
    thinned,
)
from zogy_explorer.errors import InputError, MissingDataError, ShapeMismatchError
from zogy_explorer.exposure import Exposure, require_psf, require_variance
from zogy_explorer.masks import MASK_PLANES, bit_mask, merge_planes, translate

Plane = NDArray[np.floating]
Slices = tuple[slice, slice]

_LARGE = 1_000_000  # [px] from which threads are worth their start
_SOURCE_SIGMA = 3.5  # over the sky a pixel belongs to a source; at 3 σ noise peaks would too
_ONE_SIGMA_BELOW = 0.1587  # share of a Gaussian below its mean - σ
_VARIANCE_TOO_LOW = 1.5  # noise below the sky over the predicted one from which we believe it
_SOURCE_REACH = 3  # [px] and so may its neighbours
_SINGLE_FACTORS = (1e-15, 1e15)  # calibrations that neither pixels in float32 nor V_D outgrow


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """One image ready for the transform; all planes (ny, nx) and finite.

    Parameters
    ----------
    image, variance
        Calibrated, sky-subtracted, holes filled.
    mask
        Bits by the pair's common ``mask_planes``.
    missing
        Pixels without a finite value or variance at the start: S says nothing there. A read-only
        view of one False if there are none.
    flagged
        Bits of which ``mask`` holds at least one pixel.
    ignored_bits
        Bits whose pixels are left out of statistics.
    filled_bits
        Bits whose pixels were replaced.
    trust_filled
        Whether a replaced pixel enters statistics as a measured one does.
    bright
        Level above which a pixel belongs to a source: 3.5σ over the sky; infinite if unknown.
    fallback_variance
        Mean variance of the whole image.
    sky
        Level that was subtracted (the mean of a mesh) [calibrated unit].
    source
        The exposure it was made from.
    """

    image: Plane
    variance: Plane
    mask: NDArray[np.int32]
    missing: Flags
    flagged: int
    ignored_bits: np.int32
    filled_bits: np.int32
    trust_filled: bool
    bright: float
    fallback_variance: float
    sky: float
    source: Exposure

    @property
    def complete(self) -> bool:
        """Whether no pixel is missing."""
        return self.missing.strides == (0, 0)

    def usable(self, pixels: Slices) -> Flags | None:
        """Which of ``pixels`` enter statistics: none of the ignored planes, not missing.

        None: all.
        """
        missing = None if self.complete or self.trust_filled else self.missing[pixels]
        bad = either(missing, with_bits(self.mask[pixels], self.ignored_bits, self.flagged))
        return None if bad is None else ~bad

    def filled(self, pixels: Slices) -> Flags | None:
        """Which of ``pixels`` were replaced, missing or masked; None: none."""
        missing = None if self.complete else self.missing[pixels]
        return either(missing, with_bits(self.mask[pixels], self.filled_bits, self.flagged))

    def quiet(self, pixels: Slices, step: int) -> Flags:
        """Which of every ``step``-th of ``pixels`` are usable and not near a source."""
        rows, columns = pixels
        ny, nx = self.image.shape
        # The frame is far larger than the sample: look around the sampled rows, then columns.
        wide = slice(max(columns.start - _SOURCE_REACH, 0), min(columns.stop + _SOURCE_REACH, nx))
        near = np.zeros((len(range(rows.start, rows.stop, step)), wide.stop - wide.start), bool)
        for shift in range(-_SOURCE_REACH, _SOURCE_REACH + 1):
            off = max(-(-(-rows.start - shift) // step), 0)  # sampled rows with no such neighbour
            first, stop = rows.start + shift + off * step, min(rows.stop + shift, ny)
            bright = self.image[first:stop:step, wide] > self.bright
            near[off : off + len(bright)] |= bright
        bright = near.copy()
        for shift in range(1, _SOURCE_REACH + 1):
            near[:, shift:] |= bright[:, :-shift]
            near[:, :-shift] |= bright[:, shift:]
        quiet = ~near[:, columns.start - wide.start :][:, : columns.stop - columns.start : step]
        usable = self.usable(
            (slice(rows.start, rows.stop, step), slice(columns.start, columns.stop, step))
        )
        return quiet if usable is None else quiet & usable


@dataclass(frozen=True, eq=False)
class PreparedPair:
    """Both images, and the settings they were prepared with (``key``)."""

    science: PreparedImage
    template: PreparedImage
    mask_planes: dict[str, int]
    key: str

    @cached_property
    def registration(self) -> StarRegistration:
        """How well the stars of both images lie on each other; measured when first asked for."""
        return register_stars(self.science, self.template)

    def made_for(self, science: Exposure, template: Exposure, config: ZogyConfig) -> bool:
        """Whether preparing again would give the same planes."""
        return (
            self.science.source is science
            and self.template.source is template
            and self.key == prepare_key(config)
        )


def prepare_key(config: ZogyConfig) -> str:
    """Digest of the settings that preparation depends on."""
    values = config.to_dict()
    return hash_settings({field: values[field] for field in PREPARE_FIELDS})


def prepare_pair(science: Exposure, template: Exposure, config: ZogyConfig) -> PreparedPair:
    """Check a pair and prepare its planes.

    Parameters
    ----------
    science, template
        On one pixel grid; xy0 and WCS are not compared.
    config
        Settings; those of `config.PREPARE_FIELDS` matter here.

    Raises
    ------
    InputError
        If the pair cannot be subtracted; the message says why and what to do.
    """
    _check_shapes(science, template)
    planes = merge_planes(science.mask_planes, template.mask_planes)
    # Whatever planes the masks have, the result needs one for pixels and cells without data.
    planes = merge_planes(planes, {"NO_DATA": MASK_PLANES["NO_DATA"]})

    def drafted(exposure: Exposure, role: str) -> _Draft:
        return _Draft(exposure, _label(exposure, role), planes, config)

    with _side_by_side(science) as both:
        halves = list(both(drafted, (science, template), ("science", "template")))
        _subtract_sky(halves, config)
        done = list(both(_Draft.finish, halves))
    return PreparedPair(done[0], done[1], planes, prepare_key(config))


@contextmanager
def _side_by_side(image: Exposure) -> Iterator[Callable[..., Iterator[Any]]]:
    """A ``map`` that treats both images of a large pair at once: numpy lets threads run."""
    if image.image.size < _LARGE:
        yield map
    else:
        with ThreadPoolExecutor(max_workers=2, thread_name_prefix="prepare") as pool:
            yield pool.map


class _Draft:
    """One image on its way from `Exposure` to `PreparedImage`."""

    def __init__(
        self, exposure: Exposure, label: str, planes: dict[str, int], config: ZogyConfig
    ) -> None:
        variance = require_variance(exposure, label)
        require_psf(exposure, label)
        self.exposure, self.label, self.config = exposure, label, config
        self.planes = planes
        image_bad = not_finite(exposure.image)
        if image_bad is not None and image_bad.all():
            raise InputError(
                f"{label} has no finite pixel: all {exposure.image.size} are NaN or infinite; "
                "check that the right image was read"
            )
        variance_bad = not_positive(variance)
        if variance_bad is not None and variance_bad.all():
            raise InputError(
                f"the variance plane of {label} has no positive value: "
                "ZOGY weighs each pixel by its variance; give one in the image unit squared"
            )
        self.mask = translate(exposure.mask, exposure.mask_planes, planes)
        self.flagged = int(np.bitwise_or.reduce(self.mask, axis=None))
        self.ignored_bits = bit_mask(planes, config.ignoreMaskPlanes)
        filled = config.fillMaskPlanes if config.fillMasked else ()
        self.filled_bits = bit_mask(planes, filled)
        ignored = with_bits(self.mask, self.ignored_bits, self.flagged)
        self.unusable = either(image_bad, ignored)
        # LSST's planes keep zero and negative variances; ours replace them as missing.
        as_lsst = config.fillNonFinite == "mean"
        unknown = not_finite(variance) if as_lsst and variance_bad is not None else variance_bad
        self.missing = either(image_bad, unknown)
        # LSST's rule takes every pixel; elsewhere a regular sample is as good and much faster.
        self.sample = None if config.noiseSeed is None else SAMPLE
        raw_fallback = mean_variance(
            variance, inverse(either(ignored, unknown)), sample=self.sample
        )
        scale = _calibration(exposure, label) if config.scaleByCalibration else 1.0
        self.image = _scaled(exposure.image, scale)
        self.variance = _scaled(variance, scale**2)
        self.fallback = raw_fallback if config.rawFallbackVariance else raw_fallback * scale**2
        self.sky = 0.0

    @property
    def usable(self) -> Flags | None:
        """Pixels for a sky level; None: all."""
        return inverse(self.unusable)

    def finish(self) -> PreparedImage:
        """Fill the holes."""
        mask, as_lsst = self.mask, self.config.fillNonFinite == "mean"
        image_bad = not_finite(self.image)
        if as_lsst:
            variance_bad = not_finite(self.variance)
            self.image = _fill_with_mean(self.image, image_bad)
            self.variance = _fill_with_mean(self.variance, variance_bad)
            image_bad = variance_bad = None
        else:
            variance_bad = not_positive(self.variance)
            if self.missing is not None:
                mask = mask.copy()
                mask[self.missing] |= bit_mask(self.planes, ["NO_DATA"])
        image, variance = self._interpolate(image_bad, variance_bad)
        missing = self.missing
        done = PreparedImage(
            image=image,
            variance=variance,
            mask=mask,
            missing=np.broadcast_to(False, mask.shape) if missing is None else missing,
            flagged=self.flagged,
            ignored_bits=self.ignored_bits,
            filled_bits=self.filled_bits,
            trust_filled=as_lsst,
            bright=np.inf,
            fallback_variance=self.fallback,
            sky=self.sky,
            source=self.exposure,
        )
        return replace(done, bright=_source_level(done))

    def _interpolate(
        self, image_bad: Flags | None, variance_bad: Flags | None
    ) -> tuple[Plane, Plane]:
        masked = with_bits(self.mask, self.filled_bits, self.flagged)
        image, variance = self.image, self.variance

        def typical_variance() -> float:
            if self.fallback > 0:
                return self.fallback
            return float(variance[... if variance_bad is None else ~variance_bad].mean())

        def typical_value() -> float:
            usable = image[... if self.unusable is None else ~self.unusable]
            return float(np.median(usable)) if usable.size else 0.0

        bad = either(variance_bad, masked)
        holes = Holes(bad) if bad is not None else None
        if bad is not None and holes is not None:
            smooth = holes.fill(variance, typical_variance)
            # An interpolated pixel is no better known than before, nor than its neighbours.
            known = bad if variance_bad is None else bad & ~variance_bad
            smooth[known] = np.maximum(smooth[known], variance[known])
            variance = smooth
        bad = either(image_bad, masked)
        if bad is None:
            return image, variance
        if holes is None or image_bad is not None or variance_bad is not None:
            holes = Holes(bad)
        return holes.fill(image, typical_value), variance


def _source_level(image: PreparedImage) -> float:
    """Sky + `_SOURCE_SIGMA`·σ; infinite if either is unknown.

    σ is the predicted one, unless the pixels below the sky, where no source is, scatter far
    more: variances that are too low must not make the noise itself look like sources.
    """
    everywhere = (slice(None), slice(None))
    usable = image.usable(everywhere)
    sky = clipped_mean(image.image, usable, sample=SAMPLE)
    if not (image.fallback_variance > 0 and np.isfinite(sky)):
        return np.inf
    sigma = float(np.sqrt(image.fallback_variance))
    thin = thinned(image.image.size, SAMPLE)
    below = image.image[thin] if usable is None else image.image[thin][usable[thin]]
    if below.size:
        scatter = sky - float(np.quantile(below, _ONE_SIGMA_BELOW))
        sigma = scatter if scatter > _VARIANCE_TOO_LOW * sigma else sigma
    return sky + _SOURCE_SIGMA * sigma


def _subtract_sky(halves: list[_Draft], config: ZogyConfig) -> None:
    method = config.background
    if config.correctBackground and method in ("auto", "none"):
        method = "constant"
    if method == "none":
        return
    if method == "mesh":
        for half in halves:
            use = half.usable
            sky = sky_mesh(half.image, np.ones(half.image.shape, bool) if use is None else use)
            half.sky = float(sky.mean())
            half.image = half.image - sky
        return
    if method == "auto" and any(h.unusable is not None and h.unusable.all() for h in halves):
        return
    sample = None if config.noiseSeed is None else SKY_SAMPLE
    levels = [sky_level(half.image, half.usable, half.label, sample) for half in halves]
    noises = [np.sqrt(half.fallback) for half in halves]
    if method == "auto" and all(
        not abs(level) > AUTO_THRESHOLD * noise for level, noise in zip(levels, noises, strict=True)
    ):
        return
    for half, level in zip(halves, levels, strict=True):
        half.sky = level
        half.image = half.image - half.image.dtype.type(level)


def _check_shapes(science: Exposure, template: Exposure) -> None:
    if science.shape != template.shape:
        (ny, nx), (my, mx) = science.shape, template.shape
        raise ShapeMismatchError(
            f"science is {nx}×{ny} px but template is {mx}×{my}: both must share one pixel grid; "
            "warp the template onto the science image first"
        )


def _calibration(exposure: Exposure, label: str) -> float:
    if exposure.photo_calib is None:
        raise MissingDataError(
            f"{label} has no photometric calibration: scaleByCalibration needs photo_calib of "
            "both images; give it, or switch scaleByCalibration off and set scienceFluxScaling "
            "and templateFluxScaling"
        )
    return exposure.photo_calib


def _scaled(plane: Plane, factor: float) -> Plane:
    if factor == 1:
        return plane
    if not _SINGLE_FACTORS[0] < factor < _SINGLE_FACTORS[1]:
        plane = plane.astype(np.float64)
    return plane * plane.dtype.type(factor)


def _fill_with_mean(plane: Plane, bad: Flags | None) -> Plane:
    """LSST's rule: the plain mean of all finite pixels of the plane."""
    if bad is None:
        return plane
    out = plane.copy()
    out[bad] = plane[~bad].mean(dtype=np.float64)
    return out


def _label(exposure: Exposure, role: str) -> str:
    return f"{role} ({exposure.name})" if exposure.name and exposure.name != role else role
