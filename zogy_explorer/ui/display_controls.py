"""The Display group of the side bar: stretch, limits, colours and masks of the image wall."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import panel as pn

from zogy_explorer.errors import InputError
from zogy_explorer.ui.controls import LiveSelect, NumberControl, with_help
from zogy_explorer.ui.plane_controls import PlaneControls
from zogy_explorer.ui.session import Session

_HELP = {
    "sky_stretch": "Curve from pixel value to colour of science and template, which share it.",
    "sky_limits": "Where the common limits of science and template come from.",
    "percentile": "Central part of the pixel values that lies between the limits.",
    "n_sigma": "Half range about the median, in robust σ of the pixels.",
    "low": "Value shown in the darkest colour.",
    "high": "Value shown in the brightest colour.",
    "diverging_sigma": "D, S and Scorr are shown from −k to +k robust σ of the shown pixels, "
    "with zero in the middle of the colours.",
    "sky_map": "Colours of science and template; all can be told apart by colour-blind eyes.",
    "mask_overlay": "Draw the mask planes over the other images too.",
    "mask_opacity": "Opacity of the mask over the images.",
    "contours": "Draw contours of the science image over D, S and Scorr, at 5, 20, 80 and 320 σ.",
    "grid": "Draw the cells, coloured by their worst flag.",
}

_NUMBERS = (
    ("percentile", "Percentile [%]", 80.0, 100.0, 0.1, 1.0, 100.0),
    ("n_sigma", "Range [±σ]", 1.0, 50.0, 0.5, 0.1, None),
    ("diverging_sigma", "D, S, Scorr limits [±σ]", 1.0, 20.0, 0.5, 0.1, None),
    ("mask_opacity", "Mask opacity", 0.0, 1.0, 0.05, 0.0, 1.0),
)
"""Field, label, slider's ends and step, and what is allowed."""

_ENDS = ("low", "high")
"""The widgets of ``manual_limits``."""

_ANY_LIMITS = (0.0, 1000.0)
"""Manual limits before there is an image to take them from."""


class DisplayControls:
    """Widgets that keep ``session.display`` up to date, and follow it when others set it.

    Parameters
    ----------
    session
        Whose display they set.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        now = session.display
        low, high = now.manual_limits or _ANY_LIMITS
        w = pn.widgets
        self.widgets: dict[str, pn.widgets.Widget] = {
            "sky_stretch": LiveSelect(
                label="Stretch", options=["linear", "asinh", "sqrt", "log"], value=now.sky_stretch
            ),
            "sky_limits": LiveSelect(
                label="Limits",
                options=["zscale", "percentile", "sigma", "manual"],
                value=now.sky_limits,
            ),
            "low": w.FloatInput(label="Lowest value", value=low),
            "high": w.FloatInput(label="Highest value", value=high),
            "sky_map": LiveSelect(
                label="Colours", options=["cividis", "gray", "viridis"], value=now.sky_map
            ),
            "mask_overlay": w.Checkbox(label="Mask over all images", value=now.mask_overlay),
            "contours": w.Checkbox(label="Contours of science on D", value=now.contours),
            "grid": w.Checkbox(label="Grid of cells", value=now.grid),
        }
        self.numbers = {
            name: NumberControl(
                label,
                getattr(now, name),
                start=start,
                end=end,
                step=step,
                least=least,
                most=most,
                help_text=_HELP[name],
            )
            for name, label, start, end, step, least, most in _NUMBERS
        }
        self._rows = {n: with_help(w, _HELP[n]) for n, w in self.widgets.items()}
        self._rows |= {name: number.view for name, number in self.numbers.items()}
        self.view = pn.Column(
            *(self._rows[name] for name in _HELP),
            PlaneControls(session).view,
            sizing_mode="stretch_width",
            margin=0,
        )
        self._telling = False
        self._fault = ""  # what the last refused values were told
        self.widgets["sky_limits"].param.watch(lambda event: self._begin_manually(), "value")
        for widget in self.widgets.values():
            widget.param.watch(lambda event: self._changed(), "value")
        for number in self.numbers.values():
            number.connect(lambda value: self._changed(), lambda: None)
        session.param.watch(lambda event: self._follow(), "display")
        self._show_what_applies()

    def _changed(self) -> None:
        if self._telling:
            return
        values = {name: widget.value for name, widget in self.widgets.items()}
        values |= {name: number.value for name, number in self.numbers.items()}
        low, high = values.pop("low"), values.pop("high")
        self._show_what_applies()
        manual = (low, high) if values["sky_limits"] == "manual" else None
        if None in values.values() or (manual is not None and None in manual):
            return
        try:
            self._session.display = replace(self._session.display, **values, manual_limits=manual)
        except InputError as error:
            self._session.report(error)
            self._fault = self._session.alert
        else:
            self._forget_fault()

    def _follow(self) -> None:
        """Show what holds: a saved session or an address sets the display, too."""
        now = self._session.display
        values = {name: getattr(now, name) for name in self.widgets if name not in _ENDS}
        if now.manual_limits is not None:
            values |= dict(zip(_ENDS, now.manual_limits, strict=True))
        self._tell(values)
        for name, number in self.numbers.items():
            number.show(getattr(now, name))
        self._show_what_applies()
        self._forget_fault()

    def _tell(self, values: Mapping[str, object]) -> None:
        """Set widgets without setting the display."""
        self._telling = True
        try:
            for name, value in values.items():
                self.widgets[name].value = value
        finally:
            self._telling = False

    def _forget_fault(self) -> None:
        """What the widgets say is in force: what was refused before is no matter any more."""
        if self._fault and self._session.alert == self._fault:
            self._session.alert = ""
        self._fault = ""

    def _begin_manually(self) -> None:
        """Limits that are set by hand begin with those on screen."""
        limits = self._session.sky_limits()
        by_hand = self.widgets["sky_limits"].value == "manual"
        if by_hand and limits is not None and self._session.display.sky_limits != "manual":
            self._tell(dict(zip(_ENDS, _rounded(*limits), strict=True)))  # both, then one change

    def _show_what_applies(self) -> None:
        limits = self.widgets["sky_limits"].value
        for name, when in (
            ("percentile", "percentile"),
            ("n_sigma", "sigma"),
            ("low", "manual"),
            ("high", "manual"),
        ):
            self._rows[name].visible = limits == when
        self._rows["mask_opacity"].visible = self.widgets["mask_overlay"].value


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Limits with no more digits than can be seen: to 0.1 ‰ … 1 ‰ of their distance, outward.

    Not to digits of their own: those of a high sky differ in the last ones alone.
    """
    if not (math.isfinite(high - low) and low < high):
        return low, high
    digits = math.ceil(-math.log10(1e-3 * (high - low)))
    unit = 10.0**digits
    lower, upper = math.floor(low * unit) / unit, math.ceil(high * unit) / unit
    return round(lower, digits), round(upper, digits)
