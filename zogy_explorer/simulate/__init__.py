"""Simulated pairs with known answers, for tests, teaching and the sample.

`make_pair` draws stars, galaxies and transients with PSFs that differ between the images and
vary over the field, and reports exactly the PSFs and variances that it used. Integer coordinates
are pixel centres; a PSF stamp is centred on pixel ``n // 2``.
"""

from __future__ import annotations

from zogy_explorer.simulate.flawed import FlawedPair
from zogy_explorer.simulate.inject import inject
from zogy_explorer.simulate.lesson import LessonSky
from zogy_explorer.simulate.moffat import Moffat
from zogy_explorer.simulate.pair import make_pair
from zogy_explorer.simulate.pathologies import PATHOLOGIES, Pathology, pathology
from zogy_explorer.simulate.psf_field import PsfField, render_star
from zogy_explorer.simulate.recovery import Completeness, completeness
from zogy_explorer.simulate.sample import sample_pair

__all__ = [
    "PATHOLOGIES",
    "Completeness",
    "FlawedPair",
    "LessonSky",
    "Moffat",
    "Pathology",
    "PsfField",
    "completeness",
    "inject",
    "make_pair",
    "pathology",
    "render_star",
    "sample_pair",
]
