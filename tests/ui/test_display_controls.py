"""The widgets of the Display group set the display, and show what others set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zogy_explorer.ui.display_controls import DisplayControls
from zogy_explorer.ui.wall import DisplaySettings


def test_what_was_set_before_the_group_is_opened_stays_when_something_else_is_clicked(session):
    display = DisplaySettings(
        sky_limits="manual", manual_limits=(100.0, 200.0), sky_map="gray", n_sigma=7.25
    )
    session.display = display
    controls = DisplayControls(session)
    controls.widgets["grid"].value = False
    assert session.display == replace(display, grid=False)


def test_what_is_set_after_the_group_is_opened_stays_when_something_else_is_clicked(session):
    controls = DisplayControls(session)
    told = []
    session.param.watch(lambda event: told.append(event.new), "display")
    display = DisplaySettings(
        sky_limits="manual", manual_limits=(-5.0, 60.0), sky_map="gray", contours=True,
        mask_overlay=True, mask_opacity=0.9, percentile=70.0,
    )  # fmt: skip
    session.display = display
    assert told == [display]  # the widgets do not answer
    assert controls.widgets["sky_map"].value == "gray"
    assert controls.numbers["mask_opacity"].value == 0.9
    assert controls._rows["low"].visible
    assert not controls._rows["percentile"].visible
    controls.widgets["grid"].value = False
    assert session.display == replace(display, grid=False)


def test_a_display_from_elsewhere_ends_what_was_refused(session):
    controls = DisplayControls(session)
    controls.widgets["sky_limits"].value = "manual"
    controls.widgets["low"].value = 2000.0
    assert "first below the second" in session.alert
    session.display = DisplaySettings()
    assert not session.alert
    assert controls.widgets["sky_limits"].value == "zscale"


@pytest.mark.parametrize(
    ("on_screen", "begun"),
    [
        ((99970.1234, 100040.2), (99970.12, 100040.2)),
        ((100010.0, 100040.0), (100010.0, 100040.0)),
        ((-3.33333e-31, 1e-30), (-3.34e-31, 1e-30)),
        ((0.0, 1234567.0), (0.0, 1235000.0)),
    ],
)
def test_limits_by_hand_begin_on_a_high_sky_and_a_faint_one(session, on_screen, begun):
    session.sky_limits = lambda: on_screen
    DisplayControls(session).widgets["sky_limits"].value = "manual"
    assert session.display.manual_limits == begun
    assert not session.alert
