"""The sample in the repository is what its script makes."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from zogy_explorer import Exposure, ZogyConfig, plan, run
from zogy_explorer.simulate import sample_pair

FOLDER = Path(__file__).resolve().parents[2] / "sample_data"
FILES = ("science.fits", "template.fits", "truth.ecsv")


@pytest.fixture(scope="module")
def difference():
    science, template, _ = sample_pair()
    # Four by four cells.
    return run(plan(science, template, ZogyConfig(doSpatialGrid=True, gridInnerSize=5.0)))


def test_the_script_makes_the_files_again_byte_for_byte(tmp_path):
    runpy.run_path(str(FOLDER / "make_sample.py"))["main"](tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_the_files_are_small():
    assert sum((FOLDER / name).stat().st_size for name in FILES) < 5e6


def test_the_pair_in_memory_is_the_one_on_disk():
    *exposures, truth = sample_pair()
    for made, name in zip(exposures, FILES, strict=False):
        read = Exposure.read(FOLDER / name)
        assert read.image.tobytes() == made.image.tobytes()
        assert read.variance.tobytes() == made.variance.tobytes()
        assert np.array_equal(read.mask, made.mask)
        assert np.array_equal(read.psf.stamps, made.psf.stamps)
        assert (read.name, read.photo_calib, read.meta) == (made.name, made.photo_calib, made.meta)
    assert Table.read(FOLDER / "truth.ecsv").pformat() == truth.pformat()


def test_one_cell_of_sixteen_fails_for_its_psf_centroids(difference):
    assert len(difference.cells) == 16
    assert [cell.cell.name for cell in difference.failed] == ["r3c3"]
    assert [f.name for f in difference.failed[0].flags if f.severity == "failed"] == [
        "CENTROID_DISTANCE"
    ]
    others = [cell.centroid_distance for cell in difference.cells if cell.ok]
    assert max(others) < 0.19


def test_every_transient_stands_out(difference):
    truth = sample_pair()[2]
    for row in truth:
        x, y = round(row["x"]), round(row["y"])
        peak = (row["sign"] * difference.scorr[y - 2 : y + 3, x - 2 : x + 3]).max()
        assert peak > 5, row["id"]


def test_the_sample_holds_everything_that_there_is_to_see():
    science, template, truth = sample_pair()
    for plane in ("SAT", "CR", "BAD", "NO_DATA", "EDGE"):
        assert science.masked([plane]).any(), plane
    assert template.masked(["SAT"]).any()
    assert set(truth["kind"]) == {"new", "fading", "moving"}
