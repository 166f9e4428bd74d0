"""Undo and redo: a list of snapshots and a place in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Snapshot = Mapping[str, Any]


class History:
    """Snapshots in the order in which they were made.

    Parameters
    ----------
    first
        What undo can go back to at most.
    limit
        Number of snapshots kept.
    """

    def __init__(self, first: Snapshot, limit: int = 200) -> None:
        self._snapshots: list[Snapshot] = [dict(first)]
        self._at = 0
        self._limit = limit

    @property
    def current(self) -> Snapshot:
        """The snapshot in force."""
        return self._snapshots[self._at]

    @property
    def earlier(self) -> Snapshot | None:
        """What undo would go back to."""
        return self._snapshots[self._at - 1] if self.can_undo else None

    @property
    def later(self) -> Snapshot | None:
        """What redo would go forward to."""
        return self._snapshots[self._at + 1] if self.can_redo else None

    @property
    def can_undo(self) -> bool:
        """Whether there is an earlier one."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a later one."""
        return self._at < len(self._snapshots) - 1

    def push(self, snapshot: Snapshot) -> bool:
        """Add a snapshot, forgetting what was undone; False if nothing differs."""
        if snapshot == self.current:
            return False
        self._snapshots = [*self._snapshots[: self._at + 1], dict(snapshot)][-self._limit :]
        self._at = len(self._snapshots) - 1
        return True

    def visit(self, snapshot: Snapshot) -> None:
        """Stand at this snapshot: a step back or forward if it is the next there, else added."""
        if snapshot == self.earlier:
            self.undo()
        elif snapshot == self.later:
            self.redo()
        else:
            self.push(snapshot)

    def undo(self) -> Snapshot:
        """Step back."""
        self._at = max(self._at - 1, 0)
        return self.current

    def redo(self) -> Snapshot:
        """Step forward again."""
        self._at = min(self._at + 1, len(self._snapshots) - 1)
        return self.current
