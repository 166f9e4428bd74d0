"""Tables of detections on disk: ECSV, FITS, and DS9 regions."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable

from zogy_explorer.diagnostics.detecting.detection import COLUMNS
from zogy_explorer.errors import InputError, PathNotFoundError, ReadError
from zogy_explorer.io._atomic import atomic_file
from zogy_explorer.io._fits import find, opened, quiet
from zogy_explorer.io.meta import json_hdu, read_json

if TYPE_CHECKING:
    from regions import Regions

_LEAST_RADIUS = 5.0  # [px] of a circle on the screen
_RADIUS = 2.0  # of a circle, in FWHM of the PSF of D
_COLORS = MappingProxyType({1: "cyan", -1: "magenta"})
_KIND = "DETECTIONS"


def write_detections(table: QTable, path: str | Path, *, overwrite: bool = True) -> None:
    """Write a table of `detect`, all or nothing; the extension says how.

    Parameters
    ----------
    table
        From `zogy_explorer.diagnostics.detect`.
    path
        ``.ecsv`` keeps everything as text; ``.fits`` as a binary table; ``.reg`` holds circles
        for DS9 (see `detection_regions`), which do not hold the measurements.

    Raises
    ------
    InputError
        If the extension is another one, or the file cannot be written there.
    """
    write = _WRITERS[_extension(path, _WRITERS)]
    buffer = io.BytesIO()
    write(table, buffer)  # first, so that a fault of the table leaves the old file
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(buffer.getbuffer())


def check_table(path: str | Path) -> str:
    """The path as text, if detections can be written to it: to be asked before long work.

    Raises
    ------
    InputError
        If the extension is not one of `write_detections`.
    """
    _extension(path, _WRITERS)
    return str(path)


def read_detections(path: str | Path) -> QTable:
    """Read what `write_detections` wrote as ``.ecsv`` or ``.fits``.

    Raises
    ------
    ReadError
        If there is no such file, or it holds no such table.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() == ".reg":
        raise ReadError(
            path,
            "regions hold no measurements: read the .ecsv or .fits file, or the circles with "
            "regions.Regions.read",
        )
    read = _READERS[_extension(path, _READERS)]
    if not path.is_file():
        raise PathNotFoundError(path, "there is no such file; check the path")
    table = read(path)
    if not {"id", "x", "y", "scorr"} <= set(table.colnames):
        raise ReadError(path, "it is a table, but not one of detections (id, x, y, scorr …)")
    for name in table.colnames:
        if name in COLUMNS:
            table[name].info.description = COLUMNS[name]
    return table


def detection_regions(table: QTable, *, radius: float | None = None) -> Regions:
    """A circle around each detection, in pixels of the image file.

    Parameters
    ----------
    table
        From `zogy_explorer.diagnostics.detect`.
    radius
        Of the circles [px]; None: twice the FWHM of the PSF of D, at least 5 px.

    Returns
    -------
    regions : regions.Regions
        0-based array positions, as that package has them; in a DS9 file they become 1-based image
        coordinates. Cyan circles are brighter in the science image, magenta ones in the template;
        those with flags are dashed, and tagged with them.
    """
    from regions import CirclePixelRegion, PixCoord, RegionMeta, Regions, RegionVisual

    if radius is None:
        radius = max(_RADIUS * float(table.meta.get("psf_fwhm") or 0.0), _LEAST_RADIUS)
    x0, y0 = table.meta.get("xy0", (0, 0))
    circles = []
    for row in table:
        flags = str(row["flags"]).split()
        meta: dict[str, Any] = {"text": f"{row['id']}: {row['scorr']:+.1f}"}
        if flags:
            meta["tag"] = flags
        center = PixCoord(row["x"].to_value(u.pix) - x0, row["y"].to_value(u.pix) - y0)
        visual = RegionVisual(color=_COLORS[int(row["sign"])])
        if flags:
            # Only these: `regions` writes dash=1 for any style, "solid" as well.
            visual["linestyle"] = "dashed"
        circles.append(CirclePixelRegion(center, radius, RegionMeta(meta), visual))
    return Regions(circles)


def _write_ecsv(table: QTable, file: BinaryIO) -> None:
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    file.write(text.getvalue().encode())


def _read_ecsv(path: Path) -> QTable:
    try:
        table = QTable.read(path, format="ascii.ecsv")
    except Exception as error:  # astropy raises nearly anything for a damaged file
        text = " ".join(str(error).split())[:200]
        raise ReadError(path, f"it is not an ECSV table ({text}); write it again") from error
    return _with_texts(table)


def _write_fits(table: QTable, file: BinaryIO) -> None:
    plain = table.copy()
    for name in plain.colnames:
        plain[name].info.description = None  # not ASCII; known when it is read again
    plain.meta.clear()
    with quiet():
        data = fits.table_to_hdu(plain)
        data.name = _KIND
        fits.HDUList([fits.PrimaryHDU(), data, json_hdu(dict(table.meta), "META")]).writeto(file)


def _read_fits(path: Path) -> QTable:
    with opened(path) as hdus:
        data, meta = find(hdus, _KIND), find(hdus, "META")
        if data is None:
            raise ReadError(path, f"it has no extension {_KIND}: give a file of detections")
        table = QTable.read(data)
        table.meta = {} if meta is None else read_json(meta)
    return _with_texts(table)


def _with_texts(table: QTable) -> QTable:
    """The table with native numbers, and plain texts where astropy masks empty ones."""
    for name in table.colnames:
        column = table[name]
        if getattr(column, "dtype", None) is not None and column.dtype.kind in "SUO":
            filled = column.filled("") if hasattr(column, "filled") else column
            table[name] = np.array([str(text) for text in filled], dtype=str)
    return table


_NO_REGIONS = "# Region file format: DS9\nimage\n"


def _write_regions(table: QTable, file: BinaryIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of attributes that DS9 has no word for
        text = detection_regions(table).serialize(format="ds9", precision=3)
    file.write((text or _NO_REGIONS).encode())  # `regions` writes nothing, not even the header


_WRITERS: Mapping[str, Callable[[QTable, BinaryIO], None]] = MappingProxyType(
    {".ecsv": _write_ecsv, ".fits": _write_fits, ".reg": _write_regions}
)
_READERS: Mapping[str, Callable[[Path], QTable]] = MappingProxyType(
    {".ecsv": _read_ecsv, ".fits": _read_fits}
)


def _extension(path: str | Path, known: Mapping[str, Any]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in known:
        raise InputError(
            f"{Path(path).name} has the extension {suffix or 'none'}: detections are kept as "
            f"{', '.join(known)}"
        )
    return suffix
