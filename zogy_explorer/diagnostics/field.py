"""The pixels from which a result is judged: D and Scorr in σ, and where they count.

Source-free pixels must be chosen without looking at D or S, or the choice itself would cut their
tails. They are chosen on the matched filter of the *sum* of both images,

    T = Σ_j F_j/σ_j² (P_j ⋆ I_j),

whose noise is independent of D and S at all lags: with k_n, k_r of eqs. 28, 29 both products
k_j · conj(t_j) σ_j² are F_n²F_r²|P_n|²|P_r|²/den, and S takes their difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.signal import fftconvolve

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.prepare import PreparedImage
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.errors import InputError
from zogy_explorer.masks import bit_mask

Plane = NDArray[np.floating]
Flags = NDArray[np.bool_]
Subject = CellResult | Difference

_DETECTED = 4.0  # σ of T from which a pixel belongs to a source
_REACH = 2.0  # PSF σ around it that belong to it too
_ONE_SIGMA_BELOW = 0.1587


@dataclass(frozen=True, eq=False)
class Field:
    """D and Scorr of a cell or a frame, and the pixels that count.

    Parameters
    ----------
    diff
        D over its predicted σ (ny, nx).
    scorr
        Scorr, or None if it was not wanted.
    use
        Pixels to judge by: finite, not spoilt by bad ones and, as asked, without sources.
    stamps
        P_S of the cells with the number of their pixels that count; how Scorr's pixels
        correlate if the noise of the images is white.
    """

    diff: Plane
    scorr: Plane | None
    use: Flags
    stamps: tuple[tuple[Plane, int], ...]

    @property
    def n_pixels(self) -> int:
        """How many pixels count."""
        return int(np.count_nonzero(self.use))

    @cached_property
    def correlation(self) -> Plane:
        """Correlation of Scorr's pixels by lag, 1 at the centre n // 2: P_S of the largest cell."""
        if not self.stamps:
            return np.ones((1, 1))
        stamp = max(self.stamps, key=lambda pair: pair[1])[0]
        return np.asarray(stamp / stamp[stamp.shape[0] // 2, stamp.shape[1] // 2])


def field_of(subject: Subject, plan: SubtractionPlan | None = None, *, sources: bool) -> Field:
    """The pixels of a cell or a frame by which it is judged.

    Parameters
    ----------
    subject
        A computed cell, or a whole difference.
    plan
        The cell's plan: it knows the mask planes and the images. Without it, pixels with any
        mask bit are left out, and sources cannot be. A difference brings its own.
    sources
        Whether pixels of sources count.

    Returns
    -------
    field
        Without any pixel in use for a failed cell.
    """
    if isinstance(subject, Difference):
        return _of_frame(subject, sources)
    shape = subject.region.shape
    if subject.diff is None or subject.diff_variance is None or subject.mask is None:
        nothing = np.full(shape, np.nan)
        return Field(nothing, None, np.zeros(shape, dtype=bool), ())
    use = subject.mask == 0 if plan is None else usable(plan, subject, sources=sources)
    return _field(subject.diff, subject.diff_variance, subject.scorr, use, (subject,))


def usable(plan: SubtractionPlan, result: CellResult, *, sources: bool) -> Flags:
    """Pixels of a cell's region that no bad pixel spoils and, unless ``sources``, no source has."""
    if result.mask is None:
        return np.zeros(result.region.shape, dtype=bool)
    use = (result.mask & spoiling_bits(plan)) == 0
    return use if sources else use & source_free(plan, result)


def source_free(plan: SubtractionPlan, result: CellResult) -> Flags:
    """Pixels of a cell's region away from every source of either image.

    Those of the planes that statistics leave out (such as DETECTED), and those within 2 σ of the
    PSF of a pixel of the summed matched filter T over 4 σ.
    """
    box = plan.bbox.intersection(result.cell.outer)
    assert box is not None  # cells tile the image
    xy0 = (plan.bbox.x0, plan.bbox.y0)
    total = np.zeros(box.shape)
    quiet = np.ones(box.shape, dtype=bool)
    sides = (
        (plan.science, result.psf_science, result.flux_science, result.sigma_science),
        (plan.template, result.psf_template, result.flux_template, result.sigma_template),
    )
    for image, stamp, flux, sigma in sides:
        if stamp is None or not sigma > 0:
            return np.zeros(result.region.shape, dtype=bool)
        use = image.usable(box.slices(xy0))
        quiet &= True if use is None else use
        total += flux / sigma**2 * _filtered(image, stamp, box.slices(xy0))
    if quiet.any():
        seen = total[quiet]
        level = float(np.median(seen))
        sigma = level - float(np.quantile(seen, _ONE_SIGMA_BELOW))
        reach = max(int(np.ceil(_REACH * max(plan.psf_sigma))), 2)
        bright = total > level + _DETECTED * sigma
        quiet &= ~ndimage.maximum_filter(bright, 2 * reach + 1)
    return np.ascontiguousarray(quiet[result.region.slices((box.x0, box.y0))])


def radial_mean(plane: Plane, radius: Plane, edges: Plane) -> Plane:
    """Mean of a plane in rings of ``radius`` between ``edges``; NaN where a ring has no pixel."""
    ring = np.digitize(radius.ravel(), edges) - 1
    inside = (ring >= 0) & (ring < len(edges) - 1)
    count = np.bincount(ring[inside], minlength=len(edges) - 1)
    total = np.bincount(ring[inside], plane.ravel()[inside], minlength=len(edges) - 1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def require_ok(result: CellResult) -> None:
    """Check that a cell has a result.

    Raises
    ------
    InputError
        If it failed.
    """
    if not result.ok:
        raise InputError(
            f"cell {result.cell.name} has no result ({result.describe_failure()}): "
            "mend the cause and subtract it again"
        )


def _of_frame(difference: Difference, sources: bool) -> Field:
    plan = difference.plan
    xy0 = (plan.bbox.x0, plan.bbox.y0)
    use = np.zeros(plan.shape, dtype=bool)
    variance = difference.diff.variance
    assert variance is not None  # every difference has it
    for cell in difference.cells:
        if cell.ok:
            inner = cell.cell.inner
            own = inner.slices((cell.region.x0, cell.region.y0))
            use[inner.slices(xy0)] = _cell_use(difference, cell, sources)[own]
    working = tuple(cell for cell in difference.cells if cell.ok)
    return _field(difference.diff.image, variance, difference.scorr, use, working)


def _cell_use(difference: Difference, cell: CellResult, sources: bool) -> Flags:
    plan = difference.plan
    mask = difference.diff.mask[cell.region.slices((plan.bbox.x0, plan.bbox.y0))]
    use = (mask & spoiling_bits(plan)) == 0
    return use if sources else use & source_free(plan, cell)


def _field(
    diff: Plane, variance: Plane, scorr: Plane | None, use: Flags, cells: tuple[CellResult, ...]
) -> Field:
    positive = variance > 0  # LSST's rules keep negative ones
    pulls = diff / np.sqrt(np.where(positive, variance, np.nan))
    use = use & np.isfinite(pulls)
    stamps = tuple(
        (cell.psf_score, cell.cell.inner.area) for cell in cells if cell.psf_score is not None
    )
    return Field(pulls, scorr, use, stamps)


def spoiling_bits(plan: SubtractionPlan) -> np.int32:
    """Bits of pixels that spoil D and S around them."""
    return bit_mask(plan.mask_planes, (*plan.config.fillMaskPlanes, "NO_DATA"))


def _filtered(image: PreparedImage, stamp: Plane, pixels: tuple[slice, slice]) -> Plane:
    """P ⋆ I of an image less its median; the frame's outside counts as sky."""
    cut = image.image[pixels].astype(np.float64)
    cut -= np.median(cut)
    full = fftconvolve(cut, stamp[::-1, ::-1], mode="full")
    # The flipped stamp has its centre at (n - 1) - n // 2.
    y, x = (n - 1 - n // 2 for n in stamp.shape)
    return np.asarray(full[y : y + cut.shape[0], x : x + cut.shape[1]])
