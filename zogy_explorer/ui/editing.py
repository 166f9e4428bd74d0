"""The settings of a session, of all cells and of single ones: editing, undo and redo.

`config` holds for the whole frame, `overrides` for single cells. The controls of the page show
`editor`: the settings of the frame, or, with ``scope="cell"``, those of the selected cell. Whoever
edits says `drag` while something moves and `commit` at the end; `edit` is both in one.

Where the template was moved to is a step of undo as well, though that takes another pair.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import param

from zogy_explorer.engine import ZogyConfig
from zogy_explorer.engine.overrides import (
    CELL_FIELDS,
    CellSettings,
    check_cell_fields,
    settings_hash,
)
from zogy_explorer.errors import InputError
from zogy_explorer.ui.history import History
from zogy_explorer.ui.journal import Journal

GRID_FIELDS = (
    "doSpatialGrid",
    "gridInnerSize",
    "borderScale",
    "minBorder",
    "borderSize",
    "centroidOrigin",
)
"""Fields that move the inner boxes of the cells: settings of single cells end with them."""


class Editing(Journal):
    """Settings with undo and redo; `Session` computes what they ask for.

    Parameters
    ----------
    config
        Settings at the start; edits change this object.
    """

    config = param.ClassSelector(class_=ZogyConfig, constant=True, doc="Settings; edits land here.")
    overrides = param.Dict(default={}, doc="Settings of single cells by the name of the cell.")
    scope = param.Selector(
        default="all", objects=["all", "cell"], doc="Whether edits are for all cells or one."
    )
    stale = param.Boolean(default=False, doc="Whether the frame is older than the settings.")
    can_undo = param.Boolean(default=False, doc="Whether there is an earlier state of settings.")
    can_redo = param.Boolean(default=False, doc="Whether there is a later state of settings.")
    can_reset = param.Boolean(
        default=False, doc="Whether what `reset` sets back differs from the settings at opening."
    )

    def __init__(self, config: ZogyConfig | None = None, **params: Any) -> None:
        super().__init__(config=config or ZogyConfig(doSpatialGrid=True), **params)
        self.editor: ZogyConfig = self.config.copy()
        self._start_config = self.config.to_dict()
        self._revision = 0
        self._dragging = False
        self._quiet = False
        self._suited: dict[str, Any] = {}
        self._committed = self._snapshot()
        self._opened = {"config": self._committed["config"], "cells": {}}
        self._history = History(self._committed)
        self.config.param.watch(self._config_changed, list(ZogyConfig.field_names()))
        self.editor.param.watch(self._editor_changed, list(ZogyConfig.field_names()))
        self.param.watch(lambda *events: self._mirror(), "scope")

    @property
    def revision(self) -> int:
        """Counts changes of the settings and the pair."""
        return self._revision

    @property
    def uncommitted(self) -> bool:
        """Whether a control is being moved: the frame is computed when it is released."""
        return self._snapshot() != self._committed

    @property
    def settings_hash(self) -> str:
        """Digest of the settings of the frame and of its cells."""
        return settings_hash(self.config.to_dict(), self.overrides)

    # -- what can be done ------------------------------------------------------------------

    def drag(self, **changes: Any) -> None:
        """Change settings while a control moves: only the selected cell is computed again."""
        self._dragging = True
        try:
            self.edit(**changes)
        finally:
            self._dragging = False

    def edit(self, **changes: Any) -> None:
        """Change settings at once, of all cells or of the selected one: drag and release."""
        one_cell = self.scope == "cell" and self._selected_name() is not None
        self._update(self.editor if one_cell else self.config, changes)

    def commit(self) -> None:
        """The control was released: the frame follows, and undo has one step more."""
        snapshot = self._snapshot()
        if snapshot == self._committed:
            self._come_back()
            return
        self._committed = snapshot
        self._history.push(snapshot)
        self._history_changed()
        self._run_frame()

    def undo(self) -> None:
        """Back to before the last change."""
        if not self._moves_to(self._history.earlier):
            self._restore(self._history.undo())

    def redo(self) -> None:
        """Forward to what was undone."""
        if not self._moves_to(self._history.later):
            self._restore(self._history.redo())

    def move_template(self, dx: float, dy: float) -> None:
        """Have the template, as it came, moved by (dx, dy) [px]; all settings stay."""
        self._moves_to(self._snapshot() | {"moved": (dx, dy)})

    def reset(self) -> None:
        """The settings that the pair was opened with; of the selected cell if edits are for it.

        Before there is a pair, those that this session started with.
        """
        self._restore(self._as_opened())

    def use_preset(self, preset: ZogyConfig) -> None:
        """Take over all settings of ``preset`` for all cells, as one step of undo."""
        self.take_settings(preset.to_dict(), {})

    def take_settings(self, config: Mapping[str, Any], overrides: CellSettings) -> None:
        """Take over settings of the frame and of its cells, as one step of undo."""
        self._restore(self._snapshot() | {"config": dict(config), "cells": dict(overrides)})

    def clear_override(self) -> None:
        """The selected cell is computed as all others are."""
        name = self._selected_name()
        if name in self.overrides:
            rest = {n: v for n, v in self.overrides.items() if n != name}
            self.take_settings(self.config.to_dict(), rest)

    def apply_to_all(self) -> None:
        """The settings of the selected cell become those of all."""
        name = self._selected_name()
        own = self.overrides.get(name)
        if own:
            rest = {n: v for n, v in self.overrides.items() if n != name}
            moved = any(field in GRID_FIELDS for field in own)
            self.take_settings(self.config.to_dict() | own, {} if moved else rest)

    # -- what a session adds ---------------------------------------------------------------

    def _selected_name(self) -> str | None:
        """Name of the selected cell."""
        return None

    def _moved_by(self) -> tuple[float, float]:
        """How far the template was moved since it came."""
        return (0.0, 0.0)

    def _open_moved(self, snapshot: Mapping[str, Any]) -> None:
        """Open the pair with the template moved, and the settings, as a snapshot has them."""

    def _run_cell(self) -> None:
        """Compute the selected cell with the settings of this moment."""

    def _run_frame(self) -> None:
        """Compute the frame with the settings of this moment."""

    def _come_back(self) -> None:
        """The settings are again those of the frame on screen."""

    def _has_frame(self) -> bool:
        """Whether there is anything to compute."""
        return False

    # -- inside ----------------------------------------------------------------------------

    def _snapshot(self) -> dict[str, Any]:
        """Settings, and where the template is, as undo keeps them."""
        return {
            "config": self.config.to_dict(),
            "cells": copy.deepcopy(self.overrides),
            "moved": self._moved_by(),
        }

    def _moves_to(self, snapshot: Mapping[str, Any] | None) -> bool:
        """Whether a snapshot takes another place of the template, which is then on its way."""
        moves = snapshot is not None and snapshot["moved"] != self._moved_by()
        if snapshot is not None and moves:
            self._open_moved(snapshot)  # the history follows when it has worked
        return moves

    def _update(self, target: ZogyConfig, changes: Mapping[str, Any]) -> None:
        try:
            target.param.update(**changes)
        except ValueError as error:  # param says which value breaks which bound
            self.report(error)

    def _restore(self, snapshot: Mapping[str, Any]) -> None:
        # Undo's history already stands at the snapshot, so committing it adds no step.
        self._set_quietly(snapshot["config"], snapshot["cells"])
        self._history_changed()
        if self._snapshot() != self._committed:
            self._settings_changed()

    def _set_quietly(self, config: Mapping[str, Any], overrides: CellSettings) -> None:
        """Set everything without computing anything."""
        self._quiet = True
        try:
            self._update(self.config, config)
            self.overrides = {name: dict(values) for name, values in overrides.items()}
        finally:
            self._quiet = False
        self._mirror()

    def _config_changed(self, *events: param.parameterized.Event) -> None:
        if self._quiet:
            return
        if self.overrides and any(event.name in GRID_FIELDS for event in events):
            self.overrides = {}
            self.say(
                "info",
                "the grid changed: settings of single cells were dropped",
                "Undo brings both back.",
            )
        self._mirror()
        self._settings_changed()

    def _editor_changed(self, *events: param.parameterized.Event) -> None:
        name = self._selected_name()
        if self._quiet or name is None:
            return
        try:
            check_cell_fields(event.name for event in events)
        except InputError as error:
            self.report(error)
            self._mirror()
            return
        mine, frame = self.editor.to_dict(), self.config.to_dict()
        own = {field: mine[field] for field in CELL_FIELDS if mine[field] != frame[field]}
        rest = {n: values for n, values in self.overrides.items() if n != name}
        self.overrides = rest | ({name: own} if own else {})
        self._judge_reset()
        self._settings_changed()

    def _mirror(self) -> None:
        """Have the controls show what the settings are."""
        own = self.overrides.get(self._selected_name(), {}) if self.scope == "cell" else {}
        before, self._quiet = self._quiet, True
        try:
            self.editor.param.update(**(self.config.to_dict() | own))
        finally:
            self._quiet = before
        self._judge_reset()

    def _as_opened(self) -> Mapping[str, Any]:
        """Settings after a `reset`."""
        name = self._selected_name()
        if self.scope == "all" or name is None:
            return self._snapshot() | self._opened
        now, opened = self._snapshot(), self._opened
        # Cells of another grid only share their names with those that were opened.
        same_grid = all(now["config"][field] == opened["config"][field] for field in GRID_FIELDS)
        own = opened["cells"].get(name) if same_grid else None
        rest = {n: values for n, values in now["cells"].items() if n != name}
        return now | {"cells": rest | ({name: own} if own else {})}

    def _judge_reset(self) -> None:
        self.can_reset = self._as_opened() != self._snapshot()

    def _settings_changed(self) -> None:
        self._next_revision()
        self.stale = self._has_frame()
        self._run_cell()
        if not self._dragging:
            self.commit()

    def _history_changed(self) -> None:
        self.param.update(can_undo=self._history.can_undo, can_redo=self._history.can_redo)

    def _start_history(self, opened: Mapping[str, Any], overrides: CellSettings) -> None:
        """Undo begins here, and `reset` goes back to the settings at opening."""
        config = ZogyConfig.from_dict(opened).to_dict()
        self._opened = {"config": config, "cells": {n: dict(v) for n, v in overrides.items()}}
        self._judge_reset()
        self._committed = self._snapshot()
        self._history = History(self._committed)
        self._history_changed()

    def _go_on_with_history(self) -> None:
        """The same pair, its template moved: undo takes that back."""
        self._committed = self._snapshot()
        self._history.visit(self._committed)
        self._history_changed()
        self._judge_reset()

    def _next_revision(self) -> int:
        self._revision += 1
        return self._revision

    def _own_settings(self) -> ZogyConfig:
        """The settings without those that only suited the pair on screen."""
        start = {
            name: self._start_config[name]
            for name, value in self._suited.items()
            if getattr(self.config, name) == value
        }
        return self.config.copy(**start)
