"""What the page calls a pair."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from zogy_explorer.ui.header import pair_names


def test_files_are_called_by_their_folder_too(session):
    pair = replace(session.pair, science_name="science.fits", template_name="template.fits")
    assert pair_names(pair)[0] == "science.fits ▸ template.fits"
    paths = (Path("/data/goto/science.fits"), Path("/data/goto/template.fits"))
    names, where = pair_names(replace(pair, paths=paths))
    assert names == "goto: science.fits ▸ template.fits"
    assert where == "/data/goto/science.fits ▸ /data/goto/template.fits"


def test_two_folders_are_named_by_the_file_names_themselves(session):
    pair = replace(session.pair, science_name="a/s.fits", template_name="b/s.fits")
    names, where = pair_names(replace(pair, paths=(Path("/x/a/s.fits"), Path("/x/b/s.fits"))))
    assert names == "a/s.fits ▸ b/s.fits"
    assert where == "/x/a/s.fits ▸ /x/b/s.fits"
