"""Guided pathologies: what goes wrong, what it looks like, and the cure."""

from __future__ import annotations

from zogy_explorer.simulate import PATHOLOGIES
from zogy_explorer.ui.teaching.chapter import Chapter, Knobs, Shown
from zogy_explorer.ui.teaching.measure import Plane, Subtraction, subtract
from zogy_explorer.ui.teaching.pictures import residual

NAMES = tuple(PATHOLOGIES)


def compute(knobs: Knobs) -> Shown:
    """One of the eight pairs, ill and cured."""
    name = NAMES[knobs.case - 1]
    case = PATHOLOGIES[name]
    pair = case.draw(1)
    ill = subtract(*pair, **case.config().changed())
    well = subtract(*case.cured(*pair), **case.cured_config().changed())
    before, after = (abs(case.signature(done.difference)) for done in (ill, well))
    settings = ", ".join(f"{key}={value!r}" for key, value in case.cure_settings.items())
    return Shown(
        pictures=(
            residual("D, in units of its σ", _in_sigma(ill)),
            residual("Scorr", ill.scorr),
            residual("Scorr after the cure", well.scorr),
        ),
        text=f"<b>Pair {knobs.case} of {len(NAMES)}.</b> {case.picture}<br>"
        f"<b>{before:.1f}</b> {case.measure}; beyond {case.limit:g} it is trouble. After the cure: "
        f"<b>{after:.1f}</b>.",
        facts=(),
        answer=f"<b>{case.title}.</b> {case.cause} <b>Cure:</b> {case.cure}",
        right=-1,
        code="\n".join(
            [
                "from zogy_explorer import plan, run",
                "from zogy_explorer.simulate import pathology",
                f"pair = (case := pathology({name!r})).draw(seed=1)",
                "ill = case.signature(run(plan(*pair, case.config())))",
                "well = case.signature(run(plan(*case.cured(*pair), case.cured_config())))",
                'print(f"ill: {ill:.1f}, cured: {well:.1f}")'
                + (f"  # cured with {settings}" if settings else ""),
            ]
        ),
        sample=name,
    )


def _in_sigma(done: Subtraction) -> Plane:
    return done.diff / done.diff_sigma


CHAPTER = Chapter(
    name="gallery",
    title="Eight pairs, and what ails them",
    sentence="Each pair has one thing wrong, or nothing. Name it from the picture before you look: "
    "this is what the explorer is for.",
    equations=(),
    knobs=("case",),
    question="What is wrong with this pair?",
    choices=(),
    tries="Go through all eight. Then open one in the explorer, tap the residual, and ask it why.",
    compute=compute,
    sky=(),  # pairs of their own, with noise of their own
    observed=False,
)
