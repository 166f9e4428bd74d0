"""`ZogyTask`: LSST's documented face over the functions of the engine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from zogy_explorer.engine.config import ZogyConfig
from zogy_explorer.engine.plan import plan
from zogy_explorer.engine.result import Difference
from zogy_explorer.engine.run import require_usable_cell, run
from zogy_explorer.exposure import Exposure


class Struct(SimpleNamespace):
    """Named return values, as LSST's ``pipeBase.Struct``."""

    def getDict(self) -> dict[str, Any]:
        """The values by name."""
        return dict(vars(self))


class ZogyTask:
    """ZOGY subtraction of two exposures.

    Parameters
    ----------
    config
        Settings; `ZogyConfig` defaults if None.
    name
        Name of the task.
    """

    def __init__(self, config: ZogyConfig | None = None, *, name: str = "zogy") -> None:
        self.config = ZogyConfig() if config is None else config
        self.name = name

    def run(
        self,
        exposure1: Exposure,
        exposure2: Exposure,
        calculateScore: bool = True,
        **options: Any,
    ) -> Struct:
        """Subtract ``exposure2`` (template) from ``exposure1`` (science).

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
            ``scorr``, ``cells``, ``difference``.
        """
        steps = plan(exposure1, exposure2, self.config)
        difference = require_usable_cell(run(steps, calculate_score=calculateScore, **options))
        return Struct(
            diffExp=difference.diff,
            scoreExp=difference.score,
            ftDiff=_debug_struct(difference),
            scorr=difference.scorr,
            cells=list(difference.cells),
            difference=difference,
        )


def _debug_struct(difference: Difference) -> Struct:
    steps = difference.plan
    first = next(cell for cell in difference.cells if cell.ok)
    assert first.psf_science is not None
    assert first.psf_template is not None
    return Struct(
        freqSpaceShape=first.cell.outer.shape,
        psfShape1=first.psf_science.shape,
        psfShape2=first.psf_template.shape,
        borderSize=steps.border_measured,
    )
