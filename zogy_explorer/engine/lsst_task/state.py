"""What `ZogyTask` keeps between its steps: the prepared pair and the cell in work."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np

from zogy_explorer.engine.cell import cell_weights, describe_cell, flux_scales
from zogy_explorer.engine.config import ZogyConfig
from zogy_explorer.engine.cutout import CellImage, CellInput, cut_cell
from zogy_explorer.engine.fourier import forward, stamp_spectrum
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.lsst_task.arrays import as_box, sub_exposure
from zogy_explorer.engine.lsst_task.base import Task
from zogy_explorer.engine.lsst_task.difference import full_variance
from zogy_explorer.engine.lsst_task.psfs import PsfMethods
from zogy_explorer.engine.lsst_task.spectra import FullSpectrum, full_from_half, image_half
from zogy_explorer.engine.lsst_task.struct import Struct
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.prepare import PreparedImage, PreparedPair
from zogy_explorer.engine.result import CellResult
from zogy_explorer.engine.transfer import TransferCache
from zogy_explorer.engine.variance import VarianceSpectrum
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box
from zogy_explorer.psf import KernelPsf, Psf, Stamp


class TaskState(PsfMethods):
    """Attributes that the steps set, and how they come about."""

    ConfigClass = ZogyConfig
    _DefaultName = "zogy"

    fullExp1: Exposure
    fullExp2: Exposure
    F1: float
    F2: float
    fullExpVar1: float
    fullExpVar2: float
    borderSize: float
    gridPsfs: list[Struct]

    cutBoxes: Struct
    subExp1: Exposure
    subExp2: Exposure
    subExpVar1: float
    subExpVar2: float
    psf1: Stamp
    psf2: Stamp
    psfShape1: tuple[int, int]
    psfShape2: tuple[int, int]
    psfFft1: FullSpectrum
    psfFft2: FullSpectrum
    subImgFft1: FullSpectrum
    subImgFft2: FullSpectrum
    subVarImgFft1: FullSpectrum
    subVarImgFft2: FullSpectrum

    def __init__(
        self,
        config: Any = None,
        *,
        name: str | None = None,
        parentTask: Task | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        super().__init__(config, name=name, parentTask=parentTask, log=log)
        self._plan: SubtractionPlan | None = None
        self._inputs: CellInput | None = None
        self._results: dict[int, CellResult] = {}
        self._cache = TransferCache()

    def _begin(self, steps: SubtractionPlan) -> None:
        """Take over a plan."""
        self._plan, self._inputs = steps, None
        self._results = {}
        self.gridPsfs = []
        self.F1, self.F2 = flux_scales(steps.config)
        self.fullExpVar1 = steps.science.fallback_variance
        self.fullExpVar2 = steps.template.fallback_variance
        given = steps.config.borderSize
        self.borderSize = steps.border_measured if given is None else float(given)
        self.fullExp1 = _full_exposure(steps, steps.science)
        self.fullExp2 = _full_exposure(steps, steps.template)

    def _enter(
        self,
        cell: Cell,
        psfs: tuple[Psf | None, Psf | None] = (None, None),
        sigmas: tuple[float | None, float | None] = (None, None),
    ) -> None:
        """Cut a cell out of the plan and make its spectra."""
        variances = tuple(None if sigma is None else float(sigma) ** 2 for sigma in sigmas)
        self._inputs = None
        inputs = cut_cell(
            self._require_plan(), cell, psfs=psfs, variances=(variances[0], variances[1])
        )
        described = describe_cell(inputs)
        if inputs.science is None or inputs.template is None or described.worst == "failed":
            self._results.setdefault(cell.index, described)
            advice = next(flag.advice for flag in described.flags if flag.severity == "failed")
            raise InputError(
                f"cell {cell.name} cannot be subtracted: {described.describe_failure()}; {advice}"
            )
        self._inputs = inputs
        self.cutBoxes = Struct(innerBox=cell.inner, outerBox=cell.outer)
        self.freqSpaceShape = cell.outer.shape
        weights = cell_weights(inputs.science, inputs.template, inputs.settings)
        self.subExpVar1, self.subExpVar2 = weights.variance_n, weights.variance_r
        self._leave_spectra("1", inputs.science, self.fullExp1, cell.outer)
        self._leave_spectra("2", inputs.template, self.fullExp2, cell.outer)

    def _leave_spectra(self, number: str, image: CellImage, full: Exposure, outer: Box) -> None:
        shape = outer.shape
        values = {
            "psf": image.stamp,
            "psfShape": image.stamp.shape,
            "subExp": sub_exposure(
                full, outer, image.image.copy(), image.variance.copy(), KernelPsf(image.stamp)
            ),
        }
        dtype = np.result_type(image.image.dtype, np.complex64)
        half = stamp_spectrum(image.stamp, shape).astype(dtype, copy=False)
        pixels = forward(image.image)
        variance = VarianceSpectrum.of(image.variance)
        values |= {
            "psfFft": FullSpectrum.of(full_from_half(half, shape[1]), image),
            "subImgFft": FullSpectrum.of(
                full_from_half(image_half(pixels, shape), shape[1]), pixels
            ),
            "subVarImgFft": full_variance(variance, shape),
        }
        for name, value in values.items():
            setattr(self, name + number, value)

    def _cell_of(self, inner: Any, outer: Any) -> Cell:
        """The plan's cell with these boxes, or one made for them."""
        steps = self._require_plan()
        inner, outer = as_box(inner), as_box(outer)
        if not (steps.bbox.contains(inner) and outer.contains(inner)):
            raise InputError(
                f"inner box {inner} must lie in the image, {steps.bbox}, and in its outer box, "
                f"{outer}: take both from generateGrid"
            )
        for cell in steps.cells:
            if (cell.inner, cell.outer) == (inner, outer):
                return cell
        # The index seeds the padding noise: one of its own for each place.
        place = (inner.y0 - steps.bbox.y0) * steps.bbox.width + inner.x0 - steps.bbox.x0
        return Cell(len(steps.cells) + place, inner.x0, inner.y0, inner, outer)

    def _require_plan(self) -> SubtractionPlan:
        if self._plan is None:
            raise InputError("no exposures are prepared: call prepareFullExposure first")
        return self._plan

    def _require_cell(self) -> CellInput:
        if self._inputs is None:
            raise InputError("no cell is prepared: call prepareSubExposure first")
        return self._inputs


def with_own_planes(steps: SubtractionPlan) -> SubtractionPlan:
    """The plan with planes that share no memory with the exposures it was made from."""
    pair = steps.prepared
    own = [
        replace(half, image=half.image.copy(), variance=half.variance.copy(), mask=half.mask.copy())
        for half in (pair.science, pair.template)
    ]
    return replace(steps, prepared=PreparedPair(own[0], own[1], pair.mask_planes, pair.key))


def _frame_type(steps: SubtractionPlan) -> np.dtype:
    """Type of the result's planes."""
    if steps.config.workingPrecision == "double":
        return np.dtype(np.float64)
    return np.result_type(steps.science.image, steps.template.image)


def _full_exposure(steps: SubtractionPlan, half: PreparedImage) -> Exposure:
    """Exposure over prepared planes; the same memory unless the result is of another type."""
    dtype = _frame_type(steps)
    return half.source.replace(
        image=half.image.astype(dtype, copy=False),
        variance=half.variance.astype(dtype, copy=False),
        mask=half.mask,
        photo_calib=1.0 if steps.config.scaleByCalibration else None,
        mask_planes=steps.mask_planes,
    )
