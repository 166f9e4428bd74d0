"""A template moved for one subtraction, which says so."""

from __future__ import annotations

from zogy_explorer.exposure import Exposure
from zogy_explorer.prepare.shift import shift_exposure


def moved_template(template: Exposure, dx: float, dy: float) -> Exposure:
    """`shift_exposure` of a template, which says so in ``meta``: TPLSHX and TPLSHY [px].

    A difference takes both from its template, so that its file tells what was subtracted.

    Parameters
    ----------
    template
        The image; not changed.
    dx, dy
        Shift [px]; less than the frame.

    Raises
    ------
    InputError
        If the shift is not finite or leaves nothing on the frame.
    """
    moved = shift_exposure(template, dx, dy)
    return moved.replace(meta=template.meta | {"TPLSHX": float(dx), "TPLSHY": float(dy)})
