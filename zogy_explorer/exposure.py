"""An image with what a subtraction needs to know of it: noise, mask, PSF, WCS, calibration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zogy_explorer.errors import InputError, MissingDataError, ShapeMismatchError
from zogy_explorer.geometry import Box
from zogy_explorer.masks import MASK_PLANES, check_planes, has_any
from zogy_explorer.psf import Psf, average_position

if TYPE_CHECKING:
    from astropy.nddata import CCDData
    from astropy.wcs import WCS

_FIELDS = (
    "image",
    "variance",
    "mask",
    "psf",
    "wcs",
    "photo_calib",
    "xy0",
    "meta",
    "name",
    "mask_planes",
)


class Exposure:
    """One image and its companions, all on the same pixel grid. Attributes are read-only.

    Parameters
    ----------
    image : (ny, nx) array_like of float
        Pixel values in the instrument's unit. float32 stays float32; other types become float64.
        Non-finite pixels are allowed.
    variance : (ny, nx) array_like of float, or a number, optional
        Variance of each pixel, in the image unit squared. None: unknown; such an exposure can
        be looked at but not subtracted.
    mask : (ny, nx) array_like of int, optional
        Bits named by ``mask_planes``; none set by default.
    psf : Psf, optional
        Anything with ``kernel_image(x=…, y=…)``. None: unknown.
    wcs : astropy.wcs.WCS, optional
        Sky coordinates for array indices (pixel [0, 0] is (0, 0) to it, whatever ``xy0``).
    photo_calib : float, optional
        Factor from image unit to calibrated unit; None if the image is not calibrated.
    xy0 : (int, int)
        Position (x, y) of array pixel [0, 0] on the pixel grid.
    meta : mapping, optional
        Header cards or other provenance.
    name : str
        How to call it in messages and on plots.
    mask_planes : mapping of str to int, optional
        Plane names and bits; LSST's by default.

    Raises
    ------
    InputError
        If a value cannot be used; the message says which and why.
    """

    __slots__ = _FIELDS

    image: NDArray[np.floating]
    variance: NDArray[np.floating] | None
    mask: NDArray[np.int32]
    psf: Psf | None
    wcs: WCS | None
    photo_calib: float | None
    xy0: tuple[int, int]
    meta: dict[str, Any]
    name: str
    mask_planes: dict[str, int]

    def __init__(
        self,
        image: ArrayLike,
        variance: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        psf: Psf | None = None,
        *,
        wcs: WCS | None = None,
        photo_calib: float | None = 1.0,
        xy0: tuple[int, int] = (0, 0),
        meta: Mapping[str, Any] | None = None,
        name: str = "",
        mask_planes: Mapping[str, int] | None = None,
    ) -> None:
        label = name or "exposure"
        pixels = as_float(image)
        if pixels.ndim != 2 or pixels.size == 0:
            raise InputError(
                f"{label}: image has shape {pixels.shape}: a 2-D array with pixels is needed"
            )
        if photo_calib is not None and not (np.isfinite(photo_calib) and photo_calib > 0):
            raise InputError(
                f"{label}: photo_calib is {photo_calib}: it must be a positive factor, "
                "or None if the image is not calibrated"
            )
        if psf is not None and not callable(getattr(psf, "kernel_image", None)):
            raise InputError(
                f"{label}: psf is a {type(psf).__name__}: it must have kernel_image(x=…, y=…); "
                "wrap a stamp as KernelPsf(stamp)"
            )
        values: dict[str, Any] = {
            "image": pixels,
            "variance": _variance_plane(variance, pixels, label),
            "mask": _mask_plane(mask, pixels.shape, label),
            "psf": psf,
            "wcs": wcs,
            "photo_calib": None if photo_calib is None else float(photo_calib),
            "xy0": (int(xy0[0]), int(xy0[1])),
            "meta": dict(meta or {}),
            "name": name,
            "mask_planes": check_planes(MASK_PLANES if mask_planes is None else mask_planes),
        }
        for field, value in values.items():
            object.__setattr__(self, field, value)

    def __setattr__(self, field: str, value: object) -> None:
        raise AttributeError(
            f"Exposure.{field} is read-only: make a changed copy with "
            f"exposure.replace({field}=…), or write into the array in place"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {field: getattr(self, field) for field in _FIELDS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for field, value in state.items():
            object.__setattr__(self, field, value)

    @property
    def bbox(self) -> Box:
        """Pixels of the image on the pixel grid, ``xy0`` included."""
        return Box.from_shape(self.shape, self.xy0)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        return (self.image.shape[0], self.image.shape[1])

    @property
    def average_position(self) -> tuple[float, float]:
        """Where the PSF is typical, (x, y) [px]."""
        return average_position(self.psf, self.bbox.center)

    def masked(self, names: list[str] | tuple[str, ...]) -> NDArray[np.bool_]:
        """Pixels (ny, nx) with any of the named planes set."""
        return has_any(self.mask, self.mask_planes, names)

    def replace(self, **changes: Any) -> Self:
        """A copy with some of the constructor's arguments changed; arrays are shared."""
        unknown = sorted(set(changes) - set(_FIELDS))
        if unknown:
            raise InputError(f"Exposure has no {', '.join(unknown)}: its fields are {_FIELDS}")
        return type(self)(**(self.__getstate__() | changes))

    def clone(self) -> Self:
        """A copy that shares no pixels with this one."""
        variance = None if self.variance is None else self.variance.copy()
        return self.replace(image=self.image.copy(), variance=variance, mask=self.mask.copy())

    @classmethod
    def read(cls, path: str | Path) -> Exposure:
        """Read from a FITS file (see ``zogy_explorer.io`` for the layouts understood).

        Raises
        ------
        ReadError
            If the file is missing or holds no image.
        """
        from zogy_explorer.io import read_exposure  # io builds on this class

        return read_exposure(path)

    def write(self, path: str | Path, *, overwrite: bool = True) -> None:
        """Write as FITS; ``Exposure.read`` gives the same bits back."""
        from zogy_explorer.io import write_exposure  # io builds on this class

        write_exposure(self, path, overwrite=overwrite)

    @classmethod
    def from_ccddata(cls, ccd: CCDData, *, psf: Psf | None = None, name: str = "") -> Exposure:
        """From an `astropy.nddata.CCDData`; its ``psf`` array, if any, becomes a `KernelPsf`."""
        from zogy_explorer.io import exposure_from_ccddata

        return exposure_from_ccddata(ccd, psf=psf, name=name)

    def to_ccddata(self) -> CCDData:
        """As an `astropy.nddata.CCDData` with variance, mask, WCS and the PSF at the centre."""
        from zogy_explorer.io import exposure_to_ccddata

        return exposure_to_ccddata(self)

    def __repr__(self) -> str:
        has = [
            word
            for word, there in (
                ("variance", self.variance is not None),
                ("psf", self.psf is not None),
                ("wcs", self.wcs is not None),
            )
            if there
        ]
        parts = ", ".join([str(self.bbox), self.image.dtype.name, *has])
        return f"Exposure({self.name!r}, {parts})" if self.name else f"Exposure({parts})"


