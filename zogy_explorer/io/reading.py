"""`read_exposure`: which layout a file has, and its exposure."""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits

from zogy_explorer.errors import ReadError
from zogy_explorer.exposure import Exposure
from zogy_explorer.io import generic, lsst, native, pairs
from zogy_explorer.io._fits import is_image, opened, pixels
from zogy_explorer.io.psf import BrokenPsf, psf_from
from zogy_explorer.psf import KernelPsf, Psf

_LAYOUTS = (native, pairs, lsst, generic)


def read_exposure(path: str | Path) -> Exposure:
    """Read an exposure from a FITS file of any layout (see `zogy_explorer.io`).

    Parameters
    ----------
    path
        Also ``.gz``, ``.bz2``, ``.xz`` and tile-compressed (``.fz``) files.

    Returns
    -------
    exposure
        With ``variance``, ``psf``, ``wcs`` and ``photo_calib`` None where the file does not say.
        A WCS that cannot be used is None and ``meta["WCSNOTE"]`` tells why; a PSF that cannot be
        used raises when it is asked for.

    Raises
    ------
    PathNotFoundError
        If there is no such file.
    ReadError
        If the file is not FITS, damaged, or holds no image.
    """
    with opened(path) as hdus:
        return _read(hdus, Path(path).expanduser())


def read_exposure_bytes(data: bytes, name: str) -> Exposure:
    """Like `read_exposure`, from the content of a file that was called ``name``."""
    with opened(name, bytes(data)) as hdus:
        return _read(hdus, Path(name))


def read_psf(path: str | Path) -> Psf:
    """Read a PSF from a file of its own.

    Its PSF extension (stamp, or cube with positions), else its first image.

    Raises
    ------
    ReadError
        If the file cannot be read or the PSF in it cannot be used.
    """
    with opened(path) as hdus:
        psf = psf_from(hdus)
        if isinstance(psf, BrokenPsf):
            raise ReadError(path, psf.reason)
        if psf is not None:
            return psf
        image = next((hdu for hdu in hdus if is_image(hdu)), None)
        if image is None:
            raise ReadError(path, "it holds no PSF: give a file with a PSF image of two axes")
        return KernelPsf(pixels(image))


def _read(hdus: fits.HDUList, path: Path) -> Exposure:
    layout = next(layout for layout in _LAYOUTS if layout.matches(hdus))
    return layout.read(hdus, path)
