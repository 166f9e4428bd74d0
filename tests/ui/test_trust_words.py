"""Sentences of the Trust tab where numbers are not finite, or are measured on other pixels."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from zogy_explorer.diagnostics import explain_sigma, input_noise
from zogy_explorer.engine.result import NoiseCheck
from zogy_explorer.ui.tabs import trust_words


@pytest.mark.parametrize(
    ("flux", "sentence"),
    [
        (float("inf"), "at no flux does it reach 5 in Scorr."),
        (1234.5, "it reaches 5 in Scorr from a flux of 1.23e+03."),
    ],
)
def test_a_residual_that_never_shows_is_said_in_words(flux, sentence):
    support = SimpleNamespace(where_lost=float("nan"), share_lost=0.0)
    told = trust_words.match(SimpleNamespace(peak=1e-9, flux_scorr=flux), support)
    assert sentence in told
    assert "inf" not in told


def test_both_sigmas_of_scorr_say_on_which_pixels_they_are_measured(session):
    plan, result = session.frame.plan, session.frame.cells[0]
    noise = input_noise(plan, result)
    table = trust_words.sigmas(result, noise)
    assert f"a sample of {result.noise.n_pixels} pixels away from sources and residuals" in table
    assert f"Over the {noise.n_pixels} pixels that have no source in either" in explain_sigma(noise)
    assert trust_words.sigmas(SimpleNamespace(noise=NoiseCheck()), None).endswith("</table>")
