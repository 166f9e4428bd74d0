"""`Lessons`: where one reader stands, and the chapter computed off the page's thread."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import param

from zogy_explorer.simulate.lesson import LessonSky
from zogy_explorer.ui.couriers import Courier, InlineCourier, current_courier
from zogy_explorer.ui.live import Job, Lane, cell_pool
from zogy_explorer.ui.teaching.chapter import Chapter, Knobs, Shown
from zogy_explorer.ui.teaching.chapters import CHAPTERS


@dataclass(frozen=True)
class Computed:
    """What a chapter shows, and of which chapter and knobs it is."""

    chapter: Chapter
    knobs: Knobs
    shown: Shown


class Lessons(param.Parameterized):
    """All state of one reader.

    Parameters
    ----------
    number
        Chapter to start with, from 1.
    live
        Compute in background threads; False: at once, in the caller's thread.
    """

    number = param.Integer(default=1, bounds=(1, len(CHAPTERS)), doc="Chapter, from 1.")
    knobs = param.ClassSelector(class_=Knobs, default=Knobs(), doc="Where the knobs stand.")
    computed = param.Parameter(default=None, doc="The newest `Computed`, or None.")
    revealed = param.Boolean(default=False, doc="Whether the answer is shown.")
    choice = param.Integer(default=-1, doc="What the reader predicted; -1: nothing yet.")
    fault = param.String(default="", doc="What went wrong, in words.")

    def __init__(self, number: int = 1, *, live: bool = True) -> None:
        number = min(max(number, 1), len(CHAPTERS))
        self._before = Knobs()  # as they stood when the chapter was opened
        super().__init__(number=number, knobs=CHAPTERS[number - 1].opened(self._before))
        self._lane = Lane(cell_pool)
        self.courier: Callable[[], Courier] = current_courier if live else InlineCourier
        self._compute()

    @property
    def chapter(self) -> Chapter:
        """The one that is open."""
        return CHAPTERS[self.number - 1]

    @property
    def idle(self) -> bool:
        """Whether what is shown is up to date."""
        return self._lane.idle

    def go(self, number: int) -> None:
        """Open a chapter; beyond the ends, nothing happens."""
        if 1 <= number <= len(CHAPTERS) and number != self.number:
            self._before = self.chapter.left(self.knobs, self._before)
            knobs = CHAPTERS[number - 1].opened(self._before)
            self.param.update(number=number, knobs=knobs, revealed=False, choice=-1, fault="")
            self._compute()

    def step(self, by: int) -> None:
        """The next chapter, or the one before."""
        self.go(self.number + by)

    def turn(self, name: str, value: float) -> None:
        """Turn a knob."""
        knobs = self.knobs.turned(name, value)
        if knobs != self.knobs:
            changes: dict[str, Any] = {"knobs": knobs}
            if name == "case":  # another patient, another diagnosis
                changes["revealed"] = False
            self.param.update(**changes)
            self._compute()

    def reset(self) -> None:
        """All knobs back to where they were at the start."""
        self._before = Knobs()
        self.knobs = self.chapter.opened(self._before)
        self._compute()

    def new_noise(self) -> None:
        """The same sky, observed again."""
        sky: LessonSky = self.knobs.sky
        self.knobs = replace(self.knobs, sky=sky.replace(seed=sky.seed + 1))
        self._compute()

    def reveal(self) -> None:
        """Show the answer, or hide it."""
        self.revealed = not self.revealed

    def close(self) -> None:
        """The reader has gone."""
        self._lane.close()

    def _compute(self) -> None:
        chapter, knobs = self.chapter, self.knobs

        def work(token: Any, progress: Any) -> Computed:
            return Computed(chapter, knobs, chapter.compute(knobs))

        self._lane.submit(
            Job(work, self._land, functools.partial(self._fail, chapter), courier=self.courier())
        )

    def _land(self, computed: Computed) -> None:
        if computed.chapter is self.chapter:  # the reader may have turned the page meanwhile
            self.param.update(computed=computed, fault="")

    def _fail(self, chapter: Chapter, error: Exception) -> None:
        if chapter is self.chapter:
            self.fault = f"This setting cannot be computed: {error}"
