"""The boxes of file paths tell of the pair on screen, or nothing."""

from __future__ import annotations

import pytest

from zogy_explorer.ui.session import Session
from zogy_explorer.ui.sidebar import Sidebar


@pytest.fixture
def sidebar(session, pair, tmp_path):
    """With a pair opened by the paths in its boxes."""
    made = Sidebar(session, lambda write: write())
    paths = [str(tmp_path / name) for name in ("science.fits", "template.fits")]
    for exposure, path in zip(pair, paths, strict=True):
        exposure.write(path)
    for box, path in zip(boxes(made), paths, strict=True):
        box.value_input = path
        box.value = path
    click(made.open)
    assert session.pair.origin == "files"
    assert texts(made) == paths
    return made


def boxes(sidebar):
    return sidebar.science_path, sidebar.template_path


def texts(sidebar):
    assert [box.value_input for box in boxes(sidebar)] == [box.value for box in boxes(sidebar)]
    return [box.value for box in boxes(sidebar)]


def click(button):
    button.clicks += 1


def test_a_sample_empties_them(sidebar, session: Session):
    sidebar.sample.value = "perfect"
    assert session.pair.origin == "sample"
    assert texts(sidebar) == ["", ""]
    click(sidebar.open)
    assert "no science file was given" in session.alert


def test_so_do_uploads(sidebar, session: Session, tmp_path):
    files = [(name, (tmp_path / name).read_bytes()) for name in ("science.fits", "template.fits")]
    session.open_uploads(*files)
    assert session.pair.origin == "upload"
    assert texts(sidebar) == ["", ""]


def test_a_wrong_file_keeps_what_was_typed(sidebar, session: Session):
    kept = session.pair
    sidebar.science_path.param.update(value="nowhere.fits", value_input="nowhere.fits")
    click(sidebar.open)
    assert session.pair is kept
    assert texts(sidebar)[0] == "nowhere.fits"


def test_other_settings_and_a_registration_keep_them(sidebar, session: Session):
    before = texts(sidebar)
    session.edit(maxPsfCentroidDist=0.4)
    session.studies.asking.dx = 0.1
    session.studies.asking.register()
    assert session.pair.registered is not None
    assert texts(sidebar) == before


def test_what_is_being_typed_is_not_taken_away(sidebar, session: Session):
    sidebar.science_path.value_input = "half a pa"
    session.open_sample("perfect")
    assert session.pair.origin == "sample"
    assert sidebar.science_path.value_input == "half a pa"
