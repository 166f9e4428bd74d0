"""Opening, searching and writing FITS files: what every layout needs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import FITSFixedWarning
from numpy.typing import NDArray

from zogy_explorer.errors import InputError, PathNotFoundError, ReadError
from zogy_explorer.io._atomic import atomic_file

_DECOMPRESS = (
    (b"\x1f\x8b", gzip.decompress),
    (b"BZh", bz2.decompress),
    (b"\xfd7zXZ", lzma.decompress),
)

_NOT_FITS = (
    (
        b"Obj\x01",
        "it is an Avro alert packet, not FITS: save its cutouts (cutoutScience, cutoutTemplate) "
        "as FITS files and open those",
    ),
    (b"\x89HDF", "it is an HDF5 file, not FITS: export the image as FITS"),
    (b"\x89PNG", "it is a PNG picture, not FITS: open the FITS file that it was made from"),
    (b"\xff\xd8\xff", "it is a JPEG picture, not FITS: open the FITS file that it was made from"),
    (b"#ASDF", "it is an ASDF file, not FITS: export the image as FITS"),
    (b"PK\x03\x04", "it is a zip archive, not FITS: unpack it and open the FITS file inside"),
)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep astropy's remarks on odd but readable headers to itself."""
    with warnings.catch_warnings():
        # VerifyWarning (odd cards, HIERARCH) is an AstropyUserWarning; datfix and obsfix are
        # FITSFixedWarning. Damage that matters shows up as an exception.
        warnings.simplefilter("ignore", AstropyUserWarning)
        warnings.simplefilter("ignore", FITSFixedWarning)
        yield


@contextmanager
def opened(path: str | Path, content: bytes | None = None) -> Iterator[fits.HDUList]:
    """HDUs of a file, or of ``content`` that is called ``path``; any fault becomes `ReadError`.

    Parameters
    ----------
    path
        The file; ``~`` is understood.
    content
        The file's bytes, if it is not on disk.

    Raises
    ------
    PathNotFoundError
        If there is no such file.
    ReadError
        If it is not FITS, damaged, or the body of the ``with`` block raises anything else.
    """
    path = Path(path).expanduser()
    try:
        source = _source(path, content)
        with quiet(), fits.open(source, memmap=False) as hdus, _cut_short(path, source, hdus):
            yield hdus
    except ReadError:
        raise
    except InputError as error:
        raise ReadError(path, str(error)) from error
    except PermissionError as error:
        raise ReadError(path, "reading it is not permitted: change its permissions") from error
    except MemoryError:
        raise
    except Exception as error:
        # astropy raises nearly anything for a damaged file (OSError, TypeError, VerifyError,
        # zlib.error, …); to the caller it is one thing.
        text = " ".join(str(error).split()).rstrip(".") or "no details"
        raise ReadError(
            path,
            f"its FITS structure is damaged or not understood ({type(error).__name__}: {text}); "
            "copy the file again or check it with fitsverify",
        ) from error


def _source(path: Path, content: bytes | None) -> Path | io.BytesIO:
    """What astropy can open; a file that cannot be FITS is refused with its reason."""
    if content is None:
        if "\0" in str(path):
            shown = str(path).replace("\0", "\\0")
            raise ReadError(shown, "no path holds a NUL character: type it again")
        if not path.exists():
            raise PathNotFoundError(
                path, f"there is no such file (looked from {Path.cwd()}); check the path"
            )
        if path.is_dir():
            raise ReadError(path, "it is a folder: give the FITS file inside")
        if not path.is_file():  # opening a pipe waits for a writer, perhaps for ever
            raise ReadError(
                path, "it is a pipe, socket or device, not a regular file: give a FITS file"
            )
        with path.open("rb") as file:
            start = file.read(16)
    else:
        start = content[:16]
    if not start:
        raise ReadError(path, "the file is empty (0 bytes): copy or download it again")
    for magic, decompress in _DECOMPRESS:
        if start.startswith(magic):
            return io.BytesIO(_refuse_foreign(path, decompress(content or path.read_bytes())))
    _refuse_foreign(path, start)
    return path if content is None else io.BytesIO(content)


