"""What a setting can do about a cause of residuals: changes of the settings, one step of undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zogy_explorer.diagnostics import Cause, Explanation
from zogy_explorer.engine import SubtractionPlan, ZogyConfig
from zogy_explorer.ui.work import plain_settings

_LEAST_GRID = 2.0  # borders a side: smaller cells are nearly all padding


@dataclass(frozen=True)
class Cure:
    """Settings that act on a cause.

    Parameters
    ----------
    label
        Of the button.
    changes
        Fields of `ZogyConfig` and their new values.
    help_text
        What it does, and what it costs.
    """

    label: str
    changes: Mapping[str, Any]
    help_text: str


def cures(explanation: Explanation, plan: SubtractionPlan) -> tuple[Cure, ...]:
    """Cures of the supported causes that the plan's settings do not have already."""
    config = ZogyConfig.from_dict(plain_settings(plan))
    found = [
        cure
        for cause in explanation.supported
        for cure in _CURES.get(cause.name, lambda *a: [])(cause, plan)
    ]
    return tuple(cure for cure in found if _changes(cure, config))


def _changes(cure: Cure, config: ZogyConfig) -> bool:
    return any(getattr(config, name) != value for name, value in cure.changes.items())


def _shift(cause: Cause, plan: SubtractionPlan) -> list[Cure]:
    if plan.config.astrometricNoise is not None:
        return []
    return [
        Cure(
            "Count registration errors as noise",
            {"astrometricNoise": "measured"},
            "Set astrometricNoise to the scatter of the matched stars: dipoles of bright stars no "
            "longer look significant. A shift that all stars share is cured by registering.",
        )
    ]


def _flux(cause: Cause, plan: SubtractionPlan) -> list[Cure]:
    factor = 1 + cause.amplitude / 100
    science, template = flux_scalings(plan)
    made = []
    if not plan.config.swapFluxScaling:
        made.append(
            Cure(
                f"Multiply F_n/F_r by {factor:.4f}",
                {
                    "scaleByCalibration": False,
                    "scienceFluxScaling": float(f"{science * factor:.8g}"),
                    "templateFluxScaling": float(f"{template:.8g}"),
                },
                "Scale the whole science image by what this source asks for. Wrong if this source "
                "alone varies: look at its neighbours first.",
            )
        )
    error = float(f"{abs(cause.amplitude) / 100:.2g}")
    if plan.config.fluxScaleError < error <= 1:
        made.append(
            Cure(
                "Count the flux ratio's error as noise",
                {"fluxScaleError": error},
                f"Set fluxScaleError to {error:g}: residuals of bright stars of that size no "
                "longer look significant, nor does variability below it.",
            )
        )
    return made


def _background(cause: Cause, plan: SubtractionPlan) -> list[Cure]:
    if "step" in cause.values:
        return []  # no smooth sky has an edge
    return [
        Cure(
            "Subtract a smooth sky",
            {"background": "mesh"},
            'Set background to "mesh": a smooth map from a mesh of clipped medians.',
        )
    ]


def _psf_width(cause: Cause, plan: SubtractionPlan) -> list[Cure]:
    changes: dict[str, Any] = {"doSpatialGrid": True}
    if plan.config.doSpatialGrid:
        smaller = max(plan.config.gridInnerSize / 2, _LEAST_GRID)
        if smaller >= plan.config.gridInnerSize:
            return []
        changes = {"gridInnerSize": smaller}
    return [
        Cure(
            "Use smaller cells",
            changes,
            "Each cell has the PSFs of its own centre: smaller cells follow a varying PSF better. "
            "It cannot cure a PSF model that is wrong everywhere.",
        )
    ]


def _cosmic_ray(cause: Cause, plan: SubtractionPlan) -> list[Cure]:
    return [
        Cure(
            "Fill masked pixels",
            {"fillMasked": True},
            "Replace flagged pixels by a local interpolation before the transform. A hit that "
            "is not flagged must be masked in the image first.",
        )
    ]


def _ringing(cause: Cause, plan: SubtractionPlan) -> list[Cure]:
    floor = plan.config.frequencyFloor
    if "charge" in cause.values and floor is not None:
        return [
            Cure(
                "Let the frequency floor be chosen",
                {"frequencyFloor": None},
                "With the floor that the noise of the stamps asks for, D's kernels end near the "
                "pixel that they carry here.",
            )
        ]
    if cause.unit != "of the expected" or floor == 0:
        return []
    return [
        Cure(
            "Switch the frequency floor off",
            {"frequencyFloor": 0.0},
            "Bright light then leaves no ringing of the floor; cosmic rays that are not flagged "
            "may spread over the cell.",
        )
    ]


_CURES: Mapping[str, Callable[[Cause, SubtractionPlan], list[Cure]]] = {
    "shift": _shift,
    "flux": _flux,
    "background": _background,
    "psf_width": _psf_width,
    "cosmic_ray": _cosmic_ray,
    "ringing": _ringing,
}


def flux_scalings(plan: SubtractionPlan) -> tuple[float, float]:
    """F_n and F_r [image unit per calibrated unit] that give what the plan's settings give."""
    config = plan.config
    if not config.scaleByCalibration:
        return config.scienceFluxScaling, config.templateFluxScaling
    images = (plan.science.source, plan.template.source)
    return tuple(1 / float(image.photo_calib or 1.0) for image in images)  # type: ignore[return-value]
