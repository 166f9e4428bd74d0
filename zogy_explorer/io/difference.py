"""Results on disk: one FITS file with D, S, Scorr, their PSFs, the cells and the settings.

The layout is that of an exposure (so that any reader shows D), then SCORE, SCORE_VARIANCE, SCORR,
SCORE_PSF, ASTROMETRIC_VARIANCE and FLUX_VARIANCE (where a noise term is on: what it adds to
SCORE_VARIANCE in the denominator of SCORR), CELLS (a table, one row a cell), CONFIG (JSON) and
OVERRIDES (JSON, only where cells have settings of their own; CELLS has the digest of each).
D and S share mask and WCS. The primary header says what was subtracted: SCIFILE and TPLFILE, DATE
(UTC, of the file), what the science image's header said (DATE-OBS, FILTER …), BUNIT of D if it is
known, and TPLSHX, TPLSHY where the template was moved for the subtraction [px].
ZEXPTHRS is the threshold of detections that were written with the file [σ].
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from numpy.typing import NDArray

from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.errors import ReadError
from zogy_explorer.exposure import Exposure
from zogy_explorer.io import native
from zogy_explorer.io._fits import find, image_hdu, opened, pixels, quiet, write_atomically
from zogy_explorer.io.meta import json_hdu, read_json
from zogy_explorer.io.psf import psf_from, psf_hdus
from zogy_explorer.version import __version__

THRESHOLD_KEY = "ZEXPTHRS"
"""Card of the threshold of the detections that were written with a product."""

_SCALARS = (
    "sigma_science",
    "sigma_template",
    "flux_science",
    "flux_template",
    "flux_diff",
    "flux_score",
    "centroid_distance",
    "psf_diff_sum",
    "psf_score_sum",
    "kernel_reach",
    "frequency_floor",
)
_PAIRS = ("centroid_science", "centroid_template")
_JSON_COLUMNS = ("causes", "timings")


@dataclass(frozen=True, eq=False)
class DifferenceFile:
    """What a difference file holds.

    Parameters
    ----------
    diff
        D with its variance, mask and P_D.
    score
        S with its variance and P_S, or None.
    scorr
        Scorr (ny, nx) [σ], or None.
    astrometric_variance, flux_variance
        Variance planes of the noise terms (ny, nx) [unit of the score's], None where one is off.
    cells
        One row a cell: boxes, flags, σ, centroids, flux scales, seconds.
    config
        Settings, as `ZogyConfig.from_dict` takes them.
    header
        Cards of the primary header.
    overrides
        Settings of single cells by the name of the cell, as `plan` takes them.
    """

    diff: Exposure
    score: Exposure | None
    scorr: NDArray[np.floating] | None
    cells: Table
    config: dict[str, Any]
    header: dict[str, Any]
    astrometric_variance: NDArray[np.floating] | None = None
    flux_variance: NDArray[np.floating] | None = None
    overrides: dict[str, Any] = field(default_factory=dict)


def write_difference(
    difference: Difference,
    path: str | Path,
    overwrite: bool = True,
    *,
    files: tuple[str | Path, str | Path] | None = None,
    threshold: float | None = None,
) -> None:
    """Write a result as FITS, all or nothing.

    Parameters
    ----------
    difference
        What to write.
    path
        The file; ``.gz`` compresses.
    overwrite
        Replace an existing file.
    files
        Files of science and template, for the header; None: the names that the images have.
    threshold
        Of the detections [σ] in a table or a report that is written with it, for the header
        (ZEXPTHRS); None: there is neither.

    Raises
    ------
    InputError
        If the file cannot be written there.
    """
    hdus = difference_hdus(difference, files, threshold=threshold)
    write_atomically(hdus, path, overwrite=overwrite)


def difference_hdus(
    difference: Difference,
    files: tuple[str | Path, str | Path] | None = None,
    *,
    threshold: float | None = None,
) -> fits.HDUList:
    """The extensions of a difference file."""
    config = dict(difference.plan.config)
    with quiet():
        # EXTRAS, if any, stays with the exposure; the order of extensions does not matter.
        hdus = native.exposure_hdus(_with_origin(difference, files))
        header = hdus[0].header
        header["ZEXPKIND"] = ("DIFFERENCE", "result of a subtraction")
        header["ZEXPSOFT"] = (f"zogy-explorer {__version__}", "written by")
        header["ZEXPHASH"] = (difference.plan.config_hash, "digest of CONFIG")
        if threshold is not None:
            header[THRESHOLD_KEY] = (threshold, "[sigma] of the detections beside this file")
        score = difference.score
        if score is not None:
            hdus.append(image_hdu(score.image, "SCORE"))
            if score.variance is not None:
                hdus.append(image_hdu(score.variance, "SCORE_VARIANCE"))
        if difference.scorr is not None:
            hdus.append(image_hdu(difference.scorr, "SCORR"))
        for name in difference.plan.noise_terms.names:
            plane = getattr(difference, name)
            if plane is not None:
                hdus.append(image_hdu(plane, name.upper()))
        header.extend(_registration_cards(difference))
        if score is not None:
            hdus += psf_hdus(score.psf, score.bbox, "SCORE_PSF")
        hdus.append(fits.BinTableHDU(cell_table(difference.cells, encode=True), name="CELLS"))
        hdus.append(json_hdu(config, "CONFIG"))
        if difference.plan.overrides:
            header["ZEXPHSET"] = (difference.plan.settings_hash, "digest of CONFIG and OVERRIDES")
            hdus.append(json_hdu(dict(difference.plan.overrides), "OVERRIDES"))
    return fits.HDUList(hdus)


def read_difference(path: str | Path) -> DifferenceFile:
    """Read what `write_difference` wrote.

    Raises
    ------
    ReadError
        If the file cannot be read or holds no difference.
    """
    with opened(path) as hdus:
        path = Path(path).expanduser()
        if hdus[0].header.get("ZEXPKIND") != "DIFFERENCE":
            raise ReadError(
                path, "it is not a difference file: open it as an exposure, or subtract first"
            )
        diff = native.read(hdus, path)
        cells, config, own = (find(hdus, name) for name in ("CELLS", "CONFIG", "OVERRIDES"))
        return DifferenceFile(
            diff=diff,
            score=_score(hdus, diff),
            scorr=_plane(hdus, "SCORR"),
            astrometric_variance=_plane(hdus, "ASTROMETRIC_VARIANCE"),
            flux_variance=_plane(hdus, "FLUX_VARIANCE"),
            cells=_decode(cells),
            config=read_json(config),
            overrides={} if own is None else read_json(own),
            header={card.keyword: card.value for card in hdus[0].header.cards if card.keyword},
        )


def cell_table(cells: Sequence[CellResult], *, encode: bool = False) -> Table:
    """One row a cell: place, flags, measured and predicted numbers, seconds.

    Parameters
    ----------
    cells
        Results, with or without arrays.
    encode
        Write ``causes`` and ``timings`` as JSON, which FITS can hold; else as text.
    """
    return Table([_row(cell, encode) for cell in cells])


def _row(result: CellResult, encode: bool) -> dict[str, Any]:
    cell = result.cell
    row: dict[str, Any] = {
        "index": cell.index,
        "name": cell.name,
        "column": cell.column,
        "row": cell.row,
    }
    for label, box in (("inner", cell.inner), ("outer", cell.outer)):
        row |= zip_names(label, ("x0", "y0", "width", "height"), tuple(box))
    causes = [str(flag.cause) for flag in result.flags]
    row |= {
        "ok": result.ok,
        "worst": result.worst,
        "flags": " ".join(flag.name for flag in result.flags),
        "causes": json.dumps(causes) if encode else "; ".join(causes),
    }
    row |= {name: float(getattr(result, name)) for name in _SCALARS}
    for name in _PAIRS:
        row |= zip_names(name, ("x", "y"), getattr(result, name))
    row |= {f"noise_{k}": v for k, v in dataclasses.asdict(result.noise).items()}
    timings: Mapping[str, float] = result.timings
    row |= {
        "seconds": float(timings.get("total", np.nan)),
        "timings": json.dumps(dict(timings)) if encode else str(dict(timings)),
        "config_hash": result.config_hash,
        "version": result.version,
    }
    return row


def zip_names(prefix: str, names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Values under ``prefix_name``."""
    return {f"{prefix}_{name}": value for name, value in zip(names, values, strict=True)}


def _decode(hdu: fits.BinTableHDU) -> Table:
    table = Table()
    for name in hdu.columns.names:
        column = np.asarray(hdu.data[name])
        if name == "causes":
            table[name] = ["; ".join(json.loads(text)) for text in column]
        elif name == "timings":
            table[name] = [str(json.loads(text)) for text in column]
        elif column.dtype.kind in "SU":
            table[name] = column.astype(str)
        else:
            table[name] = column.astype(column.dtype.newbyteorder("="))
    return table


def _with_origin(difference: Difference, files: tuple[str | Path, str | Path] | None) -> Exposure:
    """D, whose meta names the files and the time of writing."""
    diff, made = difference.diff, difference.plan
    names = (made.science.source.name, made.template.source.name)
    if files is not None:
        # With its folder: prepared pairs are all called science.fits and template.fits.
        paths = [Path(file) for file in files]
        names = ("/".join(paths[0].parts[-2:]), "/".join(paths[1].parts[-2:]))
    origin = {key: name for key, name in zip(("SCIFILE", "TPLFILE"), names, strict=True) if name}
    date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return diff.replace(meta=diff.meta | origin | {"DATE": date})


def _registration_cards(difference: Difference) -> list[tuple[str, float, str]]:
    """The registration errors that were used, which CONFIG does not say if they were measured."""
    noise = difference.plan.astrometric
    if noise is None:
        return []
    return [
        (f"ZEXPA{axis}{letter}", sigma, f"[px] registration error of {role} in {axis.lower()}")
        for letter, role, sigmas in (
            ("N", "science", noise.science),
            ("R", "template", noise.template),
        )
        for axis, sigma in zip("XY", sigmas, strict=True)
    ]


def _plane(hdus: fits.HDUList, name: str) -> NDArray[np.floating] | None:
    hdu = find(hdus, name)
    return None if hdu is None else np.asarray(pixels(hdu))


def _score(hdus: fits.HDUList, diff: Exposure) -> Exposure | None:
    image, variance = find(hdus, "SCORE"), find(hdus, "SCORE_VARIANCE")
    if image is None:
        return None
    return diff.replace(
        image=pixels(image),
        variance=None if variance is None else pixels(variance),
        psf=psf_from(hdus, "SCORE_PSF"),
        name="score",
        meta={key: value for key, value in diff.meta.items() if key != "BUNIT"},  # D's unit
    )
