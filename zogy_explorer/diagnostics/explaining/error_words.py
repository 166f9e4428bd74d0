"""Errors of a pair in plain words and units: shift, flux ratio, PSFs and sky."""

from __future__ import annotations

import numpy as np

from zogy_explorer.diagnostics.explaining.causes import direction_words, number, sky_direction
from zogy_explorer.diagnostics.explaining.field_errors import MOVED
from zogy_explorer.diagnostics.explaining.findings import IMAGES, Finding, Inquiry, Size
from zogy_explorer.diagnostics.explaining.residual_fit import Fit
from zogy_explorer.diagnostics.explaining.suspects import Edge

_ALONE = 2.0  # σ from which a source's flux ratio is not that of its neighbours


def shift(finding: Finding, inquiry: Inquiry) -> Size:
    """Light that lies elsewhere in one image, alone or with its neighbours."""
    fit = finding.fit
    assert fit is not None
    dx, dy = fit.values["dx"], fit.values["dy"]
    dx_error, dy_error = fit.errors["dx"], fit.errors["dy"]
    length = float(np.hypot(dx, dy))
    error = float(np.hypot(dx * dx_error, dy * dy_error) / length) if length else dx_error
    exposure = inquiry.difference.plan.science.source
    values = {"dx": dx, "dy": dy, "dx_error": dx_error, "dy_error": dy_error}
    sky = sky_direction(exposure, inquiry.x, inquiry.y, dx, dy)
    if sky is not None:
        values |= {"east": sky[0], "north": sky[1]}
    words = direction_words(exposure, inquiry.x, inquiry.y, dx, dy)
    advice = (
        f"If its neighbours are shifted alike, register again: move the template by "
        f"({dx:+.3f}, {dy:+.3f}) px. If it alone moved, it has a motion of its own."
    )
    others = ""
    if inquiry.field is not None:
        fx, fy = inquiry.field.dx, inquiry.field.dy
        values |= {"common_dx": fx.value, "common_dy": fy.value}
        n = len(inquiry.field.positions)
        if fx.pull(dx, dx_error) ** 2 + fy.pull(dy, dy_error) ** 2 > MOVED:
            others = (
                f" It moved by itself: its {n} neighbours share ({fx.value:+.3f}, {fy.value:+.3f}) "
                f"px, from which it lies {np.hypot(dx - fx.value, dy - fy.value):.3f} px off."
            )
            advice = (
                f"Registering (template by ({fx.value:+.3f}, {fy.value:+.3f}) px) takes the common "
                "part away; the rest is a motion of its own, or refraction by colour."
            )
        else:
            others = f" Its {n} neighbours share it."
            advice = f"Register again: move the template by ({fx.value:+.3f}, {fy.value:+.3f}) px."
    return Size(
        length,
        error,
        "px",
        f"The light here lies {number(length, error)} px away in the science image from where the "
        f"template has it: science minus template {words}.{others}",
        advice,
        values,
    )


def flux(finding: Finding, inquiry: Inquiry) -> Size:
    """A flux ratio that is not that of the flux scales."""
    fit = finding.fit
    assert fit is not None
    flux, error = fit.values["flux"], fit.errors["flux"]
    values = {"flux": flux, "flux_error": error}
    correct = (
        "Multiply the flux ratio F_n/F_r by {:.4f} (scienceFluxScaling, or the calibration of one "
        "image)"
    )
    advice = correct.format(1 + flux) + ", unless this source alone changed."
    others = ""
    if inquiry.field is not None:
        common, n = inquiry.field.flux, len(inquiry.field.positions)
        values |= {"common_flux": common.value, "common_flux_error": common.error}
        theirs = f"{100 * common.value:+.1f} ± {100 * np.hypot(common.error, common.scatter):.1f} %"
        if abs(common.pull(flux, error)) > _ALONE:
            others = f" Its {n} neighbours do not share it ({theirs}): this source itself changed."
            advice = (
                "A candidate for a real change of its whole light, or a point source on top that "
                "the data cannot tell from it; the flux ratio is not at fault."
            )
        else:
            others = f" Its {n} neighbours may share it ({theirs})."
            advice = correct.format(1 + common.value) + " if the neighbours' value is significant."
    return Size(
        100 * flux,
        100 * error,
        "%",
        f"The science image is {number(100 * abs(flux), 100 * error)} % "
        f"{'brighter' if flux > 0 else 'fainter'} here than the flux scales say.{others}",
        advice,
        values,
    )


