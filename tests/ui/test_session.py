"""What can happen to one user's session, without a browser."""

from __future__ import annotations

import time

import numpy as np
import pytest

from zogy_explorer import KernelPsf, ZogyConfig
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.state import Pair


def selected(session):
    assert session.cell is not None
    return session.cell


def test_opening_a_pair_fills_frame_selection_and_log(session):
    assert session.frame.number == 1
    assert len(session.frame.cells) == 9
    assert selected(session).ok
    assert "opened exposure1 ▸ exposure2" in session.notices[0].text
    assert session.idle
    assert not session.busy


def test_a_centroid_tolerance_below_the_distance_fails_the_cell_and_above_recovers_it(session):
    session.edit(maxPsfCentroidDist=0.05)
    assert not selected(session).ok
    assert "the PSF centroids are 0.08" in selected(session).describe_failure()
    assert any("cells failed" in notice.text for notice in session.notices)
    session.edit(maxPsfCentroidDist=0.2)
    assert selected(session).ok


def test_dragging_changes_the_selected_cell_only_and_releasing_the_frame(session):
    before = session.frame
    session.drag(maxPsfCentroidDist=0.05)
    assert session.frame is before
    assert session.live_cell is not None
    assert not selected(session).ok
    assert session.stale
    session.commit()
    assert session.frame.number == 2
    assert session.live_cell is None
    assert len(session.frame.difference.failed) == 9
    assert not session.stale


def test_border_and_fft_size_change_the_outer_box_and_d(session):
    session.edit(doSpatialGrid=False)
    before = selected(session)
    session.edit(borderSize=40, fftSizing="powerOfTwo")
    after = selected(session)
    assert after.cell.inner == before.cell.inner
    assert after.cell.outer.shape == (256, 256)
    assert before.diff is not None
    assert after.diff is not None
    assert not np.array_equal(after.diff, before.diff)


def test_releasing_without_a_change_runs_nothing(session):
    session.commit()
    assert session.frame.number == 1


def test_a_control_brought_back_to_where_it_was_leaves_the_frame_right(session):
    session.drag(maxPsfCentroidDist=0.05)
    session.drag(maxPsfCentroidDist=0.2)
    session.commit()
    assert session.frame.number == 1
    assert session.live_cell is None
    assert not session.stale


def test_an_edit_from_python_is_seen_as_from_a_widget(session):
    session.config.maxPsfCentroidDist = 0.05
    assert session.frame.number == 2
    assert not selected(session).ok


def test_selection_follows_taps_arrows_and_survives_a_new_grid(session):
    session.select_at(5, 5)
    assert selected(session).cell.name == "r0c0"
    session.step(1, 0)
    session.step(0, 1)
    assert selected(session).cell.name == "r1c1"
    x, y = selected(session).cell.inner.center
    session.edit(gridInnerSize=4.0)
    assert selected(session).cell.inner.contains_point(x, y)


def test_a_tap_off_the_image_and_a_step_over_the_edge_change_nothing(session):
    session.select(0)
    session.select_at(-20, 5)
    session.step(-1, 0)
    session.select(99)
    assert selected(session).cell.index == 0


def test_undo_and_redo_walk_through_committed_settings(session):
    session.edit(maxPsfCentroidDist=0.05)
    session.drag(borderSize=20)
    session.drag(borderSize=25)
    session.commit()
    session.undo()
    assert session.config.borderSize is None
    assert session.can_redo
    session.undo()
    assert session.config.maxPsfCentroidDist == 0.2
    assert not session.can_undo
    session.redo()
    assert session.config.maxPsfCentroidDist == 0.05
    assert not selected(session).ok


def test_reset_and_presets_are_one_step(session):
    session.use_preset(ZogyConfig.lsst(strict=False))
    assert session.config.fftSizing == "powerOfTwo"
    session.reset()
    assert session.config.to_dict()["gridInnerSize"] == 2.0
    session.undo()
    assert session.config.fftSizing == "powerOfTwo"


def test_a_value_out_of_bounds_is_one_sentence_and_changes_nothing(session):
    session.edit(maxPsfCentroidDist=-1.0)
    assert "maxPsfCentroidDist" in session.alert
    assert session.config.maxPsfCentroidDist == 0.2
    assert session.frame.number == 1


def narrower(exposure):
    part = {name: getattr(exposure, name)[:, :110] for name in ("image", "variance", "mask")}
    return exposure.replace(**part)


