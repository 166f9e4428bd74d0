"""Settings of single cells: plans of their own on the grid of the whole frame.

The inner boxes of a frame tile it, so a cell may be computed with other settings than its
neighbours as long as these neither move the grid nor change the planes that all cells share.
Everything that works on a plan and a cell (the engine's `run`, a batch on a cluster, one live
cell) then follows, because `SubtractionPlan.for_cell` says which settings a cell has.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from zogy_explorer.engine.config import PREPARE_FIELDS, ZogyConfig, hash_settings
from zogy_explorer.engine.grid import Cell, padded_box
from zogy_explorer.errors import InputError

CellSettings = Mapping[str, Mapping[str, Any]]
"""Cell name to the fields that it has of its own."""

FRAME_FIELDS = (
    *PREPARE_FIELDS,
    "doSpatialGrid",
    "gridInnerSize",
    "blendCells",
    "strict",
    "astrometricNoise",
    "fluxScaleError",
)
"""Fields of the frame as a whole: its planes, its grid, its noise terms, and when to give up."""

CELL_FIELDS = tuple(field for field in ZogyConfig.field_names() if field not in FRAME_FIELDS)
"""Fields that a single cell may have of its own."""


def check_cell_fields(names: Iterable[str]) -> None:
    """Refuse fields that a single cell cannot have.

    Raises
    ------
    InputError
        For a field of the frame; unknown ones are `ZogyConfig.from_dict`'s to refuse.
    """
    for name in names:
        if name in FRAME_FIELDS:
            raise InputError(
                f"{name} belongs to the whole frame and cannot be set for one cell: set it for all"
            )


def settings_hash(config: Mapping[str, Any], overrides: CellSettings) -> str:
    """Digest of the settings of a frame and of its cells; without overrides, the config's."""
    used = {name: dict(values) for name, values in overrides.items() if values}
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in config.items()}
    return hash_settings({**plain, "cells": used} if used else plain)


def find_cell(name: str, cells: Mapping[str, Cell]) -> Cell:
    """The cell of that name.

    Raises
    ------
    InputError
        If the grid has none.
    """
    if name not in cells:
        close = difflib.get_close_matches(name, cells, n=1)
        hint = f"did you mean {close[0]}?" if close else f"the grid ends at {list(cells)[-1]}"
        raise InputError(f"there is no cell {name} in this grid: {hint}")
    return cells[name]


def repadded(cell: Cell, border: int, settings: Mapping[str, Any]) -> Cell:
    """The cell with the outer box that its settings give it."""
    outer = padded_box(cell.inner, border, settings["minTotalDims"], settings["fftSizing"])
    return dataclasses.replace(cell, outer=outer)
