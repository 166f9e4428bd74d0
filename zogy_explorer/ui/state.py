"""What a page shows, as frozen values: the pair, a finished frame, a live cell, a line of the log.

Views read these; only `Session` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from zogy_explorer.engine.flags import REGISTRY, Flag
from zogy_explorer.engine.plan import SubtractionPlan
from zogy_explorer.engine.result import CellResult, Difference
from zogy_explorer.exposure import Exposure

SIGMA_TOLERANCE = 0.1
"""How far σ(Scorr) of the frame may be from 1 before the page speaks of it."""

SYMBOLS: Mapping[str, str] = {"ok": "✓", "info": "•", "warning": "▲", "failed": "✕"}
"""A mark of each severity, so that colour never speaks alone."""

WORDS: Mapping[str, str] = {"ok": "ok", "info": "info", "warning": "warn", "failed": "fail"}
"""A short word of each severity."""


@dataclass(frozen=True)
class Notice:
    """A line of the log."""

    severity: str
    text: str
    advice: str = ""
    time: datetime = field(default_factory=lambda: datetime.now().astimezone())


@dataclass(frozen=True, eq=False)
class Registered:
    """A template that was moved by (dx, dy) [px], and what it was before."""

    dx: float
    dy: float
    original: Exposure


@dataclass(frozen=True, eq=False)
class Pair:
    """Science and template with what to call them and how to get them again.

    Parameters
    ----------
    science, template
        The exposures.
    science_name, template_name
        Shown in the header.
    paths
        Files of science and template, if they came from files that stay.
    origin
        ``"files"``, ``"upload"``, ``"sample"`` or ``"python"``.
    config
        Settings that suit this pair, laid over the defaults when it is opened.
    remarks
        What there is to say about those settings.
    recipe
        Lines of Python that make a simulated pair again: the import, and the rest.
    registered
        How the template was moved since it came, or None.
    """

    science: Exposure
    template: Exposure
    science_name: str = "science"
    template_name: str = "template"
    paths: tuple[Path, Path] | None = None
    origin: str = "python"
    config: Mapping[str, object] = field(default_factory=dict)
    remarks: tuple[Notice, ...] = ()
    recipe: tuple[str, str] | None = None
    registered: Registered | None = None


@dataclass(frozen=True)
class FrameNoise:
    """σ(Scorr) over the whole frame, and what it means.

    Parameters
    ----------
    sigma
        Median over the cells; NaN if no cell could be measured.
    lowest, highest
        Range over the cells.
    severity
        ``"ok"`` within 0.1 of 1, else ``"warning"``; ``"info"`` if unknown.
    sentence, advice
        In words; empty if there is nothing to say. A sentence without advice is that of a flag
        of the pair, which has a notice of its own.
    """

    sigma: float
    lowest: float
    highest: float
    severity: str
    sentence: str = ""
    advice: str = ""

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What to say of it; empty if σ is as it should be."""
        return (Notice(self.severity, self.sentence, self.advice),) if self.advice else ()


@dataclass(frozen=True, eq=False)
class Frame:
    """A finished subtraction of the whole frame.

    Parameters
    ----------
    pair, difference
        What was subtracted, and the result with its plan and cells.
    number
        Run number in this session.
    seconds
        Wall time of plan and cells.
    revision
        State of the settings it was made with; a result of an older one never replaces it.
    noise
        σ(Scorr) of the frame.
    shown
        What a view prepared for it in the worker.
    """

    pair: Pair
    difference: Difference
    number: int
    seconds: float
    revision: int
    noise: FrameNoise
    shown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def plan(self) -> SubtractionPlan:
        """Plan of the subtraction."""
        return self.difference.plan

    @property
    def cells(self) -> tuple[CellResult, ...]:
        """Results of all cells, in order of their index."""
        return self.difference.cells

    def counts(self) -> dict[str, int]:
        """Number of cells by gravest severity."""
        return {word: self.difference.count(word) for word in SYMBOLS}


@dataclass(frozen=True, eq=False)
class LiveCell:
    """One cell, recomputed while the settings change."""

    pair: Pair
    plan: SubtractionPlan
    result: CellResult
    anchor: tuple[float, float]
    revision: int


def frame_noise(difference: Difference) -> FrameNoise:
    """Typical σ(Scorr) of a frame: nothing is rescaled, so a departure from 1 is said aloud."""
    values = np.array([cell.noise.scorr_measured for cell in difference.cells])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return FrameNoise(np.nan, np.nan, np.nan, "info")
    sigma = float(np.median(values))
    lowest, highest = float(values.min()), float(values.max())
    if abs(sigma - 1) <= SIGMA_TOLERANCE:
        return FrameNoise(sigma, lowest, highest, "ok")
    same = next((flag for flag in difference.plan.flags if flag.name == "SAME_IMAGE"), None)
    if same is not None:
        return FrameNoise(sigma, lowest, highest, same.severity, _sentence(same))
    kind = REGISTRY["SCORR_SIGMA_HIGH" if sigma > 1 else "SCORR_SIGMA_LOW"]
    more = "more" if sigma > 1 else "less"
    over = "overstated" if sigma > 1 else "understated"
    sentence = (
        f"σ(Scorr) is {sigma:.2f}, not 1: the pixels scatter {more} than the variance planes "
        f"predict, so significances are {over} by a factor of "
        f"{sigma if sigma > 1 else 1 / sigma:.2f}."
    )
    return FrameNoise(sigma, lowest, highest, "warning", sentence, kind.advice)


def frame_notices(frame: Frame) -> list[Notice]:
    """What the log says of a finished frame."""
    counts = frame.counts()
    summary = (
        f"run {frame.number}: {len(frame.cells)} cells in {frame.seconds:.2f} s, "
        f"{counts['warning']} with warnings, {counts['failed']} failed"
    )
    return [
        Notice("info", summary),
        *failures(frame.difference),
        *pair_notices(frame.plan),
        *frame.noise.notices,
    ]


def pair_notices(plan: SubtractionPlan) -> tuple[Notice, ...]:
    """What the plan warns of that concerns the pair as a whole; each cell has the flag as well."""
    return tuple(
        Notice(flag.severity, _sentence(flag), flag.advice)
        for flag in plan.flags
        if flag.severity != "info"
    )


def _sentence(flag: Flag) -> str:
    return f"{flag.cause[0].upper()}{flag.cause[1:]}."


def failures(difference: Difference) -> list[Notice]:
    """One line of the log for each kind of failure: which cells, and the first cause."""
    by_kind: dict[str, list[CellResult]] = {}
    for cell in difference.failed:
        name = next((f.name for f in cell.flags if f.severity == "failed"), "CELL_ERROR")
        by_kind.setdefault(name, []).append(cell)
    notices = []
    for name, cells in by_kind.items():
        names = ", ".join(c.cell.name for c in cells[:6]) + (", …" if len(cells) > 6 else "")
        flag = next((f for f in cells[0].flags if f.name == name), None)
        cause = flag.cause if flag else "no cause given"
        advice = flag.advice if flag else ""
        count = f"{len(cells)} cell{'s' if len(cells) > 1 else ''} failed"
        notices.append(Notice("failed", f"{count} ({names}), {name}: {cause}", advice))
    return notices
