"""What the tutorial says of the sample pair is so."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from zogy_explorer import Difference, ZogyConfig, plan, run
from zogy_explorer.diagnostics import detect, explain
from zogy_explorer.simulate import sample_pair
from zogy_explorer.ui.samples import SAMPLE_SETTINGS

TEXT = " ".join((Path(__file__).parents[1] / "docs" / "tutorial.md").read_text().split())


def subtracted(limit: float) -> Difference:
    science, template, _ = sample_pair()
    return run(plan(science, template, ZogyConfig(**SAMPLE_SETTINGS, maxPsfCentroidDist=limit)))


@pytest.fixture(scope="module")
def mended() -> Difference:
    return subtracted(0.25)


def test_one_of_sixteen_cells_fails_for_the_reason_that_is_quoted():
    difference = subtracted(0.2)
    (failed,) = difference.failed
    assert f"{len(difference.cells)} cells, 1 failed" in TEXT
    assert f"σ(Scorr) = {difference.scorr_sigma():.2f}" in TEXT
    assert failed.cell.name == "r3c3"
    assert failed.describe_failure() in TEXT


def test_the_cell_is_mended_by_the_limit_that_is_named(mended):
    assert not mended.failed
    cell = next(cell for cell in mended.cells if cell.cell.name == "r3c3")
    assert f"σ(Scorr) of r3c3 is {cell.noise.scorr_measured:.2f}" in TEXT


def test_stars_in_the_mended_cell_leave_no_dipoles(mended):
    assert "r3c3" not in set(detect(mended)["cell"])


def test_what_is_found_is_what_changed(mended):
    found, truth = detect(mended), sample_pair()[2]
    saturated = np.array(["saturated_nearby" in flags for flags in found["flags"]])
    assert f"There are {len(found)} rows" in TEXT
    assert saturated.sum() == 3
    assert [flags for flags in found["flags"][~saturated] if flags] == ["dipole"]
    real = found[~saturated]
    assert len(real) == len(truth) + np.count_nonzero(truth["kind"] == "moving") == 11
    for row in truth:
        distance = np.hypot(real["x"].value - row["x"], real["y"].value - row["y"])
        source = real[np.argmin(distance)]
        assert distance.min() < 1
        assert abs(source["flux"] - row["flux"]) < 3 * source["flux_error"]


def test_explanations_are_quoted(mended):
    said = [str(explain(mended, *place)) for place in ((112, 190), (131, 301))]
    for sentence in said:
        assert f"> {sentence}" in TEXT
    measured, error = map(int, re.findall(r"flux (\d+) ± (\d+)", said[0])[0])
    flux = next(row["flux"] for row in sample_pair()[2] if abs(row["x"] - 112) < 1)
    less = f"{(measured - flux) / error:.1f} of these errors less"
    assert f"In truth it has {flux:.0f}: {less}" in TEXT
