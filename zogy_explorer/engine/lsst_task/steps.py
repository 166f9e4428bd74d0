"""The documented steps of ``ZogyTask``: frame, cell, spectra, paste, finish.

Each calls what `run` calls. The spectra that `prepareSubExposure` and `calculateFourierDiffim`
leave remember the planes of the engine that they stand for (see ``spectra.py``), so that a loop
over the steps gives the same bits as `run`; arrays that the caller changed or made are taken for
what they say.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike

from zogy_explorer.engine.cell import complete_cell, describe_cell
from zogy_explorer.engine.cutout import cut_cell
from zogy_explorer.engine.fourier import Spectrum
from zogy_explorer.engine.lsst_task.arrays import sub_exposure
from zogy_explorer.engine.lsst_task.difference import (
    fourier_difference,
    planes_and_transfer,
    weights,
)
from zogy_explorer.engine.lsst_task.psfs import psf_stamp
from zogy_explorer.engine.lsst_task.state import TaskState, with_own_planes
from zogy_explorer.engine.lsst_task.struct import Struct
from zogy_explorer.engine.mosaic import Mosaic
from zogy_explorer.engine.plan import Settings, plan
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box
from zogy_explorer.psf import KernelPsf, Psf


class StepMethods(TaskState):
    """The steps, in the order in which a script calls them; state is kept on the task."""

    def prepareFullExposure(
        self, exposure1: Exposure, exposure2: Exposure, correctBackground: bool = False
    ) -> None:
        """Calibrate and repair a pair, and measure what concerns the whole frame.

        Sets ``fullExp1``, ``fullExp2`` (clones with calibrated, finite planes), ``F1``, ``F2``
        (flux scales), ``fullExpVar1``, ``fullExpVar2`` (mean variances), ``borderSize`` [px],
        and empties ``gridPsfs``.

        Parameters
        ----------
        exposure1, exposure2
            Science image and template, on one pixel grid; not changed.
        correctBackground
            Subtract the clipped mean of each image; counts in place of
            ``config.correctBackground``.

        Raises
        ------
        InputError
            If the pair cannot be subtracted.
        """
        config = self.config
        if bool(correctBackground) != config.correctBackground:
            config = config.copy(correctBackground=bool(correctBackground))
        with self.timer("prepareFullExposure"):
            self._begin(with_own_planes(plan(exposure1, exposure2, config)))

    def prepareSubExposure(
        self,
        localCutout: Any,
        psf1: Psf | ArrayLike | None = None,
        psf2: Psf | ArrayLike | None = None,
        sig1: float | None = None,
        sig2: float | None = None,
    ) -> None:
        """Cut out one cell and transform its PSFs, images and variances.

        Sets ``cutBoxes``, ``freqSpaceShape``, ``psf1``, ``psfShape1``, ``subExp1``,
        ``subExpVar1`` (σ² of a pixel), ``psfFft1``, ``subImgFft1``, ``subVarImgFft1`` (full
        complex spectra) and the same with 2.

        Parameters
        ----------
        localCutout
            Struct with ``innerBox`` and ``outerBox``, as `generateGrid` gives.
        psf1, psf2
            PSFs, or stamps, to use; those of the exposures at the centre of the inner box by
            default.
        sig1, sig2
            Noise σ of a pixel [calibrated unit]; measured in the inner box by default.

        Raises
        ------
        InputError
            If the cell cannot be subtracted: the PSF centroids differ too much, for instance.
        """
        with self.timer("prepareSubExposure"):
            self._enter(
                self._cell_of(localCutout.innerBox, localCutout.outerBox),
                (_as_psf(psf1), _as_psf(psf2)),
                (sig1, sig2),
            )

    def calculateFourierDiffim(
        self,
        psf1: Spectrum,
        im1: Spectrum,
        varPlane1: Spectrum,
        F1: float,
        varMean1: float,
        psf2: Spectrum,
        im2: Spectrum,
        varPlane2: Spectrum,
        F2: float,
        varMean2: float,
        calculateScore: bool = True,
    ) -> Struct:
        """D and S of two images in Fourier space (ZOGY eqs. 12-17 and 26-29).

        Parameters
        ----------
        psf1, im1, varPlane1 : (ny, nx) arrays of complex
            Full spectra of PSF, image and variance plane of image 1 (science); as `padAndFftImage`
            gives them, the origin of a plane is its pixel n // 2.
        F1
            Flux scale of image 1.
        varMean1
            σ² of a pixel of image 1.
        psf2, im2, varPlane2, F2, varMean2
            The same of image 2 (template).
        calculateScore
            False: ``S``, ``varPlaneS`` and ``Ps`` are None.

        Returns
        -------
        struct
            ``Fd``; full spectra ``D`` (not divided by F_D), ``varPlaneD``, ``Pd``, ``S``,
            ``varPlaneS``, ``Ps``; and ours: ``transfer``, the kernels.
        """
        settings = self._plan.config if self._plan is not None else Settings(self.config)
        with self.timer("calculateFourierDiffim"):
            return fourier_difference(
                ((psf1, im1, varPlane1), (psf2, im2, varPlane2)),
                weights((F1, F2), (varMean1, varMean2)),
                settings,
                self._inputs,
                self._cache,
                bool(calculateScore),
            )

    def pasteSubDiffImg(
        self, ftDiff: Struct, diffExp: Exposure, scoreExp: Exposure | None = None
    ) -> None:
        """Transform a cell back and paste its inner box: D / F_D and S with their variances.

        Adds a struct with ``bbox``, ``Pd`` and ``Ps`` (unit-sum stamps) to ``gridPsfs``.

        Parameters
        ----------
        ftDiff
            From `calculateFourierDiffim`, for the cell prepared last.
        diffExp, scoreExp
            Exposures of the size and type of ``fullExp1``, a clone for instance; changed in
            place. Without ``scoreExp`` S is left out.

        Raises
        ------
        InputError
            If no cell is prepared, or S is asked for but was not calculated.
        """
        steps, inputs = self._require_plan(), self._require_cell()
        if scoreExp is not None and ftDiff.S is None:
            raise InputError(
                "a scoreExp is given but ftDiff has no S: "
                "call calculateFourierDiffim with calculateScore=True, or leave scoreExp out"
            )
        targets = {"diff": (diffExp.image, diffExp.variance)}
        if scoreExp is not None:
            targets["score"] = (scoreExp.image, scoreExp.variance)
        with self.timer("pasteSubDiffImg"):
            planes, transfer = planes_and_transfer(ftDiff, inputs, scoreExp is not None)
            result = complete_cell(describe_cell(inputs), inputs, planes, transfer)
            inner = result.cell.inner.slices((steps.bbox.x0, steps.bbox.y0))
            source = result.cell.inner.slices((result.region.x0, result.region.y0))
            shared: dict[str, Any] = {}
            for name, pair in targets.items():
                for plane, field in zip(pair, (name, f"{name}_variance"), strict=True):
                    if plane is None:
                        raise InputError(
                            f"the exposure for {name} has no variance plane: clone task.fullExp1"
                        )
                    plane[inner] = getattr(result, field)[source]
                    shared[field] = plane[inner]
        # The cell shares the frame's memory, but where cells are blended its rim is needed too.
        kept = result if steps.config.blendCells else replace(result, **shared)
        self._results[result.cell.index] = kept
        withScore = scoreExp is not None
        self.gridPsfs.append(
            Struct(
                bbox=result.cell.inner,
                Pd=result.psf_diff,
                Ps=result.psf_score if withScore else None,
            )
        )

    def finishResultExposures(self, diffExp: Exposure, scoreExp: Exposure | None = None) -> None:
        """Give the pasted exposures their mask, PSF and calibration.

        Cells for which `prepareSubExposure` failed are blanked and marked NO_DATA.

        Parameters
        ----------
        diffExp, scoreExp
            The exposures that were pasted into; changed in place.

        Raises
        ------
        InputError
            If nothing was pasted.
        """
        steps = self._require_plan()
        if not self.gridPsfs:
            raise InputError("no cell was pasted: call pasteSubDiffImg for each cell first")
        with self.timer("finishResultExposures"):
            results = [self._results[index] for index in sorted(self._results)]
            if scoreExp is not None and any(r.ok and r.score is None for r in results):
                raise InputError(
                    "a scoreExp is given but cells were pasted without one: "
                    "give it to pasteSubDiffImg for every cell"
                )
            pasted = replace(steps, cells=tuple(result.cell for result in results))
            mosaic = Mosaic(pasted, calculate_score=scoreExp is not None)
            for result in results:
                mosaic.paste(result)
            frames = mosaic.difference()
            for exposure, frame, name in (
                (diffExp, frames.diff, "Pd"),
                (scoreExp, frames.score, "Ps"),
            ):
                if exposure is None or frame is None:
                    continue
                for cell in pasted.cells:
                    box = cell.inner.slices((steps.bbox.x0, steps.bbox.y0))
                    exposure.image[box] = frame.image[box]
                    exposure.variance[box] = frame.variance[box]  # type: ignore[index]
                exposure.mask[...] = frame.mask
                psf = self.makeSpatialPsf(
                    Struct(bbox=part.bbox, psf=getattr(part, name)) for part in self.gridPsfs
                )
                described = ("wcs", "photo_calib", "xy0", "meta", "name", "mask_planes")
                # Exposures are read-only to their users; this one is ours until it is finished.
                exposure.__setstate__({f: getattr(frame, f) for f in described} | {"psf": psf})

    def initializeSubImage(
        self,
        fullExp: Exposure,
        innerBox: Box,
        outerBox: Box,
        noiseMeanVar: float,
        useNoise: bool = True,
    ) -> Exposure:
        """Sub-image of ``outerBox``: real pixels where there are any, white noise elsewhere.

        For ``fullExp1`` and ``fullExp2`` the padding follows ``config.padFill``, ``padSky`` and
        ``noiseSeed``, so that the pixels are those of `run`; for other exposures LSST's rule
        holds: noise around zero, seeded by the variance.

        Parameters
        ----------
        fullExp
            Whole image.
        innerBox, outerBox
            Boxes of the cell.
        noiseMeanVar
            Variance of the noise; also what the variance plane holds off the image.
        useNoise
            False: zero off the image.
        """
        own = self._plan is not None and (fullExp is self.fullExp1 or fullExp is self.fullExp2)
        if own and useNoise:
            variance = float(noiseMeanVar)
            inputs = cut_cell(
                self._require_plan(), self._cell_of(innerBox, outerBox), variances=(variance,) * 2
            )
            image = inputs.science if fullExp is self.fullExp1 else inputs.template
            if image is not None:
                return sub_exposure(
                    fullExp, inputs.cell.outer, image.image.copy(), image.variance.copy(), None
                ).replace(psf=fullExp.psf)
        return super().initializeSubImage(fullExp, innerBox, outerBox, noiseMeanVar, useNoise)


def _as_psf(psf: Any) -> Psf | None:
    if psf is None or callable(getattr(psf, "kernel_image", None)):
        return psf
    return KernelPsf(psf_stamp(psf))
