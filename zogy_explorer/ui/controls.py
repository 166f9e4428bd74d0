"""Widgets for the fields of `ZogyConfig`: made from their types, bounds, units and docs.

While a control moves, `Session.drag` computes the selected cell; when it is released,
`Session.commit` lets the frame follow. Changes from elsewhere (undo, presets, Python) come back
to the widgets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import panel as pn
import param

from zogy_explorer.engine.config import UNITS, ZogyConfig
from zogy_explorer.engine.noise_setting import AstrometricNoiseSetting
from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.ui.in_force import SCALINGS, overruled
from zogy_explorer.ui.noise_control import NoiseControl
from zogy_explorer.ui.panes import text_pane
from zogy_explorer.ui.session import Session

_ROW: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": 0}
_NUMBER_CSS = """
.bk-input-group { flex-direction: row; align-items: center; gap: 6px; }
.bk-input-group > label { flex: 1 1 auto; min-width: 0; white-space: normal; line-height: 1.2;
  padding: 0; }
.bk-input-group > :not(label) { flex: 0 0 %(box)dpx; width: %(box)dpx; }
"""
"""A number's label and help to its left instead of above; a long label takes a second line."""

_BOX, _DIGIT, _DIGITS = 78, 12, 6
"""Width of a number's box [px], of a digit more than fit into it, and how many fit."""


class LiveFloatSlider(pn.widgets.FloatSlider):
    """A slider that tells its moves soon.

    Panel collects what a widget says for 50 ms before it tells Python. `_debounce` is Panel's own:
    should it go, sliders are as slow as others and nothing else changes.
    """

    _debounce: ClassVar[int] = 5


class LiveIntSlider(pn.widgets.IntSlider):
    """`LiveFloatSlider` for whole numbers."""

    _debounce: ClassVar[int] = 5


class LiveSelect(pn.widgets.Select):
    """`LiveFloatSlider` for choices that are seen at once."""

    _debounce: ClassVar[int] = 5


def label_of(field: str) -> str:
    """A field's name with its unit."""
    unit = UNITS.get(field)
    return f"{field} [{unit}]" if unit else field


def help_icon(text: str) -> pn.widgets.TooltipIcon:
    """The mark that shows ``text``."""
    return pn.widgets.TooltipIcon(value=text, width=18, height=18, margin=(4, 6, 0, 2))


def with_help(widget: pn.widgets.Widget, text: str) -> pn.viewable.Viewable:
    """The widget with ``text`` as its help: its own mark if it has one, else one beside it."""
    widget.sizing_mode = "stretch_width"
    widget.margin = (3, 0)
    if "description" in widget.param:
        widget.description = text
        return widget
    return pn.Row(widget, help_icon(text), **_ROW)


def control(session: Session, field: str) -> pn.viewable.Viewable:
    """The control of one field, with its help, and why it has no effect if it has none."""
    view = _control(session, field)
    if field not in SCALINGS:
        return view
    note = text_pane(name=f"overruled-{field}", css_classes=["zx-overruled"])

    def show() -> None:
        why = overruled(session.editor, field)
        note.param.update(object=f'<p class="muted">{why}</p>' if why else "", visible=bool(why))

    session.editor.param.watch(lambda event: show(), "scaleByCalibration")
    show()
    return pn.Column(view, note, **_ROW)


def _control(session: Session, field: str) -> pn.viewable.Viewable:
    from zogy_explorer.ui.number_setting import NumberSetting

    parameter = ZogyConfig.param[field]
    if isinstance(parameter, param.Number) and not isinstance(parameter, param.Boolean):
        return NumberSetting(session, field).view
    if isinstance(parameter, AstrometricNoiseSetting):
        return NoiseControl(session, label_of(field), str(parameter.doc)).view
    widget = _choice(field, getattr(session.editor, field))
    widget.param.watch(lambda event: session.edit(**{field: event.new}), "value")
    session.editor.param.watch(
        lambda event: widget.param.update(
            value=list(event.new) if isinstance(event.new, list) else event.new
        ),
        field,
    )
    if field in SCALINGS:

        def grey_out() -> None:
            widget.disabled = bool(overruled(session.editor, field))

        session.editor.param.watch(lambda event: grey_out(), "scaleByCalibration")
        grey_out()
    return with_help(widget, str(parameter.doc))


