"""Documented methods of ``ZogyTask`` on boxes and arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from zogy_explorer.engine.fourier import Plane, Spectrum, pad_center_origin
from zogy_explorer.engine.grid import generate_grid, split_border
from zogy_explorer.engine.lsst_task.base import Task
from zogy_explorer.engine.lsst_task.spectra import full_from_half, image_spectrum, plane_of_full
from zogy_explorer.engine.lsst_task.struct import Struct
from zogy_explorer.engine.padding import cut_with_constant, cut_with_noise, lsst_noise
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure, require_variance
from zogy_explorer.geometry import Box


class ArrayMethods(Task):
    """Grids and padding, pixel and Fourier space."""

    freqSpaceShape: tuple[int, int] | None = None
    """(ny, nx) of the Fourier transforms; None before a cell is prepared."""

    @staticmethod
    def generateGrid(
        imageBox: Box | Iterable[int],
        minEdgeDims: Any,
        innerBoxDims: Any,
        minTotalDims: Any = None,
        powerOfTwo: bool = False,
        *,
        sizing: str | None = None,
    ) -> list[Struct]:
        """Cells that cover each pixel of the image once, each with a border for padding.

        Parameters
        ----------
        imageBox
            Pixels to cover: a `Box` or (x0, y0, width, height).
        minEdgeDims
            Smallest border (x, y) [px].
        innerBoxDims
            Wanted inner size (x, y) [px]; stretched so that whole cells fit.
        minTotalDims
            Smallest outer size (x, y) [px].
        powerOfTwo
            Round outer sizes up to powers of two (16 … 8192); else only to even sizes.
        sizing
            Our addition: the rule of the same name as ``config.fftSizing``, in place of
            ``powerOfTwo``. ``task.config.fftSizing`` gives the grid that `run` uses.

        Returns
        -------
        boxes
            Structs with ``innerBox`` and ``outerBox``, row by row.
        """
        rule = sizing or ("powerOfTwo" if powerOfTwo else "exact")
        least = None if minTotalDims is None else _pair(minTotalDims)
        cells = generate_grid(
            as_box(imageBox), _pair(minEdgeDims), _pair(innerBoxDims), least, sizing=rule
        )
        return [Struct(innerBox=cell.inner, outerBox=cell.outer) for cell in cells]

    @staticmethod
    def splitBorder(innerBox: Box | Iterable[int], outerBox: Box | Iterable[int]) -> list[Box]:
        """The eight boxes of the border, counter-clockwise from the lower left.

        Raises
        ------
        InputError
            Unless the outer box exceeds the inner one on all four sides.
        """
        return list(split_border(as_box(innerBox), as_box(outerBox)))

    def initializeSubImage(
        self,
        fullExp: Exposure,
        innerBox: Box,
        outerBox: Box,
        noiseMeanVar: float,
        useNoise: bool = True,
    ) -> Exposure:
        """Sub-image of ``outerBox``: real pixels where there are any, white noise elsewhere.

        Parameters
        ----------
        fullExp
            Whole image.
        innerBox, outerBox
            Boxes of the cell.
        noiseMeanVar
            Variance of the noise; also what the variance plane holds off the image.
        useNoise
            False: zero off the image.
        """
        inner, outer = as_box(innerBox), as_box(outerBox)
        variance = float(noiseMeanVar)
        image = cut_with_noise(
            fullExp.image,
            fullExp.bbox,
            inner,
            outer,
            sigma=float(np.sqrt(variance)),
            noise=lsst_noise(variance) if useNoise else None,
        )
        known = require_variance(fullExp, fullExp.name or "the exposure")
        plane = cut_with_constant(known, fullExp.bbox, outer, variance)
        return sub_exposure(fullExp, outer, image.copy(), plane.copy(), fullExp.psf)

    @staticmethod
    def padCenterOriginArray(
        A: ArrayLike, newShape: Iterable[int], useInverse: bool = False, dtype: Any = None
    ) -> NDArray[Any]:
        """Zero-pad a stamp with its centre (pixel n // 2) moved to index 0, or the reverse.

        Parameters
        ----------
        A : (ny, nx) array
            The stamp, or with ``useInverse`` the plane to cut it out of.
        newShape
            (ny, nx) of the result.
        useInverse
            Cut the stamp out again, its centre moved back to pixel n // 2.
        dtype
            Type of the result; that of ``A`` by default.

        Raises
        ------
        InputError
            If the stamp is larger than the plane, or only one pixel wide.
        """
        array = np.asarray(A)
        shape = _pair(newShape)
        stamp = shape if useInverse else array.shape
        if len(stamp) != 2 or 1 in stamp:
            raise InputError(
                f"a stamp of shape {stamp} has no halves to swap: "
                "it must be 2-D with at least 2 pixels along each axis"
            )
        moved = pad_center_origin(array, shape, inverse=useInverse)
        return moved if dtype is None else moved.astype(dtype)

    def padAndFftImage(self, imgArr: NDArray[np.floating]) -> Struct:
        """Fill non-finite pixels, pad to ``freqSpaceShape`` and transform.

        Parameters
        ----------
        imgArr : (ny, nx) array
            Image; its non-finite pixels are replaced by the mean in place.

        Returns
        -------
        struct
            ``imFft``, full complex spectrum with the image's pixel n // 2 as origin, and
            ``filtInf``, ``filtNaN``, where the image was infinite and NaN.
        """
        filtInf, filtNaN = self.removeNonFinitePixels(imgArr)
        height, width = imgArr.shape
        shape = self.freqSpaceShape or (height, width)
        if height > shape[0] or width > shape[1]:
            pad_center_origin(imgArr, shape)  # says what is wrong
        top, left = shape[0] // 2 - height // 2, shape[1] // 2 - width // 2
        plane = np.zeros(shape, dtype=imgArr.dtype)
        plane[top : top + height, left : left + width] = imgArr
        imFft = full_from_half(image_spectrum(plane), shape[1])
        return Struct(imFft=imFft, filtInf=filtInf, filtNaN=filtNaN)

    def inverseFftAndCropImage(
        self,
        imgArr: Spectrum,
        origSize: Iterable[int],
        filtInf: NDArray[np.bool_] | None = None,
        filtNaN: NDArray[np.bool_] | None = None,
        dtype: Any = None,
    ) -> NDArray[np.floating]:
        """Undo `padAndFftImage`.

        Parameters
        ----------
        imgArr : (ny, nx) array of complex
            Full spectrum.
        origSize
            (ny, nx) of the result, cut around the centre.
        filtInf, filtNaN : arrays of bool, optional
            Where to put infinity and NaN back.
        dtype
            Type of the result; real, of the spectrum's precision by default.

        Raises
        ------
        InputError
            If ``origSize`` is larger than the spectrum.
        """
        plane = plane_of_full(np.asarray(imgArr))
        height, width = _pair(origSize)
        if height > plane.shape[0] or width > plane.shape[1]:
            pad_center_origin(plane, (height, width), inverse=True)  # says what is wrong
        top, left = plane.shape[0] // 2 - height // 2, plane.shape[1] // 2 - width // 2
        cropped = plane[top : top + height, left : left + width].copy()
        if filtInf is not None:
            cropped[filtInf] = np.inf
        if filtNaN is not None:
            cropped[filtNaN] = np.nan
        return cropped if dtype is None else cropped.astype(dtype)

    @staticmethod
    def pixelSpaceSquare(D: Spectrum) -> Spectrum:
        """Full spectrum of the square, pixel by pixel, of the plane with full spectrum ``D``."""
        return scipy.fft.fft2(np.square(scipy.fft.ifft2(np.asarray(D)).real))

    @staticmethod
    def removeNonFinitePixels(
        imgArr: NDArray[np.floating],
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Replace non-finite pixels by the mean of the others, in place.

        Returns
        -------
        filtInf, filtNaN : (ny, nx) arrays of bool
            Where the array was infinite, and NaN.
        """
        filtInf, filtNaN = np.isinf(imgArr), np.isnan(imgArr)
        bad = filtInf | filtNaN
        if bad.any():
            if bad.all():
                raise InputError(
                    f"all {bad.size} pixels are NaN or infinite: there is no mean to replace them"
                )
            imgArr[bad] = imgArr[~bad].mean(dtype=np.float64)
        return filtInf, filtNaN


def sub_exposure(full: Exposure, box: Box, image: Plane, variance: Plane, psf: Any) -> Exposure:
    """Exposure of ``box``, which may exceed the ``full`` one; no mask bits off it."""
    mask = np.zeros(box.shape, dtype=np.int32)
    common = full.bbox.intersection(box)
    if common is not None:
        mask[common.slices((box.x0, box.y0))] = full.mask[common.slices(full.xy0)]
    return full.replace(
        image=image, variance=variance, mask=mask, psf=psf, wcs=None, xy0=(box.x0, box.y0)
    )


def as_box(box: Box | Iterable[int]) -> Box:
    """The box itself, or the one of (x0, y0, width, height)."""
    return box if isinstance(box, Box) else Box(*box)


def _pair(dims: Any) -> tuple[int, int]:
    """Two whole numbers from a sequence or an object with x and y."""
    if hasattr(dims, "x") and hasattr(dims, "y"):
        dims = (dims.x, dims.y)
    first, second = dims
    return (int(first), int(second))
