"""Findings in plain words and units."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np

from zogy_explorer.diagnostics.explaining import addition_words, error_words
from zogy_explorer.diagnostics.explaining.causes import Cause
from zogy_explorer.diagnostics.explaining.findings import Finding, Inquiry, Size


def describe(finding: Finding, inquiry: Any) -> Cause:
    """The cause in words."""
    size = _WORDS[finding.name](finding, inquiry)
    return Cause(
        name=finding.name,
        delta_chi2=finding.delta_chi2,
        gain=finding.gain,
        supported=finding.supported,
        amplitude=size.amplitude,
        error=size.error,
        unit=size.unit,
        sentence=size.sentence,
        advice=size.advice,
        values=MappingProxyType(size.values),
    )


def _noise(finding: Finding, inquiry: Inquiry) -> Size:
    return _chi2(
        inquiry,
        "D is consistent with noise here",
        "Nothing needs to be explained.",
    )


def _unexplained(finding: Finding, inquiry: Inquiry) -> Size:
    return _chi2(
        inquiry,
        "D is more than noise here, and no cause that is known explains it",
        "Look at both images; if D is restless all over, the frequency floor may be too low "
        "(frequencyFloor) or the noise of the images not what their variances say.",
    )


def _chi2(inquiry: Inquiry, what: str, advice: str) -> Size:
    n, pull = inquiry.window.n_pixels, inquiry.pull
    return Size(
        float(inquiry.chi2 / n) if n else float("nan"),
        float(np.sqrt(2 / n)) if n else float("nan"),
        "σ²",
        f"{what}: χ² {inquiry.chi2:.0f} on {n} pixels ({pull:+.1f} σ).",
        advice,
        {"pull": pull},
    )


_WORDS: dict[str, Callable[[Finding, Any], Size]] = {
    "shift": error_words.shift,
    "flux": error_words.flux,
    "psf_width": error_words.psf_width,
    "background": error_words.background,
    "new_source": addition_words.new_source,
    "cosmic_ray": addition_words.cosmic_ray,
    "saturation": addition_words.damaged,
    "masked": addition_words.damaged,
    "edge": addition_words.damaged,
    "ringing": addition_words.ringing,
    "noise": _noise,
    "unexplained": _unexplained,
}
