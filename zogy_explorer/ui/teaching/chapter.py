"""What a chapter is: words, a formula, knobs, and one pure function that computes what is shown.

Nothing here or in `chapters/` knows of a page: a chapter can be computed in a test, and the
numbers on the screen are those that the tests compare with theory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from zogy_explorer.simulate.lesson import KNOBS, LessonSky
from zogy_explorer.ui.teaching.mathml import Equation
from zogy_explorer.ui.teaching.pictures import Picture


@dataclass(frozen=True)
class Knob:
    """What can be turned.

    Parameters
    ----------
    label
        With the unit.
    low, high, step
        Of the slider.
    doc
        Its help.
    default
        At the start.
    whole
        Integers only.
    """

    label: str
    low: float
    high: float
    step: float
    doc: str
    default: float
    whole: bool = False


_OWN = {
    "astrometric": Knob(
        "Registration error of each image [px]", 0.0, 0.5, 0.02,
        "astrometricNoise along x and y, equations 30 to 33; 0: off.", 0.2,
    ),
    "stamp_noise": Knob(
        "Noise of the PSF stamp [log₁₀ of its peak]", -5.5, -3.75, 0.25,
        "A measured PSF is never free of noise.", -4.0,
    ),
    "cells": Knob("Cells along each side", 1, 5, 1, "The grid of gridInnerSize.", 1, True),
    "border": Knob(
        "Border of each cell [px]", 12, 48, 2, "borderSize: what is added around it.", 24, True
    ),
    "threshold": Knob(
        "Threshold [σ of Scorr]", 2.0, 6.0, 0.1, "What is called a detection.", 4.0
    ),
    "case": Knob(
        "Pair", 1, 8, 1, "Which of the eight pairs is shown.", 2, True
    ),
}  # fmt: skip

ALL_KNOBS: Mapping[str, Knob] = MappingProxyType(
    {
        **{
            name: Knob(
                k["label"], k["bounds"][0], k["bounds"][1], k["step"], k["doc"], k["default"]
            )
            for name, k in KNOBS.items()
        },
        **_OWN,
    }
)
"""Every knob by name; those of the sky are shared by all chapters."""

SKY_KNOBS = tuple(KNOBS)

ERRORS = ("shift", "width_error")
"""Knobs of the sky that belong to the chapter in which they are turned: with such an error, what
another one says of pairs without it would be untrue."""

APPLY = ("seeing", "seeing_template", "noise", "noise_template", "transient")
"""Knobs of the sky that most chapters depend on."""


@dataclass(frozen=True)
class Knobs:
    """Where all the knobs stand. One value for all chapters: the sky goes along with the reader."""

    sky: LessonSky = field(default_factory=LessonSky)
    astrometric: float = _OWN["astrometric"].default
    stamp_noise: float = _OWN["stamp_noise"].default
    cells: int = int(_OWN["cells"].default)
    border: int = int(_OWN["border"].default)
    threshold: float = _OWN["threshold"].default
    case: int = int(_OWN["case"].default)

    def value(self, name: str) -> float:
        """Where a knob stands."""
        return float(getattr(self.sky if name in KNOBS else self, name))

    def turned(self, name: str, value: float) -> Knobs:
        """A copy with one knob turned."""
        number = int(value) if ALL_KNOBS[name].whole else round(float(value), 6)
        if name in KNOBS:
            return replace(self, sky=self.sky.replace(**{name: number}))
        changes: dict[str, Any] = {name: number}
        return replace(self, **changes)


@dataclass(frozen=True)
class Fact:
    """A number on the screen beside what theory says.

    Parameters
    ----------
    name
        What it is.
    measured
        From the pixels.
    expected
        From theory.
    error
        Sampling error of ``measured``: one standard deviation.
    unit
        After the number.
    """

    name: str
    measured: float
    expected: float
    error: float
    unit: str = ""

    @property
    def pull(self) -> float:
        """(measured − expected) / error; of order 1 if the theory is right."""
        return (self.measured - self.expected) / self.error


@dataclass(frozen=True)
class Shown:
    """What a chapter shows for one setting of the knobs.

    Parameters
    ----------
    pictures
        Up to three.
    text
        HTML with the numbers of this very picture.
    facts
        Measured against theory.
    answer
        HTML: the truth about the question, with numbers.
    right
        Index of the right choice.
    code
        Lines of Python that a reader can run.
    sample
        Title under which the explorer opens this pair.
    settings
        Of `ZogyConfig`, all that are not at their defaults, if the pair's own are not those of
        this picture.
    aside
        What the explorer shows otherwise, if anything.
    """

    pictures: tuple[Picture, ...]
    text: str
    facts: tuple[Fact, ...]
    answer: str
    right: int
    code: str
    sample: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    aside: str = ""

    @property
    def address(self) -> str:
        """Where the explorer opens this pair, from the page of the lessons."""
        words = {
            f"set.{name}": value if isinstance(value, str) else json.dumps(value)
            for name, value in self.settings.items()
        }
        return "?" + urlencode({"sample": self.sample, **words})


@dataclass(frozen=True)
class Chapter:
    """One screen.

    Parameters
    ----------
    name
        For tests and addresses.
    title
        Above all.
    sentence
        What it is about, in one sentence (HTML).
    equations
        Typeset.
    knobs
        Names of one or two knobs.
    question, choices
        To be answered before the answer is shown.
    tries
        What to try next (HTML).
    compute
        Knobs to what is shown; pure.
    start
        Where knobs stand when the chapter is opened. They go back when it is left.
    sky
        Knobs of the sky that change what the chapter shows; others are not offered.
    observed
        Whether new noise can be drawn.
    """

    name: str
    title: str
    sentence: str
    equations: tuple[Equation, ...]
    knobs: tuple[str, ...]
    question: str
    choices: tuple[str, ...]
    tries: str
    compute: Callable[[Knobs], Shown]
    start: Mapping[str, float] = field(default_factory=dict)
    sky: tuple[str, ...] = APPLY
    observed: bool = True

    @property
    def others(self) -> tuple[str, ...]:
        """Knobs of the sky that apply besides the chapter's own."""
        return tuple(name for name in self.sky if name not in self.knobs)

    def opened(self, knobs: Knobs) -> Knobs:
        """The knobs when the chapter is opened."""
        for name, value in self.start.items():
            knobs = knobs.turned(name, value)
        return knobs

    def left(self, knobs: Knobs, before: Knobs) -> Knobs:
        """The knobs when the chapter has been left, which was opened with those of ``before``.

        An error that one chapter introduces does not go along to the next.
        """
        for name in self.start:
            knobs = knobs.turned(name, before.value(name))
        for name in ERRORS:
            knobs = knobs.turned(name, ALL_KNOBS[name].default)
        return knobs


def sky_sample(sky: LessonSky) -> str:
    """Title under which the explorer opens a sky."""
    return " ".join(["lesson", *(f"{name}={value!r}" for name, value in sky.changed().items())])


def sky_arguments(sky: LessonSky) -> str:
    """Arguments of `LessonSky` that make a sky again."""
    changed: dict[str, Any] = sky.changed()
    return ", ".join(f"{name}={value!r}" for name, value in changed.items())


ENGINE = "from zogy_explorer import ZogyConfig, plan, run"


def sky_code(sky: LessonSky, *lines: str, imports: tuple[str, ...] = (ENGINE,)) -> str:
    """Code that draws a sky as it is on the screen, and goes on with ``lines``."""
    return "\n".join(
        [
            *imports,
            "from zogy_explorer.simulate import LessonSky",
            f"science, template = LessonSky({sky_arguments(sky)}).draw()",
            *lines,
        ]
    )
