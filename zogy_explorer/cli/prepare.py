"""``zogy-explorer prepare``: two raw images made into a pair that can be subtracted."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zogy_explorer.cli.outputs import NamedPath, check_outputs
from zogy_explorer.errors import InputError, ReadError
from zogy_explorer.exposure import Exposure

if TYPE_CHECKING:
    from zogy_explorer.prepare import Completed

_LEAST_STAMP = 5  # [px]; `measure_psf` takes no smaller one

USAGE = "science template -o DIR"
DESCRIPTION = """\
Make a pair that can be subtracted out of two raw images: measure sky, variance and PSF where a
file has none, bring the template onto the science image's pixels, shift it by what the stars say,
and match the flux scales. What a file has stays as it is. Writes DIR/science.fits and
DIR/template.fits.
"""
EPILOG = """\
examples:
  zogy-explorer prepare new.fits reference.fits -o pair --gain 1.6 --saturation 60000
  zogy-explorer prepare new.fits reference.fits -o pair --align        by the WCS of both
  zogy-explorer prepare new.fits reference.fits -o pair --science-mask bad.fits
  zogy-explorer pair/science.fits pair/template.fits                   then look at it

exit codes: 0 done; 2 input cannot be used; 130 interrupted.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("science", help="FITS file of the new image")
    parser.add_argument("template", help="FITS file of the reference image")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="folder to write to")
    parser.add_argument(
        "--gain", type=float, metavar="G", help="electrons per count (default: from each header)"
    )
    parser.add_argument(
        "--saturation",
        type=float,
        metavar="LEVEL",
        help="level of a saturated pixel, image unit (default: from each header)",
    )
    for role in ("science", "template"):
        parser.add_argument(
            f"--{role}-psf",
            metavar="FILE",
            help=f"PSF stamp of the {role} image (default: measured)",
        )
    for role in ("science", "template"):
        parser.add_argument(
            f"--{role}-mask",
            metavar="FILE",
            help=f"mask of the {role} image: not 0 is BAD, or bits named by MP_<PLANE> cards",
        )
    parser.add_argument(
        "--psf-size",
        type=int,
        metavar="N",
        help="side of measured PSF stamps, odd (default: 8 FWHM)",
    )
    parser.add_argument(
        "--align", action="store_true", help="resample the template onto the science image by WCS"
    )
    parser.add_argument(
        "--no-register", action="store_true", help="do not shift the template by its stars"
    )
    parser.add_argument(
        "--no-flux", action="store_true", help="do not match the flux scales by the stars"
    )
    parser.add_argument("--keep-sky", action="store_true", help="leave the sky in the images")
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")


@dataclass(frozen=True, eq=False)
class PreparedFiles:
    """Both exposures, and what was done to them, a sentence each."""

    science: Exposure
    template: Exposure
    remarks: tuple[str, ...]


