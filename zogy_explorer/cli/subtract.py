"""``zogy-explorer subtract``: one pair, its FITS product and its report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from zogy_explorer.cli.outputs import check_outputs
from zogy_explorer.cli.products import PairOrder, make_products, report_path
from zogy_explorer.cli.progress import progress_bar
from zogy_explorer.cli.settings import add_config_options, add_field_options, config_of
from zogy_explorer.errors import InputError
from zogy_explorer.io.detections import check_table

USAGE = "science template -o OUT"
DESCRIPTION = """\
Subtract one pair and write D, S, Scorr with their PSFs, cells and settings into one FITS file,
and a one-page report beside it.
"""
EPILOG = """\
examples:
  zogy-explorer subtract science.fits template.fits -o difference.fits
  zogy-explorer subtract science.fits template.fits -o d.fits --max-psf-centroid-dist 0.5
  zogy-explorer subtract --session night.json -o d.fits     pair and settings of a saved session

exit codes: 0 done; 1 written, but no cell could be subtracted; 2 input cannot be used;
130 interrupted, nothing is left half-written.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("science", nargs="?", help="FITS file of the new image")
    parser.add_argument("template", nargs="?", help="FITS file of the reference image")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="FITS file to write")
    parser.add_argument(
        "--report", metavar="FILE", help="HTML report (default: OUT with the extension .html)"
    )
    parser.add_argument("--no-report", action="store_true", help="write no report")
    parser.add_argument(
        "--detections",
        metavar="FILE",
        help="table of what changed: .ecsv, .fits, or .reg (DS9 regions)",
    )
    parser.add_argument(
        "--no-overwrite", action="store_true", help="refuse to replace files that are there"
    )
    parser.add_argument(
        "--session",
        metavar="FILE",
        help="pair, settings, cells and threshold of a saved session (JSON)",
    )
    add_run_options(parser)
    add_config_options(parser)
    add_field_options(parser)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Options that ``batch`` has too."""
    parser.add_argument(
        "--threads", type=int, default=1, metavar="N", help="threads for the cells (default: 1)"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="SIGMA",
        help="of the detections (default: 5)",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")


def threshold_of(options: argparse.Namespace) -> float:
    """Threshold of the detections [σ] where no session has one."""
    return 5.0 if options.threshold is None else float(options.threshold)


def run(options: argparse.Namespace) -> int:
    """Subtract the pair.

    Raises
    ------
    ZogyError
        If the input cannot be used or a file cannot be written.
    """
    order = make_order(options)
    check_outputs(
        [
            ("the product", order.output),
            ("the report", order.report),
            ("the table of detections", order.detections),
        ],
        [
            ("the science image", order.science),
            ("the template", order.template),
            ("the session", options.session),
            ("the settings", options.config),
        ],
    )
    if options.no_overwrite:
        for path in filter(None, (order.output, order.report, order.detections)):
            if Path(path).exists():
                raise InputError(f"{path} exists: choose another name or leave out --no-overwrite")
    with progress_bar("subtracting", "cell", quiet=options.quiet) as show:
        summary = make_products(order, show)
    if not options.quiet:
        print(
            f"{order.output}: {summary.cells} cells, {summary.warnings} with warnings, "
            f"{summary.failed} failed, σ(Scorr) {summary.scorr_sigma:.3f}, "
            f"{summary.seconds:.1f} s"
        )
        for path in filter(None, (order.report, order.detections)):
            print(f"{path}: {summary.detections} detections")
    if summary.failed == summary.cells:
        print(f"zogy-explorer: no cell could be subtracted: {summary.cause}", file=sys.stderr)
        return 1
    return 0


def make_order(options: argparse.Namespace) -> PairOrder:
    """What the options ask for.

    Raises
    ------
    InputError
        If they do not make sense together.
    """
    if options.threads < 1:
        raise InputError(f"--threads {options.threads}: at least one thread is needed")
    science, template, overrides, shift = options.science, options.template, {}, None
    threshold = threshold_of(options)
    if options.session is not None:
        from zogy_explorer.ui.session_file import read_session_file

        if science is not None:
            raise InputError(f"--session {options.session} names its own pair: leave out {science}")
        spec = read_session_file(options.session)
        science, template = spec.file_paths()
        overrides, shift = dict(spec.overrides), spec.shift
        threshold = spec.threshold if options.threshold is None else threshold
        given = config_of(options).changed()
        options.set = [] if options.set is None else options.set
        config = spec.zogy_config().copy(**{k: v for k, v in given.items() if k != "doSpatialGrid"})
    else:
        config = config_of(options)
    if science is None or template is None:
        raise InputError("name the science and the template file, in this order, or a --session")
    output = str(Path(options.output).expanduser())
    report = None if options.no_report else options.report or str(report_path(output))
    return PairOrder(
        science=str(science),
        template=str(template),
        output=output,
        report=report,
        config=config.to_dict(),
        overrides=overrides,
        threads=options.threads,
        threshold=threshold,
        detections=options.detections and check_table(Path(options.detections).expanduser()),
        shift=shift,
    )
