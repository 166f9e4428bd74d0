"""How large an error of a pair may be is for the neighbours to say."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import ZogyConfig, plan, run
from zogy_explorer.diagnostics import explain, field_errors
from zogy_explorer.diagnostics.explaining.examination import Examination
from zogy_explorer.engine import Difference
from zogy_explorer.simulate import FlawedPair

HERE = (70.0, 64.0)
STAR = (70.3, 63.8, 30000.0)
FIELD = tuple(
    (x, y, 26000.0) for x, y in ((20.2, 24.0), (118.0, 22.4), (24.0, 106.2), (116.4, 104.0))
)


def subtract(seed: int = 1, **flaws: object) -> Difference:
    scene = {"stars": (STAR, *FIELD), "shape": (128, 140), "gain": 2.0} | flaws
    return run(plan(*FlawedPair(**scene).draw(seed), ZogyConfig(background="none")))


@pytest.mark.parametrize("error", [-0.7, -0.48, 0.44, 0.75, 1.5, 3.0])
def test_a_flux_ratio_far_off_is_one_if_the_neighbours_share_it(error: float) -> None:
    difference = subtract(flux_error=error)
    first = explain(difference, *HERE).first
    assert first.name == "flux"
    assert first.amplitude == pytest.approx(100 * error, rel=0.02)
    assert "4 neighbours may share it" in first.sentence
    assert field_errors(difference, *HERE).flux.value == pytest.approx(error, rel=0.02)


@pytest.mark.parametrize("change", [0.5, 0.9, 3.0, -0.6])
def test_a_star_that_alone_changes_as_much_is_new_or_gone(change: float) -> None:
    first = explain(subtract(new_source=(*STAR[:2], change * STAR[2])), *HERE).first
    assert first.name == "new_source"
    assert first.amplitude == pytest.approx(change * STAR[2], rel=0.03)


def test_a_star_that_changes_in_a_field_that_is_off_has_changed_itself() -> None:
    first = explain(subtract(flux_error=0.6, new_source=(*STAR[:2], 0.3 * STAR[2])), *HERE).first
    assert first.values["common_flux"] == pytest.approx(0.6, rel=0.03)
    assert "neighbours do not share it" in first.sentence
    assert "this source itself changed" in first.sentence


def test_without_neighbours_so_large_an_error_is_not_assumed() -> None:
    found = explain(subtract(stars=(STAR,), flux_error=0.8), *HERE)
    assert found.first.name == "new_source"


@pytest.mark.parametrize("error", [0.46, 0.6])
def test_a_psf_far_off_is_one_if_the_neighbours_share_it(error: float) -> None:
    difference = subtract(width_error=error)
    first = explain(difference, *HERE).first
    assert first.name == "psf_width"
    assert first.values["width_science"] == pytest.approx(error, rel=0.1)
    field = field_errors(difference, *HERE, widths=True)
    assert field.widths["width_science"].value == pytest.approx(error, rel=0.1)
    # With the width right, the flux ratio is: without it, it would be off by tens of percent.
    assert field.flux.value == pytest.approx(0.0, abs=0.03)
    assert abs(field_errors(difference, *HERE).flux.value) > 0.1


def test_a_new_source_beside_a_star_that_moved_leaves_the_shift_as_it_is() -> None:
    """Both make a dipole at the star: neither is right unless both are placed together."""
    motion = (0.3, -0.15)
    found = explain(subtract(shift=motion, new_source=(72.4, 65.2, 9000.0)), *HERE)
    assert {cause.name for cause in found.supported} == {"shift", "new_source"}
    shift, source = found.cause("shift"), found.cause("new_source")
    assert (shift.values["dx"], shift.values["dy"]) == pytest.approx(motion, abs=0.02)
    assert (source.values["x"], source.values["y"]) == pytest.approx((72.4, 65.2), abs=0.1)
    assert source.amplitude == pytest.approx(9000, rel=0.05)


def test_a_difference_of_shape_is_no_flux_and_no_shift() -> None:
    """Templates of free PSF shapes have no sum and no centroid."""
    difference = subtract(stars=(STAR,))
    examined = Examination(difference, difference.cells[0], *HERE, radius=30)
    window = examined.window.pair.window
    y, x = np.mgrid[window.y0 : window.end_y, window.x0 : window.end_x]
    for template in examined.suspects.shapes():
        size = np.abs(template.plane).sum()
        for moment in (1.0, (x - STAR[0]) / 4, (y - STAR[1]) / 4):
            assert abs((moment * template.plane).sum()) < 0.05 * size
