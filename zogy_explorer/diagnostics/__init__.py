"""Judging a result: pure functions of a difference or a cell, with frozen results."""

from __future__ import annotations

from zogy_explorer.diagnostics.compare import Comparison, Row, compare_results
from zogy_explorer.diagnostics.detecting.detection import COLUMNS, detect
from zogy_explorer.diagnostics.detecting.detection_flags import DETECTION_FLAGS
from zogy_explorer.diagnostics.explaining.causes import CAUSES, Cause
from zogy_explorer.diagnostics.explaining.explain import Explanation, explain
from zogy_explorer.diagnostics.explaining.field_errors import Common, FieldErrors, field_errors
from zogy_explorer.diagnostics.explaining.movers import Verdict, mover_or_misregistration
from zogy_explorer.diagnostics.input_noise import InputNoise, explain_sigma, input_noise
from zogy_explorer.diagnostics.lags import LagCovariance, RadialSpectrum
from zogy_explorer.diagnostics.noise import (
    Quantiles,
    ScorrStatistics,
    TailCount,
    noise_table,
    scorr_statistics,
)
from zogy_explorer.diagnostics.padding import PaddingCurve, PaddingTrial, padding_curve
from zogy_explorer.diagnostics.photometry import (
    ErrorBudget,
    FluxImage,
    error_budget,
    flux_image,
    limiting_flux,
)
from zogy_explorer.diagnostics.profiles import (
    LineCut,
    RadialProfile,
    line_cut,
    peak_near,
    radial_profile,
)
from zogy_explorer.diagnostics.psf_match import PsfMatch, psf_match, psf_match_over_cell
from zogy_explorer.diagnostics.registration import (
    Registration,
    measure_registration,
    registration_of,
)
from zogy_explorer.diagnostics.seams import Seam, SeamReport, Step, seam_steps
from zogy_explorer.diagnostics.spectra import CellSpectra, cell_spectra
from zogy_explorer.diagnostics.stacks import StackedResidual, stacked_residuals
from zogy_explorer.diagnostics.support import FourierSupport, fourier_support
from zogy_explorer.diagnostics.translient import Translient, translient
from zogy_explorer.diagnostics.what_if import Bench, BestShift, WhatIf, best_shift, what_if
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
    "Bench",
    "BestShift",
    "Cause",
    "CellSpectra",
    "Common",
    "Comparison",
    "ErrorBudget",
    "Explanation",
    "FieldErrors",
    "FluxImage",
    "FourierSupport",
    "InputNoise",
    "LagCovariance",
    "LineCut",
    "PaddingCurve",
    "PaddingTrial",
    "PowerSpectrum",
    "PsfMatch",
    "Quantiles",
    "RadialProfile",
    "RadialSpectrum",
    "Registration",
    "Row",
    "ScorrStatistics",
    "Seam",
    "SeamReport",
    "StackedResidual",
    "Step",
    "TailCount",
    "Translient",
    "Verdict",
    "WhatIf",
    "Whiteness",
    "autocorrelation",
    "best_shift",
    "cell_spectra",
    "compare_results",
    "detect",
    "error_budget",
    "explain",
    "explain_sigma",
    "field_errors",
    "flux_image",
    "fourier_support",
    "input_noise",
    "limiting_flux",
    "line_cut",
    "measure_registration",
    "mover_or_misregistration",
    "noise_table",
    "padding_curve",
    "peak_near",
    "power_spectrum",
    "psf_match",
    "psf_match_over_cell",
    "radial_profile",
    "registration_of",
    "scorr_statistics",
    "seam_steps",
    "stacked_residuals",
    "translient",
    "what_if",
    "whiteness",
]
