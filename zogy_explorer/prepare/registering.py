"""A template moved for one subtraction, which says so."""

from __future__ import annotations

from zogy_explorer.exposure import Exposure
from zogy_explorer.prepare.shift import shift_exposure


def moved_template(template: Exposure, dx: float, dy: float) -> Exposure:
    """`shift_exposure`, with the shift in ``meta``: TPLSHX and TPLSHY [px].

    A difference takes both from its template, so that its file tells what was subtracted.
    """
    moved = shift_exposure(template, dx, dy)
    return moved.replace(meta=template.meta | {"TPLSHX": float(dx), "TPLSHY": float(dy)})
