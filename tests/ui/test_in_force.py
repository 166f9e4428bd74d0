"""Controls without effect are grey and say why; automatic ones show what holds."""

from __future__ import annotations

import panel as pn
import pytest

from zogy_explorer.ui.controls import control
from zogy_explorer.ui.display_controls import DisplayControls
from zogy_explorer.ui.in_force import SCALINGS, automatic_help, automatic_value
from zogy_explorer.ui.number_setting import NumberSetting


def parts(view, kind):
    return [part for part in view.select() if isinstance(part, kind)]


def settings_of(view):
    kinds = (pn.widgets.FloatInput, pn.widgets.FloatSlider, pn.widgets.Checkbox)
    return parts(view, kinds)


@pytest.mark.parametrize("field", SCALINGS)
def test_a_flux_scale_is_grey_with_a_reason_while_the_calibrations_give_it(session, field):
    view = control(session, field)
    (note,) = parts(view, pn.pane.HTML)
    assert all(widget.disabled for widget in settings_of(view))
    assert note.visible
    assert "Switch scaleByCalibration off" in note.object
    session.edit(scaleByCalibration=False)
    assert not any(widget.disabled for widget in settings_of(view))
    assert not note.visible
    session.undo()
    assert all(widget.disabled for widget in settings_of(view))


def test_an_automatic_border_shows_the_border_in_force(session):
    made = NumberSetting(session, "borderSize")
    assert made.number.value == made.number.number.value == session.plan.border
    assert made.number.number.disabled
    session.edit(borderScale=20.0)
    assert made.number.number.value == session.plan.border == session.frame.plan.border
    assert session.config.borderSize is None


def test_an_automatic_border_follows_a_slider_that_moves(session):
    made = NumberSetting(session, "borderSize")
    session.drag(minBorder=60)
    assert made.number.number.value == 60
    assert session.frame.plan.border < 60


def test_the_border_of_a_cell_with_settings_of_its_own_is_shown_with_its_scope(session):
    made = NumberSetting(session, "borderSize")
    frame = made.number.value
    session.scope = "cell"
    session.edit(minBorder=40)
    assert made.number.value == 40
    session.scope = "all"
    assert made.number.value == frame


def test_an_automatic_floor_is_that_of_the_selected_cell(session):
    made = NumberSetting(session, "frequencyFloor")
    floor = session.cell.frequency_floor
    assert made.number.number.value == pytest.approx(floor, rel=1e-2)
    assert session.config.frequencyFloor is None
    session.edit(frequencyFloor=0.01)
    assert made.number.number.value == 0.01
    assert automatic_value(session, "frequencyFloor") is None  # not measured with this setting


def test_a_rule_that_is_not_a_number_leaves_the_box_empty(session):
    made = NumberSetting(session, "noiseSeed")
    seed = session.config.noiseSeed
    made.auto.value = True
    assert session.config.noiseSeed is None
    assert made.number.number.value is None
    made.auto.value = False
    assert session.config.noiseSeed == made.number.number.value == seed


@pytest.mark.parametrize("field", ["borderSize", "frequencyFloor", "noiseSeed"])
def test_the_box_of_an_automatic_field_has_help_and_a_name(session, field):
    made = NumberSetting(session, field)
    (icon,) = parts(made.view, pn.widgets.TooltipIcon)
    assert icon.value == automatic_help(field)
    assert made.auto.get_root().tags == [f"{field} {made.auto.label}"]


def test_the_mask_planes_have_help(session):
    helps = [icon.value for icon in parts(DisplayControls(session).view, pn.widgets.TooltipIcon)]
    assert any("Uncheck a plane to hide it" in text for text in helps)
