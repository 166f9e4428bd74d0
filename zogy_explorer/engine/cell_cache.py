"""`CellCache`: what the cell under a slider keeps from one move to the next.

A setting that only changes the weights (`FREE_FIELDS`) leaves the pixels of a cell, their spectra
and those of its PSFs as they are. What is left to do then is the kernels and the transforms back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from zogy_explorer.engine.config import hash_settings
from zogy_explorer.engine.cutout import CellImage, CellInput, cut_cell
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.planes import CellSpectra
from zogy_explorer.engine.prepare import PreparedPair
from zogy_explorer.engine.transfer import TransferCache

FREE_FIELDS = (
    "scienceFluxScaling",
    "templateFluxScaling",
    "swapFluxScaling",
    "fluxScaleError",
    "frequencyFloor",
    "maxPsfCentroidDist",
    "centroidOrigin",
    "psfShape",
    "growMask",
    "strict",
)
"""Settings that do not change what is cut out of the images."""

_LARGEST = 1 << 21  # pixels of a cell whose spectra are kept: 34 MB in single precision


@dataclass(frozen=True, eq=False)
class _Cut:
    """The cut-out of a cell, and what it was cut from."""

    prepared: PreparedPair
    key: tuple[Cell, int, str]
    inputs: CellInput


@dataclass(frozen=True, eq=False)
class _Spectra:
    """Spectra, what they were made from, and by what."""

    science: CellImage
    template: CellImage
    arithmetic: str
    spectra: CellSpectra


class CellCache(TransferCache):
    """Cut-out and spectra of the last cell, and the kernels of the last few; for any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._last = threading.Lock()
        self._cut: _Cut | None = None
        self._spectra: _Spectra | None = None

    def cut(self, plan: SubtractionPlan, cell: Cell) -> CellInput:
        """The same as `cut_cell`, which is asked only if the pixels may differ from the last."""
        own = plan.for_cell(cell)
        settings = {name: own.config[name] for name in own.config if name not in FREE_FIELDS}
        key = (cell, own.border, hash_settings(settings))
        with self._last:
            kept = self._cut
        if kept is None or kept.prepared is not plan.prepared or kept.key != key:
            kept = _Cut(plan.prepared, key, cut_cell(plan, cell))
            with self._last:
                self._cut = kept
        return replace(kept.inputs, settings=own.config, terms=own.noise_terms)

    def spectra(
        self,
        science: CellImage,
        template: CellImage,
        arithmetic: str,
        make: Callable[[], CellSpectra],
    ) -> CellSpectra:
        """Spectra of the two images of a cell, not to be changed; made now if they are others'."""
        with self._last:
            kept = self._spectra
        wanted = (science, template, arithmetic)
        if kept is not None and (kept.science, kept.template, kept.arithmetic) == wanted:
            return kept.spectra
        made = make()
        if science.image.size <= _LARGEST:
            with self._last:
                self._spectra = _Spectra(science, template, arithmetic, made)
        return made
