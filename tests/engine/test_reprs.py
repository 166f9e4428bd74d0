"""Results in one short line each."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import CallablePsf, Difference, Exposure, ZogyConfig, plan, run
from zogy_explorer.engine.number_words import with_error


@pytest.fixture
def difference() -> Difference:
    """A row of cells; those on the right have PSFs too far apart."""

    def psf(x: float, y: float, offset: float) -> np.ndarray:
        rows, columns = np.mgrid[:15, :15] - 7
        dx = offset if x > 80 else 0.0
        return np.exp(-((columns - dx) ** 2 + rows**2) / (2 * 1.6**2))

    pair = []
    for seed, offset in ((1, 0.8), (2, 0.0)):
        image = np.random.default_rng(seed).normal(0, 1, (90, 130)).astype(np.float32)
        model = CallablePsf(lambda x, y, offset=offset: psf(x, y, offset))
        pair.append(Exposure(image, variance=1.0, psf=model, xy0=(5, 0)))
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0)
    return run(plan(pair[0], pair[1], config))


def test_a_cell_says_its_place_its_flags_and_its_noise(difference: Difference) -> None:
    good = next(cell for cell in difference.cells if cell.ok)
    text = repr(good)
    assert text.startswith(f"CellResult({good.cell.name!r}, inner={good.cell.inner}, outer=")
    assert f"{good.worst}" in text
    measured = with_error(good.noise.scorr_measured, good.noise.scorr_error)
    assert f"σ(Scorr) predicted 1, measured {measured}" in text
    assert len(text) < 300


def test_a_failed_cell_names_its_flag(difference: Difference) -> None:
    text = repr(difference.failed[0])
    assert "failed: CENTROID_DISTANCE" in text
    assert "σ(Scorr)" not in text


def test_a_difference_says_its_size_and_counts_its_flags(difference: Difference) -> None:
    text = repr(difference)
    n = len(difference.failed)
    assert text.startswith(f"Difference(130×90 at (5, 0), {len(difference.cells)} cells, {n} fail")
    assert f"CENTROID_DISTANCE×{n}" in text
    assert "σ(Scorr) predicted 1, measured" in text
    assert text.endswith(" s in all cells)")
    assert len(text) < 300