def psf_width(finding: Finding, inquiry: Inquiry) -> Size:
    """PSFs that do not match, in width or in shape."""
    fit = finding.fit
    assert fit is not None
    if finding.shapes:
        return _psf_shape(finding, inquiry)
    name = "width_science" if "width_science" in fit.values else "width_template"
    width, error = fit.values[name], fit.errors[name]
    image = "science" if name == "width_science" else "template"
    other = "template" if name == "width_science" else "science"
    return Size(
        100 * width,
        100 * error,
        "% FWHM",
        f"The {image} PSF is {number(100 * abs(width), 100 * error)} % "
        f"{'wider' if width > 0 else 'narrower'} here than its model (or the {other} PSF is "
        f"{'narrower' if width > 0 else 'wider'} than its own).",
        "Measure the PSFs again from stars nearby, or use smaller cells (doSpatialGrid, "
        "gridInnerSize) if the PSF changes over the field.",
        {name: width, f"{name}_error": error},
    )


def _psf_shape(finding: Finding, inquiry: Inquiry) -> Size:
    fit, light = finding.fit, finding.shapes[0].light
    assert fit is not None
    assert light is not None
    plane = sum((fit.values[t.name] * t.plane for t in finding.shapes), np.zeros(()))
    of_light = float(np.sqrt(inquiry.window.chi2(plane) / inquiry.window.chi2(light)))
    error = float(np.sqrt(len(finding.shapes) / inquiry.window.chi2(light)))
    return Size(
        100 * of_light,
        100 * error,
        "% of the light",
        f"The PSFs do not match in shape: {number(100 * of_light, 100 * error)} % of the light "
        "here (rms) is left, in a pattern that no single width or shift makes.",
        "Measure the PSFs again from stars nearby, with their wings and spikes; smaller cells "
        "(doSpatialGrid, gridInnerSize) if the PSF changes over the field.",
        {"shape": of_light, "shape_error": error},
    )


def background(finding: Finding, inquiry: Inquiry) -> Size:
    """A sky that differs, by a level or a step."""
    fit = finding.fit
    assert fit is not None
    if finding.edge is not None:
        return _edge(finding.edge, fit)
    level, error = fit.values["background"], fit.errors["background"]
    return Size(
        level,
        error,
        "calibrated unit",
        f"The sky of the science image is {number(abs(level), error)} per pixel "
        f"{'higher' if level > 0 else 'lower'} here than the template's.",
        'Subtract the sky (background = "mesh" follows one that varies over the field).',
        {"background": level, "background_error": error},
    )


def _edge(edge: Edge, fit: Fit) -> Size:
    step, error = fit.values["step"], fit.errors["step"]
    lines = "column" if edge.along == "x" else "row"
    return Size(
        step,
        error,
        "calibrated unit",
        f"The sky of the {IMAGES[edge.image]} steps by {number(abs(step), error)} per pixel here: "
        f"it is {'higher' if step > 0 else 'lower'} from {lines} {edge.start} on than before it.",
        "Subtract the sky of each side (amplifier, chip) by itself before the subtraction.",
        {
            "step": step,
            "step_error": error,
            f"edge_{edge.along}": edge.start - 0.5,
            "image": float(edge.image),
            "background": fit.values["background"],
            "background_error": fit.errors["background"],
        },
    )