@contextmanager
def _cut_short(path: Path, source: Path | io.BytesIO, hdus: fits.HDUList) -> Iterator[None]:
    """Say what is behind a fault that comes of a file that ends before its data do."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        held = source.stat().st_size if isinstance(source, Path) else source.getbuffer().nbytes
        # Without the padding, which may be missing; size is that of unpacked tiles.
        places = [(hdu.fileinfo() or {}, hdu.size) for hdu in hdus]
        ends = [i["datLoc"] + min(size, i["datSpan"]) for i, size in places if i]
        if max(ends, default=0) <= held:
            raise
        raise ReadError(
            path,
            f"the file is cut short: its headers promise at least {max(ends)} bytes but it "
            f"holds only {held}; copy or download it again",
        ) from error


def _refuse_foreign(path: Path, content: bytes) -> bytes:
    for magic, reason in _NOT_FITS:
        if content.startswith(magic):
            raise ReadError(path, reason)
    if not content.startswith(b"SIMPLE"):
        raise ReadError(
            path,
            f"it is not a FITS file (it starts with {content[:8]!r}, not with SIMPLE): "
            "give a FITS image",
        )
    return content


def check_is_fits(path: Path, start: bytes) -> None:
    """Refuse a file that cannot be FITS, by its first bytes.

    Raises
    ------
    ReadError
        If it is empty, or begins neither as FITS nor as a compressed file.
    """
    if not start:
        raise ReadError(path, "the file is empty (0 bytes): copy or download it again")
    if not any(start.startswith(magic) for magic, _ in _DECOMPRESS):
        _refuse_foreign(path, start)


def label_of(hdu: fits.hdu.base._BaseHDU) -> str:
    """EXTTYPE if the HDU has one, else EXTNAME, in capitals; empty if neither."""
    for key in ("EXTTYPE", "EXTNAME"):
        value = hdu.header.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip().upper()
    return ""


def is_image(hdu: fits.hdu.base._BaseHDU) -> bool:
    """Whether the HDU holds a 2-D image, or a cube with one plane."""
    if not hdu.is_image:
        return False
    shape = hdu.shape
    return len(shape) >= 2 and int(np.prod(shape)) > 0 and int(np.prod(shape[:-2])) == 1


def describe(hdu: fits.hdu.base._BaseHDU) -> str:
    """Name of an HDU and what it holds, such as ``IMAGE (3×200×200 pixels)``."""
    name = label_of(hdu) or hdu.name or "unnamed"
    if not hdu.is_image:
        return f"{name} (a table)"
    shape = "×".join(map(str, hdu.shape))
    return f"{name} ({shape} pixels)" if shape else f"{name} (no data)"


def find(hdus: fits.HDUList, *names: str) -> fits.hdu.base._BaseHDU | None:
    """The first HDU with one of these names, EXTTYPE before EXTNAME; earlier names first."""
    for name in names:
        for hdu in hdus:
            if label_of(hdu) == name:
                return hdu
    return None


def pixels(hdu: fits.hdu.base._BaseHDU) -> NDArray[np.generic]:
    """The image (ny, nx) of an HDU, in native byte order.

    Raises
    ------
    InputError
        If it is no image of two axes.
    """
    if not is_image(hdu):
        raise InputError(
            f"it holds no 2-D image, only {describe(hdu)}: give a file with an image of two axes"
        )
    data = hdu.data
    plane = np.asarray(data).reshape(data.shape[-2:])
    return native(plane)


def native(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """The array in this machine's byte order."""
    if array.dtype.isnative:
        return array
    return array.astype(array.dtype.newbyteorder("="))


def image_hdu(
    data: NDArray[np.generic], name: str, header: fits.Header | None = None
) -> fits.ImageHDU:
    """An image extension called ``name``.

    The array is brought to FITS byte order here: astropy would otherwise swap the caller's own
    array in place while it writes, under the eyes of other threads.
    """
    return fits.ImageHDU(data.astype(data.dtype.newbyteorder(">")), header=header, name=name)


def write_atomically(hdus: fits.HDUList, path: str | Path, *, overwrite: bool) -> None:
    """Write HDUs, all or nothing; ``.gz`` in the name compresses.

    Raises
    ------
    InputError
        If the file exists and may not be overwritten, or the folder cannot be written to.
    """
    with quiet(), atomic_file(path, overwrite=overwrite) as file:
        if Path(path).suffix == ".gz":
            # No time stamp: the same exposure gives the same bytes.
            with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
                buffer = io.BytesIO()
                hdus.writeto(buffer)
                packed.write(buffer.getbuffer())
        else:
            hdus.writeto(file)
