"""Planes that the processes of one machine share, so that no pixel travels between them.

The prepared planes and the frames of the result lie in files in memory (or, where there is no
room for that, in the temporary folder), which every process maps. A worker cuts its cell out of
the former, writes what it finds into the latter, and sends back the rest, which is small.
"""

from __future__ import annotations

import mmap
import os
import pickle
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.cell import subtract_cell
from zogy_explorer.engine.cutout import result_region
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.mosaic import Mosaic
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.planes import CellPlanes
from zogy_explorer.engine.prepare import PreparedImage
from zogy_explorer.engine.result import CellResult
from zogy_explorer.exposure import Exposure

_IN_MEMORY = "/dev/shm"  # where Linux keeps files in memory
_SPARE = 1.5  # free space that is wanted over what is needed: nothing warns when it is full
_PLANES_OF_DOUBLES = 13  # at most, of all that is shared
_PLANES = ("image", "variance", "mask", "missing")
_LOOK_AROUND = 16  # [px] beyond its outer box that a cell's statistics may look


@dataclass(frozen=True)
class SharedArray:
    """Where an array lies."""

    path: str
    shape: tuple[int, int]
    dtype: str

    def create(self) -> NDArray[Any]:
        """The array, of zeros; its memory is freed with the last view of it."""
        with Path(self.path).open("w+b") as file:
            file.truncate(self.shape[0] * self.shape[1] * np.dtype(self.dtype).itemsize)
            return self._mapped(file.fileno(), mmap.ACCESS_WRITE)

    def open(self, *, write: bool = False) -> NDArray[Any]:
        """The array as another process made it."""
        with Path(self.path).open("r+b" if write else "rb") as file:
            return self._mapped(file.fileno(), mmap.ACCESS_WRITE if write else mmap.ACCESS_READ)

    def _mapped(self, file: int, access: int) -> NDArray[Any]:
        return np.ndarray(self.shape, self.dtype, mmap.mmap(file, 0, access=access))


@dataclass(frozen=True)
class SharedRun:
    """What a worker needs to know of a run; small.

    Parameters
    ----------
    plan
        File of the plan without its planes.
    halves
        Those planes, of the science image and the template, by name; absent: nothing but zeros.
    frames
        Planes of the result by name.
    """

    plan: str
    halves: tuple[Mapping[str, SharedArray], Mapping[str, SharedArray]]
    frames: Mapping[str, SharedArray]
    calculate_score: bool

    def load(self) -> SubtractionPlan:
        """The plan, its planes mapped."""
        light: SubtractionPlan = pickle.loads(Path(self.plan).read_bytes())
        shape = light.shape
        halves = []
        for half, shared in zip((light.science, light.template), self.halves, strict=True):
            planes: dict[str, Any] = {
                name: shared[name].open()
                if name in shared
                else np.broadcast_to(getattr(half, name)[0, 0], shape)
                for name in _PLANES
            }
            halves.append(replace(half, **planes))
        return _with_halves(light, halves[0], halves[1])


def subtract_shared(shared: SharedRun, index: int) -> tuple[CellResult, bool]:
    """Subtract a cell of a shared run, in a worker; its planes go to the shared frames.

    Returns
    -------
    result, ok
        The result without its planes, and whether there are any.
    """
    plan = shared.load()
    cell = plan.cells[index]
    frames = {name: array.open(write=True) for name, array in shared.frames.items()}
    box = result_region(plan, cell).slices((plan.bbox.x0, plan.bbox.y0))
    room = {name: frame[box] for name, frame in frames.items()}
    mask = room.pop("mask")
    result = subtract_cell(
        plan, cell, calculate_score=shared.calculate_score, room=CellPlanes(**room)
    )
    if result.ok:
        for name, plane in room.items():
            if getattr(result, name) is not plane:  # of another type than the frame
                plane[...] = getattr(result, name)
        mask |= result.mask
    nothing: dict[str, Any] = dict.fromkeys([*room, "mask"])
    return replace(result, **nothing), result.ok


