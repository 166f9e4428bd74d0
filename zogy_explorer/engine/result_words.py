"""Results in a line: their reprs, which would print every array otherwise."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from zogy_explorer.engine.number_words import with_error

if TYPE_CHECKING:
    from zogy_explorer.engine.result import CellResult, Difference


def cell_line(result: CellResult) -> str:
    """Name, boxes, flags and σ(Scorr) of a cell."""
    parts = [f"{result.cell.name!r}", f"inner={result.cell.inner}", f"outer={result.cell.outer}"]
    if result.region != result.cell.inner:
        parts.append(f"region={result.region}")
    flags = " ".join(flag.name for flag in result.flags)
    parts.append(f"{result.worst}: {flags}" if flags else result.worst)
    if np.isfinite(result.noise.scorr_measured):
        measured = with_error(result.noise.scorr_measured, result.noise.scorr_error)
        parts.append(f"σ(Scorr) predicted 1, measured {measured}")
    return f"CellResult({', '.join(parts)})"


def difference_line(difference: Difference) -> str:
    """Shape, cells, flags, σ(Scorr) and time of a subtraction."""
    cells = difference.cells
    parts = [str(difference.diff.bbox), f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"]
    if difference.failed:
        parts.append(f"{len(difference.failed)} failed")
    count = Counter(flag.name for cell in cells for flag in cell.flags)
    parts += [f"{name}×{number}" for name, number in count.items()]
    sigma = difference.scorr_sigma()
    if np.isfinite(sigma):
        parts.append(f"σ(Scorr) predicted 1, measured {sigma:.3f}")
    seconds = sum(cell.timings.get("total", 0.0) for cell in cells)
    if seconds:
        parts.append(f"{seconds:.3g} s in all cells")
    return f"Difference({', '.join(parts)})"
