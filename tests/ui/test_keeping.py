"""A session kept as plain values, its runs, and settings of single cells."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from zogy_explorer import ZogyConfig
from zogy_explorer.errors import InputError, ReadError
from zogy_explorer.ui import location
from zogy_explorer.ui.runs import FrameCache, frame_size
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.session_file import (
    SessionSpec,
    parse_session,
    read_session_file,
    session_text,
    spec_of,
    write_session_file,
)
from zogy_explorer.ui.studies.detections import LEAST_THRESHOLD


@pytest.fixture
def files(pair, tmp_path):
    paths = []
    for exposure, name in zip(pair, ("science", "template"), strict=True):
        exposure.write(tmp_path / f"{name}.fits")
        paths.append(str(tmp_path / f"{name}.fits"))
    return paths


@pytest.fixture
def from_files(files):
    session = Session(ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0), live=False)
    session.open_paths(*files)
    return session


def worked_on(session):
    session.edit(maxPsfCentroidDist=0.5, padFill="mirror", ignoreMaskPlanes=["SAT"])
    session.select(4)
    session.scope = "cell"
    session.edit(minBorder=25)
    session.display = replace(session.display, sky_stretch="log", hidden_planes={"CR"})
    session.view = (10.0, 5.0, 60.0, 40.0)
    session.studies.detections.threshold = 6.5
    return session


def test_a_saved_session_gives_the_same_page(from_files, tmp_path):
    worked_on(from_files)
    path = tmp_path / "s.json"
    write_session_file(spec_of(from_files), path)
    other = Session(live=False)
    other.open_session(read_session_file(path))
    assert other.alert == ""
    assert other.config.to_dict() == from_files.config.to_dict()
    assert other.overrides == from_files.overrides == {"r1c1": {"minBorder": 25}}
    assert other.cell.cell == from_files.cell.cell
    assert other.display == from_files.display
    assert other.wanted_view == from_files.view
    assert other.studies.detections.threshold == 6.5
    for name in ("scorr",):
        assert np.array_equal(
            getattr(other.frame.difference, name), getattr(from_files.frame.difference, name)
        )
    other.view = other.wanted_view
    assert spec_of(other) == spec_of(from_files)


def test_a_session_that_says_no_threshold_has_the_default_of_the_page(session):
    assert "threshold" not in spec_of(session).to_dict()
    before = session.studies.detections.threshold
    session.studies.detections.threshold = 8.0
    session.open_session(parse_session(json.dumps({"zogyExplorerSession": 1}), "old.json"))
    assert session.studies.detections.threshold == before == SessionSpec().threshold
    with pytest.raises(ReadError, match=f"at least {LEAST_THRESHOLD:g}"):
        parse_session(json.dumps({"zogyExplorerSession": 1, "threshold": 2.9}), "s.json")


def test_the_sample_pair_comes_back_with_settings_of_the_session_only():
    session = Session(live=False)
    session.open_sample()
    session.edit(gridInnerSize=8.0, doSpatialGrid=False)
    other = Session(live=False)
    other.open_session(parse_session(session_text(spec_of(session)), "s.json"))
    assert other.config.to_dict() == session.config.to_dict()
    assert len(other.frame.cells) == 1


def test_a_session_of_uploads_asks_for_the_pair_and_goes_on_when_it_is_there(session, pair):
    spec = spec_of(session)
    assert spec.origin == "python"
    other = Session(live=False)
    other.open_session(spec)
    assert "open both again" in other.alert
    assert other.frame is None
    other.open_exposures(*pair)
    other.open_session(replace(spec, config={**spec.config, "padFill": "zero"}))
    assert other.alert == ""
    assert other.config.padFill == "zero"


def test_a_session_file_outside_the_root_opens_nothing(from_files, tmp_path):
    (tmp_path / "in").mkdir()
    other = Session(live=False, root=tmp_path / "in")
    other.open_session(spec_of(from_files))
    assert "only opens files in that folder" in other.alert


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"confg": {}}, "did you mean config"),
        ({"config": {"maxPsfCentroid": 1}}, "did you mean maxPsfCentroidDist"),
        ({"display": {"sky_strech": "log"}}, "did you mean sky_stretch"),
        ({"display": {"sky_stretch": "cubic"}}, "must be one of linear"),
        ({"view": [1, 2]}, "left, bottom, right, top"),
        ({"pair": {"origin": "moon"}}, "must be one of files"),
        ({"pair": {"origin": "files"}}, "names no files"),
        ({"cells": {"r0c0": {"gridInnerSize": 3}}}, "whole frame"),
        ({"zogyExplorerSession": 99}, "version 99"),
        ({"config": 5}, "must be an object"),
        ({"threshold": 2}, "threshold is 2: it must be a number of at least 3"),
        ({"threshold": "high"}, "threshold is 'high'"),
    ],
)
def test_what_is_wrong_with_a_session_file_is_one_sentence(change, words):
    text = json.dumps(SessionSpec().to_dict() | change)
    with pytest.raises(ReadError, match=words) as caught:
        parse_session(text, "s.json")
    assert "\n" not in str(caught.value)
    for junk in ("{", "[1]", "{}"):
        with pytest.raises(ReadError):
            parse_session(junk, "s.json")


def test_an_unusable_session_keeps_the_page(session):
    before = session.frame
    session.open_session_file(b"{", "s.json")
    assert "not a session" in session.alert
    assert session.frame is before


def test_every_run_is_listed_with_what_it_changed(session):
    session.edit(padFill="zero")
    session.edit(maxPsfCentroidDist=0.05, padFill="mirror")
    assert [run.number for run in session.runs] == [1, 2, 3]
    assert [run.changes for run in session.runs] == [
        "opened",
        "padFill noise → zero",
        "maxPsfCentroidDist 0.2 → 0.05, padFill zero → mirror",
    ]
    assert session.runs[2].counts["failed"] == 9


def test_going_back_to_a_run_takes_its_frame_from_memory(session):
    first = session.frame.difference
    session.edit(padFill="zero")
    session.return_to(1)
    assert session.frame.difference is first
    assert session.frame.number == 1
    assert session.config.padFill == "noise"
    assert not session.stale
    session.undo()
    assert session.frame.number == 2
    session.edit(borderSize=20)
    assert session.frame.number == 3


def test_recompute_computes(session):
    first = session.frame.difference
    session.recompute()
    assert session.frame.difference is not first
    assert session.frame.number == 2


def test_frames_to_go_back_to_have_bounded_room(session):
    frame = session.frame
    cache = FrameCache(room=2 * frame_size(frame))
    for border in (10, 12, 14, 16):
        session.edit(minBorder=border, gridInnerSize=1.0)
        cache.keep(session.frame)
    assert len(cache) == 2
    assert cache.size <= 2 * frame_size(frame)
    assert cache.find(session.settings_hash) is not None


def test_a_new_pair_forgets_the_runs_of_the_old_one(session, pair):
    session.edit(padFill="zero")
    session.open_exposures(pair[1], pair[0])
    assert len(session.runs) == 1


def test_settings_of_one_cell_change_that_cell_only(session):
    session.select(0)
    before = session.frame.difference
    session.scope = "cell"
    session.edit(padFill="zero", maxPsfCentroidDist=0.01)
    assert session.config.padFill == "noise"
    assert session.overrides == {"r0c0": {"padFill": "zero", "maxPsfCentroidDist": 0.01}}
    after = session.frame.difference
    assert [cell.cell.name for cell in after.failed] == ["r0c0"]
    assert all(
        np.array_equal(a.scorr, b.scorr)
        for a, b in zip(before.cells[1:], after.cells[1:], strict=True)
    )


def test_the_controls_show_the_settings_of_the_selected_cell(session):
    session.select(0)
    session.scope = "cell"
    session.edit(minBorder=20)
    assert session.editor.minBorder == 20
    session.select(3)
    assert session.editor.minBorder == 0
    session.select(0)
    assert session.editor.minBorder == 20
    session.scope = "all"
    assert session.editor.minBorder == 0
    session.config.minBorder = 5
    assert session.editor.minBorder == 5


def test_undo_takes_back_settings_of_a_cell(session):
    session.select(0)
    session.scope = "cell"
    session.edit(padFill="zero")
    session.undo()
    assert session.overrides == {}
    assert session.frame.plan.overrides == {}
    session.redo()
    assert session.overrides == {"r0c0": {"padFill": "zero"}}


def test_a_cell_can_be_set_back_or_made_the_rule(session):
    session.select(0)
    session.scope = "cell"
    session.edit(padFill="zero")
    session.clear_override()
    assert session.overrides == {}
    session.edit(padFill="mirror")
    session.apply_to_all()
    assert session.overrides == {}
    assert session.config.padFill == "mirror"


def test_what_a_single_cell_cannot_have_is_said_and_not_done(session):
    session.scope = "cell"
    session.edit(gridInnerSize=4.0)
    assert "belongs to the whole frame" in session.alert
    assert session.editor.gridInnerSize == session.config.gridInnerSize == 2.0
    assert session.overrides == {}


def test_a_new_grid_drops_settings_of_single_cells_and_undo_brings_them_back(session):
    session.scope = "cell"
    session.edit(padFill="zero")
    own = session.overrides
    session.scope = "all"
    session.edit(gridInnerSize=3.0)
    assert session.overrides == {}
    assert any("were dropped" in notice.text for notice in session.notices)
    session.undo()
    assert session.overrides == own


def test_dragging_one_cell_leaves_the_frame_until_it_is_let_go(session):
    session.scope = "cell"
    session.drag(maxPsfCentroidDist=0.01)
    assert session.frame.number == 1
    assert not session.cell.ok
    session.commit()
    assert session.frame.number == 2
    assert len(session.frame.difference.failed) == 1


def test_a_session_without_a_pair_has_nothing_to_save():
    with pytest.raises(InputError, match="no pair"):
        spec_of(Session(live=False))


def test_the_address_has_new_settings_before_their_frame(session, monkeypatch):
    monkeypatch.setattr(location, "pn", SimpleNamespace(state=SimpleNamespace(loaded=True)))
    address = location.Address(session, lambda paint: paint())
    address._location = SimpleNamespace(search="")
    session.edit(padFill="mirror")
    session.stale = True  # as while the frame is computed
    address._write()
    assert "set.padFill=mirror" in address._location.search
    session.drag(padFill="constant")  # a control that is being moved
    address._write()
    assert "set.padFill=mirror" in address._location.search
