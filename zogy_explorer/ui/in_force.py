"""What holds where a control does not say it: rules' values, and settings that are not used."""

from __future__ import annotations

import math

from zogy_explorer.engine import ZogyConfig
from zogy_explorer.ui.session import Session

SCALINGS = ("scienceFluxScaling", "templateFluxScaling", "swapFluxScaling")
"""Fields that `scaleByCalibration` overrules."""


def overruled(config: ZogyConfig, field: str) -> str:
    """Why a setting has no effect whatever its value, in words; empty if it has one.

    `scaleByCalibration` is never half in use: a pair without calibrations is not subtracted.
    """
    if field in SCALINGS and config.scaleByCalibration:
        return (
            "Not used: the scales are taken from the calibrations, F_n = F_r = 1. "
            "Switch scaleByCalibration off to set it."
        )
    return ""


def automatic_value(session: Session, field: str) -> float | None:
    """What the rule of an automatic field gives, None if that is not one number or not known.

    The border is that of the frame, or of the selected cell if the controls are for it; the
    frequency floor is measured cell by cell and is always the selected cell's.
    """
    plan, cell = session.plan, session.cell
    if plan is None:
        return None
    if field == "borderSize":
        if session.scope == "cell" and cell is not None:
            plan = plan.for_cell(cell.cell)
        return int(plan.border_measured)
    if field == "frequencyFloor" and cell is not None:
        by_rule = plan.for_cell(cell.cell).config.frequencyFloor is None
        known = by_rule and math.isfinite(cell.frequency_floor)
        return float(f"{cell.frequency_floor:.3g}") if known else None
    return None


def automatic_help(field: str) -> str:
    """Help of the check box that leaves a field to its rule."""
    if field == "noiseSeed":
        return (
            "No seed, but LSST's rule: the bit pattern of the variance, which repeats the same "
            "noise in both images and in all cells."
        )
    return (
        f"Leave {field} to its rule. The number above then is what the rule gives, for the "
        "selected cell where it differs from cell to cell; unchecked, it is yours to set."
    )
