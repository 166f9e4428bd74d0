"""The kernels of D and S of a computed cell, made again from what its result says of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from zogy_explorer.diagnostics.field import require_ok
from zogy_explorer.engine.equations import Kernels, Weights, kernels
from zogy_explorer.engine.fourier import stamp_spectrum
from zogy_explorer.engine.result import CellResult

Plane = NDArray[np.floating]

_LEAST_SIDE = 96  # [px] a plane on which the kernels have ended
_STAMPS = 4


def kernel_side(result: CellResult, least: int = 0) -> int:
    """Side of a plane that holds the kernels of a cell, at least ``least`` [px]; even."""
    sides = [side for stamp in _stamps(result) for side in stamp.shape]
    side = max(_STAMPS * max(sides), _LEAST_SIDE, least)
    return int(2 * next_fast_len((side + 1) // 2, real=True))


def cell_kernels(result: CellResult, shape: tuple[int, int]) -> Kernels:
    """Spectra of the kernels of a cell on planes of ``shape``, frequency floor included.

    Raises
    ------
    InputError
        If the cell failed.
    """
    require_ok(result)
    psf_n, psf_r = (stamp_spectrum(stamp, shape) for stamp in _stamps(result))
    weights = Weights(
        result.sigma_science**2,
        result.sigma_template**2,
        result.flux_science,
        result.flux_template,
    )
    return kernels(psf_n, psf_r, weights, result.frequency_floor)


def _stamps(result: CellResult) -> tuple[Plane, Plane]:
    require_ok(result)
    assert result.psf_science is not None
    assert result.psf_template is not None
    return result.psf_science, result.psf_template
