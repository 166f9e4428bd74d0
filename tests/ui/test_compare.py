"""Comparing the present result with one that was pinned."""

from __future__ import annotations

from html import unescape

import numpy as np
import pytest

from zogy_explorer.diagnostics.compare import Comparison, Row, compare_results
from zogy_explorer.ui.compare_bar import MODES
from zogy_explorer.ui.drawer.changes import _NAMES, _table, changes_table
from zogy_explorer.ui.wall.layers import LayerSpec
from zogy_explorer.ui.wall.palettes import DARK
from zogy_explorer.ui.wall.panel import value_header
from zogy_explorer.ui.wall.stretch import Stretch

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


def image(page, name):
    return page.wall.panels[name].source.data["image"][0]


@pytest.fixture
def compared(page, session):
    """A padded with noise, B with its mirror image."""
    session.pin()
    session.edit(padFill="mirror")
    return session


def test_blinking_shows_a_and_letting_go_shows_b_again(page, compared):
    b = image(page, "difference").copy()
    page.compare.blink(True)
    a = image(page, "difference").copy()
    assert not np.array_equal(a, b)
    page.compare.blink(False)
    assert np.array_equal(image(page, "difference"), b)


def test_a_is_shown_with_the_stretch_of_b(page, compared):
    table = page.wall.panels["difference"].source.data["table"][0].copy()
    page.compare.blink(True)
    assert np.array_equal(
        page.wall.panels["difference"].source.data["table"][0], table, equal_nan=True
    )


def test_swiping_shows_a_left_of_the_divider_and_b_right_of_it(page, compared):
    b = image(page, "scorr").copy()
    page.compare.blink(True)
    a = image(page, "scorr").copy()
    compared.compare = "swipe"
    source = page.wall.panels["scorr"].source.data
    swiped, left, width = source["image"][0], source["x"][0], source["dw"][0]
    split = round((page.wall.overlays.divider.line.location - left) / width * swiped.shape[1])
    assert 0 < split < swiped.shape[1]
    assert np.array_equal(swiped[:, :split], a[:, :split])
    assert np.array_equal(swiped[:, split:], b[:, split:])


def test_dragging_the_divider_moves_the_split(page, compared):
    compared.compare = "swipe"
    before = image(page, "scorr").copy()
    page.wall.overlays.divider.line.location = 10.0
    assert not np.array_equal(image(page, "scorr"), before)


def test_a_minus_b_is_the_difference_of_the_planes_and_zero_if_nothing_changed(page, session):
    session.pin()
    session.compare = "difference"
    comparison = page.wall._frame.comparison
    spec = page.wall.panels["difference"].layer
    change = comparison.shown(spec, page.wall._frame._pyramids["difference"])
    assert not np.any(change.region(session.frame.plan.bbox))
    session.edit(padFill="mirror")
    change = comparison.shown(spec, page.wall._frame._pyramids["difference"])
    expected = session.pinned.difference.diff.image - session.frame.difference.diff.image
    assert np.array_equal(change.region(session.frame.plan.bbox), expected)


def test_a_minus_b_follows_the_live_cell(page, session):
    session.pin()
    session.compare = "difference"
    session.select(0)  # only cells at the edge are padded
    session.drag(padFill="mirror")
    comparison = page.wall._frame.comparison
    spec = page.wall.panels["difference"].layer
    change = comparison.shown(spec, page.wall._frame._pyramids["difference"])
    inner = session.cell.cell.inner
    pinned = comparison._pinned["difference"].region(inner)
    expected = pinned - page.wall.pixels(inner)["difference"]
    assert np.any(expected)
    assert np.array_equal(change.region(inner), expected)


def test_the_table_lists_the_numbers_that_differ(page, compared):
    page.drawer.front("Compare")
    tab = next(t for t in page.drawer.tabs if t.title == "Compare")
    assert f"Cell {compared.cell.cell.name}" in tab._cell.object
    assert "A − B" in tab._whole.object
    assert "padFill noise → mirror" in page.compare._words.object


def test_the_images_and_the_table_have_the_same_sign_and_the_panels_short_names(page, compared):
    compared.compare = "difference"
    (label,) = (label for label, mode in MODES.items() if mode == "difference")
    header = unescape(page.wall.panels["difference"].header.text)
    assert f">D {label}</b>" in header
    assert f">{label}</th>" in _table(())


def test_numbers_that_look_the_same_are_left_out_and_the_others_have_the_pages_names(
    compared, monkeypatch
):
    a, b = compared.pinned.difference, compared.frame.difference
    rows = (
        Row("flux_diff", "", 5.995, 5.995 + 3.3e-9, 3.3e-9),
        Row("scorr_measured", "σ", 1.0, 1.25, 0.25),
        Row("over_5", "px", 12003.0, 12004.0, 1.0),
        Row("cells", "", 20.0, 130.0, 110.0),
    )
    monkeypatch.setattr(
        "zogy_explorer.ui.drawer.changes.compare_results",
        lambda a, b: Comparison(rows, None, None),
    )
    table = changes_table(a, b, "Whole frame")
    assert "5.995" not in table
    assert ">σ(Scorr)</th>" in table
    assert "scorr measured" not in table
    assert ">Scorr &gt; 5 σ [px]</th>" in table
    for count in ("12003", "12004", "130", "−110"):
        assert f">{count}</td>" in table


def test_names_of_rows_are_those_of_the_comparison(compared):
    pairs = [
        (compared.pinned.difference, compared.frame.difference),
        (compared.pinned.cells[0], compared.frame.cells[0]),
    ]
    assert set(_NAMES) <= {row.name for a, b in pairs for row in compare_results(a, b).rows}


def test_limits_of_a_panel_are_never_cut_off_for_its_title():
    layer = LayerSpec("difference", "A very long name of a layer", "diverging")
    header = value_header(layer, DARK, ["#000000"] * 256, Stretch(-0.00284, 0.00284))
    assert header.count('<span style="flex:none;') == 2
    assert "flex:1 1 auto;overflow:hidden;text-overflow:ellipsis" in header


def test_unpinning_lets_a_go(page, compared):
    compared.compare = "difference"
    compared.unpin()
    assert page.wall.comparing == "present"
    assert not page.wall._frame.comparison.active
    assert not page.compare.view.visible


def test_a_new_pair_unpins(page, compared, pair):
    compared.open_exposures(*pair)
    assert compared.pinned is None
    assert not page.wall._frame.comparison.active


def test_one_image_alone_and_back_by_its_number(page):
    style = page.wall.model.children[0].stylesheets[0]
    page._actions()["3"]()
    assert ".zx-panel:not(.zx-panel-2) { display: none" in style.css
    assert "zx-panel-2" in page.wall.panels["difference"].model.css_classes
    page._actions()["3"]()
    assert style.css == ""


def test_plus_halves_the_view_about_its_centre_and_minus_doubles_it(page):
    before = page.wall.view
    page.wall.zoom_in()
    after = page.wall.view
    assert after[2] - after[0] == pytest.approx((before[2] - before[0]) / 2)
    assert after[0] + after[2] == pytest.approx(before[0] + before[2])
    page.wall.zoom_out()
    assert page.wall.view == pytest.approx(before)
