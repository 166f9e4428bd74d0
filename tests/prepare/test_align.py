"""The template comes onto the science image's pixel grid by the WCS of both."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS

from zogy_explorer import Exposure
from zogy_explorer.errors import InputError, MissingDataError
from zogy_explorer.prepare import align_to

pytest.importorskip("reproject")


def sky(x: float, y: float, ra: float = 150.0) -> WCS:
    """A plain tangential WCS whose reference pixel is at (x, y)."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, 2.0]
    wcs.wcs.crpix = [x + 1, y + 1]
    wcs.wcs.cdelt = [-1e-4, 1e-4]
    return wcs


def blob(x: float, y: float, shape: tuple[int, int] = (80, 90)) -> np.ndarray:
    yy, xx = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * 3.0**2))


def exposure(image: np.ndarray, wcs: WCS | None) -> Exposure:
    mask = np.zeros(image.shape, np.int32)
    mask[40, 45] = 2 + 8
    return Exposure(image, variance=np.full(image.shape, 4.0), mask=mask, wcs=wcs)


def test_a_shifted_template_lands_on_the_science_pixels():
    science = exposure(blob(45, 40), sky(45, 40))
    template = exposure(blob(49.5, 37.2), sky(49.5, 37.2))
    aligned = align_to(template, science)
    inside = (slice(5, -5), slice(8, -8))
    np.testing.assert_allclose(aligned.image[inside], science.image[inside], atol=2e-3)
    np.testing.assert_allclose(aligned.variance[inside], 4.0)
    assert aligned.shape == science.shape


def test_mask_bits_move_whole_and_what_is_uncovered_is_marked():
    science = exposure(blob(45, 40), sky(45, 40))
    template = exposure(blob(50, 40), sky(50, 40))
    aligned = align_to(template, science)
    assert aligned.mask[40, 40] == 2 + 8
    no_data = 1 << aligned.mask_planes["NO_DATA"]
    uncovered = (aligned.mask & no_data) != 0
    np.testing.assert_array_equal(uncovered, ~np.isfinite(aligned.image))
    assert uncovered[:, -4:].all()
    assert not uncovered[5:-5, 5:80].any()


def test_frames_that_do_not_overlap_are_refused_in_words():
    science = exposure(blob(45, 40), sky(45, 40))
    elsewhere = exposure(blob(45, 40), sky(45, 40, ra=151.0))
    with pytest.raises(InputError, match=r"template covers 0.0% of science"):
        align_to(elsewhere, science)


def test_a_missing_wcs_is_said():
    science = exposure(blob(45, 40), None)
    with pytest.raises(MissingDataError, match=r"science .* has no WCS"):
        align_to(exposure(blob(45, 40), sky(45, 40)), science)
