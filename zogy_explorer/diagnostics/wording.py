"""From the figures of a fit to a `Cause` in plain words and units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from zogy_explorer.diagnostics.causes import Cause, direction_words, number, sky_direction
from zogy_explorer.diagnostics.damage import Pixel
from zogy_explorer.diagnostics.field_errors import MOVED, FieldErrors
from zogy_explorer.diagnostics.local_pair import Plane
from zogy_explorer.diagnostics.residual_fit import Added, Fit, Window
from zogy_explorer.diagnostics.suspects import Edge, Hits, PointSource
from zogy_explorer.engine.result import CellResult, Difference

_ALONE = 2.0  # σ from which a source's flux ratio is not that of its neighbours
_IMAGES = ("science image", "template")


@dataclass(frozen=True, eq=False)
class Finding:
    """A cause with the figures that speak for it."""

    name: str
    delta_chi2: float
    gain: float
    supported: bool
    fit: Fit | None = None
    source: PointSource | None = None
    hits: Hits | None = None
    far: Hits | None = None
    edge: Edge | None = None
    shapes: tuple[Added, ...] = ()
    pixels: tuple[Pixel, ...] = ()
    planes: tuple[str, ...] = ()
    plane: Plane | None = None


class Inquiry(Protocol):
    """What the words need to know of the inquiry."""

    difference: Difference
    cell: CellResult
    window: Window
    x: float
    y: float
    chi2: float
    pull: float
    excess: float
    field: FieldErrors | None


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


@dataclass(frozen=True)
class _Size:
    amplitude: float
    error: float
    unit: str
    sentence: str
    advice: str
    values: dict[str, float]


def _shift(finding: Finding, inquiry: Inquiry) -> _Size:
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
    return _Size(
        length,
        error,
        "px",
        f"The light here lies {number(length, error)} px away in the science image from where the "
        f"template has it: science minus template {words}.{others}",
        advice,
        values,
    )


def _flux(finding: Finding, inquiry: Inquiry) -> _Size:
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
    return _Size(
        100 * flux,
        100 * error,
        "%",
        f"The science image is {number(100 * abs(flux), 100 * error)} % "
        f"{'brighter' if flux > 0 else 'fainter'} here than the flux scales say.{others}",
        advice,
        values,
    )


def _psf_width(finding: Finding, inquiry: Inquiry) -> _Size:
    fit = finding.fit
    assert fit is not None
    if finding.shapes:
        return _psf_shape(finding, inquiry)
    name = "width_science" if "width_science" in fit.values else "width_template"
    width, error = fit.values[name], fit.errors[name]
    image = "science" if name == "width_science" else "template"
    other = "template" if name == "width_science" else "science"
    return _Size(
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


def _psf_shape(finding: Finding, inquiry: Inquiry) -> _Size:
    fit, light = finding.fit, finding.shapes[0].light
    assert fit is not None
    assert light is not None
    plane = sum((fit.values[t.name] * t.plane for t in finding.shapes), np.zeros(()))
    of_light = float(np.sqrt(inquiry.window.chi2(plane) / inquiry.window.chi2(light)))
    error = float(np.sqrt(len(finding.shapes) / inquiry.window.chi2(light)))
    return _Size(
        100 * of_light,
        100 * error,
        "% of the light",
        f"The PSFs do not match in shape: {number(100 * of_light, 100 * error)} % of the light "
        "here (rms) is left, in a pattern that no single width or shift makes.",
        "Measure the PSFs again from stars nearby, with their wings and spikes; smaller cells "
        "(doSpatialGrid, gridInnerSize) if the PSF changes over the field.",
        {"shape": of_light, "shape_error": error},
    )


def _background(finding: Finding, inquiry: Inquiry) -> _Size:
    fit = finding.fit
    assert fit is not None
    if finding.edge is not None:
        return _edge(finding.edge, fit)
    level, error = fit.values["background"], fit.errors["background"]
    return _Size(
        level,
        error,
        "calibrated unit",
        f"The sky of the science image is {number(abs(level), error)} per pixel "
        f"{'higher' if level > 0 else 'lower'} here than the template's.",
        'Subtract the sky (background = "mesh" follows one that varies over the field).',
        {"background": level, "background_error": error},
    )


def _edge(edge: Edge, fit: Fit) -> _Size:
    step, error = fit.values["step"], fit.errors["step"]
    lines = "column" if edge.along == "x" else "row"
    return _Size(
        step,
        error,
        "calibrated unit",
        f"The sky of the {_IMAGES[edge.image]} steps by {number(abs(step), error)} per pixel here: "
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


def _new_source(finding: Finding, inquiry: Inquiry) -> _Size:
    fit, source = finding.fit, finding.source
    assert fit is not None
    assert source is not None
    flux, error = fit.values["source"], fit.errors["source"]
    what = "A point source is new or brighter" if flux > 0 else "A point source is gone or fainter"
    return _Size(
        flux,
        error,
        "calibrated unit",
        f"{what} in the science image at ({source.x:.2f}, {source.y:.2f}): flux "
        f"{number(flux, error)}, shaped like P_D.",
        "A candidate for a real change: check other epochs and catalogues.",
        {
            "flux": flux,
            "flux_error": error,
            "x": source.x,
            "y": source.y,
            "x_error": source.x_error,
            "y_error": source.y_error,
        },
    )


def _cosmic_ray(finding: Finding, inquiry: Inquiry) -> _Size:
    fit, hits = finding.fit, finding.hits
    if fit is None or hits is None:
        return _damaged(finding, inquiry)
    names = [t.name for t in hits.templates]
    charge = sum(fit.values[name] for name in names)
    error = float(np.sqrt(sum(fit.errors[name] ** 2 for name in names)))
    x, y = hits.pixels[0]
    n = len(hits.pixels)
    what = "A particle hit or hot pixel" if charge > 0 else "A dead or cold pixel"
    return _Size(
        charge,
        error,
        "calibrated unit",
        f"{what} in the {_IMAGES[hits.image]} at ({x}, {y}){f' and {n - 1} more px' * (n > 1)}: "
        f"charge {number(charge, error)}, too sharp for its PSF.",
        "Mask it in that image (plane CR or BAD): it is then filled before the transform.",
        {
            "charge": charge,
            "charge_error": error,
            "x": float(x),
            "y": float(y),
            "pixels": float(n),
            "image": float(hits.image),
        },
    )


def _damaged(finding: Finding, inquiry: Inquiry) -> _Size:
    n = len({(x, y) for _, x, y in finding.pixels})
    images = " and the ".join(_IMAGES[i] for i in sorted({i for i, _, _ in finding.pixels}))
    planes = f" ({', '.join(finding.planes)})" if finding.planes else ""
    sentence, advice = _DAMAGE[finding.name]
    nearest = min(float(np.hypot(x - inquiry.x, y - inquiry.y)) for _, x, y in finding.pixels)
    return _Size(
        float(n),
        0.0,
        "pixels",
        f"{sentence.format(n=n, images=images, planes=planes)}; the nearest is {nearest:.1f} px "
        "away.",
        advice,
        {"pixels": float(n), "distance": nearest},
    )


_DAMAGE = {
    "saturation": (
        "{n} pixels of the {images} are saturated here{planes}, so that their light is lost",
        "Do not trust D within the reach of the kernels around a saturated star; a shorter "
        "exposure helps.",
    ),
    "masked": (
        "{n} pixels of the {images} are masked here{planes} and were replaced",
        "D is made of interpolated pixels here; look at the input images.",
    ),
    "cosmic_ray": (
        "{n} pixels of the {images} are flagged as hit by particles{planes}",
        "They were replaced if fillMasked is on; what is left is the error of the replacement.",
    ),
    "edge": (
        "{n} pixels within reach lie beyond the edge of the frame, where padding stands for light",
        "Near the edge the light beyond it is missing; leave such places out of any list.",
    ),
}


def _ringing(finding: Finding, inquiry: Any) -> _Size:
    fit = finding.fit
    assert fit is not None
    amplitude, error = fit.values["ringing"], fit.errors["ringing"]
    if finding.far is None:
        return _Size(
            amplitude,
            error,
            "of the expected",
            "The frequency floor leaves this pattern around bright light: it is "
            f"{number(amplitude, error)} times what ε = {inquiry.cell.frequency_floor:.2g} gives.",
            "Lower frequencyFloor, or give smoother PSF stamps, which need less of it.",
            {"amplitude": amplitude, "amplitude_error": error},
        )
    (x, y), image = finding.far.pixels[0], finding.far.image
    distance = float(np.hypot(x - inquiry.x, y - inquiry.y))
    return _Size(
        amplitude,
        error,
        "calibrated unit",
        f"The kernels of D carry a bad pixel of the {_IMAGES[image]} at ({x}, {y}), "
        f"{distance:.0f} px away, to here: charge {number(amplitude, error)}.",
        "Mask that pixel (plane CR or BAD): it is then filled before the transform.",
        {"charge": amplitude, "charge_error": error, "x": float(x), "y": float(y)},
    )


def _noise(finding: Finding, inquiry: Inquiry) -> _Size:
    return _chi2(
        inquiry,
        "D is consistent with noise here",
        "Nothing needs to be explained.",
    )


def _unexplained(finding: Finding, inquiry: Inquiry) -> _Size:
    return _chi2(
        inquiry,
        "D is more than noise here, and no cause that is known explains it",
        "Look at both images; if D is restless all over, the frequency floor may be too low "
        "(frequencyFloor) or the noise of the images not what their variances say.",
    )


def _chi2(inquiry: Inquiry, what: str, advice: str) -> _Size:
    n, pull = inquiry.window.n_pixels, inquiry.pull
    return _Size(
        float(inquiry.chi2 / n) if n else float("nan"),
        float(np.sqrt(2 / n)) if n else float("nan"),
        "σ²",
        f"{what}: χ² {inquiry.chi2:.0f} on {n} pixels ({pull:+.1f} σ).",
        advice,
        {"pull": pull},
    )


_WORDS: dict[str, Callable[[Finding, Any], _Size]] = {
    "shift": _shift,
    "flux": _flux,
    "psf_width": _psf_width,
    "background": _background,
    "new_source": _new_source,
    "cosmic_ray": _cosmic_ray,
    "saturation": _damaged,
    "masked": _damaged,
    "edge": _damaged,
    "ringing": _ringing,
    "noise": _noise,
    "unexplained": _unexplained,
}