def bad_pairs():
    nan = np.full((96, 120), np.nan, dtype=np.float32)
    return [
        pytest.param(narrower, "110", id="shapes"),
        pytest.param(lambda e: e.replace(image=nan), "no finite pixel", id="all NaN"),
        pytest.param(lambda e: e.replace(variance=None), "has no variance", id="no variance"),
        pytest.param(lambda e: e.replace(psf=None), "has no PSF", id="no PSF"),
        pytest.param(lambda e: e.replace(photo_calib=None), "calib", id="no calibration"),
        pytest.param(
            lambda e: e.replace(psf=KernelPsf(np.ones((201, 201)))), "201×201", id="PSF too large"
        ),
    ]


@pytest.mark.parametrize(("spoil", "words"), bad_pairs())
def test_a_bad_pair_is_one_sentence_and_the_old_pair_stays(session, pair, spoil, words):
    before = session.frame
    session.open_exposures(spoil(pair[0]), pair[1])
    assert words in session.alert
    assert "\n" not in session.alert
    assert session.frame is before
    assert not session.busy


def test_a_path_that_is_not_there_keeps_the_old_pair(session, tmp_path):
    before = session.frame
    session.open_paths(str(tmp_path / "no.fits"), str(tmp_path / "no.fits"))
    assert "no.fits" in session.alert
    assert session.frame is before


def test_an_empty_path_says_which_file_is_missing(session):
    session.open_paths("", "x.fits")
    assert "no science file" in session.alert


def test_one_file_as_science_and_template_is_said_in_place_of_a_factor(pair, tmp_path):
    pair[0].write(tmp_path / "a.fits")
    session = Session(live=False)
    session.open_paths(str(tmp_path / "a.fits"), str(tmp_path / "a.fits"))
    assert session.frame.noise.sentence.startswith("Science and template are the same image")
    said = [notice.text for notice in session.notices]
    assert said.count(session.frame.noise.sentence) == 1
    assert not any("understated" in text for text in said)


def test_files_outside_the_root_are_refused_even_through_a_link(pair, tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out.fits"
    inside.mkdir()
    outside.write_bytes(b"")
    (inside / "link.fits").symlink_to(outside)
    session = Session(live=False, root=inside)
    session.open_paths(str(inside / "link.fits"), str(inside / "link.fits"))
    assert "only opens files in that folder" in session.alert


def test_a_new_pair_clears_the_alert_and_the_history(session, pair):
    session.edit(maxPsfCentroidDist=-1.0)
    session.edit(maxPsfCentroidDist=0.5)
    session.open_exposures(pair[1], pair[0])
    assert session.alert == ""
    assert not session.can_undo
    assert session.frame.pair.science_name == "exposure2"


def test_two_sessions_share_nothing(pair):
    first, second = (Session(live=False) for _ in range(2))
    first.open_exposures(*pair)
    first.edit(maxPsfCentroidDist=0.01)
    assert second.frame is None
    assert second.config.maxPsfCentroidDist == 0.2
    assert second.notices == ()


def test_noise_that_departs_from_one_is_said_with_advice(pair):
    science, template = pair
    session = Session(live=False)
    session.open_exposures(
        *(e.replace(variance=np.full((96, 120), 5.0)) for e in (science, template))
    )
    noise = session.frame.noise
    assert noise.severity == "warning"
    assert f"σ(Scorr) is {noise.sigma:.2f}, not 1" in noise.sentence
    assert "correlated noise" in noise.advice
    assert any(notice.text == noise.sentence for notice in session.notices)


def test_an_edit_while_a_pair_is_opened_keeps_the_settings_that_suit_the_pair(pair):
    waiting: list = []

    class Patient:
        """Holds results back until they are asked for."""

        def post(self, call):
            waiting.append(call)

        def every(self, milliseconds, call):
            return lambda: None

    session = Session(ZogyConfig(doSpatialGrid=True), courier=Patient())
    suited = Pair(*pair, config={"gridInnerSize": 2.0, "borderScale": 7.0})
    session.open(lambda: suited, "opening")
    session.config.borderScale = 9.0
    deadline = time.monotonic() + 20
    while not (session.idle and session.frame is not None and not session.stale):
        assert time.monotonic() < deadline
        while waiting:
            waiting.pop(0)()
    assert session.config.gridInnerSize == 2.0
    assert session.config.borderScale == 9.0
    session.close()
