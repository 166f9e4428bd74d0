"""Lines around cells: thinner and fainter where the cells are small on the screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from zogy_explorer.geometry import Box
from zogy_explorer.ui.wall.marks import GridMarks
from zogy_explorer.ui.wall.palettes import DARK


@dataclass
class Cell:
    inner: Box
    outer: Box
    name: str
    index: int


@pytest.fixture
def grid():
    made = GridMarks(DARK)
    boxes = [Box(100 * k, 0, 100, 100) for k in range(4)]
    cells = [Cell(box, box, f"r0c{k}", k) for k, box in enumerate(boxes)]
    made.set_cells(cells, ["warning"] * 4, [""] * 4)
    return made


def drawn(grid):
    """Width and alpha of the lines."""
    rank = grid.source.data["rank"]
    return (np.interp(rank, x.x, x.y)[0] for x in (grid._widths, grid._alphas))


def test_lines_of_small_cells_are_thinner_and_fainter(grid):
    seen = []
    for step in (1.0, 4.0, 8.0):  # cells of 100, 25 and 12 px
        grid.follow(step)
        seen.append(tuple(drawn(grid)))
    assert seen[0][0] > seen[1][0] > seen[2][0] > 0
    assert seen[0][1] > seen[1][1] > seen[2][1] > 0.3
    assert set(grid.source.data["color"]) == {DARK.severities["warning"]}


def test_only_a_step_across_a_threshold_is_sent(grid):
    changes = []
    grid._widths.on_change("y", lambda attr, old, new: changes.append(new))
    data = grid.source.data
    for step in np.linspace(1.0, 10.0, 50):
        grid.follow(step)
    assert len(changes) == 2
    assert grid.source.data is data
