"""Tables of detections survive files, and DS9 puts the circles where the sources are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from zogy_explorer import Exposure, ZogyConfig, ZogyTask, make_pair
from zogy_explorer.diagnostics import COLUMNS, detect
from zogy_explorer.errors import InputError, ReadError
from zogy_explorer.io import detection_regions, read_detections, write_detections


@pytest.fixture(scope="module")
def found() -> QTable:
    science, template, _ = make_pair(seed=4, shape=(300, 300))
    moved = [e.replace(xy0=(1000, 500)) for e in (science, template)]
    table = detect(ZogyTask(config=ZogyConfig()).run(*moved).difference, threshold=4.5)
    assert {"", "cosmic_ray"} & set(table["flags"])
    assert len(table) > 3
    return table


def same(one: QTable, other: QTable) -> None:
    assert one.colnames == other.colnames
    assert len(one) == len(other)
    for name in one.colnames:
        assert one[name].unit == other[name].unit, name
        assert one[name].dtype.kind == other[name].dtype.kind, name
        values, again = (u.Quantity(t[name]).value if t[name].dtype.kind == "f" else t[name]
                         for t in (one, other))  # fmt: skip
        np.testing.assert_array_equal(values, again, err_msg=name)
        assert other[name].info.description == COLUMNS[name]
    assert dict(one.meta) == dict(other.meta)


@pytest.mark.parametrize("extension", ["ecsv", "fits"])
def test_a_table_comes_back_as_it_was(found: QTable, tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"found.{extension}"
    write_detections(found, path)
    same(found, read_detections(path))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("extension", ["ecsv", "fits"])
def test_a_table_without_rows_comes_back(found: QTable, tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"none.{extension}"
    write_detections(found[:0], path)
    again = read_detections(path)
    assert len(again) == 0
    assert again.colnames == found.colnames
    assert again["x"].unit == u.pix


def test_regions_are_one_based_image_coordinates_in_ds9(found: QTable, tmp_path: Path) -> None:
    path = tmp_path / "found.reg"
    write_detections(found, path)
    lines = [line for line in path.read_text().splitlines() if "circle" in line]
    assert len(lines) == len(found)
    assert "image" in path.read_text()
    numbers = lines[0].split("circle(")[1].split(")")[0].split(",")
    # DS9 counts the pixels of the file from 1; the frame begins at (1000, 500).
    assert float(numbers[0]) == pytest.approx(found["x"][0].value - 1000 + 1, abs=2e-3)
    assert float(numbers[1]) == pytest.approx(found["y"][0].value - 500 + 1, abs=2e-3)


def test_regions_read_back_lie_on_the_sources(found: QTable, tmp_path: Path) -> None:
    from regions import Regions

    path = tmp_path / "found.reg"
    write_detections(found, path)
    for circle, row in zip(Regions.read(path, format="ds9"), found, strict=True):
        assert circle.center.x == pytest.approx(row["x"].value - 1000, abs=2e-3)
        assert circle.center.y == pytest.approx(row["y"].value - 500, abs=2e-3)
        assert circle.meta["text"] == f"{row['id']}: {row['scorr']:+.1f}"
        assert circle.visual["facecolor" if "color" not in circle.visual else "color"] == (
            "cyan" if row["sign"] > 0 else "magenta"
        )


@pytest.mark.parametrize("share", ["some", "none", "all"])
def test_only_flagged_circles_are_dashed(found: QTable, tmp_path: Path, share: str) -> None:
    from regions import Regions

    flagged = found["flags"] != ""
    assert 0 < np.count_nonzero(flagged) < len(found)
    table = {"some": found, "none": found[~flagged], "all": found[flagged]}[share]
    write_detections(table, tmp_path / "found.reg")
    text = (tmp_path / "found.reg").read_text()
    shared = [line for line in text.splitlines() if line.startswith("global")]
    assert any("dash=1" in line for line in shared) == (share == "all")
    circles = [line for line in text.splitlines() if line.startswith("circle")]
    if share != "all":  # else the line above says it for all
        assert ["dash=1" in line for line in circles] == [bool(row["flags"]) for row in table]
    again = Regions.parse(text, format="ds9")
    dashed = [circle.visual.get("linestyle") == "dashed" for circle in again]
    assert dashed == [bool(row["flags"]) for row in table]


def test_circles_are_twice_the_psf_unless_told(found: QTable) -> None:
    assert found.meta["psf_fwhm"] > 2
    (circle, *_) = detection_regions(found)
    assert circle.radius == pytest.approx(max(2 * found.meta["psf_fwhm"], 5))
    assert detection_regions(found, radius=11)[0].radius == 11


def test_no_detections_make_an_empty_region_file(found: QTable, tmp_path: Path) -> None:
    write_detections(found[:0], tmp_path / "none.reg")
    text = (tmp_path / "none.reg").read_text()
    assert text.startswith("# Region file format: DS9")
    assert "circle" not in text


def test_reasons_are_ascii_as_fits_wants(found: QTable) -> None:
    assert all(text.isascii() for name in ("flags", "reasons") for text in found[name])


@pytest.mark.parametrize("name", ["found.csv", "found", "found.txt"])
def test_other_extensions_are_refused_by_name(found: QTable, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"detections are kept as \.ecsv, \.fits, \.reg"):
        write_detections(found, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_an_existing_file_is_kept_unless_allowed(found: QTable, tmp_path: Path) -> None:
    path = tmp_path / "found.ecsv"
    path.write_text("mine")
    with pytest.raises(InputError, match="the file exists"):
        write_detections(found, path, overwrite=False)
    assert path.read_text() == "mine"


def test_what_is_no_table_of_detections_is_refused(tmp_path: Path) -> None:
    Exposure(np.zeros((9, 9)), 1.0).write(tmp_path / "image.fits")
    (tmp_path / "text.ecsv").write_text("hello\n")
    QTable({"a": [1]}).write(tmp_path / "other.ecsv")
    for name, reason in (
        ("image.fits", "no extension DETECTIONS"),
        ("text.ecsv", "not an ECSV table"),
        ("other.ecsv", "not one of detections"),
        ("absent.fits", "no such file"),
        ("circles.reg", "regions hold no measurements"),
    ):
        with pytest.raises(ReadError, match=reason):
            read_detections(tmp_path / name)
