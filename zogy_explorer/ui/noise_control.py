"""The control of `astrometricNoise`, which takes more forms than a number."""

from __future__ import annotations

from typing import Any

import panel as pn
import param

from zogy_explorer.engine.noise_setting import MEASURED, setting_text
from zogy_explorer.ui.session import Session

_START = 0.1  # [px] what "one σ" starts with
_SLIDER_END = 1.0  # [px]
_STEP = 0.005  # [px]

OFF, ONE, EACH = "off", "one", "each"
MODES = {"off": OFF, "one σ": ONE, "σ by axis and image": EACH, "measured from stars": MEASURED}
"""Label to mode."""


class NoiseControl:
    """A choice of the form, and a slider or a text box where the form needs one.

    Parameters
    ----------
    session
        Whose `astrometricNoise` it changes.
    label, help_text
        Of the choice.
    """

    def __init__(self, session: Session, label: str, help_text: str) -> None:
        from zogy_explorer.ui.controls import NumberControl

        self._session, self._telling = session, False
        self.mode = pn.widgets.Select(
            label=label, options=MODES, value=OFF, description=help_text,
            sizing_mode="stretch_width", margin=(3, 0), css_classes=["zx-noise-mode"],
        )  # fmt: skip
        self.sigma = NumberControl(
            "σ of all [px]", _START, start=0.0, end=_SLIDER_END, step=_STEP, least=0.0,
            help_text="Registration error of both images along x and y.",
        )  # fmt: skip
        self.text = pn.widgets.TextInput(
            label="σx, σy; template's σx, σy [px]", placeholder="0.13, 0.06; 0.02, 0.02",
            description="σx, σy of both images; or those of science; those of the template.",
            sizing_mode="stretch_width", margin=(3, 0), css_classes=["zx-noise-text"],
        )  # fmt: skip
        self.view = pn.Column(
            self.mode, self.sigma.view, self.text, sizing_mode="stretch_width", margin=0
        )
        self._show(session.editor.astrometricNoise)
        self.mode.param.watch(self._chosen, "value")
        self.text.param.watch(self._typed, "value")
        self.sigma.connect(self._slid, session.commit)
        session.editor.param.watch(self._changed, "astrometricNoise")

    def _show(self, setting: Any) -> None:
        """Show a setting without telling anybody."""
        self._telling = True
        try:
            if setting == MEASURED:
                self.mode.value = MEASURED
            elif isinstance(setting, tuple) or (setting and self.mode.value == EACH):
                self.mode.value = EACH
            elif setting:
                self.mode.value = ONE
            else:
                self.mode.value = OFF
            if isinstance(setting, float):
                self.sigma.show(setting)
            if setting != MEASURED and setting is not None:
                self.text.value = setting_text(setting)
            self.sigma.view.visible = self.mode.value == ONE
            self.text.visible = self.mode.value == EACH
        finally:
            self._telling = False

    def _changed(self, event: param.parameterized.Event) -> None:
        if not self._telling:
            self._show(event.new)

    def _slid(self, value: float) -> None:
        self._telling = True  # the choice stays while the slider passes 0
        try:
            self._session.drag(astrometricNoise=value)
        finally:
            self._telling = False

    def _chosen(self, event: param.parameterized.Event) -> None:
        if self._telling:
            return
        self.sigma.view.visible = event.new == ONE
        self.text.visible = event.new == EACH
        if event.new == EACH:
            self._typed_text(self.text.value or setting_text(self.sigma.value))
        else:
            settings = {OFF: None, ONE: self.sigma.value or _START, MEASURED: MEASURED}
            self._session.edit(astrometricNoise=settings[event.new])

    def _typed(self, event: param.parameterized.Event) -> None:
        if not self._telling:
            self._typed_text(event.new)

    def _typed_text(self, text: str) -> None:
        self._session.edit(astrometricNoise=text)
        self._show(self._session.editor.astrometricNoise)  # as it is now, if it was refused
