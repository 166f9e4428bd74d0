"""Cells with settings of their own: only they change, and the result says so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig
from zogy_explorer.engine import plan, run
from zogy_explorer.engine.overrides import CELL_FIELDS, FRAME_FIELDS, settings_hash
from zogy_explorer.errors import InputError
from zogy_explorer.io.difference import read_difference, write_difference

CONFIG = ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0)


@pytest.fixture(scope="module")
def pair():
    y, x = np.mgrid[:15, :15] - 7
    rng = np.random.default_rng(1)
    return tuple(
        Exposure(
            rng.normal(0, 3, (96, 120)).astype(np.float32),
            variance=np.full((96, 120), 9.0, np.float32),
            psf=KernelPsf(np.exp(-((x - dx) ** 2 + y**2) / (2 * sigma**2))),
            photo_calib=1.0,
        )
        for sigma, dx in ((1.6, 0.083), (1.3, 0.0))
    )


def subtracted(pair, overrides=None, **options):
    return run(plan(*pair, CONFIG, overrides=overrides), **options)


def test_only_the_cell_with_its_own_settings_changes(pair):
    plain = subtracted(pair)
    changed = subtracted(pair, {"r1c1": {"padFill": "zero", "borderSize": 30}})
    for before, after in zip(plain.cells, changed.cells, strict=True):
        same = before.cell.name != "r1c1"
        assert np.array_equal(before.scorr, after.scorr) is same
        assert (before.config_hash == after.config_hash) is same
        assert before.cell.inner == after.cell.inner
    own = changed.plan.cells[changed.plan.cell_at(60, 48).index]
    assert own.outer.width >= own.inner.width + 60


def test_a_cell_computed_in_its_own_way_equals_that_cell_of_a_frame_computed_that_way(pair):
    changed = subtracted(pair, {"r0c2": {"padFill": "mirror", "growMask": 0.05}})
    all_so = run(plan(*pair, CONFIG.copy(padFill="mirror", growMask=0.05)))
    for name in ("diff", "score", "scorr"):
        one, other = (getattr(d.cells[2], name) for d in (changed, all_so))
        assert np.array_equal(one, other)
    assert changed.cells[2].config_hash == all_so.cells[2].config_hash


def test_one_cell_may_fail_or_be_rescued_alone(pair):
    failed = subtracted(pair, {"r0c0": {"maxPsfCentroidDist": 0.01}})
    assert [cell.cell.name for cell in failed.failed] == ["r0c0"]


def test_threads_give_the_same_bits(pair):
    own = {"r0c0": {"workingPrecision": "double"}, "r1c0": {"minBorder": 25}}
    with ThreadPoolExecutor(2) as pool:
        assert np.array_equal(
            subtracted(pair, own).scorr, subtracted(pair, own, executor=pool).scorr
        )


def test_overrides_of_nothing_are_no_overrides(pair):
    made = plan(*pair, CONFIG, overrides={"r0c0": {}})
    assert made.overrides == {}
    assert made.settings_hash == made.config_hash == settings_hash(CONFIG.to_dict(), {})


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"r0c99": {"padFill": "zero"}}, "no cell r0c99"),
        ({"r0c0": {"gridInnerSize": 3.0}}, "belongs to the whole frame"),
        ({"r0c0": {"padFil": "zero"}}, "did you mean padFill"),
        ({"r0c0": {"padFill": "nothing"}}, "padFill"),
    ],
)
def test_what_a_cell_cannot_have_is_one_sentence(pair, overrides, words):
    with pytest.raises(InputError, match=words):
        plan(*pair, CONFIG, overrides=overrides)


def test_every_field_belongs_to_the_cell_or_to_the_frame():
    assert set(CELL_FIELDS) | set(FRAME_FIELDS) == set(ZogyConfig.field_names())


def test_the_file_says_which_cell_was_made_how(pair, tmp_path):
    own = {"r1c1": {"padFill": "zero", "frequencyFloor": 0.001}}
    difference = subtracted(pair, own)
    path = tmp_path / "d.fits"
    write_difference(difference, path)
    back = read_difference(path)
    assert back.overrides == own
    assert len(set(back.cells["config_hash"])) == 2
    again = run(plan(*pair, ZogyConfig.from_dict(back.config), overrides=back.overrides))
    assert np.array_equal(again.scorr, back.scorr)
