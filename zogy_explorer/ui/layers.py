"""Planes for the image wall, made from plans and results; failed cells stay blank (NaN)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.prepare import PreparedImage
from zogy_explorer.engine.result import CellResult
from zogy_explorer.geometry import Box
from zogy_explorer.ui.state import Frame

Layers = dict[str, NDArray[Any] | None]
Patch = dict[str, NDArray[Any]]

INPUTS = ("science", "template")
"""Layers that are there before anything is subtracted."""

_RESULT_PLANES = {"difference": "diff", "score": "score", "scorr": "scorr"}


def frame_layers(frame: Frame) -> Layers:
    """All six layers of a finished frame, each of the frame's shape."""
    return {**input_layers(frame.plan), **result_layers(frame)}


def result_layers(frame: Frame) -> Layers:
    """D, S, Scorr and mask of a finished frame."""
    difference = frame.difference
    planes: Layers = {
        "difference": difference.diff.image,
        "score": None if difference.score is None else difference.score.image,
        "scorr": difference.scorr,
        "mask": difference.diff.mask,
    }
    if difference.failed:
        origin = (frame.plan.bbox.x0, frame.plan.bbox.y0)
        for name in _RESULT_PLANES:
            plane = planes[name]
            if plane is not None:
                planes[name] = _blanked(plane, [c.cell.inner for c in difference.failed], origin)
    return planes


def input_layers(plan: SubtractionPlan) -> Layers:
    """Science and template in one unit, sky level taken off, missing pixels blank."""
    return {name: input_layer(plan, name) for name in INPUTS}


def input_layer(plan: SubtractionPlan, name: str) -> NDArray[np.floating]:
    """One of `input_layers`; not to be written to."""
    return _shown(getattr(plan, name), plan.config.scaleByCalibration)


def cell_layers(plan: SubtractionPlan, result: CellResult) -> tuple[Box, Patch]:
    """Layers of one cell's inner box, and that box."""
    inner, region = result.cell.inner, result.region
    part = inner.slices((region.x0, region.y0))
    layers: Patch = {}
    for name, field in _RESULT_PLANES.items():
        plane = getattr(result, field)
        layers[name] = (
            np.full(inner.shape, np.nan, dtype=np.float32) if plane is None else plane[part]
        )
    if result.mask is not None:
        layers["mask"] = result.mask[part]
    return inner, layers


class GrowingFrame:
    """Layers of a frame that is being computed: a worker adds cells, the page takes what is new.

    Parameters
    ----------
    plan
        The subtraction under way.
    inputs
        Science and template as a view shows them, if the pair is a new one.
    """

    def __init__(self, plan: SubtractionPlan, inputs: Mapping[str, Any] | None = None) -> None:
        self.plan = plan
        self.inputs = dict(inputs or {})
        self._new: list[CellResult] = []
        self._lock = threading.Lock()

    def add(self, result: CellResult) -> None:
        """Called by the worker with each finished cell."""
        with self._lock:
            self._new.append(result)

    def take(self) -> list[CellResult]:
        """Cells that came since the last call."""
        with self._lock:
            new, self._new = self._new, []
        return new

    def merged(
        self, results: list[CellResult], on_screen: Callable[[Box], Mapping[str, NDArray[Any]]]
    ) -> tuple[Box, Patch] | None:
        """One patch that holds all ``results``, over what is ``on_screen`` between them.

        The wall repaints once for a patch, however many cells came.
        """
        if not results:
            return None
        box = results[0].cell.inner
        for result in results[1:]:
            box = _union(box, result.cell.inner)
        shown = on_screen(box)
        planes: Patch = {}
        for name in (*_RESULT_PLANES, "mask"):
            if name in shown:
                planes[name] = shown[name].copy()
            elif name == "mask":
                planes[name] = np.zeros(box.shape, dtype=np.int32)
            else:
                planes[name] = np.full(box.shape, np.nan, dtype=np.float32)
        for result in results:
            inner, layers = cell_layers(self.plan, result)
            for name, values in layers.items():
                planes[name][inner.slices((box.x0, box.y0))] = values
        return box, planes


def _shown(image: PreparedImage, calibrated: bool) -> NDArray[np.floating]:
    """What was measured, not what the engine put into the holes."""
    source = image.source
    scale = source.photo_calib if calibrated and source.photo_calib is not None else 1.0
    holes = image.missing.any()
    if scale == 1 and not image.sky and not holes:
        return source.image
    plane = source.image * source.image.dtype.type(scale)
    if image.sky:
        plane -= plane.dtype.type(image.sky)
    if holes:
        np.copyto(plane, np.nan, where=image.missing)
    return plane


def _blanked(plane: NDArray[Any], boxes: list[Box], origin: tuple[int, int]) -> NDArray[Any]:
    copy = plane.copy()
    for box in boxes:
        copy[box.slices(origin)] = np.nan
    return copy


def _union(a: Box, b: Box) -> Box:
    x0, y0 = min(a.x0, b.x0), min(a.y0, b.y0)
    return Box(x0, y0, max(a.end_x, b.end_x) - x0, max(a.end_y, b.end_y) - y0)


def describe_value(value: float, digits: int = 4) -> str:
    """Number for a table; an en dash where there is none."""
    return "–" if not np.isfinite(value) else f"{value:.{digits}g}"


def worst_by_cell(results: Mapping[int, CellResult] | tuple[CellResult, ...]) -> list[str]:
    """Gravest severity of each cell, for the overlay's colours."""
    values = results.values() if isinstance(results, Mapping) else results
    return [result.worst for result in values]
