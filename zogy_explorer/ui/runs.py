"""The runs of a session: what each changed, and its frame for as long as there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from zogy_explorer.ui.state import Frame

ROOM = 768 << 20
"""[bytes] Memory for frames to go back to, a session."""

_MOST_RUNS = 200
_NAMED = 3  # changes that a line spells out


@dataclass(frozen=True, eq=False)
class Run:
    """A line of the list of runs.

    Parameters
    ----------
    number
        Of the run.
    time
        When it landed.
    changes
        What differs from the run before, in words.
    settings
        Of the frame.
    overrides
        Of single cells.
    sigma
        σ(Scorr).
    counts
        Cells by gravest severity.
    seconds
        Wall time.
    """

    number: int
    changes: str
    settings: Mapping[str, Any]
    overrides: Mapping[str, Mapping[str, Any]]
    sigma: float
    counts: Mapping[str, int]
    seconds: float
    time: datetime = field(default_factory=lambda: datetime.now().astimezone())


class FrameCache:
    """Frames of one pair by the digest of their settings; the oldest make room.

    Parameters
    ----------
    room
        Bytes that the frames may take in all; the newest is kept whatever it takes.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._frames: OrderedDict[str, Frame] = OrderedDict()

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def size(self) -> int:
        """Bytes taken."""
        return sum(map(frame_size, self._frames.values()))

    def keep(self, frame: Frame) -> None:
        """Add a frame, without what a view prepared of it: that is patched while it is shown."""
        key = frame.plan.settings_hash
        self._frames[key] = replace(frame, shown={})
        self._frames.move_to_end(key)
        while len(self._frames) > 1 and self.size > self._room:
            self._frames.popitem(last=False)

    def find(self, key: str) -> Frame | None:
        """The frame with settings of this digest, if it is still there."""
        frame = self._frames.get(key)
        if frame is not None:
            self._frames.move_to_end(key)
        return frame

    def forget(self, key: str) -> None:
        """Let one frame go."""
        self._frames.pop(key, None)

    def clear(self) -> None:
        """Let all go."""
        self._frames.clear()


def frame_size(frame: Frame) -> int:
    """Bytes of a frame's own planes; the prepared images are shared by most frames of a pair."""
    difference = frame.difference
    planes: list[Any] = [difference.diff.image, difference.diff.variance, difference.diff.mask]
    if difference.score is not None:
        planes += [difference.score.image, difference.score.variance]
    planes += [difference.scorr, difference.astrometric_variance, difference.flux_variance]
    return sum(plane.nbytes for plane in planes if isinstance(plane, np.ndarray))


def with_run(runs: tuple[Run, ...], frame: Frame) -> tuple[Run, ...]:
    """The list with this frame's run, unless it is there already."""
    if any(run.number == frame.number for run in runs):
        return runs
    plan = frame.plan
    settings = {k: list(v) if isinstance(v, tuple) else v for k, v in plan.config.items()}
    before, moved = runs[-1] if runs else None, frame.pair.registered
    changes = describe_changes(before, settings, plan.overrides)
    if before is None and moved is not None:
        changes += f", its template moved by ({moved.dx:+.4g}, {moved.dy:+.4g}) px"
    run = Run(
        number=frame.number,
        changes=changes,
        settings=settings,
        overrides={name: dict(values) for name, values in plan.overrides.items()},
        sigma=frame.noise.sigma,
        counts=frame.counts(),
        seconds=frame.seconds,
    )
    return (*runs, run)[-_MOST_RUNS:]


def describe_changes(
    before: Run | None, settings: Mapping[str, Any], overrides: Mapping[str, Mapping[str, Any]]
) -> str:
    """What differs from the run before, in words."""
    if before is None:
        return "opened"
    changed = [
        f"{name} {_text(before.settings[name])} → {_text(value)}"
        for name, value in settings.items()
        if before.settings.get(name) != value
    ]
    for cell in sorted({*before.overrides, *overrides}):
        old, new = before.overrides.get(cell, {}), overrides.get(cell, {})
        changed += [
            f"{cell}: {name} {_text(new[name]) if name in new else 'as all'}"
            for name in sorted({*old, *new})
            if old.get(name) != new.get(name) or (name in old) != (name in new)
        ]
    if not changed:
        return "computed again"
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return ", ".join(changed[:_NAMED]) + more


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "+".join(map(str, value)) or "none"
    return "automatic" if value is None else str(value)