def require_variance(exposure: Exposure, label: str) -> NDArray[np.floating]:
    """The variance plane (ny, nx).

    Raises
    ------
    MissingDataError
        If it is absent.
    """
    if exposure.variance is None:
        raise MissingDataError(
            f"{label} has no variance plane: ZOGY weighs every pixel by its noise; "
            "give Exposure(…, variance=…) or a VARIANCE extension in the file, "
            "or have it measured (zogy-explorer prepare)"
        )
    return exposure.variance


def require_psf(exposure: Exposure, label: str) -> Psf:
    """The PSF.

    Raises
    ------
    MissingDataError
        If it is absent.
    """
    if exposure.psf is None:
        raise MissingDataError(
            f"{label} has no PSF: ZOGY needs the PSF of both images; "
            "give Exposure(…, psf=KernelPsf(stamp)) or a PSF extension in the file, "
            "or have it measured (zogy-explorer prepare)"
        )
    return exposure.psf


def as_float(array: ArrayLike) -> NDArray[np.floating]:
    """Native-endian float32 or float64 view or copy of ``array``; masked values become NaN."""
    if isinstance(array, np.ma.MaskedArray):
        array = np.ma.filled(array.astype(np.result_type(array.dtype, np.float32)), np.nan)
    raw = np.asarray(array)
    if raw.dtype.kind not in "fiub":
        raise InputError(f"array has type {raw.dtype}: real numbers are needed")
    target = np.float32 if raw.dtype.kind == "f" and raw.dtype.itemsize == 4 else np.float64
    return np.ascontiguousarray(raw, dtype=target)


def _variance_plane(
    variance: ArrayLike | None, image: NDArray[np.floating], label: str
) -> NDArray[np.floating] | None:
    if variance is None:
        return None
    if np.ndim(variance) == 0:  # as_float would make a 1-D array of it
        return np.full(image.shape, variance, dtype=image.dtype)
    plane = as_float(variance)
    _check_same_shape(plane.shape, image.shape, "variance", label)
    return plane


def _mask_plane(mask: ArrayLike | None, shape: tuple[int, ...], label: str) -> NDArray[np.int32]:
    if mask is None:
        return np.zeros(shape, dtype=np.int32)
    raw = np.asarray(mask)
    if raw.dtype.kind not in "iub":
        raise InputError(f"{label}: mask has type {raw.dtype}: integer bits are needed")
    _check_same_shape(raw.shape, shape, "mask", label)
    if raw.dtype == np.int32 and raw.dtype.isnative:
        return np.ascontiguousarray(raw)
    # Bits, not values: an unsigned plane 31 becomes the sign bit.
    return np.ascontiguousarray(
        (raw.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    )


def _check_same_shape(
    shape: tuple[int, ...], expected: tuple[int, ...], plane: str, label: str
) -> None:
    if shape != expected:
        raise ShapeMismatchError(
            f"{label}: {plane} is {'×'.join(map(str, shape))} but image is "
            f"{'×'.join(map(str, expected))} (rows×columns): all planes share one pixel grid"
        )
