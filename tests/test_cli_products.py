"""``subtract`` and ``batch``: files that are complete or not there, and codes that tell."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from zogy_explorer import Exposure, KernelPsf, ZogyConfig
from zogy_explorer.cli import main
from zogy_explorer.cli.batch import SUMMARY, read_tasks
from zogy_explorer.cli.settings import kebab
from zogy_explorer.engine import plan, run
from zogy_explorer.errors import InputError
from zogy_explorer.io import read_detections
from zogy_explorer.io.difference import read_difference
from zogy_explorer.simulate import inject


def exposure(seed, dx=0.0, **changes):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:11, :11] - 5
    image = rng.normal(0, 3, (80, 100)).astype(np.float32)
    if seed % 2:
        image[35:46, 45:56] += 900 * np.exp(-(x**2 + y**2) / 5) / 15.7
    fields = {
        "variance": np.full((80, 100), 9.0, np.float32),
        "psf": KernelPsf(np.exp(-((x - dx) ** 2 + y**2) / 5)),
        "photo_calib": 1.0,
    }
    return Exposure(image, **(fields | changes))


def write_pair(folder, seed=1, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    exposure(seed, **changes).write(folder / "science.fits")
    exposure(seed + 1).write(folder / "template.fits")
    return str(folder / "science.fits"), str(folder / "template.fits")


def test_subtract_writes_the_product_that_the_engine_gives_and_a_report(tmp_path, capsys):
    paths = write_pair(tmp_path)
    out = tmp_path / "new" / "d.fits"
    words = ["subtract", *paths, "-o", str(out), "--grid-inner-size", "2", "--padFill", "mirror"]
    assert main(words) == 0
    told = capsys.readouterr()
    assert "σ(Scorr)" in told.out
    assert told.err == ""
    product = read_difference(out)
    config = ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0, padFill="mirror")
    wanted = run(plan(*(Exposure.read(path) for path in paths), config))
    assert np.array_equal(product.scorr, wanted.scorr)
    assert product.config == config.to_dict()
    report = out.with_suffix(".html").read_text()
    assert report.count("data:image/png;base64") == 4
    assert "http" not in report.replace("http-equiv", "")
    assert "Detections beyond 5 σ" in report
    assert "Steps between cells" in report
    assert re.search(r"σ\(Scorr\) [\d.]+, median of the cells", report)
    assert re.search(r"σ\(Scorr\) of the \d+ pixels without sources", report)
    assert "gridInnerSize" in report


@pytest.mark.parametrize("extension", ["ecsv", "fits", "reg"])
def test_detections_are_written_as_a_table(tmp_path, capsys, extension):
    paths = write_pair(tmp_path)
    science = Exposure.read(paths[0])
    inject(science, 30, 30, 500.0).write(paths[0])
    table = tmp_path / f"found.{extension}"
    words = ["subtract", *paths, "-o", str(tmp_path / "d.fits"), "--detections", str(table)]
    assert main([*words, "--no-report"]) == 0
    count = int(capsys.readouterr().out.splitlines()[-1].removeprefix(f"{table}: ").split()[0])
    if extension == "reg":
        assert table.read_text().count("circle") == count
    else:
        found = read_detections(table)
        assert len(found) == count
        assert np.hypot(found["x"].value - 30, found["y"].value - 30).min() < 0.5


def test_a_table_of_no_known_kind_is_refused_before_the_work(tmp_path, capsys):
    paths = write_pair(tmp_path)
    words = ["subtract", *paths, "-o", str(tmp_path / "d.fits"), "--detections", "found.txt"]
    assert main(words) == 2
    assert ".ecsv, .fits, .reg" in capsys.readouterr().err
    assert not (tmp_path / "d.fits").exists()


def test_a_batch_writes_detections_and_goes_on_where_one_is_missing(tmp_path, capsys):
    for n in (1, 2):
        write_pair(tmp_path / f"ccd{n}")
    words = ["batch", str(tmp_path / "*" / "science.fits"), "-o", str(tmp_path / "out")]
    words += ["--no-report", "--detections", "ecsv"]
    assert main(words) == 0
    table = tmp_path / "out" / "ccd1_science.detections.ecsv"
    assert {"x", "scorr"} <= set(read_detections(table).colnames)
    table.unlink()
    assert main(words) == 0
    assert "1 done, 1 skipped" in capsys.readouterr().out
    assert table.exists()


def test_threads_change_no_bit(tmp_path):
    paths = write_pair(tmp_path)
    for n in ("1", "2"):
        out = str(tmp_path / f"d{n}.fits")
        assert main(["subtract", *paths, "-o", out, "--threads", n, "--no-report", "--quiet"]) == 0
    one, two = (read_difference(tmp_path / f"d{n}.fits") for n in "12")
    assert np.array_equal(one.scorr, two.scorr)


def test_every_field_has_an_option_in_both_spellings(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["subtract", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for field in ZogyConfig.field_names():
        assert f"--{kebab(field)}" in text
        assert f"--{field}" in text


def test_where_no_cell_works_the_code_is_1_and_the_report_says_why(tmp_path, capsys):
    paths = write_pair(tmp_path, dx=0.5)
    out = tmp_path / "d.fits"
    assert main(["subtract", *paths, "-o", str(out)]) == 1
    assert "PSF centroids are 0.497" in capsys.readouterr().err
    assert "CENTROID_DISTANCE" in out.with_suffix(".html").read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["subtract", "a.fits", "b.fits", "-o", "d.fits"], "a.fits"),
        (["subtract", "-o", "d.fits"], "name the science and the template file"),
        (["subtract", "a", "b", "-o", "d.fits", "--pad-fill", "snow"], "padFill"),
        (["subtract", "a", "b", "-o", "d.fits", "--threads", "0"], "at least one thread"),
        (["batch", "nothing*.fits", "-o", "out"], "names no pair"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_saved_session_is_subtracted_as_it_was_with_its_cells(tmp_path):
    paths = write_pair(tmp_path)
    session = {
        "zogyExplorerSession": 1,
        "pair": {"origin": "files", "science": paths[0], "template": paths[1]},
        "config": {"doSpatialGrid": True, "gridInnerSize": 2.0},
        "cells": {"r0c1": {"padFill": "zero"}},
    }
    path, out = tmp_path / "s.json", tmp_path / "d.fits"
    path.write_text(json.dumps(session))
    assert main(["subtract", "--session", str(path), "-o", str(out), "--quiet"]) == 0
    product = read_difference(out)
    assert product.overrides == {"r0c1": {"padFill": "zero"}}
    assert len(set(product.cells["config_hash"])) == 2


def test_a_terminated_run_leaves_nothing_half_written(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for name in ("science", "template"):
        image = rng.normal(0, 3, (1200, 1200)).astype(np.float32)
        exposure(1).replace(image=image, variance=np.full_like(image, 9), mask=None).write(
            folder / f"{name}.fits"
        )
    out = tmp_path / "out"
    words = [str(folder / "science.fits"), str(folder / "template.fits"), "-o", str(out / "d.fits")]
    process = subprocess.Popen(
        [sys.executable, "-m", "zogy_explorer", "subtract", *words, "--gridInnerSize", "1"],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not out.exists() and process.poll() is None and time.monotonic() < deadline:
        pass  # the folder of the products is made just before they are written
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode in (0, 130)
    left = sorted(os.listdir(out)) if out.exists() else []
    assert not [name for name in left if name.endswith(".tmp")]
    if "d.fits" in left:
        fits.open(out / "d.fits", memmap=False).close()


def test_a_night_goes_on_after_a_bad_pair_and_is_resumed_where_it_stopped(tmp_path, capsys):
    night, out = tmp_path / "night", tmp_path / "out"
    write_pair(night / "ccd1", 1)
    write_pair(night / "ccd2", 3)
    (night / "ccd2" / "template.fits").write_text("no FITS")
    words = ["batch", str(night / "*" / "science.fits"), "-o", str(out), "--gridInnerSize", "2"]
    assert main(words) == 1
    assert "ccd2_science: cannot read" in capsys.readouterr().err
    table = Table.read(out / SUMMARY, format="ascii.ecsv")
    assert list(table["status"]) == ["done", "failed"]
    assert sorted(path.name for path in out.iterdir()) == [
        "ccd1_science.fits",
        "ccd1_science.html",
        SUMMARY,
    ]
    write_pair(night / "ccd2", 3)
    before = (out / "ccd1_science.fits").stat().st_mtime_ns
    assert main(words) == 0
    assert "1 done, 1 skipped" in capsys.readouterr().out
    assert (out / "ccd1_science.fits").stat().st_mtime_ns == before
    assert main([*words, "--padFill", "zero", "--quiet"]) == 0
    assert (out / "ccd1_science.fits").stat().st_mtime_ns > before


def test_another_threshold_makes_what_has_detections_anew(tmp_path, capsys):
    write_pair(tmp_path / "ccd1")
    out = tmp_path / "out"
    words = ["batch", str(tmp_path / "ccd*" / "science.fits"), "-o", str(out)]
    words += ["--template", str(tmp_path / "ccd1" / "template.fits")]

    def told(*more):
        assert main([*words, *more]) == 0
        return capsys.readouterr().out

    table = ["--detections", "ecsv"]
    assert "1 done" in told(*table)
    assert fits.getheader(out / "science.fits")["ZEXPTHRS"] == 5.0
    assert "1 skipped" in told(*table, "--threshold", "5")
    assert "1 done" in told(*table, "--threshold", "3.5")
    found = read_detections(out / "science.detections.ecsv")
    assert found.meta["threshold"] == 3.5
    rows = Table.read(out / SUMMARY, format="ascii.ecsv")
    assert rows["detections"][0] == len(found) > 0
    assert "1 skipped" in told(*table, "--threshold", "3.5")
    assert "1 done" in told("--threshold", "4")  # the report has them, too
    # Nothing that is ordered has detections: the threshold does not matter.
    assert "1 skipped" in told("--threshold", "6", "--no-report")
    # A product that was made alone does not answer for the report beside it.
    assert "1 done" in told("--no-report", "--force")
    assert "ZEXPTHRS" not in fits.getheader(out / "science.fits")
    assert "1 done" in told("--threshold", "4")


def test_workers_give_the_same_products(tmp_path):
    night = tmp_path / "night"
    for n in (1, 3):
        write_pair(night / f"ccd{n}", n)
    pattern = str(night / "*" / "science.fits")
    for n in ("1", "2"):
        words = ["batch", pattern, "-o", str(tmp_path / n), "--workers", n, "--no-report"]
        assert main([*words, "--quiet"]) == 0
    one, two = (read_difference(tmp_path / n / "ccd3_science.fits") for n in "12")
    assert np.array_equal(one.scorr, two.scorr)


def test_a_list_names_pairs_relative_to_its_folder(tmp_path):
    path = tmp_path / "night.txt"
    path.write_text("# night 42\na/s.fits b/t.fits first\n/x/s2.fits, t2.fits\n")
    first, second = read_tasks(str(path), None)
    assert (first.name, first.science) == ("first", tmp_path / "a" / "s.fits")
    assert (second.name, str(second.science)) == ("s2", "/x/s2.fits")
    path.write_text("only.fits\n")
    with pytest.raises(InputError, match="line 1"):
        read_tasks(str(path), None)


def test_a_pattern_finds_the_template_by_its_name_or_by_a_pattern(tmp_path):
    (tmp_path / "ccd7.fits").touch()
    tasks = read_tasks(str(tmp_path / "ccd*.fits"), str(tmp_path / "ref" / "{name}_r.fits"))
    assert tasks[0].template == tmp_path / "ref" / "ccd7_r.fits"
    with pytest.raises(InputError, match="give --template"):
        read_tasks(str(tmp_path / "ccd*.fits"), None)
