"""A pair whose template was moved to lie on the science image."""

from __future__ import annotations

from dataclasses import replace

from zogy_explorer.prepare.registering import moved_template
from zogy_explorer.ui.state import Notice, Pair, Registered

_REMARK = "The template was moved by"


def registered_pair(pair: Pair, dx: float, dy: float) -> Pair:
    """The pair with its template, as it came, moved by (dx, dy); 0, 0: as it came.

    The original is kept, so that registering twice resamples once.
    """
    original = pair.template if pair.registered is None else pair.registered.original
    others = tuple(r for r in pair.remarks if not r.text.startswith(_REMARK))
    if dx == 0 and dy == 0:
        return replace(pair, template=original, registered=None, remarks=others)
    remark = Notice(
        "info",
        f"{_REMARK} ({dx:+.4f}, {dy:+.4f}) px by a spline of degree 5.",
        "Undo takes it back, and so does What-if.",
    )
    return replace(
        pair,
        template=moved_template(original, dx, dy),
        registered=Registered(dx, dy, original),
        remarks=(*others, remark),
    )
