"""`astrometricNoise`: the forms that are accepted, and the one that is kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zogy_explorer import ZogyConfig
from zogy_explorer.cli.settings import make_config
from zogy_explorer.engine.noise_setting import given_noise, setting_text, shortest_form
from zogy_explorer.engine.noise_terms import AstrometricNoise
from zogy_explorer.errors import InputError

PAIRS = ((0.13, 0.06), (0.02, 0.03))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        (0, None),
        (0.0, None),
        ((0, 0), None),
        (((0, 0), (0, 0)), None),
        ("", None),
        ("off", None),
        (0.1, 0.1),
        (np.float64(0.1), 0.1),
        (1, 1.0),
        ((0.1, 0.1), 0.1),
        ([0.13, 0.06], (0.13, 0.06)),
        (np.array([0.13, 0.06]), (0.13, 0.06)),
        (((0.13, 0.06), (0.13, 0.06)), (0.13, 0.06)),
        (PAIRS, PAIRS),
        ([[0.13, 0.06], [0.02, 0.03]], PAIRS),
        ((0.1, (0.02, 0.03)), ((0.1, 0.1), (0.02, 0.03))),
        ("measured", "measured"),
        (" Measured ", "measured"),
        ("0.1", 0.1),
        ("0.13,0.06", (0.13, 0.06)),
        ("(0.13, 0.06)", (0.13, 0.06)),
        ("0.13 0.06; 0.02 0.03", PAIRS),
        ("0.1; 0", ((0.1, 0.1), (0.0, 0.0))),
    ],
)
def test_each_form_is_kept_in_its_shortest(given: object, kept: object) -> None:
    config = ZogyConfig(astrometricNoise=given)
    assert config.astrometricNoise == kept
    back = ZogyConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert back.astrometricNoise == kept
    assert back.hash() == config.hash()
    assert shortest_form(setting_text(kept)) == kept


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (-0.1, "between 0 and 10 px"),
        (11, "register the images"),
        (float("nan"), "between 0 and 10 px"),
        (float("inf"), "between 0 and 10 px"),
        ((0.1, -0.1), "between 0 and 10 px"),
        ("sky", '"measured"'),
        ("0.1,0.2,0.3", '"measured"'),
        ((0.1, 0.2, 0.3), '"measured"'),
        (((0.1, 0.2), (0.1, 0.2), (0.1, 0.2)), '"measured"'),
        ((((0.1, 0.2), 0.1), 0.3), '"measured"'),
        ({}, '"measured"'),
        (True, '"measured"'),
        ([], '"measured"'),
    ],
)
def test_a_form_that_is_not_allowed_is_refused_with_the_rule(given: object, rule: str) -> None:
    with pytest.raises(InputError, match=f"not allowed: astrometricNoise is.*{rule}"):
        ZogyConfig.from_dict({"astrometricNoise": given})
    config = ZogyConfig(astrometricNoise=0.2)
    with pytest.raises(ValueError, match="astrometricNoise"):
        config.astrometricNoise = given
    assert config.astrometricNoise == 0.2


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("measured", "measured"),
        ("0.1", 0.1),
        ("0", None),
        ("none", None),
        ("", None),
        ("0.13,0.06", (0.13, 0.06)),
        ("[0.13, 0.06]", (0.13, 0.06)),
        ("[[0.13, 0.06], [0.02, 0.03]]", PAIRS),
        ("0.13,0.06;0.02,0.03", PAIRS),
    ],
)
def test_the_command_line_takes_every_form(text: str, kept: object) -> None:
    assert make_config(None, [f"astrometricNoise={text}"]).astrometricNoise == kept


def test_the_command_line_refuses_nonsense_in_one_sentence() -> None:
    with pytest.raises(InputError, match="astrometricNoise is 'yes'"):
        make_config(None, ["astrometricNoise=yes"])


def test_noise_in_figures_is_per_image_and_axis() -> None:
    assert given_noise(None) is None
    assert given_noise("measured") is None
    assert given_noise(0.1) == AstrometricNoise((0.1, 0.1), (0.1, 0.1))
    assert given_noise((0.13, 0.06)) == AstrometricNoise((0.13, 0.06), (0.13, 0.06))
    assert given_noise(PAIRS) == AstrometricNoise(*PAIRS)


def test_both_terms_are_off_by_default_and_in_the_lsst_preset() -> None:
    for config in (ZogyConfig(), ZogyConfig.lsst()):
        assert config.astrometricNoise is None
        assert config.fluxScaleError == 0
