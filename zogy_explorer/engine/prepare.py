"""From two exposures to planes that can be transformed: the part that concerns the whole frame.

Calibration, sky, missing and masked pixels, and the variance that stands in where a cell has
none of its own. The result depends on few settings (`config.PREPARE_FIELDS`) and is reused while
the others change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.background import AUTO_THRESHOLD, sky_level, sky_mesh
from zogy_explorer.engine.config import PREPARE_FIELDS, ZogyConfig, hash_settings
from zogy_explorer.engine.repair import fill_holes
from zogy_explorer.engine.statistics import SAMPLE, SKY_SAMPLE, clipped_mean, mean_variance
from zogy_explorer.errors import InputError, MissingDataError, ShapeMismatchError
from zogy_explorer.exposure import Exposure, require_psf, require_variance
from zogy_explorer.masks import MASK_PLANES, bit_mask, merge_planes, translate

_SOURCE_SIGMA = (
    3.5  # a pixel this far above the sky belongs to a source; at 3 noise peaks would too
)
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
    usable
        Pixels that enter statistics: none of ``ignoreMaskPlanes``, finite at the start.
    missing
        Pixels without a finite value or variance at the start: S says nothing there.
    quiet
        Usable pixels without a source: not near one that exceeds the sky by 3.5σ.
    filled
        Pixels that were replaced, missing or masked.
    fallback_variance
        Mean variance of the whole image.
    sky
        Level that was subtracted (the mean of a mesh) [calibrated unit].
    source
        The exposure it was made from.
    """

    image: NDArray[np.floating]
    variance: NDArray[np.floating]
    mask: NDArray[np.int32]
    usable: NDArray[np.bool_]
    quiet: NDArray[np.bool_]
    missing: NDArray[np.bool_]
    filled: NDArray[np.bool_]
    fallback_variance: float
    sky: float
    source: Exposure


@dataclass(frozen=True, eq=False)
class PreparedPair:
    """Both images, and the settings they were prepared with (``key``)."""

    science: PreparedImage
    template: PreparedImage
    mask_planes: dict[str, int]
    key: str

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
    halves = [
        _Draft(exposure, _label(exposure, role), planes, config)
        for exposure, role in ((science, "science"), (template, "template"))
    ]
    _subtract_sky(halves, config)
    done = [half.finish() for half in halves]
    return PreparedPair(done[0], done[1], planes, prepare_key(config))


