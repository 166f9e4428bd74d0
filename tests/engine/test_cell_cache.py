"""A cell under a slider: the same bits as from scratch, with less work."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from zogy_explorer import CellResult, Exposure, ZogyConfig, plan, subtract_cell
from zogy_explorer.engine import cell_cache
from zogy_explorer.engine.arithmetic import NUMPY
from zogy_explorer.engine.cell_cache import FREE_FIELDS, CellCache

Pair = tuple[Exposure, Exposure]
PLANES = ("diff", "diff_variance", "score", "score_variance", "scorr", "mask", "psf_diff")

MOVES: dict[str, list[object]] = {
    "scienceFluxScaling": [1.0, 1.3, 0.7],
    "templateFluxScaling": [1.0, 1.2],
    "swapFluxScaling": [False, True],
    "fluxScaleError": [0.0, 0.02],
    "frequencyFloor": [None, 1e-3, 0.0],
    "maxPsfCentroidDist": [0.2, 1.0],
    "centroidOrigin": ["fft", "geometric"],
    "psfShape": ["both", "science"],
    "growMask": [0.01, 0.0],
    "strict": [False, True],
    "padFill": ["noise", "zero"],
    "noiseSeed": [1, 2],
    "borderSize": [30, 40],
    "fillMasked": [True, False],
    "astrometricNoise": [None, 0.1],
    "workingPrecision": ["input", "double"],
}


@pytest.fixture(scope="module")
def pair(noise_pair: Callable[..., Pair]) -> Pair:
    made = []
    rng = np.random.default_rng(2)
    for exposure in noise_pair((120, 130), dtype=np.float32):
        variance = (exposure.variance * rng.gamma(20, 0.05, exposure.shape)).astype(np.float32)
        mask = exposure.mask.copy()
        mask[40:42, 50] = 1 << exposure.mask_planes["CR"]
        made.append(exposure.replace(variance=variance, mask=mask))
    return made[0], made[1]


def assert_same(ours: CellResult, theirs: CellResult) -> None:
    for name in PLANES:
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
    assert ours.flags == theirs.flags
    assert ours.noise == theirs.noise
    assert ours.flux_score == theirs.flux_score
    assert ours.config_hash == theirs.config_hash


@pytest.mark.parametrize("field", MOVES)
def test_every_move_gives_the_bits_of_a_cell_from_scratch(pair: Pair, field: str) -> None:
    cache = CellCache()
    values = MOVES[field]
    prepared = None
    for value in [*values, *values]:
        made = plan(*pair, ZogyConfig(scaleByCalibration=False, **{field: value}), prepared)
        prepared = made.prepared
        ours = subtract_cell(made, made.cells[0], cache=cache)
        assert_same(ours, subtract_cell(made, made.cells[0]))


def test_every_free_field_is_tried_here() -> None:
    assert set(FREE_FIELDS) <= set(MOVES)


def test_other_cells_and_other_pairs_are_not_mixed_up(pair: Pair) -> None:
    cache = CellCache()
    for science, template in (pair, pair[::-1]):
        made = plan(science, template, ZogyConfig(doSpatialGrid=True, gridInnerSize=1.5))
        assert len(made.cells) > 2
        for cell in (*made.cells[:3], made.cells[0]):
            assert_same(subtract_cell(made, cell, cache=cache), subtract_cell(made, cell))


def test_only_the_first_move_cuts_and_transforms_the_images(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts, transforms = [], []
    cut = cell_cache.cut_cell
    monkeypatch.setattr(cell_cache, "cut_cell", lambda *a: (cuts.append(None), cut(*a))[1])

    def forward(plane: np.ndarray) -> np.ndarray:
        transforms.append(None)
        return NUMPY.forward(plane)

    counting = type(NUMPY)(**{**vars(NUMPY), "forward": forward})
    monkeypatch.setattr("zogy_explorer.engine.cell.arithmetic_named", lambda name: counting)
    cache, prepared = CellCache(), None
    for flux in (1.0, 1.1, 1.2, 1.3):
        config = ZogyConfig(scaleByCalibration=False, scienceFluxScaling=flux)
        made = plan(*pair, config, prepared)
        prepared = made.prepared
        subtract_cell(made, made.cells[0], cache=cache)
    assert len(cuts) == 1
    assert len(transforms) == 4


def test_spectra_of_huge_cells_are_not_kept(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell_cache, "_LARGEST", 1000)
    cache, made = CellCache(), plan(*pair, ZogyConfig())
    for _ in range(2):
        assert_same(
            subtract_cell(made, made.cells[0], cache=cache), subtract_cell(made, made.cells[0])
        )
    assert cache._spectra is None
