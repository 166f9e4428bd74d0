"""Judging a result: pure functions of a difference or a cell, with frozen results."""

from __future__ import annotations

from zogy_explorer.diagnostics.causes import CAUSES, Cause
from zogy_explorer.diagnostics.detection import COLUMNS, detect
from zogy_explorer.diagnostics.detection_flags import DETECTION_FLAGS
from zogy_explorer.diagnostics.explain import Explanation, explain
from zogy_explorer.diagnostics.input_noise import InputNoise, explain_sigma, input_noise
from zogy_explorer.diagnostics.lags import LagCovariance, RadialSpectrum
from zogy_explorer.diagnostics.noise import (
    Quantiles,
    ScorrStatistics,
    TailCount,
    noise_table,
    scorr_statistics,
)
from zogy_explorer.diagnostics.psf_match import PsfMatch, psf_match, psf_match_over_cell
from zogy_explorer.diagnostics.seams import Seam, SeamReport, Step, seam_steps
from zogy_explorer.diagnostics.stacks import StackedResidual, stacked_residuals
from zogy_explorer.diagnostics.support import FourierSupport, fourier_support
from zogy_explorer.diagnostics.whiteness import (
    Autocorrelation,
    PowerSpectrum,
    Whiteness,
    autocorrelation,
    power_spectrum,
    whiteness,
)

__all__ = [
    "CAUSES",
    "COLUMNS",
    "DETECTION_FLAGS",
    "Autocorrelation",
    "Cause",
    "Explanation",
    "FourierSupport",
    "InputNoise",
    "LagCovariance",
    "PowerSpectrum",
    "PsfMatch",
    "Quantiles",
    "RadialSpectrum",
    "ScorrStatistics",
    "Seam",
    "SeamReport",
    "StackedResidual",
    "Step",
    "TailCount",
    "Whiteness",
    "autocorrelation",
    "detect",
    "explain",
    "explain_sigma",
    "fourier_support",
    "input_noise",
    "noise_table",
    "power_spectrum",
    "psf_match",
    "psf_match_over_cell",
    "scorr_statistics",
    "seam_steps",
    "stacked_residuals",
    "whiteness",
]