class _Draft:
    """One image on its way from `Exposure` to `PreparedImage`."""

    def __init__(
        self, exposure: Exposure, label: str, planes: dict[str, int], config: ZogyConfig
    ) -> None:
        variance = require_variance(exposure, label)
        require_psf(exposure, label)
        self.exposure, self.label, self.config = exposure, label, config
        self.planes = planes
        finite = np.isfinite(exposure.image)
        if not finite.any():
            raise InputError(
                f"{label} has no finite pixel: all {exposure.image.size} are NaN or infinite; "
                "check that the right image was read"
            )
        positive = np.isfinite(variance) & (variance > 0)
        if not positive.any():
            raise InputError(
                f"the variance plane of {label} has no positive value: "
                "ZOGY weighs each pixel by its variance; give one in the image unit squared"
            )
        self.mask = translate(exposure.mask, exposure.mask_planes, planes)
        ignored = (self.mask & bit_mask(planes, config.ignoreMaskPlanes)) != 0
        self.ignored = ignored
        self.usable = finite & ~ignored
        # LSST's planes keep zero and negative variances; ours replace them as missing.
        known = np.isfinite(variance) if config.fillNonFinite == "mean" else positive
        self.missing = ~(finite & known)
        # LSST's rule takes every pixel; elsewhere a regular sample is as good and much faster.
        self.sample = None if config.noiseSeed is None else SAMPLE
        raw_fallback = mean_variance(variance, ~ignored & known, sample=self.sample)
        scale = _calibration(exposure, label) if config.scaleByCalibration else 1.0
        self.image = _scaled(exposure.image, scale)
        self.variance = _scaled(variance, scale**2)
        self.fallback = raw_fallback if config.rawFallbackVariance else raw_fallback * scale**2
        self.sky = 0.0

    def finish(self) -> PreparedImage:
        """Fill the holes."""
        mask, filled = self.mask, self.missing
        usable = self.usable & ~self.missing
        image_bad = ~np.isfinite(self.image)
        variance_bad = ~np.isfinite(self.variance)
        if self.config.fillNonFinite == "mean":
            self.image = _fill_with_mean(self.image, image_bad)
            self.variance = _fill_with_mean(self.variance, variance_bad)
            image_bad = variance_bad = np.zeros_like(self.missing)
            usable = ~self.ignored  # LSST no longer tells a filled pixel from a measured one
        else:
            variance_bad |= self.variance <= 0
            if self.missing.any():
                mask = mask.copy()
                mask[self.missing] |= bit_mask(self.planes, ["NO_DATA"])
        image, variance = self._interpolate(image_bad, variance_bad)
        filled = filled | self._masked_holes()
        return PreparedImage(
            image=image,
            variance=variance,
            mask=mask,
            usable=usable,
            quiet=usable & ~self._near_sources(image, usable),
            missing=self.missing,
            filled=filled,
            fallback_variance=self.fallback,
            sky=self.sky,
            source=self.exposure,
        )

    def _near_sources(
        self, image: NDArray[np.floating], usable: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Pixels within `_SOURCE_REACH` of one brighter than the sky by `_SOURCE_SIGMA`·σ."""
        sky = clipped_mean(image, usable, sample=SAMPLE)
        if not (self.fallback > 0 and np.isfinite(sky)):
            return np.zeros_like(usable)
        bright = image > sky + _SOURCE_SIGMA * np.sqrt(self.fallback)
        return _spread(bright, _SOURCE_REACH)

    def _masked_holes(self) -> NDArray[np.bool_]:
        if not self.config.fillMasked:
            return np.zeros_like(self.missing)
        return (self.mask & bit_mask(self.planes, self.config.fillMaskPlanes)) != 0

    def _interpolate(
        self, image_bad: NDArray[np.bool_], variance_bad: NDArray[np.bool_]
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        holes = self._masked_holes()
        variance = self.variance
        if (variance_bad | holes).any():
            level = self.fallback if self.fallback > 0 else float(variance[~variance_bad].mean())
            smooth = fill_holes(variance, variance_bad | holes, level)
            # An interpolated pixel is no better known than before, nor than its neighbours.
            known = holes & ~variance_bad
            smooth[known] = np.maximum(smooth[known], variance[known])
            variance = smooth
        if not (image_bad | holes).any():
            return self.image, variance
        usable = self.image[self.usable]
        level = float(np.median(usable)) if usable.size else 0.0
        return fill_holes(self.image, image_bad | holes, level), variance


def _subtract_sky(halves: list[_Draft], config: ZogyConfig) -> None:
    method = config.background
    if config.correctBackground and method in ("auto", "none"):
        method = "constant"
    if method == "none":
        return
    if method == "mesh":
        for half in halves:
            sky = sky_mesh(half.image, half.usable)
            half.sky = float(sky.mean())
            half.image = half.image - sky
        return
    if method == "auto" and not all(half.usable.any() for half in halves):
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


def _scaled(plane: NDArray[np.floating], factor: float) -> NDArray[np.floating]:
    if factor == 1:
        return plane
    if not _SINGLE_FACTORS[0] < factor < _SINGLE_FACTORS[1]:
        plane = plane.astype(np.float64)
    return plane * plane.dtype.type(factor)


def _fill_with_mean(plane: NDArray[np.floating], bad: NDArray[np.bool_]) -> NDArray[np.floating]:
    """LSST's rule: the plain mean of all finite pixels of the plane."""
    if not bad.any():
        return plane
    out = plane.copy()
    out[bad] = plane[~bad].mean(dtype=np.float64)
    return out


def _spread(pixels: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Pixels within ``reach`` rows and columns of a set one; far faster than a rank filter."""
    wide = pixels.copy()
    for shift in range(1, reach + 1):
        wide[:, shift:] |= pixels[:, :-shift]
        wide[:, :-shift] |= pixels[:, shift:]
    square = wide.copy()
    for shift in range(1, reach + 1):
        square[shift:] |= wide[:-shift]
        square[:-shift] |= wide[shift:]
    return square


def _label(exposure: Exposure, role: str) -> str:
    return f"{role} ({exposure.name})" if exposure.name and exposure.name != role else role
