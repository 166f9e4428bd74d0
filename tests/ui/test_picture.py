"""What stands on the picture of the images besides them, headless."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.ui.picture import caption, picture_order
from zogy_explorer.ui.wall import DisplaySettings
from zogy_explorer.ui.wall.palettes import DARK, LIGHT, diverging_palette

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


def panels(page):
    order = json.loads(picture_order(page.session, page.wall))
    return {panel["title"]: panel for panel in order["panels"]}


def test_each_panel_has_its_title_limits_and_stretch(page):
    page.session.display = DisplaySettings(sky_stretch="asinh", diverging_sigma=4.0)
    shown = panels(page)
    assert list(shown) == [
        "Science", "Template", "Difference D", "Score S", "Scorr [σ]", "Mask",
    ]  # fmt: skip
    assert shown["Science"]["how"] == "zscale, asinh"
    assert shown["Scorr [σ]"]["how"] == "±4 σ, linear"
    low, high = (float(shown["Science"][end].replace("−", "-")) for end in ("low", "high"))
    assert (low, high) == pytest.approx(page.wall.sky_limits, rel=5e-3)
    # S and Scorr are noise of σ = 1 here and there: the bar ends at 4 of them.
    assert float(shown["Scorr [σ]"]["high"]) == pytest.approx(4.0, rel=0.1)
    assert shown["Difference D"]["colors"] == diverging_palette(DARK.diverging)[1:]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sky_limits": "percentile", "percentile": 98.0}, "central 98 %, linear"),
        ({"sky_limits": "sigma", "n_sigma": 3.0}, "±3 σ, linear"),
        ({"sky_limits": "manual", "manual_limits": (-1.0, 2.0)}, "manual, linear"),
    ],
)
def test_the_limits_are_told_in_words(page, settings, words):
    page.session.display = DisplaySettings(**settings)
    assert panels(page)["Science"]["how"] == words


def test_planes_in_view_have_the_colours_they_have_on_the_wall(page):
    wall, layers = page.wall, page.session.frame.plan.bbox
    mask = np.zeros(layers.shape, np.int32)
    mask[:5] = 1 << MASK_PLANES["SAT"]
    mask[5:9] = 1 << MASK_PLANES["CR"]
    wall.set_frame(layers, {"mask": mask}, MASK_PLANES)
    hidden = {"hidden_planes": frozenset({"CR"}), "plane_colors": (("SAT", "#123456"),)}
    wall.set_display(DisplaySettings(**hidden))
    shown = panels(page)
    assert shown["Mask"]["planes"] == [["SAT", "#123456"]]
    assert (shown["Score S"]["how"], shown["Score S"]["low"]) == ("no data", "")


def test_a_panel_that_stands_alone_is_alone_on_the_picture(page):
    page.wall.maximise("scorr")
    shown = panels(page)
    assert list(shown) == ["Scorr [σ]"]
    assert shown["Scorr [σ]"]["figure"] == page.wall.panels["scorr"].figure.id


def test_the_picture_has_the_colours_of_the_theme(page):
    page.wall.set_dark(False)
    order = json.loads(picture_order(page.session, page.wall))
    assert (order["background"], order["text"]) == (LIGHT.background, LIGHT.text)


def test_the_caption_names_pair_runs_settings_and_what_was_injected(page, session):
    first, second = caption(session)
    assert first == "exposure1 ▸ exposure2 · run 1"
    assert session.frame.plan.settings_hash in second
    session.pin()
    session.edit(padFill="mirror")
    session.compare = "difference"
    session.studies.injecting.inject(60.0, 48.0, 500.0)
    first, _ = caption(session)
    assert first.endswith("· run 2 · A is run 1 · with 1 injected source")
    title = [panel["title"] for panel in json.loads(picture_order(session, page.wall))["panels"]]
    assert "D A − B" in title


def test_a_page_without_a_result_has_a_caption_too(session):
    session.frame = None
    assert caption(session)[0] == "no result yet"
