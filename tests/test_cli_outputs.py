"""What a command writes: never over what it reads, all together, and as the page would."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from zogy_explorer import Exposure, KernelPsf
from zogy_explorer.cli import main, products
from zogy_explorer.cli.batch import SUMMARY
from zogy_explorer.engine import plan, run
from zogy_explorer.errors import InputError
from zogy_explorer.io import read_detections
from zogy_explorer.io._atomic import atomic_file, placed_together
from zogy_explorer.io.difference import read_difference
from zogy_explorer.prepare import moved_template
from zogy_explorer.ui.loading import pair_of_session
from zogy_explorer.ui.session_file import read_session_file


def exposure(seed, dx=0.0, **meta):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:11, :11] - 5
    return Exposure(
        rng.normal(0, 3, (80, 100)).astype(np.float32),
        variance=np.full((80, 100), 9.0, np.float32),
        psf=KernelPsf(np.exp(-((x - dx) ** 2 + y**2) / 5)),
        photo_calib=1.0,
        meta=meta,
    )


def write_pair(folder, seed=1, dx=0.0, **meta):
    folder.mkdir(parents=True, exist_ok=True)
    exposure(seed, dx, **meta).write(folder / "science.fits")
    exposure(seed + 1).write(folder / "template.fits")
    return str(folder / "science.fits"), str(folder / "template.fits")


def write_session(path, paths, **pair):
    pair = {"origin": "files", "science": paths[0], "template": paths[1], **pair}
    path.write_text(json.dumps({"zogyExplorerSession": 1, "pair": pair}))
    return str(path)


def refused(capsys, *words):
    assert main([str(word) for word in words]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_the_shift_of_a_session_is_subtracted_as_the_page_does(tmp_path):
    paths = write_pair(tmp_path)
    session = write_session(tmp_path / "s.json", paths, shift=[0.31, -0.12])
    out = tmp_path / "d.fits"
    assert main(["subtract", "--session", session, "-o", str(out), "--quiet"]) == 0
    spec = read_session_file(session)
    pair = pair_of_session(spec, None, None)
    wanted = run(plan(pair.science, pair.template, spec.zogy_config()))
    product = read_difference(out)
    assert product.scorr.tobytes() == wanted.scorr.tobytes()
    unmoved = run(plan(*(Exposure.read(path) for path in paths), spec.zogy_config()))
    assert not np.array_equal(product.scorr, unmoved.scorr)
    assert (product.header["TPLSHX"], product.header["TPLSHY"]) == (0.31, -0.12)


def test_the_threshold_is_that_of_the_session_unless_one_is_given(tmp_path):
    session = tmp_path / "s.json"
    write_session(session, write_pair(tmp_path))
    session.write_text(json.dumps(json.loads(session.read_text()) | {"threshold": 3.5}))
    table = tmp_path / "d.ecsv"
    words = ["subtract", "--session", str(session), "-o", str(tmp_path / "d.fits"), "--quiet"]
    words += ["--detections", str(table)]
    for more, wanted in (([], 3.5), (["--threshold", "6"], 6.0)):
        assert main([*words, *more]) == 0
        assert read_detections(table).meta["threshold"] == wanted


def test_the_header_says_what_was_subtracted_and_only_the_date_differs(tmp_path):
    meta = {"DATE-OBS": "2024-02-03T04:05:06", "FILTER": "r", "EXPTIME": 30.0}
    counts = {"GAIN": 1.6, "RDNOISE": 5.0, "SATURATE": 6e4}
    paths = write_pair(tmp_path / "ccd7", **meta, **counts, TELESCOP="WASP", BUNIT="adu")
    headers = []
    for name in ("a", "b"):
        assert main(["subtract", *paths, "-o", str(tmp_path / f"{name}.fits"), "--quiet"]) == 0
        headers.append(fits.getheader(tmp_path / f"{name}.fits"))
    first, second = headers
    assert first["SCIFILE"] == "ccd7/science.fits"
    assert first["TPLFILE"] == "ccd7/template.fits"
    assert {key: first[key] for key in meta} == meta
    assert (first["TELESCOP"], first["BUNIT"]) == ("WASP", "adu")
    # Of the science image's counts, which D is not.
    assert not set(counts) & set(first)
    assert "TPLSHX" not in first
    assert first.pop("DATE")[:2] == second.pop("DATE")[:2] == "20"
    assert first == second
    assert fits.getheader(tmp_path / "a.fits", "IMAGE")["BUNIT"] == "adu"
    assert "BUNIT" not in read_difference(tmp_path / "a.fits").score.meta  # S has another unit


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-o", "science.fits"], "the product would be written over the science image"),
        (["-o", "link.fits"], "over the science image"),
        (["-o", "d.fits", "--report", "template.fits"], "the report would be written over the"),
        (["-o", "d.fits", "--report", "d.fits"], "over the product"),
        (["-o", "d.fits", "--detections", "./new/../d.fits"], "over the product"),
        (["-o", "d.html"], "the report would be written over the product"),
        (["-o", "pipe.fits"], "not a regular file"),
        (["-o", "d.fits", "--config", "c.json", "--report", "c.json"], "over the settings"),
    ],
)
def test_subtract_writes_over_no_input_and_no_pipe(tmp_path, monkeypatch, capsys, words, sentence):
    paths = write_pair(tmp_path)
    (tmp_path / "link.fits").symlink_to("science.fits")
    (tmp_path / "new").mkdir()
    (tmp_path / "c.json").write_text("{}")
    os.mkfifo(tmp_path / "pipe.fits")
    monkeypatch.chdir(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.glob("[st]*.fits")}
    there = sorted(tmp_path.rglob("*"))
    assert sentence in refused(capsys, "subtract", *paths, *words)
    assert sorted(tmp_path.rglob("*")) == there
    assert before == {p: p.read_bytes() for p in before}


def test_a_hard_link_to_an_input_is_that_input(tmp_path, capsys):
    paths = write_pair(tmp_path)
    os.link(paths[0], tmp_path / "other.fits")
    told = refused(capsys, "subtract", *paths, "-o", tmp_path / "other.fits")
    assert "over the science image" in told


def test_prepare_and_batch_write_over_no_input(tmp_path, capsys):
    paths = write_pair(tmp_path)
    before = (tmp_path / "science.fits").read_bytes()
    told = refused(capsys, "prepare", *paths, "-o", tmp_path)
    assert "the new science would be written over the raw science image" in told
    told = refused(capsys, "batch", tmp_path / "science.fits", "-o", tmp_path)
    assert "the product of science would be written over the science image" in told
    assert (tmp_path / "science.fits").read_bytes() == before


def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with (
        pytest.raises(InputError, match="regular file"),
        atomic_file(tmp_path / "pipe", overwrite=True),
    ):
        pass
    assert (tmp_path / "pipe").is_fifo()


def test_no_report_stands_without_its_product(tmp_path, monkeypatch, capsys):
    paths = write_pair(tmp_path / "in")
    out = tmp_path / "out"

    def no_room(*args, **kwargs):
        raise InputError(f"cannot write {args[1]}: No space left on device")

    monkeypatch.setattr(products, "write_difference", no_room)
    told = refused(capsys, "subtract", *paths, "-o", out / "d.fits", "--detections", out / "d.ecsv")
    assert f"cannot write {out / 'd.fits'}: No space" in told
    assert list(out.iterdir()) == []


def test_the_first_of_several_files_is_in_place_before_the_others(tmp_path, monkeypatch):
    placed = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (placed.append(b.name), replace(a, b)))
    with placed_together(tmp_path / "a.fits", tmp_path / "b.html") as staged:
        for path in reversed(staged):
            path.write_text(path.suffix)
        assert not (tmp_path / "a.fits").exists()
    assert placed == ["a.fits", "b.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == placed


def test_a_pair_without_a_cell_stays_failed_and_rows_keep_their_numbers(tmp_path, capsys):
    write_pair(tmp_path / "ccd1")
    write_pair(tmp_path / "ccd2", dx=0.5)
    words = ["batch", str(tmp_path / "ccd*" / "science.fits"), "-o", str(tmp_path / "out")]
    rows = []
    for _ in range(3):
        assert main(words) == 1
        told = capsys.readouterr()
        assert "ccd2_science: the PSF centroids are 0.497" in told.err
        rows.append(Table.read(tmp_path / "out" / SUMMARY, format="ascii.ecsv"))
    assert "2 pairs, 1 skipped, 1 failed" in told.out
    assert list(rows[0]["status"]) == ["done", "failed"]
    assert list(rows[2]["status"]) == ["skipped", "failed"]
    for name in set(rows[0].colnames) - {"status"}:
        assert np.array_equal(rows[0][name][:1], rows[2][name][:1]), name
        assert str(rows[0][name][1]) == str(rows[2][name][1]), name
    # Without the summary the product still has all but how long it took and its detections.
    (tmp_path / "out" / SUMMARY).unlink()
    assert main(words) == 1
    row = Table.read(tmp_path / "out" / SUMMARY, format="ascii.ecsv")[0]
    assert (row["cells"], row["scorr_sigma"]) == (rows[0]["cells"][0], rows[0]["scorr_sigma"][0])


def test_a_product_with_a_moved_template_is_not_that_of_the_batch(tmp_path, capsys):
    paths = write_pair(tmp_path / "in")
    session = write_session(tmp_path / "s.json", paths, shift=[0.2, 0.0])
    product = tmp_path / "out" / "science.fits"
    assert main(["subtract", "--session", session, "-o", str(product), "--quiet"]) == 0
    words = ["batch", paths[0], "-o", str(product.parent), "--set", "doSpatialGrid=false"]
    words += ["--template", paths[1]]
    for status in ("1 done", "1 skipped"):
        assert main(words) == 0
        assert status in capsys.readouterr().out
        assert "TPLSHX" not in fits.getheader(product)


def test_a_template_that_was_moved_before_is_no_reason_to_start_again(tmp_path, capsys):
    science, template = write_pair(tmp_path / "in")
    moved_template(Exposure.read(template), 0.2, 0.0).write(template)
    words = ["batch", science, "--template", template, "-o", str(tmp_path / "out")]
    for status in ("1 done", "1 skipped"):
        assert main(words) == 0
        assert status in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["half of it", "another version"])
def test_a_product_that_cannot_be_read_is_made_anew_and_the_night_goes_on(tmp_path, capsys, damage):
    for name in ("ccd1", "ccd2"):
        write_pair(tmp_path / name)
    out = tmp_path / "out"
    words = ["batch", str(tmp_path / "ccd*" / "science.fits"), "-o", str(out)]
    assert main(words) == 0
    product = out / "ccd1_science.fits"
    whole = product.stat().st_size
    if damage == "half of it":
        product.write_bytes(product.read_bytes()[: whole // 2])
    else:
        with fits.open(product, mode="update") as hdus:
            del hdus["CELLS"]
    capsys.readouterr()
    assert main(words) == 0
    assert "1 done, 1 skipped" in capsys.readouterr().out
    assert len(fits.getdata(product, "CELLS")) > 0
