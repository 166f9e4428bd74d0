"""Edge residual of a cell against its padding."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig
from zogy_explorer.diagnostics.padding import padded_cell, padding_curve
from zogy_explorer.engine import CancelToken, plan
from zogy_explorer.errors import CancelledError, InputError


def gaussian(sigma, size=15, dx=0.0):
    y, x = np.mgrid[:size, :size] - size // 2
    return np.exp(-((x - dx) ** 2 + y**2) / (2 * sigma**2))


def made(sigma, seed, dx=0.0):
    shape = (160, 150)
    image = np.random.default_rng(seed).normal(0, 3, shape).astype(np.float32)
    psf = KernelPsf(gaussian(sigma, dx=dx))
    return Exposure(image, variance=np.full(shape, 9, np.float32), psf=psf)


@pytest.fixture(scope="module")
def ready():
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=2.5, fftSizing="exact")
    return plan(made(1.9, 1), made(1.4, 2), config)


def middle(ready):
    return ready.cell_at(*ready.bbox.center)


def test_the_residual_falls_with_the_border(ready):
    trials = padding_curve(ready, middle(ready)).trials
    assert [t.border for t in trials] == sorted(t.border for t in trials)
    assert trials[0].diff_edge > 10 * trials[-1].diff_edge
    assert trials[0].scorr_edge > 10 * trials[-1].scorr_edge
    assert trials[-1].diff_edge < 0.01


def test_the_change_is_largest_along_the_edge(ready):
    trial = padding_curve(ready, middle(ready), [2]).trials[0]
    ny, nx = trial.change.shape
    inside = trial.change[ny // 3 : -ny // 3, nx // 3 : -nx // 3]
    assert trial.diff_edge > 5 * np.sqrt(np.mean(inside**2))


def test_the_inner_box_stays_and_the_padded_one_grows(ready):
    cell = middle(ready)
    grown = padded_cell(ready, cell, 40)
    assert grown.inner == cell.inner
    assert cell.inner.x0 - grown.outer.x0 >= 40


def test_a_blending_zone_wider_than_the_border_is_cut_to_it():
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=2.5, blendCells=8)
    ready = plan(made(1.9, 1), made(1.4, 2), config)
    assert np.isfinite(padding_curve(ready, middle(ready), [3]).trials[0].diff_edge)


def test_progress_counts_up_to_all(ready):
    seen = []
    padding_curve(ready, middle(ready), [4, 8], progress=lambda *pair: seen.append(pair))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_it_can_be_cancelled(ready):
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        padding_curve(ready, middle(ready), cancel=token)


def test_a_cell_that_fails_whatever_its_padding_says_why():
    ready = plan(made(1.9, 1, dx=0.6), made(1.4, 2), ZogyConfig())
    with pytest.raises(InputError, match=r"fails whatever its padding: the PSF centroids"):
        padding_curve(ready, ready.cells[0])


def test_a_negative_border_is_refused(ready):
    with pytest.raises(InputError, match="at least 0 px"):
        padding_curve(ready, middle(ready), [-1, 4])
