from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer.errors import InputError
from zogy_explorer.masks import (
    MASK_PLANES,
    bit_mask,
    check_planes,
    has_any,
    merge_planes,
    names_of,
    translate,
)


def test_bit_31_is_the_sign_bit():
    value = bit_mask({"TOP": 31}, ["TOP"])
    assert value == np.int32(-(2**31))
    assert has_any(np.array([[value]]), {"TOP": 31}, ["TOP"]).all()


def test_names_that_a_mask_does_not_have_are_left_out():
    assert bit_mask(MASK_PLANES, ["SAT", "NOT_THERE"]) == 2
    assert bit_mask(MASK_PLANES, []) == 0


def test_has_any_finds_pixels_with_one_of_the_planes():
    mask = np.array([[0, 1, 2, 3, 8]], dtype=np.int32)
    assert has_any(mask, MASK_PLANES, ["BAD", "CR"]).tolist() == [[False, True, False, True, True]]


def test_names_of_lists_planes_by_bit_and_unnamed_bits_by_number():
    assert names_of(1 | 8 | 1 << 20, MASK_PLANES) == ["BAD", "CR", "bit 20"]
    assert names_of(-(2**31), {"TOP": 31}) == ["TOP"]


@pytest.mark.parametrize("bit", [-1, 32])
def test_a_bit_outside_of_int32_is_refused(bit):
    with pytest.raises(InputError, match="an int32 mask holds bits 0 to 31"):
        check_planes({"X": bit})


def test_two_planes_on_one_bit_are_refused():
    with pytest.raises(InputError, match="give each plane its own"):
        check_planes({"X": 3, "Y": 3})


def test_translation_moves_bits_and_back():
    source, target = {"BAD": 0, "CR": 3, "TOP": 31}, {"BAD": 5, "CR": 0, "TOP": 1}
    mask = np.array([[0, 1, 8, 9, -(2**31)]], dtype=np.int32)
    moved = translate(mask, source, target)
    assert moved.tolist() == [[0, 32, 1, 33, 2]]
    assert translate(moved, target, source).tolist() == mask.tolist()


def test_translation_refuses_to_lose_a_plane_that_is_set():
    mask = np.array([[1]], dtype=np.int32)
    with pytest.raises(InputError, match="mask plane BAD is set but has no bit"):
        translate(mask, {"BAD": 0}, {"CR": 3})
    assert translate(mask * 0, {"BAD": 0}, {"CR": 3}).tolist() == [[0]]


def test_merging_keeps_the_first_planes_and_finds_free_bits():
    merged = merge_planes({"A": 0, "B": 1}, {"B": 7, "C": 1, "D": 9})
    assert merged == {"A": 0, "B": 1, "C": 2, "D": 9}


def test_merged_planes_never_share_a_bit():
    merged = merge_planes(MASK_PLANES, {f"X{i}": i for i in range(23)})
    assert len(set(merged.values())) == len(merged) == 32


def test_more_than_32_planes_are_refused():
    with pytest.raises(InputError, match="more than 32 planes"):
        merge_planes(MASK_PLANES, {f"X{i}": i for i in range(24)})
