"""The picture of the wall: what stands on it besides the images, so that it speaks alone.

The browser has the images, with their cells, marks, compass and scale bar; the page says here what
to write around them, and `picture_script` draws both.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

from zogy_explorer.ui.header import pair_names
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.wall import ImageWall
from zogy_explorer.version import __version__


def picture_order(session: Session, wall: ImageWall) -> str:
    """What to draw, as JSON for the browser: caption, colours, and the legend of each panel."""
    theme = wall.theme
    return json.dumps(
        {
            "caption": caption(session),
            "background": theme.background,
            "text": theme.text,
            "muted": theme.muted,
            "panels": [dataclasses.asdict(legend) for legend in wall.legends()],
        }
    )


def caption(session: Session) -> list[str]:
    """The lines on top: the pair and its runs, and how to find the result again."""
    frame, when = session.frame, datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    written = f"ZOGY Explorer {__version__}"
    if frame is None:
        return ["no result yet", f"{written} · {when}"]
    parts = [pair_names(frame.pair)[0], f"run {frame.number}"]
    if session.live_cell is not None:
        parts.append(f"cell {session.live_cell.result.cell.name} newer")
    if session.pinned is not None and session.compare != "present":
        parts.append(f"A is run {session.pinned.number}")
    injected = len(session.studies.injecting.sources)
    if injected:
        parts.append(f"with {injected} injected source{'s' if injected > 1 else ''}")
    return [" · ".join(parts), f"{written} · settings {frame.plan.settings_hash} · {when}"]