class SharedFolder:
    """A folder of shared planes, for one run.

    `close` takes the files' names away; their memory goes with the last array on it.

    Raises
    ------
    OSError
        If there is no room.
    """

    def __init__(self, plan: SubtractionPlan) -> None:
        ny, nx = plan.shape
        self._folder = tempfile.TemporaryDirectory(
            prefix="zogy-", dir=_roomy(_PLANES_OF_DOUBLES * 8 * ny * nx), ignore_cleanup_errors=True
        )
        self._where: dict[int, SharedArray] = {}
        self._filled = 0

    def close(self) -> None:
        """Remove the files."""
        self._folder.cleanup()

    def zeros(self, shape: tuple[int, int], dtype: np.dtype) -> NDArray[Any]:
        """A new array of zeros."""
        path = Path(self._folder.name) / str(len(self._where))
        where = SharedArray(str(path), (int(shape[0]), int(shape[1])), np.dtype(dtype).str)
        array = where.create()
        self._where[id(array)] = where
        return array

    def share(self, mosaic: Mosaic, calculate_score: bool) -> SharedRun:
        """What to tell the workers; `fill` gives them the pixels.

        Parameters
        ----------
        mosaic
            Of the plan, its memory from `zeros`.
        calculate_score
            Whether S and Scorr are wanted.
        """
        plan = mosaic.plan
        self._copies: list[tuple[NDArray[Any], NDArray[Any]]] = []
        halves = []
        for half in (plan.science, plan.template):
            shared = {}
            for name in _PLANES:
                plane = getattr(half, name)
                if _may_hold_more_than_zeros(half, name):
                    copy = self.zeros(plan.shape, plane.dtype)
                    shared[name] = self._where[id(copy)]
                    self._copies.append((copy, plane))
            halves.append(shared)
        light = _with_halves(plan, _light(plan.science), _light(plan.template))
        file = Path(self._folder.name) / "plan"
        file.write_bytes(pickle.dumps(light))
        frames = {name: self._where[id(frame)] for name, frame in mosaic.frames().items()}
        return SharedRun(str(file), (halves[0], halves[1]), frames, calculate_score)

    def fill(self, plan: SubtractionPlan, cell: Cell) -> None:
        """Copy the rows that a cell needs: the first cells are computed while others wait."""
        last = cell.outer.end_y - plan.bbox.y0 + _LOOK_AROUND
        if plan.for_cell(cell).config.padFill == "mirror":
            last = plan.bbox.height
        rows = slice(self._filled, last)
        if rows.start < rows.stop:
            for copy, plane in self._copies:
                copy[rows] = plane[rows]
            self._filled = last


def _may_hold_more_than_zeros(half: PreparedImage, name: str) -> bool:
    if name == "missing":
        return not half.complete
    return name != "mask" or bool(half.flagged) or not half.complete


def _light(half: PreparedImage) -> PreparedImage:
    """The image without its planes, and with a source that has nothing but its PSF and name."""
    point: dict[str, Any] = {name: np.zeros((1, 1), getattr(half, name).dtype) for name in _PLANES}
    source = Exposure(np.zeros((1, 1)), psf=half.source.psf, name=half.source.name)
    return replace(half, **point, source=source)


def _with_halves(
    plan: SubtractionPlan, science: PreparedImage, template: PreparedImage
) -> SubtractionPlan:
    prepared = replace(plan.prepared, science=science, template=template)
    own = {index: replace(each, prepared=prepared) for index, each in plan.own_plans.items()}
    return replace(plan, prepared=prepared, own_plans=own)


def _roomy(needed: int) -> str:
    """A folder with space for ``needed`` bytes, in memory if possible."""
    for folder in (_IN_MEMORY, tempfile.gettempdir()):
        if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > _SPARE * needed:
            return folder
    raise OSError(f"no folder with {needed} bytes of free space for planes to share")
