"""`ZogyTask`: LSST's documented face over the functions of the engine."""

from __future__ import annotations

from typing import Any

from zogy_explorer.engine.lsst_task.steps import StepMethods
from zogy_explorer.engine.lsst_task.struct import LateStruct, Struct
from zogy_explorer.engine.plan import plan
from zogy_explorer.engine.result import Difference
from zogy_explorer.engine.run import require_usable_cell, run
from zogy_explorer.exposure import Exposure

__all__ = ["Struct", "ZogyTask"]

_LATE = ("Fd", "D", "varPlaneD", "Pd", "S", "varPlaneS", "Ps", "transfer")


class ZogyTask(StepMethods):
    """ZOGY subtraction of two exposures, with the documented methods of LSST's ``ZogyTask``.

    `run` does it all. The steps can be called one by one instead: `prepareFullExposure`,
    `generateGrid`, and for each cell `prepareSubExposure`, `calculateFourierDiffim`,
    `pasteSubDiffImg`; at last `finishResultExposures`. The numbers are the same. Steps keep
    their state on the task, so each thread needs a task of its own; `run` keeps none.

    Parameters
    ----------
    config
        Settings; `ZogyConfig` defaults if None.
    name
        Name of the task; needed for a subtask.
    parentTask
        Task that this one is part of.
    log
        Logger whose name prefixes this task's.
    """

    def run(
        self,
        exposure1: Exposure,
        exposure2: Exposure,
        calculateScore: bool = True,
        **options: Any,
    ) -> Struct:
        """Subtract ``exposure2`` (template) from ``exposure1`` (science).

        Times and counts of cells and pixels go to `metadata`.

        Parameters
        ----------
        exposure1, exposure2
            On one pixel grid.
        calculateScore
            Whether to compute S.
        **options
            ``executor``, ``progress``, ``cancel`` of `zogy_explorer.engine.run`.

        Returns
        -------
        struct
            ``diffExp``, ``scoreExp`` (None without score), ``ftDiff``, and our additions
            ``scorr``, ``cells``, ``difference``. The variance of ``scoreExp`` is source noise
            only, as documented; ``scorr`` uses the total variance with the noise terms that are
            on (``difference.total_variance``). ``ftDiff`` is what `calculateFourierDiffim`
            gives for the last cell, computed when it is looked at, and ``freqSpaceShape``,
            ``psfShape1``, ``psfShape2``, ``borderSize``.

        Raises
        ------
        InputError
            If the pair cannot be subtracted, or no cell of it.
        """
        with self.timer("run"):
            with self.timer("plan"):
                steps = plan(exposure1, exposure2, self.config)
            with self.timer("cells"):
                difference = run(steps, calculate_score=calculateScore, **options)
            self._count(difference)
        require_usable_cell(difference)
        return Struct(
            diffExp=difference.diff,
            scoreExp=difference.score,
            ftDiff=self._last_spectra(difference, calculateScore),
            scorr=difference.scorr,
            cells=list(difference.cells),
            difference=difference,
        )

    def _count(self, difference: Difference) -> None:
        steps = difference.plan
        counts = {
            "nPixels": steps.bbox.area,
            "nCells": len(difference.cells),
            "nCellsFailed": len(difference.failed),
            "nCellsFlagged": difference.count("warning"),
        }
        for name, value in counts.items():
            self.metadata.add(name, value)
        self.log.info(
            "subtracted %s in %d cells, %d failed",
            steps.bbox,
            counts["nCells"],
            counts["nCellsFailed"],
        )

    def _last_spectra(self, difference: Difference, calculateScore: bool) -> Struct:
        steps = difference.plan
        last = [cell for cell in difference.cells if cell.ok][-1]
        assert last.psf_science is not None
        assert last.psf_template is not None

        def spectra() -> dict[str, Any]:
            task = StepMethods(self.config)
            task._begin(steps)
            task._enter(last.cell)
            return task.calculateFourierDiffim(
                task.psfFft1,
                task.subImgFft1,
                task.subVarImgFft1,
                task.F1,
                task.subExpVar1,
                task.psfFft2,
                task.subImgFft2,
                task.subVarImgFft2,
                task.F2,
                task.subExpVar2,
                calculateScore=calculateScore,
            ).getDict()

        return LateStruct(
            _LATE,
            spectra,
            freqSpaceShape=last.cell.outer.shape,
            psfShape1=last.psf_science.shape,
            psfShape2=last.psf_template.shape,
            borderSize=steps.border_measured,
        )
