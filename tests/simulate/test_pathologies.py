"""Each pathology shows what it says, and its cure works."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import ZogyConfig, plan, run
from zogy_explorer.errors import InputError
from zogy_explorer.simulate import PATHOLOGIES, pathology
from zogy_explorer.simulate.pathologies import step

ILL = [name for name in PATHOLOGIES if name != "perfect"]


def shown(science, template, config):
    return run(plan(science, template, config))


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("name", ILL)
def test_the_signature_is_there_and_the_cure_takes_it_away(name, seed):
    case = PATHOLOGIES[name]
    pair = case.draw(seed)
    assert abs(case.signature(shown(*pair, case.config()))) > case.limit
    assert abs(case.signature(shown(*case.cured(*pair), case.cured_config()))) < case.limit


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_healthy_pair_shows_none_of_the_signatures(seed):
    difference = shown(*PATHOLOGIES["perfect"].draw(seed), ZogyConfig())
    for case in PATHOLOGIES.values():
        assert abs(case.signature(difference)) < case.limit, case.name


@pytest.mark.parametrize("name", ILL)
def test_the_words_of_the_cure_name_each_setting_that_it_takes(name):
    case = PATHOLOGIES[name]
    for field in case.cure_settings:
        assert field in case.cure


def test_registering_the_shifted_pair_cures_it_too():
    from zogy_explorer.prepare import shift_exposure

    case = PATHOLOGIES["shifted"]
    science, template = case.draw(1)
    registered = shown(science, shift_exposure(template, 0.4, 0.0), case.config())
    assert case.signature(registered) < case.limit


def test_a_wrong_flux_scale_has_one_sign_and_a_shift_has_two():
    flux, shift = (
        shown(*PATHOLOGIES[name].draw(1), ZogyConfig()).scorr[58:77, 21:40]
        for name in ("flux", "shifted")
    )
    assert flux.max() > 5 > -flux.min()
    assert shift.max() > 5
    assert shift.min() < -5


def test_the_step_is_that_of_the_background_in_units_of_the_noise():
    difference = shown(*PATHOLOGIES["background"].draw(1), ZogyConfig())
    sigma = np.sqrt(difference.diff.variance.mean())
    assert step(difference) == pytest.approx(12 / sigma, abs=0.08)


def test_the_same_seed_draws_the_same_pair():
    for case in PATHOLOGIES.values():
        first, second = case.draw(4), case.draw(4)
        for a, b in zip(first, second, strict=True):
            assert np.array_equal(a.image, b.image)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match="shifted"):
        pathology("nonsense")
