"""Documented methods of ``ZogyTask`` on PSFs, masks and statistics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zogy_explorer.engine.lsst_task.arrays import ArrayMethods, as_box
from zogy_explorer.engine.moments import centroid
from zogy_explorer.engine.mosaic import CellPsf
from zogy_explorer.engine.plan import Settings, border_rule, determinant_radius, evaluate_psf
from zogy_explorer.engine.statistics import clipped_statistics
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure, require_psf
from zogy_explorer.masks import MASK_PLANES, bit_mask
from zogy_explorer.psf import KernelPsf, Psf, Stamp, average_position, unit_sum


class PsfMethods(ArrayMethods):
    """PSFs, what is measured on them, and what is measured on images."""

    @staticmethod
    def getCentroid(A: ArrayLike) -> tuple[float, float]:
        """Centroid (y, x) of an array, from its geometric centre (n - 1) / 2 [px]."""
        x, y = centroid(np.asarray(A, dtype=np.float64), "geometric")
        return (y, x)

    def checkCentroids(self, psfArr1: ArrayLike, psfArr2: ArrayLike) -> None:
        """Check that the centroids of two PSF stamps agree within ``config.maxPsfCentroidDist``.

        Raises
        ------
        InputError
            If they do not.
        """
        origin, limit = self.config.centroidOrigin, self.config.maxPsfCentroidDist
        (x1, y1), (x2, y2) = (
            centroid(np.asarray(psf, dtype=np.float64), origin) for psf in (psfArr1, psfArr2)
        )
        distance = float(np.hypot(x1 - x2, y1 - y2))
        if distance > limit:
            raise InputError(
                f"the PSF centroids are {distance:.3f} px apart, maxPsfCentroidDist allows "
                f"{limit:g} px: measure the PSFs again with a common centre, or raise it"
            )

    @staticmethod
    def computePsfAtCenter(exposure: Exposure) -> Stamp:
        """Unit-sum PSF stamp (ny, nx) at the centre of the exposure.

        Raises
        ------
        PsfError
            If the PSF cannot be evaluated there.
        """
        label = exposure.name or "the exposure"
        x, y = exposure.bbox.center
        return evaluate_psf(require_psf(exposure, label), x, y, f"the PSF of {label}")

    def estimateMatchingKernelSize(self, psf1: Psf | ArrayLike, psf2: Psf | ArrayLike) -> float:
        """Border [px] that the kernels need: 10σ of the wider PSF, at least the stamps' sides.

        Parameters
        ----------
        psf1, psf2
            PSFs, taken at their average position, or stamps.
        """
        settings = Settings(self.config)
        stamps = [psf_stamp(psf) for psf in (psf1, psf2)]
        sigmas = [determinant_radius(stamp, settings) for stamp in stamps]
        return border_rule((sigmas[0], sigmas[1]), [stamp.shape for stamp in stamps], settings)

    def subtractImageMean(
        self, image: NDArray[np.floating], mask: ArrayLike, statsControl: Any = None
    ) -> None:
        """Subtract the clipped mean of an image, in place.

        Parameters
        ----------
        image : (ny, nx) array
            Changed in place.
        mask : (ny, nx) array of int or bool
            Pixels with a bit of ``config.ignoreMaskPlanes`` (LSST's bits), or True, are left
            out.
        statsControl
            Anything with some of ``numSigmaClip``, ``numIter``, ``andMask``: other clipping or
            bits.

        Raises
        ------
        InputError
            If no pixel is left.
        """
        bits = np.asarray(mask)
        ignored = bit_mask(MASK_PLANES, self.config.ignoreMaskPlanes)
        ignored = getattr(statsControl, "andMask", ignored)
        use = ~bits if bits.dtype == bool else (bits & ignored) == 0
        mean = clipped_statistics(
            image,
            use,
            n_sigma=float(getattr(statsControl, "numSigmaClip", 3.0)),
            iterations=int(getattr(statsControl, "numIter", 3)),
        ).mean
        if not np.isfinite(mean):
            raise InputError(
                "the mean of the image is not a number: no unmasked finite pixel is left; "
                "check the mask and ignoreMaskPlanes"
            )
        image -= image.dtype.type(mean)

    @staticmethod
    def makeKernelPsfFromArray(A: ArrayLike) -> KernelPsf:
        """The same PSF everywhere, from a stamp centred on pixel n // 2."""
        return KernelPsf(A)

    @staticmethod
    def makeSpatialPsf(gridPsfs: Iterable[Any]) -> CellPsf:
        """PSF of a grid: in each box that box's stamp, elsewhere the nearest box's.

        Parameters
        ----------
        gridPsfs
            Structs with ``bbox`` (`Box`) and ``psf`` (a stamp, or a PSF).

        Raises
        ------
        InputError
            If there are none.
        """
        grid = list(gridPsfs)
        if not grid:
            raise InputError("gridPsfs is empty: give one struct with bbox and psf per cell")
        boxes = tuple(as_box(part.bbox) for part in grid)
        stamps = tuple(
            psf_stamp(part.psf, box.center) for part, box in zip(grid, boxes, strict=True)
        )
        return CellPsf(boxes, stamps)

    @staticmethod
    def calculateMaskPlane(
        mask1: NDArray[np.int32], mask2: NDArray[np.int32], effPsf1: Any = None, effPsf2: Any = None
    ) -> NDArray[np.int32]:
        """Mask of the difference before it is grown: the bits of both (ny, nx) masks.

        ``effPsf1`` and ``effPsf2`` are not used, as in LSST.
        """
        return np.asarray(mask1) | np.asarray(mask2)


def psf_stamp(psf: Any, at: tuple[float, float] = (0.0, 0.0)) -> Stamp:
    """Stamp of a PSF at its average position, or else ``at``; an array is a stamp already."""
    if not callable(getattr(psf, "kernel_image", None)):
        stamp = np.asarray(psf, dtype=np.float64)
        # A stamp that has been normalised keeps its bits.
        return stamp if abs(stamp.sum() - 1) < 1e-14 else unit_sum(stamp)
    x, y = average_position(psf, at)
    return evaluate_psf(psf, x, y, "the PSF")
