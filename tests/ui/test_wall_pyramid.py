"""The pyramid against slow, obvious references."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box
from zogy_explorer.ui.wall.pyramid import Pyramid


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def bits(shape, seed=0):
    rng = np.random.default_rng(seed)
    return (1 << rng.integers(0, 9, shape) * (rng.random(shape) < 0.05)).astype(np.int32)


def pyramid(array, kind, xy0=(0, 0)):
    return Pyramid(array, kind, Box.from_shape(array.shape, xy0))


def whole(array, xy0=(0, 0)):
    return Box.from_shape(array.shape, xy0).edges


def blocks(array, side):
    """(rows, columns, side²) of an array cut into squares."""
    ny, nx = array.shape
    cut = array[: ny // side * side, : nx // side * side]
    split = cut.reshape(ny // side, side, nx // side, side).swapaxes(1, 2)
    return split.reshape(*split.shape[:2], -1)


def by_hand(values, kind):
    """What one screen pixel shows of some pixels."""
    if kind == "or":
        return np.bitwise_or.reduce(values)
    known = values[~np.isnan(values)]
    if not known.size:
        return np.nan
    return known.mean() if kind == "mean" else known[np.argmax(np.abs(known))]


@pytest.mark.parametrize("kind", ["mean", "extreme", "or"])
@pytest.mark.parametrize("side", [1, 2, 3, 4, 8, 16])
def test_whole_blocks_are_reduced_as_by_hand(kind, side):
    array = bits((96, 144)) if kind == "or" else noise((96, 144))
    out = pyramid(array, kind).cut(whole(array), (96 // side, 144 // side))
    expected = np.apply_along_axis(by_hand, 2, blocks(array, side), kind)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["mean", "extreme"])
@pytest.mark.parametrize("side", [2, 4, 8])
def test_missing_pixels_are_left_out(kind, side):
    array = noise((64, 64))
    array[noise((64, 64), 1) > 1] = np.nan
    array[16:32, 16:40] = np.nan
    out = pyramid(array, kind).cut(whole(array), (64 // side, 64 // side))
    expected = np.apply_along_axis(by_hand, 2, blocks(array, side), kind)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(expected))
    # Levels above the first weigh their parents alike, however many pixels these knew.
    tolerance = 1e-5 if kind == "extreme" or side == 2 else 1.0
    np.testing.assert_allclose(out, expected, atol=tolerance)


@pytest.mark.parametrize("step", [1.3, 2.0, 2.7, 4.1, 5.5, 11.3])
def test_area_weighted_mean_keeps_a_gradient(step):
    x = np.arange(200, dtype=np.float32)
    array = np.tile(x, (200, 1))
    n = int(160 / step)
    start = 10.25
    out = pyramid(array, "mean").cut(
        (start - 0.5, start - 0.5, start - 0.5 + n * step, start - 0.5 + n * step), (n, n)
    )
    centres = start - 0.5 + (np.arange(n) + 0.5) * step
    # Pixels are uniform inside, and so are the blocks of the level that a cut starts from.
    side = 2.0 ** max(0, int(np.log2(step)) - 1)
    assert np.abs(out - centres).max() < 0.25 * side + 1e-3


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (63, 97), (97, 64), (129, 255)])
@pytest.mark.parametrize("kind", ["mean", "extreme", "or"])
def test_odd_sizes_lose_nothing(shape, kind):
    array = np.full(shape, 4, np.int32 if kind == "or" else np.float32)
    for side in (1, 2, 3, 5, 8, 13):
        out_shape = (-(-shape[0] // side), -(-shape[1] // side))
        view = (-0.5, -0.5, out_shape[1] * side - 0.5, out_shape[0] * side - 0.5)
        np.testing.assert_allclose(pyramid(array, kind).cut(view, out_shape), 4, rtol=1e-6)


@pytest.mark.parametrize("step", [1.4, 2.9, 4.6, 7.7, 19.1])
@pytest.mark.parametrize("kind", ["extreme", "or"])
def test_a_single_pixel_is_never_lost(kind, step):
    rng = np.random.default_rng(3)
    n = int(np.ceil(150 / step))
    for x, y in [(0, 0), (149, 149), *rng.integers(0, 150, (20, 2))]:
        array = np.zeros((150, 150), np.int32 if kind == "or" else np.float32)
        array[y, x] = -9 if kind == "extreme" else 64
        out = pyramid(array, kind).cut((-0.5, -0.5, n * step - 0.5, n * step - 0.5), (n, n))
        rows, columns = np.nonzero(out)
        assert out[rows, columns].tolist() == [array[y, x]] * rows.size
        # It shows where it is: within the screen pixels that its level's pixel touches.
        assert rows.size
        assert np.abs((columns + 0.5) * step - (x + 0.5)).max() <= 1.5 * step
        assert np.abs((rows + 0.5) * step - (y + 0.5)).max() <= 1.5 * step


def test_noise_looks_the_same_whatever_the_zoom():
    made = pyramid(noise((1500, 1500)), "extreme")
    for step in (2.3, 3.4, 5.9):
        n = int(1400 / step)
        out = np.abs(made.cut((0, 0, n * step, n * step), (n, n)))
        columns = out.mean(axis=0)
        # A number of pixels that changed along the row would give a moiré of tens of per cent.
        assert columns.std() / columns.mean() < 0.05


@pytest.mark.parametrize("kind", ["mean", "extreme", "or"])
def test_upsampled_pixels_are_squares(kind):
    array = bits((6, 8)) if kind == "or" else noise((6, 8))
    out = pyramid(array, kind).cut((0.5, 1.5, 4.5, 4.5), (30, 40))
    np.testing.assert_array_equal(out, np.kron(array[2:5, 1:5], np.ones((10, 10), array.dtype)))


def test_beyond_the_image_is_no_data():
    array = noise((20, 20))
    out = pyramid(array, "extreme").cut((-10.5, -10.5, 29.5, 29.5), (40, 40))
    inside = ~np.isnan(out)
    assert inside[10:30, 10:30].all()
    assert inside.sum() == 400
    assert np.isnan(pyramid(array, "mean").cut((50, 50, 60, 60), (5, 5))).all()
    assert not pyramid(bits((9, 9)), "or").cut((50, 50, 60, 60), (5, 5)).any()


def test_views_count_from_the_origin_of_the_box():
    array = noise((30, 40))
    moved = pyramid(array, "mean", xy0=(1000, 500))
    np.testing.assert_array_equal(moved.cut((999.5, 499.5, 1039.5, 529.5), (30, 40)), array)
    assert moved.value(1003, 502) == pytest.approx(array[2, 3])
    assert moved.value(3, 2) is None


@pytest.mark.parametrize("kind", ["mean", "extreme", "or"])
@pytest.mark.parametrize("box", [Box(10, 7, 33, 21), Box(-5, -9, 40, 30), Box(100, 90, 50, 50)])
def test_an_updated_pyramid_is_that_of_the_new_image(kind, box):
    make = bits if kind == "or" else noise
    old, patch = make((117, 131)), make(box.shape, 5)
    if kind != "or":
        patch[::5] = np.nan
    made = pyramid(old, kind).build(32.0)
    before = old.copy()
    made.update(box, patch)
    common = box.intersection(Box.from_shape(old.shape))
    new = old.copy()
    new[common.slices()] = patch[common.slices((box.x0, box.y0))]
    for side in (1, 2, 3, 6, 16):
        out_shape = (117 // side, 131 // side)
        view = (-0.5, -0.5, out_shape[1] * side - 0.5, out_shape[0] * side - 0.5)
        np.testing.assert_array_equal(
            made.cut(view, out_shape), pyramid(new, kind).cut(view, out_shape)
        )
    np.testing.assert_array_equal(old, before)


def test_many_updates_are_folded_and_not_forgotten():
    made = Pyramid(None, "extreme", Box(0, 0, 64, 64))
    expected = noise((64, 64))
    for _ in range(3):
        for y in range(0, 64, 4):
            for x in range(0, 64, 4):
                box = Box(x, y, 4, 4)
                made.update(box, expected[box.slices()])
    np.testing.assert_array_equal(made.cut(whole(expected), (64, 64)), expected)


def test_an_image_that_fills_cell_by_cell_starts_blank():
    made = Pyramid(None, "mean", Box(0, 0, 40, 40))
    assert made.empty
    assert np.isnan(made.cut((-0.5, -0.5, 39.5, 39.5), (10, 10))).all()
    made.update(Box(0, 0, 20, 20), np.ones((20, 20), np.float32))
    out = made.cut((-0.5, -0.5, 39.5, 39.5), (10, 10))
    np.testing.assert_array_equal(out[:5, :5], 1)
    assert np.isnan(out[5:, :]).all()
    assert made.value(25, 25) != made.value(25, 25)


def test_other_number_types_are_read():
    doubles = noise((64, 64)).astype(">f8")
    out = pyramid(doubles, "mean").cut(whole(doubles), (16, 16))
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, blocks(doubles, 4).mean(axis=2), rtol=1e-4, atol=1e-6)


def test_samples_follow_the_shown_level():
    made = pyramid(noise((1024, 1024)), "extreme")
    near, far = np.abs(made.sample(1.0)), np.abs(made.sample(8.0))
    assert 10_000 < near.size < 40_000
    assert np.median(far) > 2.5 * np.median(near)


def test_arrays_must_fit_their_box():
    with pytest.raises(InputError, match="does not fill"):
        Pyramid(noise((3, 4)), "mean", Box(0, 0, 3, 4))
    with pytest.raises(InputError, match="does not fill"):
        pyramid(noise((9, 9)), "mean").update(Box(0, 0, 3, 4), noise((3, 4)))
