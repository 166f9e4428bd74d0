"""Traps 5, 7, 11 and 13: what lies around a cell, and how much of it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.engine.traps.conftest import Factory, layout, subtract
from zogy_explorer import Exposure, ZogyConfig, run
from zogy_explorer.engine import SubtractionPlan, cut_cell, generate_grid
from zogy_explorer.engine.flags import Flag
from zogy_explorer.engine.fourier import forward
from zogy_explorer.engine.grid import padded_length
from zogy_explorer.geometry import Box

# --- 5: seeds -------------------------------------------------------------------------------------


def padding_of(steps: SubtractionPlan, number: int) -> np.ndarray:
    cut = cut_cell(steps, steps.cells[0])
    return (cut.science, cut.template)[number].image


def test_padding_noise_is_the_same_in_both_images_only_under_lsst_rule(
    noise_pair: Factory,
) -> None:
    pair = noise_pair((64, 60), sigmas=(3.0, 3.0))
    corner = np.s_[:10, :10]
    for seed, same in ((None, True), (5, False)):
        steps = layout(pair, noiseSeed=seed, padSky=False)
        first, second = (padding_of(steps, n)[corner] for n in (0, 1))
        assert (np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.99) == same


def test_one_seed_gives_one_result_and_another_seed_another(noise_pair: Factory) -> None:
    pair = noise_pair((64, 60))
    first, again, other = (subtract(pair, ZogyConfig(noiseSeed=s)).scorr for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


# --- 7: padded sizes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizing", "most"), [("powerOfTwo", 8192), ("fast", 1.01 * 4146), ("exact", 4146)]
)
def test_padded_size_of_a_large_frame(sizing: str, most: float) -> None:
    (cell,) = generate_grid(Box(0, 0, 4096, 4096), (25, 25), (4096, 4096), sizing=sizing)
    assert cell.outer.shape == (padded_length(4146, sizing),) * 2
    assert 4146 <= cell.outer.width <= most
    assert cell.outer.width % 2 == 0
    assert (cell.outer.width == 8192) == (sizing == "powerOfTwo")


@pytest.mark.parametrize("sizing", ["powerOfTwo", "fast", "exact"])
def test_the_padded_size_does_not_change_scorr_inside(noise_pair: Factory, sizing: str) -> None:
    pair = noise_pair((140, 131))
    inner = np.s_[30:-30, 30:-30]
    expected = subtract(pair, ZogyConfig(fftSizing="exact")).scorr[inner]
    scorr = subtract(pair, ZogyConfig(fftSizing=sizing)).scorr[inner]
    # Only what the kernels carry across 30 px of padding noise: nothing.
    np.testing.assert_allclose(scorr, expected, rtol=0, atol=1e-6)


# --- 11: sky left in ------------------------------------------------------------------------------


def test_sky_left_in_makes_edges_unless_the_padding_lies_around_it(
    pair: tuple[Exposure, Exposure],
) -> None:
    skies = tuple(e.replace(image=e.image + s) for e, s in zip(pair, (300.0, 200.0), strict=True))

    def edge(**settings: object) -> float:
        scorr = subtract(skies, ZogyConfig(**settings)).scorr
        return float(
            np.abs(
                np.concatenate([scorr[:6].ravel(), scorr[:, :6].ravel()]) - np.median(scorr)
            ).max()
        )

    assert edge(padSky=False, background="none") > 11
    assert edge(padSky=True, background="none") < 5
    assert edge(padSky=False, background="auto") < 5
    assert edge(padSky=False, background="constant") < 5


def test_auto_background_leaves_a_subtracted_sky_alone(pair: tuple[Exposure, Exposure]) -> None:
    assert layout(pair).science.sky == 0.0
    raised = (pair[0].replace(image=pair[0].image + 50.0), pair[1])
    steps = layout(raised)
    assert steps.science.sky == pytest.approx(50.0, abs=0.1)
    assert "SKY_SUBTRACTED" in {f.name for f in run(steps).cells[0].flags}


# --- 13: borders ----------------------------------------------------------------------------------


def test_the_border_is_ten_sigma_or_the_largest_stamp(noise_pair: Factory) -> None:
    assert layout(noise_pair(widths=(1.8, 1.3), sides=(25, 21))).border == 25
    wide = layout(noise_pair(widths=(3.0, 1.3), sides=(25, 21)))
    assert wide.border == int(10 * max(wide.psf_sigma))
    assert 28 <= wide.border <= 30


@pytest.mark.parametrize(
    ("settings", "border"),
    [
        ({"borderScale": 20.0}, 35),
        ({"borderScale": 1.0}, 25),
        ({"minBorder": 60}, 60),
        ({"minBorder": 3}, 25),
        ({"borderSize": 7}, 7),
        ({"borderSize": 0}, 0),
        ({"borderSize": 7, "minBorder": 60}, 7),
    ],
)
def test_border_settings_do_what_they_say(
    noise_pair: Factory, settings: dict[str, object], border: int
) -> None:
    steps = layout(noise_pair(), **settings)
    assert steps.border == border
    for cell in steps.cells:
        assert cell.inner.x0 - cell.outer.x0 >= border
        assert cell.outer.end_y - cell.inner.end_y >= border


def test_a_border_shorter_than_the_kernels_is_flagged(noise_pair: Factory) -> None:
    short = subtract(noise_pair(), ZogyConfig(borderSize=2)).cells[0]
    assert "BORDER_SHORT" in {flag.name for flag in short.flags}
    usual = subtract(noise_pair(), ZogyConfig()).cells[0]
    assert "BORDER_SHORT" not in {flag.name for flag in usual.flags}


@pytest.mark.parametrize(
    ("settings", "field"), [({"borderScale": 1.0}, "minBorder"), ({"borderSize": 2}, "borderSize")]
)
def test_the_advice_on_a_short_border_helps(
    noise_pair: Factory, settings: dict[str, object], field: str
) -> None:
    pair = noise_pair(widths=(3.0, 1.0), sides=(9, 9))

    def short(**changes: object) -> list[Flag]:
        (cell,) = subtract(pair, ZogyConfig(**settings | changes)).cells
        return [flag for flag in cell.flags if flag.name == "BORDER_SHORT"]

    (flag,) = short()
    wanted = re.fullmatch(rf"Raise {field} to at least (\d+) px\.", flag.advice)
    assert wanted
    assert not short(**{field: int(wanted[1])})


def test_the_smallest_padded_side_is_kept(noise_pair: Factory) -> None:
    (cell,) = layout(noise_pair(), minTotalDims=301, fftSizing="exact").cells
    assert cell.outer.shape == (302, 302)


@pytest.mark.parametrize("fill", ["noise", "mirror", "zero"])
def test_padding_is_filled_as_asked(noise_pair: Factory, fill: str) -> None:
    pair = noise_pair((64, 60))
    steps = layout(pair, padFill=fill, padSky=False, background="none")
    padded, outer = padding_of(steps, 0), steps.cells[0].outer
    above = padded[: -outer.y0, -outer.x0 : -outer.x0 + 60]
    if fill == "zero":
        assert not above.any()
    elif fill == "mirror":
        np.testing.assert_array_equal(above[::-1], pair[0].image[1 : 1 + len(above)])
    else:
        assert above.std() == pytest.approx(3.0, rel=0.1)
    np.testing.assert_array_equal(padded[steps.bbox.slices((outer.x0, outer.y0))], pair[0].image)
    assert np.isfinite(forward(padded)).all()
