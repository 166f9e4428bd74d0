"""A mask from elsewhere is laid over the exposure's own."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import Exposure
from zogy_explorer.errors import InputError
from zogy_explorer.prepare import add_mask


@pytest.fixture
def exposure() -> Exposure:
    made = Exposure(np.zeros((6, 8)), name="new.fits")
    made.mask[0, 0] = 1 << made.mask_planes["SAT"]
    return made


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int16, ">i4", np.float32])
def test_whatever_is_not_zero_in_a_plain_mask_is_bad(exposure: Exposure, kind: object):
    plain = np.zeros((6, 8), kind)
    plain[2, 3] = 1
    plain[4, 5] = 1 if kind is bool else 4
    masked = add_mask(exposure, plain)
    assert set(zip(*np.nonzero(masked.masked(["BAD"])), strict=True)) == {(2, 3), (4, 5)}
    assert masked.masked(["SAT"])[0, 0]
    assert np.count_nonzero(masked.mask) == 3
    assert not exposure.masked(["BAD"]).any()


def test_named_bits_keep_their_names_and_unnamed_ones_are_bad(exposure: Exposure):
    bits = np.zeros((6, 8), np.uint32)
    bits[1, 1], bits[1, 2], bits[1, 3], bits[1, 4] = 1, 2, 1 << 31, 3
    masked = add_mask(exposure, bits, {"CR": 0, "GHOST": 1})
    assert set(np.nonzero(masked.masked(["CR"])[1])[0]) == {1, 4}
    assert set(np.nonzero(masked.masked(["GHOST"])[1])[0]) == {2, 4}
    assert set(np.nonzero(masked.masked(["BAD"])[1])[0]) == {3}
    assert {"SAT", "NO_DATA", "GHOST"} <= set(masked.mask_planes)


@pytest.mark.parametrize(
    ("mask", "rule"),
    [
        (np.zeros((8, 6), int), r"mask has shape \(8, 6\) but new.fits \(6, 8\).*cut as the image"),
        (np.full((6, 8), 0.5), r"48 pixels that are no bits, such as 0.5.*not an image"),
        (np.full((6, 8), np.nan), r"no bits, such as nan"),
        (np.full((6, 8), 1 << 40), r"at most 32 bits"),
        (np.full((6, 8), "x"), r"has type <U1"),
    ],
)
def test_what_is_no_mask_is_refused_in_words(exposure: Exposure, mask: np.ndarray, rule: str):
    with pytest.raises(InputError, match=rule):
        add_mask(exposure, mask)
