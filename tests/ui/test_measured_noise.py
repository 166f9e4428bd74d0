"""Noise measured from the stars, as the page's session has it: figures, notices, no surprises."""

from __future__ import annotations

import re

import numpy as np
import pytest

from zogy_explorer import ZogyConfig, make_pair
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.state import frame_notices, pair_notices


def opened(science, template, **config) -> Session:
    session = Session(ZogyConfig(**config), live=False)
    session.open_exposures(science, template)
    assert session.frame is not None, session.alert
    return session


@pytest.fixture(scope="module")
def displaced():
    science, template, _ = make_pair(3, (200, 220), shift=(0.6, 0.0), n_transients=2)
    return science, template


def test_choosing_measured_gives_the_term_and_says_that_the_pair_is_displaced(displaced):
    session = opened(*displaced)
    assert pair_notices(session.frame.plan) == ()
    session.edit(astrometricNoise="measured")
    assert session.frame.plan.astrometric is not None
    (notice,) = pair_notices(session.frame.plan)
    assert notice.severity == "warning"
    assert re.match(r"The stars of science lie \(\+0\.(5[89]|6[012])\d* ± ", notice.text)
    assert "shift_exposure" in notice.advice
    assert notice.text in [said.text for said in frame_notices(session.frame)]
    session.undo()
    assert session.frame.plan.astrometric is None


def test_a_starless_pair_says_that_nothing_could_be_measured(displaced):
    rng = np.random.default_rng(1)
    empty = tuple(e.replace(image=rng.normal(0, 5, e.shape).astype("f4")) for e in displaced)
    session = opened(*empty, astrometricNoise="measured")
    (notice,) = pair_notices(session.frame.plan)
    assert notice.text.startswith("The registration errors could not be measured")
    assert session.alert == ""
