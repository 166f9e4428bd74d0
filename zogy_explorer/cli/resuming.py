"""What is there already when ``batch`` is started again, and what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zogy_explorer.cli.products import PairOrder
from zogy_explorer.engine.flags import REGISTRY
from zogy_explorer.engine.overrides import settings_hash
from zogy_explorer.engine.provenance import SHIFT_KEYS
from zogy_explorer.io.difference import THRESHOLD_KEY

_NOT_IN_PRODUCT = ("detections", "seconds")
"""Numbers of a pair that only the summary has."""


def is_done(order: PairOrder) -> bool:
    """Whether a product is there, of the pair as ordered, and newer than its input.

    Its report and its table are there, too, and have the detections beyond the same threshold.
    """
    from astropy.io import fits

    output = Path(order.output)
    try:
        with fits.open(output, memmap=False, lazy_load_hdus=True) as hdus:
            header = hdus[0].header
            made_with = header.get("ZEXPHSET", header.get("ZEXPHASH"))
            threshold = header.get(THRESHOLD_KEY)
        written = output.stat().st_mtime
        inputs = max(Path(p).stat().st_mtime for p in (order.science, order.template))
        # A template may have been moved, and written with its shift, before it was given.
        moved_alike = _shift(output) == (order.shift or _shift(Path(order.template)))
    except (OSError, IndexError):
        return False
    beside = all(Path(p).is_file() for p in (order.report, order.detections) if p is not None)
    same = made_with == settings_hash(order.config, order.overrides)
    found_alike = threshold == order.threshold or not order.has_detections
    return bool(beside and same and moved_alike and found_alike and written >= inputs)


def outcome_of_product(order: PairOrder, earlier: Mapping[str, Any]) -> dict[str, Any] | None:
    """Columns of a pair whose product is there; it stays failed if none of its cells worked.

    None if the product is damaged, or says what this version does not understand.

    Parameters
    ----------
    order
        For which `is_done` holds.
    earlier
        Its row of the summary that is there, or nothing.
    """
    from astropy.io import fits

    try:
        with fits.open(order.output, memmap=False, lazy_load_hdus=True) as hdus:
            cells = hdus["CELLS"].data
            ok = np.asarray(cells["ok"], dtype=bool)
            sigmas = np.asarray(cells["noise_scorr_measured"], dtype=float)
            warnings = int(np.sum(np.asarray(cells["worst"]) == "warning"))
            cause = "" if ok.all() else _cause(cells[int(np.argmin(ok))])
    except Exception:  # astropy raises nearly anything; the pair is computed anew then
        return None
    sigmas = sigmas[np.isfinite(sigmas)]
    return {
        **{name: earlier[name] for name in _NOT_IN_PRODUCT if name in earlier},
        "status": "skipped" if ok.any() else "failed",
        "cells": ok.size,
        "failed": int((~ok).sum()),
        "warnings": warnings,
        "scorr_sigma": float(np.median(sigmas)) if sigmas.size else np.nan,
        "cause": cause,
        "message": cause,
    }


def read_summary(path: Path) -> dict[str, dict[str, Any]]:
    """Rows of an earlier summary by name; none if it is not there or cannot be understood."""
    from astropy.table import Table

    try:
        table = Table.read(path, format="ascii.ecsv")
        return {str(row["name"]): dict(zip(table.colnames, row, strict=True)) for row in table}
    except Exception:  # astropy raises nearly anything; the summary is written anew anyway
        return {}


def _shift(path: Path) -> tuple[float, ...]:
    """By which the headers of a file say that the template was moved [px]."""
    from astropy.io import fits

    with fits.open(path, memmap=False, lazy_load_hdus=True) as hdus:
        headers = [hdu.header for hdu in hdus[:2]]
    told: Any = next((header for header in headers if SHIFT_KEYS[0] in header), {})
    return tuple(float(told.get(key, 0.0)) for key in SHIFT_KEYS)


def _cause(row: Any) -> str:
    """Why a cell failed, as its `CellResult` says it."""
    names, causes = str(row["flags"]).split(), json.loads(str(row["causes"]))
    told = zip(names, causes, strict=True)
    return "; ".join(cause for name, cause in told if REGISTRY[name].severity == "failed")
