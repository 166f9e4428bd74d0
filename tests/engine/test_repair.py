"""Missing pixels are interpolated from their surroundings, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer.engine.repair import Holes, fill_holes


def gaussian_mean(plane, bad, y, x, sigma):
    """Mean of the good pixels around (x, y), written out: no filter, no window."""
    rows, columns = np.indices(plane.shape)
    near = (abs(rows - y) <= 4 * sigma) & (abs(columns - x) <= 4 * sigma) & ~bad
    weight = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2)) * near
    return (weight * np.where(bad, 0, plane)).sum() / weight.sum()


@pytest.fixture
def plane():
    return np.random.default_rng(5).normal(100, 10, (83, 61))


@pytest.mark.parametrize("place", [(40, 30), (0, 0), (82, 60), (7, 8), (79, 55)])
def test_a_small_hole_gets_the_gaussian_mean_of_its_surroundings(plane, place):
    bad = np.zeros(plane.shape, bool)
    bad[place] = True
    holed = np.where(bad, np.nan, plane)
    filled = fill_holes(holed, bad, 0.0)
    assert filled[place] == pytest.approx(gaussian_mean(plane, bad, *place, sigma=1.0))
    assert np.array_equal(filled[~bad], plane[~bad])


def test_holes_in_neighbouring_blocks_do_not_lean_on_each_other(plane):
    bad = np.zeros(plane.shape, bool)
    bad[20:24, 14:18] = bad[25, 19] = True
    filled = fill_holes(np.where(bad, np.nan, plane), bad, 0.0)
    assert np.isfinite(filled).all()
    assert filled[25, 19] == pytest.approx(gaussian_mean(plane, bad, 25, 19, sigma=1.0))


def test_holes_are_found_once_for_all_planes(plane):
    bad = np.random.default_rng(6).random(plane.shape) < 0.1
    holes = Holes(bad)
    for values in (plane, plane.astype(np.float32), np.sqrt(plane)):
        expected = fill_holes(values, bad, 0.0)
        assert np.array_equal(holes.fill(values, lambda: 0.0), expected)
        assert expected.dtype == values.dtype


def test_the_fallback_is_asked_for_only_beyond_all_reach(plane):
    bad = np.zeros(plane.shape, bool)
    bad[10:20, 10:20] = True
    Holes(bad).fill(plane, lambda: pytest.fail("everything is within reach"))
    everything = np.ones((200, 70), bool)
    everything[0] = False
    filled = Holes(everything).fill(np.full(everything.shape, 3.0), lambda: 7.0)
    assert filled[1, 35] == pytest.approx(3.0)
    assert (filled[-1] == 7.0).all()


def test_without_holes_a_copy_comes_back(plane):
    filled = fill_holes(plane, np.zeros(plane.shape, bool), 0.0)
    assert filled is not plane
    assert np.array_equal(filled, plane)
