"""A pair whose every cell fails the default centroid check still opens on something to see."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig
from zogy_explorer.ui.session import Session


def shifted_pair(offset: float) -> tuple[Exposure, Exposure]:
    """Noise, with PSF centroids ``offset`` px apart."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:21, :21] - 10
    pair = []
    for dx in (offset, 0.0):
        stamp = np.exp(-((x - dx) ** 2 + y**2) / (2 * 1.8**2))
        image = rng.standard_normal((96, 96), dtype=np.float32)
        pair.append(Exposure(image, variance=1.0, psf=KernelPsf(stamp)))
    return pair[0], pair[1]


def opened(offset: float, **settings: object) -> Session:
    session = Session(ZogyConfig(doSpatialGrid=True, **settings), live=False)
    session.open_exposures(*shifted_pair(offset))
    return session


def test_a_pair_beyond_the_default_limit_opens_with_a_raised_one_and_says_so() -> None:
    session = opened(0.32)
    assert session.frame is not None
    assert all(cell.ok for cell in session.frame.cells)
    assert 0.32 < session.config.maxPsfCentroidDist < 0.36
    (remark,) = session.frame.pair.remarks
    assert "0.32 px apart" in remark.text
    assert remark.text in [notice.text for notice in session.notices]


def test_a_limit_that_the_user_set_is_kept() -> None:
    session = opened(0.32, maxPsfCentroidDist=0.25)
    assert session.config.maxPsfCentroidDist == pytest.approx(0.25)
    assert session.frame is not None
    assert not any(cell.ok for cell in session.frame.cells)


def test_a_pair_within_the_limit_keeps_the_default() -> None:
    session = opened(0.1)
    assert session.config.maxPsfCentroidDist == pytest.approx(0.2)
    assert session.frame is not None
    assert session.frame.pair.remarks == ()


def test_the_next_pair_starts_from_the_default_again() -> None:
    session = opened(0.32)
    session.open_exposures(*shifted_pair(0.05))
    assert session.config.maxPsfCentroidDist == pytest.approx(0.2)
