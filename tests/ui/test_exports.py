"""What can be taken home, headless: each product read back, and the script run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from regions import Regions

from zogy_explorer import Exposure, ZogyConfig
from zogy_explorer.engine import plan, run
from zogy_explorer.errors import InputError
from zogy_explorer.io.detections import read_detections
from zogy_explorer.io.difference import read_difference
from zogy_explorer.ui.downloads import FileShelf
from zogy_explorer.ui.export_menu import ExportMenu
from zogy_explorer.ui.exports import EXPORTS, Snapshot
from zogy_explorer.ui.loading import pair_of_exposures
from zogy_explorer.ui.location import open_search, parse_search, search_of, spec_of_query
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.session_file import read_session_file, spec_of
from zogy_explorer.ui.wall import ImageWall


def made(session, key, folder):
    snapshot = Snapshot(session.frame, spec_of(session))
    path = folder / EXPORTS[key].file_name(snapshot)
    EXPORTS[key].write(snapshot, path)
    assert [p.name for p in folder.iterdir() if p.name.endswith(".tmp")] == []
    return path


def test_a_product_says_that_sources_injected_on_the_page_are_not_in_it(session, tmp_path):
    session.studies.injecting.inject(60.0, 48.0, 500.0)
    menu = ExportMenu(session, ImageWall())
    given = []
    menu._hand_over = given.append
    menu.export("fits")
    product = read_difference(given[0])
    assert np.array_equal(product.scorr, session.frame.difference.scorr)
    remark = "1 source injected on the page is not in this file"
    assert product.diff.meta["HISTORY"] == remark
    assert remark in str(fits.getheader(given[0])["HISTORY"])
    assert [n.text for n in session.notices if n.severity == "warning"][-1] == f"{remark}."
    session.studies.injecting.clear()
    assert "HISTORY" not in read_difference(made(session, "fits", tmp_path)).diff.meta
    menu.close()


@pytest.mark.parametrize("key", sorted(EXPORTS))
def test_every_product_of_the_menu_is_written_under_a_plain_name(session, key, tmp_path):
    path = made(session, key, tmp_path)
    assert path.is_file()
    assert path.name.startswith("exposure1")


def test_products_read_back_as_what_was_on_the_page(session, tmp_path):
    session.edit(padFill="mirror")
    assert np.array_equal(
        read_difference(made(session, "fits", tmp_path)).scorr, session.frame.difference.scorr
    )
    cells = Table.read(made(session, "cells-ecsv", tmp_path), format="ascii.ecsv")
    assert list(cells["name"]) == [c.cell.name for c in session.frame.cells]
    assert len(Table.read(made(session, "cells-csv", tmp_path), format="ascii.csv")) == len(cells)
    boxes = Regions.read(made(session, "cells-reg", tmp_path), format="ds9")
    assert len(boxes) == 9
    first = session.frame.cells[0].cell.inner
    assert (boxes[0].width, boxes[0].height) == pytest.approx((first.width, first.height))
    assert boxes[0].center.x == pytest.approx(first.center[0])
    read_detections(made(session, "detections-ecsv", tmp_path))
    assert read_session_file(made(session, "session", tmp_path)) == spec_of(session)


def test_detections_and_report_are_those_beyond_the_threshold_of_the_page(session, tmp_path):
    session.studies.detections.threshold = 3.0
    found = read_detections(made(session, "detections-ecsv", tmp_path))
    assert found.meta["threshold"] == 3
    assert (abs(found["scorr"]) < 5).any()
    report = made(session, "report", tmp_path).read_text()
    assert f"{len(found)} detections beyond 3 σ" in report


def test_an_odd_name_of_the_pair_makes_a_plain_file_name(pair, tmp_path):
    session = Session(ZogyConfig(doSpatialGrid=True), live=False)
    session.open_exposures(pair[0].replace(name="../ñ é/.fits"), pair[1])
    assert made(session, "session", tmp_path).parent == tmp_path


def test_where_every_cell_failed_there_is_nothing_to_detect(session, tmp_path):
    session.edit(maxPsfCentroidDist=0.01)
    with pytest.raises(InputError, match="nothing to detect"):
        made(session, "detections-reg", tmp_path)
    made(session, "report", tmp_path)


def rerun(session, folder):
    made(session, "script", folder).rename(folder / "again.py")
    done = subprocess.run(
        [sys.executable, "again.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "panel" not in (folder / "again.py").read_text()
    return read_difference(folder / "difference.fits")


def assert_same_bits(product, difference):
    assert np.array_equal(product.diff.image, difference.diff.image)
    assert np.array_equal(product.score.image, difference.score.image)
    assert np.array_equal(product.scorr, difference.scorr)


def write_pair(pair, folder):
    for exposure, name in zip(pair, ("science", "template"), strict=True):
        exposure.write(folder / f"{name}.fits")
    return [str(folder / f"{name}.fits") for name in ("science", "template")]


def test_the_script_of_a_pair_of_files_reproduces_the_bits_with_settings_of_single_cells(
    pair, tmp_path
):
    session = Session(ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0), live=False)
    (tmp_path / "in").mkdir()
    session.open_paths(*write_pair(pair, tmp_path / "in"))
    session.edit(maxPsfCentroidDist=0.5, ignoreMaskPlanes=["SAT", "CR"], astrometricNoise=0.1)
    session.scope = "cell"
    session.edit(padFill="zero", minBorder=30)
    assert_same_bits(rerun(session, tmp_path), session.frame.difference)


def test_the_script_of_a_moved_template_writes_the_header_of_the_export(pair, tmp_path):
    session = Session(ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0), live=False)
    (tmp_path / "in").mkdir()
    session.open_paths(*write_pair(pair, tmp_path / "in"))
    what_if = session.studies.asking
    what_if.param.update(dx=0.2, dy=-0.1)
    what_if.register()
    exported = read_difference(made(session, "fits", tmp_path)).header
    again = rerun(session, tmp_path)
    assert_same_bits(again, session.frame.difference)
    assert (again.header["TPLSHX"], again.header["TPLSHY"]) == (0.2, -0.1)
    assert again.header | {"DATE": ""} == exported | {"DATE": ""}


def test_the_script_of_uploads_says_where_to_put_the_files(pair, tmp_path):
    paths = write_pair(pair, tmp_path)
    session = Session(ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0), live=False)
    contents = [(f"{n}.fits", Path(p).read_bytes()) for n, p in zip("ab", paths, strict=True)]
    session.open_uploads(*contents)
    assert session.frame.pair.origin == "upload"
    for name, path in zip("ab", paths, strict=True):
        Exposure.read(path).write(tmp_path / f"{name}.fits")
    assert_same_bits(rerun(session, tmp_path), session.frame.difference)
    assert "put them here" in (tmp_path / "again.py").read_text()


def test_the_script_of_the_sample_needs_no_files(tmp_path):
    session = Session(live=False)
    session.open_sample()
    exported = read_difference(made(session, "fits", tmp_path)).header
    again = rerun(session, tmp_path)
    assert_same_bits(again, session.frame.difference)
    assert again.header | {"DATE": ""} == exported | {"DATE": ""}


def test_the_script_of_a_pair_in_memory_says_how_to_keep_it(session, pair, tmp_path):
    write_pair(pair, tmp_path)
    assert_same_bits(rerun(session, tmp_path), session.frame.difference)
    assert "science.write" in (tmp_path / "again.py").read_text()


def test_the_script_is_of_the_frame_on_screen_not_of_settings_still_moving(session, tmp_path):
    session.drag(padFill="zero")
    assert "zero" not in made(session, "script", tmp_path).read_text()


def test_an_address_holds_the_page_and_gives_it_back(pair, tmp_path):
    session = Session(ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0), live=False)
    session.open_paths(*write_pair(pair, tmp_path))
    session.edit(maxPsfCentroidDist=0.5, background="none", borderSize=20, astrometricNoise=0.1)
    session.select(1)
    session.scope = "cell"
    session.edit(padFill="zero")
    session.view = (1.5, 2.25, 30.0, 40.0)
    session.studies.detections.threshold = 4.2
    spec = spec_of(session)
    assert spec_of_query(parse_search(search_of(spec))) == spec
    other = Session(live=False)
    open_search(other, search_of(spec))
    assert other.alert == ""
    assert other.studies.detections.threshold == 4.2
    assert np.array_equal(other.frame.difference.scorr, session.frame.difference.scorr)


def test_an_address_typed_by_hand_leaves_the_rest_to_what_suits():
    session = Session(live=False)
    open_search(session, "?pair=sample")
    assert session.config.gridInnerSize == 5.0
    assert session.config.doSpatialGrid


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("?sience=a&template=b", "did you mean science"),
        ("?science=a.fits", "names no template"),
        ("?pair=upload", "ask for the files"),
        ("?view=1,2", "left, bottom, right, top"),
        ("?set.padFill=snow", "padFill"),
        ("?set.padFil=zero", "did you mean padFill"),
        ("?display.grid=5&display.gird=1", "did you mean grid"),
        ("?science=/no/a.fits&template=/no/b.fits", "/no/a.fits"),
        ("?cell.r0c0.gridInnerSize=3", "whole frame"),
    ],
)
def test_a_malformed_address_is_one_sentence_and_something_opens(search, words, pair):
    session = Session(ZogyConfig(doSpatialGrid=True), live=False)
    open_search(session, search, lambda: session.open_exposures(*pair))
    assert words in session.alert
    assert "\n" not in session.alert
    assert session.frame is not None


def test_the_address_of_a_pair_in_memory_is_good_on_the_page_that_has_it(pair):
    session = Session(ZogyConfig(doSpatialGrid=True), live=False)
    session.open_exposures(*pair)
    session.edit(padFill="zero")
    search = search_of(spec_of(session))
    again = Session(ZogyConfig(doSpatialGrid=True), live=False)
    open_search(again, search, own=pair_of_exposures(*pair))
    assert again.alert == ""
    assert again.config.padFill == "zero"
    assert again.pair.science is pair[0]
    open_search(again, search.replace("zero", "noise"), own=again.pair)
    assert again.frame.plan.config.padFill == "noise"
    elsewhere = Session(live=False)
    open_search(elsewhere, search)
    assert "in the memory of somebody's own page" in elsewhere.alert


def test_an_address_cannot_leave_the_root(pair, tmp_path):
    paths = write_pair(pair, tmp_path)
    (tmp_path / "in").mkdir()
    session = Session(live=False, root=tmp_path / "in")
    open_search(session, f"?science={paths[0]}&template={paths[1]}")
    assert "only opens files in that folder" in session.alert


def test_a_link_of_a_download_is_unguessable_and_ends_with_the_session(tmp_path):
    shelf = FileShelf()
    path = shelf.new_place("d.fits")
    path.write_bytes(b"1")
    word = shelf.offer(path)
    assert len(word) >= 32
    assert shelf.find(word) == path
    assert shelf.find("guess") is None
    shelf.clear()
    assert not path.exists()
    assert shelf.find(word) is None


def test_overrides_go_with_the_engine_as_with_the_page(session, pair):
    session.scope = "cell"
    session.edit(padFill="zero")
    config, own = session.config.copy(), session.overrides
    direct = run(plan(*pair, config, overrides=own))
    assert np.array_equal(direct.scorr, session.frame.difference.scorr)
