"""PSF extensions: a stamp, or a cube of stamps with a table of positions.

The table's ``x``, ``y`` are positions on the pixel grid (``xy0`` included). A PSF that is there
but cannot be used is kept as a `BrokenPsf`, so that the image can still be looked at.
"""

from __future__ import annotations

import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from zogy_explorer.engine.mosaic import CellPsf
from zogy_explorer.errors import PsfError
from zogy_explorer.geometry import Box
from zogy_explorer.io._fits import find, image_hdu, native
from zogy_explorer.psf import GridPsf, KernelPsf, Psf, unit_sum

_BOX = ("x0", "y0", "width", "height")  # columns of the table of cells
_SAMPLE_STEP = 256.0
_SAMPLES = (3, 9)


class BrokenPsf:
    """A PSF that could not be read: raises its error when it is asked for.

    Parameters
    ----------
    reason
        One sentence.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def kernel_image(self, *, x: float, y: float) -> NDArray[np.float64]:
        """Nothing but the error.

        Raises
        ------
        PsfError
            Always.
        """
        raise PsfError(self.reason)

    def __repr__(self) -> str:
        return f"BrokenPsf({self.reason!r})"


def psf_from(hdus: fits.HDUList, name: str = "PSF") -> Psf | None:
    """The PSF in extension ``name``; None without one."""
    hdu = find(hdus, name)
    if hdu is None or not hdu.is_image:
        return None
    try:
        data = hdu.data
        if data is None:
            raise PsfError("it has no pixels: write the PSF stamp into it or remove it")
        stamps = native(np.asarray(data))
        if stamps.ndim != 3:
            return KernelPsf(stamps)
        if stamps.ndim == 3 and len(stamps) == 1 and find(hdus, f"{name}_GRID") is None:
            return KernelPsf(stamps[0])
        return _varying(hdus, hdu.header, stamps, name)
    except Exception as error:  # a broken extension must not cost us the image
        return BrokenPsf(f"extension {name} cannot be used: {error}")


def _varying(
    hdus: fits.HDUList, header: fits.Header, stamps: NDArray[np.generic], name: str
) -> Psf:
    if header.get("PSFKIND") == "CELLS":
        grid = find(hdus, f"{name}_GRID")
        if grid is None:
            raise PsfError(f"its table {name}_GRID is missing: the file is not complete")
        rows = grid.data
        boxes = tuple(Box(*(int(r[k]) for k in _BOX)) for r in rows)
        regions: tuple[Box, ...] = ()
        if f"region_{_BOX[0]}" in rows.names:
            regions = tuple(Box(*(int(r[f"region_{k}"]) for k in _BOX)) for r in rows)
        return CellPsf(boxes, tuple(np.asarray(stamps, dtype=np.float64)), regions)
    table = find(hdus, f"{name}_GRID")
    if table is not None:
        return GridPsf(stamps, np.column_stack([table.data["x"], table.data["y"]]))
    numbers = range(1, len(stamps) + 1)
    missing = [f"PSFX{n:03d}" for n in numbers if f"PSFX{n:03d}" not in header]
    if missing:
        raise PsfError(
            f"it is a cube of {len(stamps)} stamps without positions: add a {name}_GRID table "
            f"(x, y) or PSFXnnn, PSFYnnn cards ({missing[0]} is missing)"
        )
    return GridPsf(stamps, [[header[f"PSFX{n:03d}"], header[f"PSFY{n:03d}"]] for n in numbers])


def psf_hdus(psf: Psf | None, bbox: Box, name: str = "PSF") -> list[fits.hdu.base.ExtensionHDU]:
    """Extensions that hold a PSF; none for None or a `BrokenPsf`.

    `KernelPsf`, `GridPsf` and the PSF of a subtraction's cells come back to the bit. Any other
    object is sampled on a grid of positions over ``bbox``, 3 to 9 along each axis, and comes back
    as a `GridPsf` (or `KernelPsf`, if all its stamps are the same).

    Raises
    ------
    PsfError
        If a PSF cannot be evaluated.
    """
    if psf is None or isinstance(psf, BrokenPsf):
        return []
    if isinstance(psf, KernelPsf):
        return [_stamp_hdu(psf.stamp, name, "KERNEL")]
    if isinstance(psf, GridPsf):
        return _cube_hdus(psf, name, "GRID")
    if isinstance(psf, CellPsf):
        return _cell_hdus(psf, name)
    sampled = _sample(psf, bbox)
    if (sampled.stamps == sampled.stamps[0]).all():
        return [_stamp_hdu(sampled.stamps[0], name, "KERNEL")]
    return _cube_hdus(sampled, name, "SAMPLED")


def _stamp_hdu(stamps: NDArray[np.float64], name: str, kind: str) -> fits.ImageHDU:
    hdu = image_hdu(stamps, name)
    hdu.header["EXTTYPE"] = name
    hdu.header["PSFKIND"] = (kind, "KERNEL, GRID, CELLS, or SAMPLED from a model")
    return hdu


def _cube_hdus(psf: GridPsf, name: str, kind: str) -> list[fits.hdu.base.ExtensionHDU]:
    table = Table({"x": psf.positions[:, 0], "y": psf.positions[:, 1]})
    return [
        _stamp_hdu(psf.stamps, name, kind),
        fits.BinTableHDU(table, name=f"{name}_GRID"),
    ]


def _cell_hdus(psf: CellPsf, name: str) -> list[fits.hdu.base.ExtensionHDU]:
    boxes = np.array([tuple(box) for box in psf.boxes], dtype=np.int64)
    centers = np.array([box.center for box in psf.boxes], dtype=np.float64)
    columns: dict[str, NDArray[np.generic]] = {"x": centers[:, 0], "y": centers[:, 1]}
    columns |= {key: boxes[:, i] for i, key in enumerate(_BOX)}
    if psf.regions:
        regions = np.array([tuple(box) for box in psf.regions], dtype=np.int64)
        columns |= {f"region_{key}": regions[:, i] for i, key in enumerate(_BOX)}
    return [
        _stamp_hdu(_same_shape([np.asarray(s) for s in psf.stamps]), name, "CELLS"),
        fits.BinTableHDU(Table(columns), name=f"{name}_GRID"),
    ]


def _sample(psf: Psf, bbox: Box) -> GridPsf:
    def axis(start: int, length: int) -> NDArray[np.float64]:
        n = int(np.clip(np.ceil(length / _SAMPLE_STEP) + 1, *_SAMPLES))
        return np.linspace(start, start + length - 1, n) if length > 1 else np.array([start * 1.0])

    positions = [(x, y) for y in axis(bbox.y0, bbox.height) for x in axis(bbox.x0, bbox.width)]
    stamps = []
    for x, y in positions:
        try:
            stamp = psf.kernel_image(x=float(x), y=float(y))
        except PsfError:
            raise
        except Exception as error:  # anybody's model
            raise PsfError(
                f"PSF cannot be written: {type(psf).__name__}.kernel_image fails at "
                f"({x:g}, {y:g}) with {type(error).__name__}: {error}"
            ) from error
        stamps.append(unit_sum(stamp, what=f"PSF stamp at ({x:g}, {y:g})"))
    return GridPsf(_same_shape(stamps), positions)


def _same_shape(stamps: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Stamps stacked; smaller ones are padded with zeros around the centre n // 2."""
    ny = max(stamp.shape[0] for stamp in stamps)
    nx = max(stamp.shape[1] for stamp in stamps)
    cube = np.zeros((len(stamps), ny, nx))
    for plane, stamp in zip(cube, stamps, strict=True):
        y, x = ny // 2 - stamp.shape[0] // 2, nx // 2 - stamp.shape[1] // 2
        # An even stamp reaches one pixel further below its centre than an odd one of the same
        # outer size above; the larger size always holds it.
        plane[y : y + stamp.shape[0], x : x + stamp.shape[1]] = stamp
    return cube
