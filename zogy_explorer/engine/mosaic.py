"""`Mosaic`: cells pasted into whole frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.engine.blending import taper, weight_at
from zogy_explorer.engine.cutout import result_region
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.noise_terms import total_variance
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.planes import CellPlanes
from zogy_explorer.engine.provenance import calibrated_unit, provenance
from zogy_explorer.engine.result import CellResult, Difference, Plane
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box
from zogy_explorer.masks import bit_mask
from zogy_explorer.psf import Psf


class Mosaic:
    """Collects the cells of one plan in any order; used by one thread.

    Parameters
    ----------
    plan
        The subtraction.
    calculate_score
        Whether the cells bring S and Scorr.
    zeros
        Where the frames' memory comes from, called with a shape and a type.
    """

    def __init__(
        self,
        plan: SubtractionPlan,
        *,
        calculate_score: bool = True,
        zeros: Callable[[tuple[int, int], np.dtype], NDArray[Any]] = np.zeros,
    ) -> None:
        self.plan = plan
        self._zeros = zeros
        dtype = np.result_type(plan.science.image, plan.template.image)
        plans = (plan, *plan.own_plans.values())
        if any(each.config.workingPrecision == "double" for each in plans):
            dtype = np.dtype(np.float64)
        self._dtype = dtype
        self._cells: dict[int, CellResult] = {}
        self._names = ["diff", "diff_variance"]
        if calculate_score:
            self._names += ["score", "score_variance", "scorr", *plan.noise_terms.names]
        self._planes: dict[str, Plane] = {}
        self._mask = np.bitwise_or(
            plan.science.mask, plan.template.mask, out=zeros(plan.shape, np.dtype(np.int32))
        )
        self._blends = plan.config.blendCells > 0

    @property
    def missing(self) -> list[int]:
        """Indices of the cells that have not been pasted."""
        return [cell.index for cell in self.plan.cells if cell.index not in self._cells]

    def room(self, cell: Cell) -> CellPlanes | None:
        """Where a cell's result goes, so that it need not be copied; None where cells blend."""
        if self._blends:
            return None
        box = result_region(self.plan, cell).slices((self.plan.bbox.x0, self.plan.bbox.y0))
        planes = {name: plane[box] for name, plane in self._allocated().items()}
        return CellPlanes(
            planes["diff"],
            planes["diff_variance"],
            planes.get("score"),
            planes.get("score_variance"),
            planes.get("scorr"),
            planes.get("astrometric_variance"),
            planes.get("flux_variance"),
        )

    def frames(self) -> dict[str, NDArray[Any]]:
        """All frames, the mask among them; not to be changed but through `room` and `paste`."""
        return {**self._allocated(), "mask": self._mask}

    def completed(self, result: CellResult, ok: bool) -> CellResult:
        """A result whose planes were written to `frames` already, with its planes."""
        room = self.room(result.cell)
        if not ok or room is None:
            return result
        box = result.region.slices((self.plan.bbox.x0, self.plan.bbox.y0))
        return replace(result, **room.by_name(), mask=self._mask[box])

    def paste(self, result: CellResult) -> None:
        """Add one cell.

        Raises
        ------
        InputError
            If it was pasted before, belongs to another configuration, or lacks S.
        """
        if result.cell.index in self._cells:
            raise InputError(f"cell {result.cell.name} was pasted before: paste each cell once")
        wanted = self.plan.for_cell(result.cell).config_hash
        if result.config_hash != wanted:
            raise InputError(
                f"cell {result.cell.name} was made with configuration {result.config_hash}, "
                f"the plan has {wanted}: subtract it again with this plan"
            )
        if result.ok and any(getattr(result, name) is None for name in self._names):
            raise InputError(
                f"cell {result.cell.name} has no S but the mosaic wants it: "
                "subtract the cell with calculate_score, or make the mosaic without"
            )
        if result.ok:
            result = self._add(result)
        else:
            self._blank(result)
        self._cells[result.cell.index] = result

    def difference(self) -> Difference:
        """The frames so far.

        Raises
        ------
        InputError
            If cells are missing.
        """
        if self.missing:
            raise InputError(
                f"{len(self.missing)} of {len(self.plan.cells)} cells are missing: paste them all"
            )
        planes = self._normalised()
        source, template = self.plan.science.source, self.plan.template.source
        calibrated = self.plan.config.scaleByCalibration
        meta = {**provenance(source, template), "ZOGYCONF": self.plan.config_hash}
        unit = calibrated_unit(source, template) if calibrated else None
        unit_of_diff = {} if unit is None else {"BUNIT": unit}  # S has another one
        cells = tuple(self._cells[cell.index] for cell in self.plan.cells)

        def exposure(name: str, psf: str, label: str, more: dict[str, Any]) -> Exposure:
            return Exposure(
                planes[name],
                variance=planes[f"{name}_variance"],
                mask=self._mask,
                psf=CellPsf.of(cells, psf),
                wcs=source.wcs,
                photo_calib=1.0 if calibrated else None,
                xy0=source.xy0,
                meta=meta | more,
                name=label,
                mask_planes=self.plan.mask_planes,
            )

        score = exposure("score", "psf_score", "score", {}) if "score" in planes else None
        return Difference(
            diff=exposure("diff", "psf_diff", "difference", unit_of_diff),
            score=score,
            scorr=planes.get("scorr"),
            cells=cells,
            plan=self.plan,
            astrometric_variance=planes.get("astrometric_variance"),
            flux_variance=planes.get("flux_variance"),
        )

    def _add(self, result: CellResult) -> CellResult:
        """Paste; the cell as it is to be kept, sharing the frame's memory where it can."""
        box = result.region.slices((self.plan.bbox.x0, self.plan.bbox.y0))
        if result.mask is not None:
            self._mask[box] |= result.mask
        if self._blends:
            return result
        whole = {name: getattr(result, name) for name in self._names}
        alone = not self._planes and result.region == self.plan.bbox
        if alone and whole["diff"].dtype == self._dtype:
            self._planes = whole
            return result
        shared: dict[str, Any] = {"mask": self._mask[box]}
        for name, plane in self._allocated().items():
            if whole[name].base is not plane:  # not written here already
                plane[box] = whole[name]
            shared[name] = plane[box]
        return replace(result, **shared)

    def _allocated(self) -> dict[str, Plane]:
        if not self._planes:
            shape, dtype = self.plan.shape, self._dtype
            self._planes = {name: self._zeros(shape, dtype) for name in self._names}
        return self._planes

    def _blended(self) -> dict[str, Plane]:
        """Weighted means of the cells; added up by index, so that the order of pasting is free."""
        planes = self._allocated()
        weights = np.zeros(self.plan.shape, dtype=self._dtype)
        for index in sorted(self._cells):
            result = self._cells[index]
            if not result.ok:
                continue
            box = result.region.slices((self.plan.bbox.x0, self.plan.bbox.y0))
            weight = taper(result.region, result.cell.inner)
            weights[box] += weight
            for name, plane in planes.items():
                plane[box] += weight * getattr(result, name)
        covered = weights > 0
        for plane in planes.values():
            np.divide(plane, weights, out=plane, where=covered)
        self._planes = {}  # they are the caller's now: more cells begin with new ones
        return planes

    def _blank(self, result: CellResult) -> None:
        """A failed cell: D and S are 0, their variances positive, the mask says NO_DATA."""
        box = result.cell.inner.slices((self.plan.bbox.x0, self.plan.bbox.y0))
        self._mask[box] |= bit_mask(self.plan.mask_planes, ["NO_DATA"])

    def _normalised(self) -> dict[str, Plane]:
        planes = self._blended() if self._blends else self._allocated()
        for result in self._cells.values():
            if result.ok:
                continue
            box = result.cell.inner.slices((self.plan.bbox.x0, self.plan.bbox.y0))
            for name, plane in planes.items():
                plane[box] = _blank_value(name, result)
        if "scorr" in planes and self._blends:
            terms = [planes[name] for name in self.plan.noise_terms.names]
            total = total_variance(planes["score_variance"], *terms)
            planes["scorr"] = planes["score"] / np.sqrt(total)
        return planes


