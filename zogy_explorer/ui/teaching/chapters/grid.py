"""The grid and its padding."""

from __future__ import annotations

from typing import Any

import numpy as np

from zogy_explorer.diagnostics import scorr_statistics
from zogy_explorer.engine import ZogyConfig, plan, run
from zogy_explorer.simulate import pathology
from zogy_explorer.ui.teaching.chapter import ENGINE, Chapter, Fact, Knobs, Shown
from zogy_explorer.ui.teaching.mathml import Equation, frac, num, op, parens2, row, sym
from zogy_explorer.ui.teaching.pictures import ImagePicture, residual

_NAME = "varying-psf"
SIDE = 192


def compute(knobs: Knobs) -> Shown:
    """A varying PSF, subtracted in as many cells as wanted."""
    seed = knobs.sky.seed
    science, template = pathology(_NAME).draw(seed)
    config = _config(knobs.cells, knobs.border)
    made = plan(science, template, config)
    difference = run(made)
    assert difference.scorr is not None
    statistics = scorr_statistics(difference)
    facts = (
        Fact("σ(Scorr) away from stars", statistics.sigma, 1.0, statistics.sigma_error),
    )  # fmt: skip
    largest = float(np.abs(difference.scorr).max())
    alone = largest
    if len(made.cells) > 1:
        one = run(plan(science, template, _config(1, knobs.border))).scorr
        assert one is not None
        alone = float(np.abs(one).max())
    area = sum(cell.outer.area for cell in made.cells) / science.image.size
    outer = made.cells[0].outer
    lines = tuple(
        line
        for cell in made.cells
        for line in (
            (cell.inner.x0 - 0.5, -0.5, cell.inner.x0 - 0.5, SIDE - 0.5),
            (-0.5, cell.inner.y0 - 0.5, SIDE - 0.5, cell.inner.y0 - 0.5),
        )
        if max(line[0], line[1]) > 0
    )
    settings = ", ".join(f"{name}={value!r}" for name, value in config.changed().items())
    sigma = 10.0
    return Shown(
        pictures=(
            ImagePicture("Science, and the cells", science.image, -2 * sigma, 15 * sigma,
                         lines=lines),
            residual("D, in units of its σ",
                     difference.diff.image / np.sqrt(difference.diff.variance), lines=lines),  # type: ignore[arg-type]
            residual("Scorr", difference.scorr, lines=lines),
        ),
        text=f"<b>{_cells(len(made.cells))}</b>{', each' if len(made.cells) > 1 else ''} with a "
        f"border of {knobs.border} px and transformed as {outer.width}×{outer.height}: "
        f"<b>{area:.1f} times</b> the pixels of the frame. The largest |Scorr| at a constant star "
        f"is <b>{largest:.1f} σ</b>" + (f" (in one cell: {alone:.1f} σ)." if alone != largest
                                        else "."),
        facts=facts,
        answer=f"Each cell has the PSFs of its own centre: the largest residual is {largest:.1f} σ "
        f"with {_cells(len(made.cells))}"
        + (f" and {alone:.1f} σ with one" if len(made.cells) > 1 else "")
        + ". The price is the padding, "
        f"{area:.1f} times the frame; it must be as wide as the kernels reach, or the edges of "
        "cells feel the noise beyond.",
        right=0,
        code="\n".join(
            [
                ENGINE,
                "from zogy_explorer.simulate import pathology",
                f"science, template = pathology({_NAME!r}).draw(seed={seed})",
                f"config = ZogyConfig({settings})",
                "difference = run(plan(science, template, config))",
                'print(len(difference.cells), "cells, largest |Scorr|", '
                'f"{abs(difference.scorr).max():.1f}")',
            ]
        ),
        sample=f"{_NAME} seed={seed}",
        settings={"doSpatialGrid": False, **config.changed()},
    )  # fmt: skip


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _config(cells: int, border: int) -> ZogyConfig:
    """Settings for so many cells along each side."""
    common: dict[str, Any] = {"background": "none", "borderSize": border}
    if cells == 1:
        return ZogyConfig(**common)
    # A hair less than the quotient, so that rounding never takes a cell away.
    inner = max(0.999 * SIDE / cells / border, 0.1)
    return ZogyConfig(doSpatialGrid=True, gridInnerSize=round(inner, 3), **common)


CHAPTER = Chapter(
    name="grid",
    title="The grid and its padding",
    sentence="One formula knows one pair of PSFs. Where they change over the field, cut it into "
    "cells of side <i>a</i>, each with the PSFs of its place, and a border <i>b</i> that is thrown "
    "away.",
    equations=(
        Equation(
            row(
                sym("cost"), op("≈"), frac(
                    parens2(row(sym("a"), op("+"), num("2"), sym("b"))),
                    "<msup><mi>a</mi><mn>2</mn></msup>",
                ),
            ),
            "cost is about a plus 2 b, squared, over a squared, for cells of side a with border b",
        ),
    ),
    knobs=("cells", "border"),
    question="The frame is cut into more and smaller cells. What happens to the residuals of "
    "constant stars?",
    choices=("They shrink", "They grow", "Nothing"),
    tries="Find the fewest cells that keep every star below 5 σ. What do they cost?",
    compute=compute,
    start={"cells": 3},
    sky=(),  # a pair of its own
)  # fmt: skip