def run(options: argparse.Namespace) -> int:
    """Prepare the pair.

    Raises
    ------
    ZogyError
        If the input cannot be used or a file cannot be written.
    """
    size = options.psf_size
    if size is not None and (size < _LEAST_STAMP or size % 2 == 0):
        raise InputError(
            f"--psf-size {size}: a PSF stamp has its star on the middle pixel; "
            f"give an odd number from {_LEAST_STAMP}"
        )
    _check_files(options)
    science, template = (_read(role, options) for role in ("science", "template"))
    done = prepared(science, template, options)
    folder = Path(options.output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for role, exposure in (("science", done.science), ("template", done.template)):
            exposure.write(folder / f"{role}.fits")
    except OSError as error:
        raise InputError(
            f"cannot write to {folder}: {error.strerror or error}; choose another folder with -o"
        ) from error
    if not options.quiet:
        for remark in done.remarks:
            print(remark)
        print(f"look at it: zogy-explorer {folder / 'science.fits'} {folder / 'template.fits'}")
    return 0


def _check_files(options: argparse.Namespace) -> None:
    """Refuse to write over an input."""
    folder, inputs = Path(options.output), list[NamedPath]()
    for role in ("science", "template"):
        inputs += [(f"the raw {role} image", getattr(options, role))]
        inputs += [(f"the {p} of {role}", getattr(options, f"{role}_{p}")) for p in ("psf", "mask")]
    check_outputs([(f"the new {r}", folder / f"{r}.fits") for r in ("science", "template")], inputs)


def _read(role: str, options: argparse.Namespace) -> Exposure:
    """The exposure of a role, with the PSF and the mask that were given beside it."""
    from zogy_explorer.io import read_exposure, read_mask, read_psf
    from zogy_explorer.prepare import add_mask

    exposure = read_exposure(getattr(options, role))
    psf, mask = (getattr(options, f"{role}_{part}") for part in ("psf", "mask"))
    if psf is not None:
        exposure = exposure.replace(psf=read_psf(psf))
    if mask is None:
        return exposure
    try:
        return add_mask(exposure, *read_mask(mask))
    except ReadError:
        raise
    except InputError as error:
        raise ReadError(mask, str(error)) from error


def prepared(science: Exposure, template: Exposure, options: argparse.Namespace) -> PreparedFiles:
    """The pair after all steps that ``options`` ask for."""
    from zogy_explorer.prepare import align_to, complete

    remarks: list[str] = []
    if options.align:
        template = align_to(template, science)
        remarks.append("template resampled onto science by the WCS: its noise is now correlated")
    halves = []
    for exposure, role in ((science, "science"), (template, "template")):
        completed = complete(
            exposure.replace(name=exposure.name or role),
            gain=options.gain,
            saturation=options.saturation,
            psf_size=options.psf_size,
            subtract_sky=not options.keep_sky,
        )
        halves.append(completed)
        remarks += completed.remarks
    return _matched(halves[0], halves[1], options, remarks)


def _matched(
    first: Completed, second: Completed, options: argparse.Namespace, remarks: list[str]
) -> PreparedFiles:
    """Shift and flux ratio by the stars that both images have."""
    from zogy_explorer.diagnostics import measure_registration
    from zogy_explorer.prepare import shift_exposure

    science, template = first.exposure, second.exposure
    given = science.photo_calib is not None and template.photo_calib is not None
    if not given:
        science, template = science.replace(photo_calib=1.0), template.replace(photo_calib=1.0)
    if options.no_register and (options.no_flux or given):
        return PreparedFiles(science, template, tuple(remarks))
    found = measure_registration(science, template)
    if found.reason:
        remarks.append(f"shift and flux ratio were not measured: {found.reason}")
        return PreparedFiles(science, template, tuple(remarks))
    if found.displaced and not options.no_register:
        template = shift_exposure(template, *found.shift)
        remarks.append(
            f"template shifted by ({found.shift[0]:+.3f}, {found.shift[1]:+.3f}) px; what is left "
            f"scatters by ({found.scatter[0]:.3f}, {found.scatter[1]:.3f}) px"
        )
    if given:
        remarks.append("flux scales are those of the files")
    elif not options.no_flux and math.isfinite(found.flux_ratio) and found.flux_ratio > 0:
        science = science.replace(photo_calib=1 / found.flux_ratio)
        error = _with_psf_errors(found.flux_ratio, found.flux_ratio_error, first, second)
        remarks.append(
            f"science has {found.flux_ratio:.4f} ± {error:.4f} times the counts of template: "
            "calibrated to the template's unit"
        )
    return PreparedFiles(science, template, tuple(remarks))


def _with_psf_errors(ratio: float, error: float, first: Completed, second: Completed) -> float:
    """Error of the flux ratio with what the measured PSFs add: it is common to all stars."""
    of_psfs = [e for e in (first.flux_error, second.flux_error) if math.isfinite(e)]
    return math.hypot(error, *(ratio * e for e in of_psfs))
