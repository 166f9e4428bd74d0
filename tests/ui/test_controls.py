"""The side bar is made from ZogyConfig: one control a field, with its help, both ways."""

from __future__ import annotations

import re

import panel as pn
import pytest

from zogy_explorer import ZogyConfig
from zogy_explorer.engine.config import GROUPS, UNITS
from zogy_explorer.ui.controls import NumberControl, control, label_of, nice_step
from zogy_explorer.ui.display_controls import DisplayControls
from zogy_explorer.ui.noise_control import NoiseControl
from zogy_explorer.ui.sidebar import Sidebar

FIELDS = ZogyConfig.field_names()


def widgets(view):
    return [part for part in view.select() if isinstance(part, pn.widgets.Widget)]


def helps(view):
    found = [getattr(widget, "description", None) for widget in widgets(view)]
    return found + [w.value for w in widgets(view) if isinstance(w, pn.widgets.TooltipIcon)]


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_has_a_control_with_its_name_unit_and_doc(session, field):
    view = control(session, field)
    assert ZogyConfig.param[field].doc in helps(view)
    labels = [widget.label for widget in widgets(view)]
    assert label_of(field) in labels
    assert UNITS.get(field, "") in label_of(field)


@pytest.mark.parametrize("field", FIELDS)
def test_a_change_from_elsewhere_reaches_the_control(session, field):
    view = control(session, field)
    shown = next(w for w in widgets(view) if w.label == label_of(field))
    other = ZogyConfig.lsst().to_dict()[field]
    if other == getattr(session.config, field) or other is None:
        other = something_else(field, getattr(session.config, field))
    session.edit(**{field: other})
    assert shown.value == other


def something_else(field, now):
    parameter = ZogyConfig.param[field]
    if isinstance(now, bool):
        return not now
    if isinstance(now, list):
        return now[1:]
    if hasattr(parameter, "objects"):
        return next(value for value in parameter.objects if value != now)
    if field == "astrometricNoise":
        return "measured"
    low, high = parameter.softbounds or (0, 100)
    return type(low)(low + (high - low) * 0.75)


def test_all_groups_of_the_config_are_in_the_side_bar(session):
    assert list(Sidebar(session, lambda paint: paint()).groups) == [
        "Data", "Upload", *GROUPS, "Display",
    ]  # fmt: skip


def test_a_moving_slider_drags_and_letting_go_commits(session):
    view = control(session, "maxPsfCentroidDist")
    slider = next(w for w in widgets(view) if isinstance(w, pn.widgets.FloatSlider))
    slider.value = 0.05
    assert session.live_cell is not None
    assert session.frame.number == 1
    slider.param.trigger("value_throttled")
    assert session.frame.number == 2


def test_a_typed_number_beyond_the_slider_stretches_it_and_commits(session):
    view = control(session, "maxPsfCentroidDist")
    number = next(w for w in widgets(view) if isinstance(w, pn.widgets.FloatInput))
    slider = next(w for w in widgets(view) if isinstance(w, pn.widgets.FloatSlider))
    number.value = 7.5
    assert (slider.value, slider.end) == (7.5, 7.5)
    assert session.frame.number == 2


def test_a_number_may_be_left_to_its_rule_and_taken_back(session):
    view = control(session, "borderSize")
    auto = next(w for w in widgets(view) if isinstance(w, pn.widgets.Checkbox))
    number = next(w for w in widgets(view) if isinstance(w, pn.widgets.IntInput))
    assert auto.value
    assert number.disabled
    auto.value = False
    assert session.config.borderSize == number.value
    assert not number.disabled
    auto.value = True
    assert session.config.borderSize is None


def test_showing_a_value_tells_nobody():
    told = []
    made = NumberControl("x", 1.0, start=0.0, end=2.0, step=0.1)
    made.connect(told.append, lambda: told.append("released"))
    made.show(1.5)
    assert told == []
    assert made.value == 1.5


def test_a_slider_is_never_told_its_own_value_rounded():
    """The browser may be steps ahead: an answer that differs by round-off would take it back."""
    told = []
    made = NumberControl("x", 4.0, start=0.5, end=20.0, step=0.5)
    made.connect(told.append, lambda: told.append("released"))
    made.slider.value = 4.500000000000001
    made.show(4.5)
    assert told == [4.5]
    assert (made.slider.value, made.number.value, made.value) == (4.500000000000001, 4.5, 4.5)
    made.number.value = 4.500000000000001  # the box's own answer moves nothing either
    assert told == [4.5]
    assert made.slider.value == 4.500000000000001


@pytest.mark.parametrize(("span", "step"), [(2, 0.01), (1.5, 0.01), (0.02, 0.0001), (19, 0.1)])
def test_steps_are_round(span, step):
    assert nice_step(span) == pytest.approx(step)


def test_display_settings_follow_the_controls(session):
    controls = DisplayControls(session)
    controls.widgets["sky_stretch"].value = "log"
    assert session.display.sky_stretch == "log"
    controls.widgets["sky_limits"].value = "manual"
    assert session.display.manual_limits == (0.0, 1000.0)
    controls.widgets["low"].value = 2000.0
    assert "first below the second" in session.alert
    assert session.display.manual_limits == (0.0, 1000.0)
    controls.widgets["low"].value = -500.0
    assert session.display.manual_limits == (-500.0, 1000.0)
    assert not session.alert


def test_registration_noise_is_off_one_sigma_by_axis_or_measured(session):
    made = NoiseControl(session, "astrometricNoise [px]", "help")
    assert (made.mode.value, made.sigma.view.visible, made.text.visible) == ("off", False, False)
    made.mode.value = "one"
    assert session.config.astrometricNoise == made.sigma.value > 0
    assert made.sigma.view.visible
    frames = session.frame.number
    made.sigma.slider.value = 0.0
    assert session.config.astrometricNoise is None
    assert made.mode.value == "one"
    made.sigma.slider.value = 0.25
    assert session.frame.number == frames
    made.sigma.slider.param.trigger("value_throttled")
    assert session.frame.number == frames + 1
    assert session.frame.plan.astrometric.science == (0.25, 0.25)
    made.mode.value = "each"
    made.text.value = "0.13, 0.06; 0.02"
    assert session.config.astrometricNoise == ((0.13, 0.06), (0.02, 0.02))
    made.mode.value = "off"
    assert session.config.astrometricNoise is None
    session.undo()
    assert (made.mode.value, made.text.value) == ("each", "0.13, 0.06; 0.02, 0.02")


def test_a_registration_noise_that_is_no_number_is_refused_with_its_rule(session):
    made = NoiseControl(session, "astrometricNoise [px]", "help")
    made.mode.value = "each"
    before = session.config.astrometricNoise
    made.text.value = "much"
    assert "astrometricNoise is 'much'" in session.alert
    assert session.config.astrometricNoise == before
    assert made.text.value == "0.1"


def box_width(view):
    number = next(
        w for w in widgets(view) if isinstance(w, (pn.widgets.FloatInput, pn.widgets.IntInput))
    )
    css = "".join(sheet for sheet in number.stylesheets if isinstance(sheet, str))
    return int(re.search(r"width: (\d+)px", css)[1])


def test_a_box_is_as_wide_as_its_number(session):
    usual = box_width(control(session, "maxPsfCentroidDist"))
    assert box_width(control(session, "noiseSeed")) >= usual + 20  # 20160101
    assert box_width(control(session, "frequencyFloor")) > usual  # 0.00051
