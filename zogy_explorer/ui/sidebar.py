"""The side bar: run controls, the pair, every setting by group, and the display."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import panel as pn

from zogy_explorer.engine.config import GROUPS, ZogyConfig
from zogy_explorer.ui import words
from zogy_explorer.ui.control_names import ControlNames
from zogy_explorer.ui.controls import control
from zogy_explorer.ui.display_controls import DisplayControls
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.samples import TITLES
from zogy_explorer.ui.scope import ScopeControl
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.style import Lazy
from zogy_explorer.ui.uploading import Uploads

OPEN_GROUPS = ("Data", "PSFs", "Grid", "Padding")
"""Groups that are open at the start."""

PRESETS: dict[str, Callable[[], ZogyConfig]] = {
    "Default": lambda: ZogyConfig(doSpatialGrid=True),
    # `strict` would replace the page's red cells by a single sentence.
    "LSST 2023": lambda: ZogyConfig.lsst(doSpatialGrid=True, strict=False),
}
"""Sets of settings to start from."""

UPLOAD_GROUP = "Upload"


def _button(label: str, **kwargs: Any) -> pn.widgets.Button:
    options = {"margin": (3, 4, 3, 0), "sizing_mode": "stretch_width"} | kwargs
    return pn.widgets.Button(label=label, **options)


class Sidebar:
    """All controls of a session.

    Parameters
    ----------
    session
        What they control.
    ask
        Runs what writes to the page, in order.
    """

    def __init__(self, session: Session, ask: Callable[[Callable[[], object]], None]) -> None:
        self._session = session
        self._ask = ask
        run = self._run()
        self.groups = {
            "Data": Lazy(self._data),
            UPLOAD_GROUP: Lazy(lambda: self.uploads.view),
            **{
                title: Lazy(functools.partial(self._fields, fields))
                for title, fields in GROUPS.items()
            },
            "Display": Lazy(self._display),
        }
        cards = [self._card(title, group) for title, group in self.groups.items()]
        self.view = pn.Column(
            ControlNames(),
            run,
            pn.Column(*cards, sizing_mode="stretch_both", scroll="y-auto", margin=(4, 0, 0, 0)),
            sizing_mode="stretch_both",
            margin=(8, 4, 0, 12),
        )

    def _card(self, title: str, group: Lazy) -> pn.Card:
        card = pn.Card(
            group.view,
            title=title,
            collapsed=title not in OPEN_GROUPS,
            sizing_mode="stretch_width",
            margin=(0, 0, 4, 0),
        )
        group.view.sizing_mode = "stretch_width"
        if not card.collapsed:
            group.fill()
        card.param.watch(lambda event: group.fill(), "collapsed")
        return card

    def _fields(self, fields: tuple[str, ...]) -> pn.viewable.Viewable:
        return pn.Column(
            *(control(self._session, field) for field in fields),
            sizing_mode="stretch_width",
            margin=0,
        )

    def _display(self) -> pn.viewable.Viewable:
        self.display = DisplayControls(self._session)
        return self.display.view

    def _run(self) -> pn.viewable.Viewable:
        session = self._session
        self.recompute = _button("Recompute")
        self.cancel = _button("Cancel", disabled=True)
        self.undo = _button("Undo", disabled=True)
        self.redo = _button("Redo", disabled=True)
        self.reset = _button(
            "Reset",
            disabled=True,
            description="Back to the settings that this pair was opened with; for “This cell”, "
            "those of the selected cell alone.",
        )
        self.preset = pn.widgets.Select(
            label="Preset", options={"choose …": "", **{name: name for name in PRESETS}}, value="",
            sizing_mode="stretch_width",
            margin=(3, 4, 3, 0), description="Set every setting at once; Undo takes it back.",
        )  # fmt: skip
        self.scope = ScopeControl(session, self._ask)
        self.bar = text_pane(name="progress", margin=(2, 4, 0, 0), height=14)
        self.recompute.on_click(lambda event: session.recompute())
        self.cancel.on_click(lambda event: session.cancel())
        self.undo.on_click(lambda event: session.undo())
        self.redo.on_click(lambda event: session.redo())
        self.reset.on_click(lambda event: session.reset())
        self.preset.param.watch(self._use_preset, "value")
        session.param.watch(
            lambda *events: self._ask(self._show_state),
            ["busy", "stale", "progress", "can_undo", "can_redo", "can_reset"],
        )
        self._show_state()
        return pn.Column(
            pn.Row(self.recompute, self.cancel, sizing_mode="stretch_width", margin=0),
            pn.Row(self.undo, self.redo, self.reset, sizing_mode="stretch_width", margin=0),
            self.bar,
            self.scope.view,
            sizing_mode="stretch_width",
            margin=0,
        )

    def _show_state(self) -> None:
        session = self._session
        self.cancel.disabled = not session.busy
        self.recompute.color = "warning" if session.stale and not session.busy else "default"
        self.undo.disabled = not session.can_undo
        self.redo.disabled = not session.can_redo
        self.reset.disabled = not session.can_reset
        self.bar.object = words.progress_bar(session.progress, session.busy)

    def _use_preset(self, event: Any) -> None:
        if event.new:
            self._session.use_preset(PRESETS[event.new]())
            self.preset.value = ""

    def _data(self) -> pn.viewable.Viewable:
        session = self._session
        self.science_path = pn.widgets.TextInput(
            label="Science file", placeholder="/path/to/science.fits",
            sizing_mode="stretch_width", margin=(3, 0),
            description="FITS file on the machine that serves this page.",
        )  # fmt: skip
        self.template_path = pn.widgets.TextInput(
            label="Template file", placeholder="/path/to/template.fits",
            sizing_mode="stretch_width", margin=(3, 0),
            description="FITS file on the same pixel grid as the science file.",
        )  # fmt: skip
        self.open = _button("Open", color="primary")
        self.sample = pn.widgets.Select(
            label="Samples", value="", sizing_mode="stretch_width", margin=(3, 0),
            options={"choose …": "", **{title: name for name, title in TITLES.items()}},
            description="Simulated pairs; most have one thing wrong, and the page says what.",
        )  # fmt: skip
        self._asked = self._typed()
        self.open.on_click(lambda event: self._open_typed())
        self.sample.param.watch(self._use_sample, "value")
        session.param.watch(self._forget_paths, "frame")
        self.unmark = _button("Clear region marks")
        self.unmark.visible = False
        self.unmark.on_click(lambda event: session.param.update(imported=None))
        session.param.watch(
            lambda event: self.unmark.param.update(visible=event.new is not None), "imported"
        )
        return pn.Column(
            self.science_path,
            self.template_path,
            self.open,
            self.sample,
            self.unmark,
            self.preset,
            sizing_mode="stretch_width",
            margin=0,
        )

    @functools.cached_property
    def uploads(self) -> Uploads:
        """Where files are dropped; made when its group is opened: it keeps a browser busy."""
        return Uploads(self._session)

    def _typed(self) -> tuple[str, str]:
        """The paths of science and template as they stand in their boxes."""
        science, template = self.science_path, self.template_path
        return science.value_input or science.value, template.value_input or template.value

    def _open_typed(self) -> None:
        self._asked = self._typed()
        self._session.open_paths(*self._asked)

    def _forget_paths(self, event: Any) -> None:
        """Paths of an earlier pair must not stand there as if they were of this one."""
        before = None if event.old is None else event.old.pair
        if event.new is None or event.new.pair is before or event.new.pair.paths is not None:
            return
        if self._typed() == self._asked:  # else somebody was typing meanwhile
            self._ask(self._empty_paths)

    def _empty_paths(self) -> None:
        for box in (self.science_path, self.template_path):
            box.param.update(value="", value_input="")

    def _use_sample(self, event: Any) -> None:
        if event.new:
            self._asked = self._typed()
            self._session.open_sample(event.new)
            self.sample.value = ""