def nice_step(span: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that divides ``span`` into about 200 steps."""
    raw = span / 200
    power = 10.0 ** math.floor(math.log10(raw))
    factor = min((1, 2, 5, 10), key=lambda f: abs(math.log(raw / (f * power))))
    return float(f"{factor * power:.6g}")


def without_round_off(value: float) -> float:
    """A sum of steps as it is meant: 4.5 for the browser's 4.500000000000001."""
    return value if isinstance(value, int) else float(f"{value:.10g}")


class NumberControl:
    """A slider with a number box beside its label; both say the same.

    A key held down moves the slider every 33 ms, and the browser may be some steps ahead of
    Python. So the slider is never told what it has just said itself, not even rounded: an answer
    that comes late would take it back.

    Parameters
    ----------
    label
        Shown above the slider.
    value, start, end, step
        Of the slider; a number typed beyond its ends stretches it.
    least, most
        What is allowed at all; None: no limit.
    whole
        Integers only.
    help_text
        Shown by the mark beside the label.
    """

    def __init__(
        self,
        label: str,
        value: float,
        *,
        start: float,
        end: float,
        step: float,
        least: float | None = None,
        most: float | None = None,
        whole: bool = False,
        help_text: str = "",
    ) -> None:
        self._on_move: Callable[[float], None] = lambda value: None
        self._on_release: Callable[[], None] = lambda: None
        self._telling = False
        self._round_off = 1e-6 * step
        slider = LiveIntSlider if whole else LiveFloatSlider
        number = pn.widgets.IntInput if whole else pn.widgets.FloatInput
        start, end = min(start, value), max(end, value)
        longest = len(f"{end:.{0 if whole else _digits(step)}f}")
        box = _BOX + _DIGIT * max(0, longest - _DIGITS)
        self.slider = slider(
            label=f"{label} slider", value=value, start=start, end=end, step=step,
            show_value=False, tooltips=False, sizing_mode="stretch_width", margin=(0, 6, 4, 6),
            stylesheets=[".bk-slider-title { display: none; }"],
        )  # fmt: skip
        self.number = number(
            label=label, value=value, start=least, end=most, step=step, description=help_text,
            sizing_mode="stretch_width", margin=0, stylesheets=[_NUMBER_CSS % {"box": box}],
            **({} if whole else {"format": _format(step)}),
        )  # fmt: skip
        self.view = pn.Column(
            self.number, self.slider, sizing_mode="stretch_width", margin=(3, 0, 0, 0)
        )
        self.slider.param.watch(self._slid, "value")
        self.slider.param.watch(lambda event: self._on_release(), "value_throttled")
        self.number.param.watch(self._typed, "value")

    def connect(self, on_move: Callable[[float], None], on_release: Callable[[], None]) -> None:
        """``on_move(value)`` while the slider moves, ``on_release()`` when it is let go."""
        self._on_move, self._on_release = on_move, on_release

    @property
    def value(self) -> float:
        """What both show."""
        return without_round_off(self.slider.value)

    def show(self, value: float) -> None:
        """Set both without telling anybody."""
        self._telling = True
        try:
            if not self.slider.start <= value <= self.slider.end:
                self.slider.param.update(
                    start=min(self.slider.start, value), end=max(self.slider.end, value)
                )
            if not self._shown(value):
                self.slider.value = value
            self.number.value = value
        finally:
            self._telling = False

    def show_unknown(self) -> None:
        """Leave the box empty: what holds is not known, or not one number."""
        self._telling = True
        try:
            self.number.value = None
        finally:
            self._telling = False

    def set_disabled(self, disabled: bool) -> None:
        """Grey out both."""
        self.slider.disabled = self.number.disabled = disabled

    def _shown(self, value: float) -> bool:
        """Whether the slider stands there already, but for round-off."""
        return abs(value - self.slider.value) < self._round_off

    def _slid(self, event: param.parameterized.Event) -> None:
        if not self._telling:
            value = without_round_off(event.new)
            self.show(value)
            self._on_move(value)

    def _typed(self, event: param.parameterized.Event) -> None:
        if self._telling or event.new is None or self._shown(event.new):
            return
        self.show(event.new)
        self._on_move(event.new)
        self._on_release()


def _choice(field: str, value: Any) -> pn.widgets.Widget:
    parameter = ZogyConfig.param[field]
    label = label_of(field)
    if isinstance(parameter, param.Boolean):
        return pn.widgets.Checkbox(label=label, value=value)
    if isinstance(parameter, param.Selector):
        return pn.widgets.Select(label=label, options=list(parameter.objects), value=value)
    options = list(dict.fromkeys([*MASK_PLANES, *value]))
    return pn.widgets.MultiChoice(label=label, options=options, value=list(value))


def _format(step: float) -> str:
    return f"0[.]{'0' * _digits(step)}"


def _digits(step: float) -> int:
    """Digits behind the point: one more than steps have."""
    return max(0, -math.floor(math.log10(step) + 1e-9)) + 1
