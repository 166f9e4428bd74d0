"""Our own layout: PRIMARY with meta, IMAGE, VARIANCE, MASK, PSF [, PSF_GRID] [, EXTRAS].

What comes back is what was written, to the bit: pixels with their type and NaNs, mask planes
under any names and bits, ``xy0`` (``LTV1/2``), ``photo_calib`` (``PHOTCAL``; no card: None),
``name`` (``ZEXPNAME``), ``meta``, PSF stamps. The WCS goes through FITS cards: positions agree
to better than 1e-6 px; its lookup tables, if any, are not written and ``ZEXPNOTE`` says so.

``meta`` goes to header cards of PRIMARY; entries that a card would change (long or lower-case
keywords, lists, floats of more than 16 digits with an exponent, non-ASCII text) go to the JSON
table EXTRAS, where tuples and arrays become lists. What JSON cannot hold either is left out and
its names are listed in the card ``METADROP``, so nothing is lost silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from astropy.io import fits

from zogy_explorer.errors import ReadError
from zogy_explorer.exposure import Exposure
from zogy_explorer.io._fits import find, image_hdu, pixels, quiet, write_atomically
from zogy_explorer.io.meta import (
    LAYOUT_VERSION,
    add_meta,
    drop_note,
    json_hdu,
    meta_from,
    read_json,
    split_json,
)
from zogy_explorer.io.planes import mask_hdu, planes_from
from zogy_explorer.io.psf import BrokenPsf, psf_from, psf_hdus
from zogy_explorer.io.wcs import wcs_from, wcs_header, xy0_from_ltv

_META, _NAME, _PHOTO_CALIB, _PLANES = "meta", "name", "photo_calib", "mask_planes"


def matches(hdus: fits.HDUList) -> bool:
    """Whether the file has our layout."""
    return "ZEXPVERS" in hdus[0].header


def read(hdus: fits.HDUList, path: Path) -> Exposure:
    """The exposure of a file in our layout."""
    header = hdus[0].header
    image = find(hdus, "IMAGE")
    if image is None:
        raise ReadError(path, "its IMAGE extension is missing: the file is not complete")
    extras_hdu = find(hdus, "EXTRAS")
    extras = {} if extras_hdu is None else read_json(extras_hdu)
    wcs, note = wcs_from(image.header, hdus)
    meta = meta_from(header) | extras.get(_META, {})
    if note:
        meta["WCSNOTE"] = note
    variance, mask = find(hdus, "VARIANCE"), find(hdus, "MASK")
    psf = psf_from(hdus)
    if psf is None and "ZEXPPSF" in header:
        psf = BrokenPsf(header["ZEXPPSF"])
    return Exposure(
        pixels(image),
        variance=None if variance is None else pixels(variance),
        mask=None if mask is None else pixels(mask),
        psf=psf,
        wcs=wcs,
        photo_calib=extras.get(_PHOTO_CALIB, header.get("PHOTCAL")),
        xy0=xy0_from_ltv(image.header),
        meta=meta,
        name=extras.get(_NAME, header.get("ZEXPNAME", "")),
        mask_planes=extras.get(_PLANES, None if mask is None else planes_from(mask.header)),
    )


def write_exposure(exposure: Exposure, path: str | Path, overwrite: bool = True) -> None:
    """Write as FITS in our layout, all or nothing.

    Parameters
    ----------
    exposure
        What to write. A PSF that is neither `KernelPsf` nor `GridPsf` is sampled on a grid of
        positions over the image (see `zogy_explorer.io.psf`).
    path
        The file; ``.gz`` compresses.
    overwrite
        Replace an existing file.

    Raises
    ------
    InputError
        If the file cannot be written there.
    PsfError
        If the PSF cannot be evaluated.
    """
    write_atomically(fits.HDUList(exposure_hdus(exposure)), path, overwrite=overwrite)


def exposure_hdus(exposure: Exposure) -> list[Any]:
    """PRIMARY, IMAGE, VARIANCE, MASK, PSF, PSF_GRID, EXTRAS (the last three if needed)."""
    with quiet():
        primary, extras = _primary(exposure)
        cards, note = wcs_header(exposure.wcs)
        if note:
            primary.header["ZEXPNOTE"] = note
        if exposure.xy0 != (0, 0):
            cards["LTV1"] = (-float(exposure.xy0[0]), "-x of pixel [0, 0]")
            cards["LTV2"] = (-float(exposure.xy0[1]), "-y of pixel [0, 0]")
        unit = exposure.meta.get("BUNIT")
        image = image_hdu(exposure.image, "IMAGE", cards.copy())
        image.header["EXTTYPE"] = "IMAGE"
        if isinstance(unit, str) and unit.isascii() and unit.isprintable():
            image.header["BUNIT"] = unit
        hdus: list[Any] = [primary, image]
        if exposure.variance is not None:
            variance = image_hdu(exposure.variance, "VARIANCE", cards.copy())
            variance.header["EXTTYPE"] = "VARIANCE"
            hdus.append(variance)
        mask = mask_hdu(exposure.mask, exposure.mask_planes, cards.copy())
        if planes_from(mask.header) != exposure.mask_planes:
            extras[_PLANES] = exposure.mask_planes
        hdus.append(mask)
        if isinstance(exposure.psf, BrokenPsf):
            primary.header["ZEXPPSF"] = _ascii(exposure.psf.reason)
        hdus += psf_hdus(exposure.psf, exposure.bbox)
        if extras:
            hdus.append(json_hdu(extras, "EXTRAS"))
        return hdus


def _primary(exposure: Exposure) -> tuple[fits.PrimaryHDU, dict[str, Any]]:
    """Primary HDU with its cards, and what they could not hold."""
    hdu = fits.PrimaryHDU()
    header = hdu.header
    header["ZEXPVERS"] = (LAYOUT_VERSION, "ZOGY Explorer layout")
    extras: dict[str, Any] = {}
    reserved: Mapping[str, Any] = {"ZEXPNAME": exposure.name, "PHOTCAL": exposure.photo_calib}
    for key, field in (("ZEXPNAME", _NAME), ("PHOTCAL", _PHOTO_CALIB)):
        value = reserved[key]
        if value is None or value == "":
            continue
        card = fits.Header()
        # The same test that meta passes, under a neutral keyword.
        if add_meta(card, {"TRIAL": value}):
            extras[field] = value
            value = _ascii(value) if isinstance(value, str) else value
        header[key] = value
    left = add_meta(header, {k: v for k, v in exposure.meta.items() if k != "METADROP"})
    fit, lost = split_json(left)
    if fit:
        extras[_META] = fit
    if lost:
        header["METADROP"] = (drop_note(lost), "meta that FITS cannot hold")
    return hdu, extras


def _ascii(text: str) -> str:
    """Printable ASCII; what is not becomes a question mark."""
    kept = text.encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in kept)
