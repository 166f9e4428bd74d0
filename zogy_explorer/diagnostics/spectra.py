"""Spectra of one cell as the subtraction uses them: images, PSFs, kernels and D.

Moduli over the whole frequency plane with frequency zero in the middle. Images are given in units
of their own white noise, so that pure noise has a mean square of 1; D̂ has that by construction
(Zackay, Ofek & Gal-Yam 2016, eq. 13).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.field import radial_mean, require_ok
from zogy_explorer.diagnostics.support import fourier_support
from zogy_explorer.engine.cell import cell_weights
from zogy_explorer.engine.cutout import cut_cell
from zogy_explorer.engine.equations import proper_difference
from zogy_explorer.engine.fourier import Spectrum, forward, stamp_spectrum
from zogy_explorer.engine.grid import Cell
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult
from zogy_explorer.engine.transfer import cell_transfer
from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box

Plane = NDArray[np.floating]

LARGEST = 1024
"""[px] Of a larger cell only the middle is transformed: its spectra look the same."""
RINGS = 96

SPECTRA: Mapping[str, str] = {
    "science": "N̂",
    "template": "R̂",
    "difference": "D̂",
    "psf_science": "P̂_n",
    "psf_template": "P̂_r",
    "score_n": "k_n (S)",
    "score_r": "k_r (S)",
    "diff_n": "D-kernel of N",
    "diff_r": "D-kernel of R",
}
"""Names of the spectra, and what they are called in formulas."""


@dataclass(frozen=True, eq=False)
class CellSpectra:
    """Moduli of the spectra of a cell.

    Parameters
    ----------
    moduli
        By the names of `SPECTRA`: (ny, nx) arrays, frequency 0 at (ny // 2, nx // 2).
    frequency
        Middle of each ring of the profiles [cycles / px]; 0.71 is the corner.
    profiles
        Root mean square of each modulus by ring, NaN where a ring is empty.
    box
        Pixels that were transformed.
    floor
        The frequency floor ε in use.
    where_floored
        Frequency from which both PSFs' spectra lie under ε [cycles / px]; infinite if never.
    """

    moduli: Mapping[str, Plane] = field(repr=False)
    frequency: Plane = field(repr=False)
    profiles: Mapping[str, Plane] = field(repr=False)
    box: Box
    floor: float
    where_floored: float


def cell_spectra(
    plan: SubtractionPlan,
    result: CellResult,
    *,
    largest: int = LARGEST,
    checkpoint: Callable[[], None] = lambda: None,
) -> CellSpectra:
    """Spectra of a computed cell, from the engine's own planes and kernels.

    Parameters
    ----------
    plan
        The subtraction that the cell is of.
    result
        A cell that worked.
    largest
        Side of the part that is transformed at most [px].
    checkpoint
        Called between transforms; may raise `CancelledError`.

    Raises
    ------
    InputError
        If the cell failed.
    """
    require_ok(result)
    inputs = cut_cell(plan, middle(result.cell, largest))
    if inputs.science is None or inputs.template is None:
        causes = "; ".join(flag.cause for flag in inputs.flags if flag.severity == "failed")
        raise InputError(f"the middle of cell {result.cell.name} cannot be subtracted: {causes}")
    science, template, box = inputs.science, inputs.template, inputs.cell.outer
    shape = box.shape
    weights = cell_weights(science, template, inputs.settings)
    transfer = cell_transfer(science, template, weights, inputs.settings, shape)
    kernels = transfer.kernels
    checkpoint()
    spectra = {}
    for name, half in (("science", science), ("template", template)):
        spectra[name] = forward(half.image - half.image.mean())
        checkpoint()
    difference = proper_difference(spectra["science"], spectra["template"], kernels)
    area = float(np.prod(shape))
    halves: dict[str, Plane] = {
        "science": np.abs(spectra["science"]) / np.sqrt(area * science.background_variance),
        "template": np.abs(spectra["template"]) / np.sqrt(area * template.background_variance),
        "difference": np.abs(difference) / np.sqrt(area),
        "psf_science": np.abs(stamp_spectrum(science.stamp, shape)),
        "psf_template": np.abs(stamp_spectrum(template.stamp, shape)),
        **{n: np.abs(getattr(kernels, n)) for n in ("score_n", "score_r", "diff_n", "diff_r")},
    }
    checkpoint()
    moduli = {name: whole_plane(halves[name], shape) for name in SPECTRA}
    frequency, profiles = _profiles(moduli, shape)
    return CellSpectra(
        moduli=moduli,
        frequency=frequency,
        profiles=profiles,
        box=box,
        floor=transfer.floor,
        where_floored=fourier_support(result).where_floored,
    )


def middle(cell: Cell, largest: int) -> Cell:
    """The cell itself, or its middle if its outer box is larger than ``largest`` px."""
    outer, inner = cell.outer, cell.inner
    if max(outer.width, outer.height) <= largest:
        return cell
    x0, width = _shrunk(inner.x0, inner.width, outer.width, largest)
    y0, height = _shrunk(inner.y0, inner.height, outer.height, largest)
    x1, total_x = _grown(x0, width, min(outer.width, largest))
    y1, total_y = _grown(y0, height, min(outer.height, largest))
    return replace(cell, inner=Box(x0, y0, width, height), outer=Box(x1, y1, total_x, total_y))


def whole_plane(half: Spectrum | Plane, shape: tuple[int, int]) -> Plane:
    """Modulus on the whole plane, frequency 0 in the middle, from that on the half plane."""
    ny, nx = shape
    rows = (-np.arange(ny)) % ny
    columns = np.arange(1, (nx + 1) // 2)[::-1]
    mirrored = half[np.ix_(rows, columns)]
    return np.fft.fftshift(np.concatenate([half, mirrored], axis=1))


def _profiles(
    moduli: Mapping[str, Plane], shape: tuple[int, int]
) -> tuple[Plane, dict[str, Plane]]:
    """Root mean square by ring of frequency."""
    fy, fx = (np.fft.fftshift(np.fft.fftfreq(n)) for n in shape)
    radius = np.hypot(fy[:, None], fx)
    edges = np.linspace(0, np.sqrt(0.5) * (1 + 1e-9), RINGS + 1)
    profiles = {
        name: np.sqrt(radial_mean(np.square(modulus, dtype=np.float64), radius, edges))
        for name, modulus in moduli.items()
    }
    return (edges[:-1] + edges[1:]) / 2, profiles


def _shrunk(start: int, length: int, total: int, largest: int) -> tuple[int, int]:
    """Inner span whose padded length is ``largest`` with the padding that it has."""
    less = max(total - largest, 0)
    keep = max(length - less, 1)
    return start + (length - keep) // 2, keep


def _grown(start: int, length: int, total: int) -> tuple[int, int]:
    return start - (total - length) // 2, total
