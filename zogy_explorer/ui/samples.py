"""Simulated pairs that the page opens by name: the sample, the pathologies, the lessons' sky."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from zogy_explorer.errors import InputError
from zogy_explorer.ui.state import Notice, Pair

FIELD = "sample"
LESSON = "lesson"
_SCIENCE = " science"
_SEED = 1

_CASES: Mapping[str, str] = MappingProxyType(
    {
        "perfect": "A perfect pair",
        "shifted": "The template is shifted",
        "flux": "The flux scale is wrong",
        "psf": "The PSF is wrong",
        "saturated": "A saturated star",
        "cosmic-ray": "A cosmic ray",
        "background": "A step in the background",
        "varying-psf": "A varying PSF, one cell",
    }
)
# Spelled out, so that a page starts without the simulator; a test compares them.

TITLES: Mapping[str, str] = MappingProxyType(
    {FIELD: "Sample pair", **_CASES, LESSON: "The sky of the lessons"}
)
"""Name of each sample to its title."""


def check_name(title: str) -> str:
    """The title of a sample itself: its name, and the knobs of the lessons' sky if there are any.

    Raises
    ------
    InputError
        If there is no such sample.
    """
    name = (title.split() or [""])[0]
    if name not in TITLES:
        raise InputError(f"there is no sample {name!r}: the samples are {', '.join(TITLES)}")
    return title


SAMPLE_SETTINGS = {"doSpatialGrid": True, "gridInnerSize": 5.0}
"""Cells small enough that the sample shows a grid."""


def load_sample(title: str = FIELD) -> Pair:
    """A sample.

    Parameters
    ----------
    title
        One of `TITLES`; the lessons' sky with the knobs that were turned: ``"lesson seeing=4"``;
        a pathology with other noise: ``"shifted seed=2"``.

    Raises
    ------
    InputError
        If there is no such sample, or a knob is unknown or out of its range.
    """
    name, *knobs = check_name(title).split()
    if name == FIELD:
        return _field()
    if name == LESSON:
        return _lesson(knobs)
    from zogy_explorer.simulate import pathology

    case = pathology(name)
    seed = _seed(name, knobs)
    science, template = case.draw(seed)
    advice = Notice("info", f"{case.title}: {case.picture}", f"{case.cause} {case.cure}")
    return Pair(
        science,
        template,
        *_names(name if seed == _SEED else f"{name} seed={seed}"),
        origin="sample",
        config=case.config().changed(),
        remarks=(advice,),
        recipe=(
            "from zogy_explorer.simulate import pathology",
            f"science, template = pathology({name!r}).draw({seed})",
        ),
    )


def _seed(name: str, knobs: list[str]) -> int:
    """Seed of a pathology's noise: 1, unless the title says another."""
    match knobs:
        case []:
            return _SEED
        case [word] if word.startswith("seed=") and word[5:].isascii() and word[5:].isdigit():
            return int(word[5:])
    raise InputError(
        f"the sample {name!r} does not know {' '.join(knobs)!r}: it has seed=NUMBER alone"
    )


def title_of(science_name: str) -> str:
    """Title of the sample whose science image is called so on a page and in a saved session."""
    return science_name.removesuffix(_SCIENCE) or FIELD


def _names(title: str) -> tuple[str, str]:
    return title + _SCIENCE, f"{title} template"


def _field() -> Pair:
    """The simulated pair that comes with the package."""
    from zogy_explorer import simulate

    science, template, _truth = simulate.sample_pair()
    return Pair(
        science,
        template,
        *_names(FIELD),
        origin="sample",
        config=SAMPLE_SETTINGS,
        recipe=(
            "from zogy_explorer.simulate import sample_pair",
            "science, template, truth = sample_pair()",
        ),
    )


def _lesson(knobs: list[str]) -> Pair:
    from zogy_explorer.simulate import LessonSky

    sky = LessonSky.from_words(dict(knob.partition("=")[::2] for knob in knobs))
    science, template = sky.draw()
    changed = sky.changed()
    arguments = ", ".join(f"{knob}={value!r}" for knob, value in changed.items())
    return Pair(
        science,
        template,
        *_names(" ".join([LESSON, *(f"{knob}={value!r}" for knob, value in changed.items())])),
        origin="sample",
        # The sky is empty; on so small a frame its measured level would be that of the sources.
        config={"doSpatialGrid": False, "background": "none"},
        recipe=(
            "from zogy_explorer.simulate import LessonSky",
            f"science, template = LessonSky({arguments}).draw()",
        ),
    )
