from __future__ import annotations

import pytest

from zogy_explorer.errors import InputError
from zogy_explorer.geometry import Box


def test_maximum_is_inclusive_and_end_is_not():
    box = Box(10, 20, 5, 3)
    assert (box.min_x, box.max_x, box.end_x) == (10, 14, 15)
    assert (box.min_y, box.max_y, box.end_y) == (20, 22, 23)


def test_shape_is_rows_then_columns():
    assert Box(0, 0, 5, 3).shape == (3, 5)
    assert Box.from_shape((3, 5), (7, 8)) == Box(7, 8, 5, 3)


def test_center_of_one_pixel_is_its_integer_coordinate():
    assert Box(4, 7, 1, 1).center == (4.0, 7.0)
    assert Box(0, 0, 4, 3).center == (1.5, 1.0)


def test_edges_lie_half_a_pixel_outside_the_centres():
    assert Box(0, 0, 4, 3).edges == (-0.5, -0.5, 3.5, 2.5)


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [(-0.5, 0, True), (-0.51, 0, False), (3.49, 2.49, True), (3.5, 0, False)],
)
def test_a_point_belongs_to_the_pixel_that_it_falls_on(x, y, inside):
    assert Box(0, 0, 4, 3).contains_point(x, y) is inside


def test_intersection_holds_the_common_pixels():
    first, second = Box(0, 0, 10, 10), Box(6, -3, 10, 5)
    assert first.intersection(second) == Box(6, 0, 4, 2)
    assert second.intersection(first) == Box(6, 0, 4, 2)


def test_boxes_that_only_touch_have_no_common_pixels():
    assert Box(0, 0, 4, 4).intersection(Box(4, 0, 4, 4)) is None


def test_contains_is_true_for_itself_and_false_one_pixel_out():
    box = Box(2, 2, 4, 4)
    assert box.contains(box)
    assert not box.contains(box.shifted(1, 0))


def test_slices_are_relative_to_the_arrays_origin():
    assert Box(12, 23, 4, 2).slices((10, 20)) == (slice(3, 5), slice(2, 6))


def test_numbers_become_plain_integers():
    assert all(type(value) is int for value in Box(1.0, 2.0, 3.0, 4.0))  # type: ignore[arg-type]


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (-1, 5)])
def test_a_box_without_pixels_is_refused(width, height):
    with pytest.raises(InputError, match="width and height must be at least 1"):
        Box(0, 0, width, height)


def test_text_says_extent_and_position():
    assert str(Box(7, 8, 5, 3)) == "5×3 at (7, 8)"
