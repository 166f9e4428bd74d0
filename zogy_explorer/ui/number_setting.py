"""The control of a number among the settings: live while it moves, and able to be automatic."""

from __future__ import annotations

from typing import Any

import panel as pn
import param

from zogy_explorer.engine.config import ZogyConfig
from zogy_explorer.ui.controls import NumberControl, help_icon, label_of, nice_step
from zogy_explorer.ui.in_force import automatic_help, automatic_value, overruled
from zogy_explorer.ui.session import Session

_ROW: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}


class NumberSetting:
    """Slider and number of a field; and a check box if the field may be left to a rule.

    A field that is left to its rule is grey and shows what the rule gives, where that is known;
    the settings keep "automatic". One that another setting overrules is grey too.

    Parameters
    ----------
    session
        Whose setting it is.
    field
        Of `ZogyConfig`.
    """

    def __init__(self, session: Session, field: str) -> None:
        self._session, self._field = session, field
        parameter = ZogyConfig.param[field]
        self._whole = isinstance(parameter, param.Integer)
        self.number = self._number(parameter)
        self.auto = pn.widgets.Checkbox(
            label="automatic" if field != "noiseSeed" else "LSST's rule",
            value=self._value is None,
            margin=(0, 0, 4, 0),
            css_classes=[f"zx-auto-{field}"],
        )
        self.auto.tags = [f"{field} {self.auto.label}"]
        self.number.connect(lambda value: session.drag(**{field: value}), session.commit)
        session.editor.param.watch(lambda *events: self._show(), [field, "scaleByCalibration"])
        self.view: pn.viewable.Viewable = self.number.view
        if parameter.allow_None:
            session.param.watch(
                lambda *events: self._show(), ["frame", "live_cell", "anchor", "scope"]
            )
            self.auto.param.watch(self._toggled, "value")
            row = pn.Row(self.auto, help_icon(automatic_help(field)), **_ROW)
            self.view = pn.Column(self.number.view, row, **_ROW)
        self._show()

    @property
    def _value(self) -> Any:
        return getattr(self._session.editor, self._field)

    def _number(self, parameter: param.Number) -> NumberControl:
        soft = parameter.softbounds or (0, 2 * (parameter.default or 50))
        step = 1 if self._whole else nice_step(soft[1] - soft[0])
        least, most = parameter.bounds
        if least is not None and not parameter.inclusive_bounds[0]:
            least = least + step
        quarter = soft[0] + (soft[1] - soft[0]) / 4
        start = next(v for v in (self._value, parameter.default, quarter) if v is not None)
        return NumberControl(
            label_of(self._field),
            int(start) if self._whole else float(start),
            start=soft[0],
            end=soft[1],
            step=step,
            least=least,
            most=most,
            whole=self._whole,
            help_text=str(parameter.doc),
        )

    def _show(self) -> None:
        value = self._value
        self.auto.value = value is None
        self.number.set_disabled(
            value is None or bool(overruled(self._session.editor, self._field))
        )
        if value is None:
            value = automatic_value(self._session, self._field)
        if value is None:
            self.number.show_unknown()
        else:
            self.number.show(value)

    def _toggled(self, event: param.parameterized.Event) -> None:
        if (self._value is None) != event.new:
            wanted = None if event.new else self.number.value
            self._session.edit(**{self._field: wanted})