class CellPsf:
    """PSF of a mosaic: in each cell that cell's stamp, between blended cells a mixture.

    Parameters
    ----------
    boxes
        Inner boxes of the cells that worked.
    stamps
        Their unit-sum stamps.
    regions
        Over which the cells were blended into the frame; empty: edge to edge.
    """

    def __init__(
        self,
        boxes: tuple[Box, ...],
        stamps: tuple[NDArray[np.float64], ...],
        regions: tuple[Box, ...] = (),
    ) -> None:
        self.boxes = boxes
        self.stamps = stamps
        self.regions = () if regions == boxes else regions

    @classmethod
    def of(cls, cells: tuple[CellResult, ...], name: str) -> Psf | None:
        """PSF from the attribute ``name`` of the cells; None if no cell has it."""
        good = [cell for cell in cells if getattr(cell, name) is not None and cell.ok]
        if not good:
            return None
        return cls(
            tuple(cell.cell.inner for cell in good),
            tuple(getattr(cell, name) for cell in good),
            tuple(cell.region for cell in good),
        )

    def kernel_image(self, *, x: float, y: float) -> NDArray[np.float64]:
        """Stamp of the cell at (x, y), or of the nearest cell that worked.

        Where cells are blended, their stamps are, with the weights that the pixel at (x, y) has.
        """
        nearest = self.stamps[self._nearest(x, y)]
        weights = {
            i: weight
            for i, (region, box) in enumerate(zip(self.regions, self.boxes, strict=False))
            if (weight := weight_at(region, box, x, y)) > 0
            and self.stamps[i].shape == nearest.shape
        }
        if len(weights) < 2:
            return nearest
        mixed = sum(weight * self.stamps[i] for i, weight in weights.items())
        return np.asarray(mixed / sum(weights.values()))

    def _nearest(self, x: float, y: float) -> int:
        def distance(box: Box) -> float:
            left, bottom, right, top = box.edges
            return max(left - x, x - right, 0.0) ** 2 + max(bottom - y, y - top, 0.0) ** 2

        return min(range(len(self.boxes)), key=lambda i: distance(self.boxes[i]))

    def __repr__(self) -> str:
        return f"CellPsf({len(self.boxes)} cells)"


def _blank_value(name: str, result: CellResult) -> float:
    if name == "score_variance":
        return 1.0
    if name == "diff_variance":
        # The noise that a working cell would have had, 1/F_D², keeps error maps sensible.
        return result.flux_diff**-2 if np.isfinite(result.flux_diff) else 1.0
    return 0.0
