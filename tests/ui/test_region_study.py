"""Region files are read off the page's thread, once, and the newest wins."""

from __future__ import annotations

import threading
import time

import pytest
from regions import Regions

from tests.ui.test_imported_regions import sky_exposures
from tests.ui.test_live import HandCourier
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.studies import importing

SKY = b'# Region file format: DS9\nicrs\ncircle(150.0,2.0,1") # text={%s}\n'


@pytest.fixture
def courier():
    return HandCourier()


@pytest.fixture
def live(courier):
    """A session whose work is done in threads; the test is the page's thread."""
    session = Session(courier=courier)
    session.open_exposures(*sky_exposures(150.0))
    run(courier, lambda: session.idle)
    yield session
    session.close()


def run(courier, done):
    """Let the page's thread work until ``done``."""
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        courier.run_next()


def labels(session):
    return [point.label for point in session.imported.points]


def test_a_file_is_read_in_another_thread(live, courier, monkeypatch):
    threads, gate = [], threading.Event()
    read = importing.import_regions

    def slowly(*args):
        gate.wait(5)
        threads.append(threading.current_thread())
        return read(*args)

    monkeypatch.setattr(importing, "import_regions", slowly)
    study = live.studies.importing
    study.mark(SKY % b"a", "a.reg")
    assert study.busy  # and the page's thread is free
    assert live.imported is None
    gate.set()
    run(courier, lambda: not study.busy)
    assert labels(live) == ["a"]
    assert threads[0] is not threading.current_thread()


def test_the_file_is_parsed_once_however_many_pairs_follow(session, monkeypatch):
    parsed = []
    parse = Regions.parse
    monkeypatch.setattr(
        Regions, "parse", lambda *args, **kwargs: (parsed.append(1), parse(*args, **kwargs))[1]
    )
    session.open_exposures(*sky_exposures(150.0))
    session.studies.importing.mark(SKY % b"a", "a.reg")
    for ra in (150.001, 150.002, 150.001):
        session.open_exposures(*sky_exposures(ra))
        assert session.imported.pair is session.pair
    assert session.imported.points[0].x == pytest.approx(70, abs=0.1)
    assert len(parsed) == 1


def test_of_many_files_the_newest_is_marked(live, courier):
    study = live.studies.importing
    for name in (b"a", b"b", b"c"):
        study.mark(SKY % name, f"{name.decode()}.reg")
    run(courier, lambda: not study.busy)
    assert labels(live) == ["c"]


def test_a_file_that_was_read_for_the_pair_before_is_put_on_the_new_one(live, courier, monkeypatch):
    gate, read = threading.Event(), importing.import_regions
    monkeypatch.setattr(importing, "import_regions", lambda *args: (gate.wait(5), read(*args))[1])
    study = live.studies.importing
    study.mark(SKY % b"a", "a.reg")
    live.open_exposures(*sky_exposures(150.001))
    run(courier, lambda: live.idle)
    assert study.busy
    gate.set()
    run(courier, lambda: not study.busy)
    assert live.imported.pair is live.pair
    assert live.imported.points[0].x == pytest.approx(70, abs=0.1)


def test_marks_that_were_cleared_meanwhile_do_not_come_back(live, courier, monkeypatch):
    study = live.studies.importing
    study.mark(SKY % b"a", "a.reg")
    run(courier, lambda: not study.busy)
    gate, on = threading.Event(), importing.ImportedRegions.on
    monkeypatch.setattr(importing.ImportedRegions, "on", lambda *args: (gate.wait(5), on(*args))[1])
    live.open_exposures(*sky_exposures(150.001))
    run(courier, lambda: live.idle)
    assert study.busy
    live.imported = None
    gate.set()
    run(courier, lambda: not study.busy)
    assert live.imported is None


def test_a_good_file_takes_back_what_was_said_of_a_bad_one_and_nothing_else(session):
    study = session.studies.importing
    study.mark(b"once upon a time", "tale.reg")
    assert "tale.reg" in session.alert
    study.mark(b"image\ncircle(1,2,3)\n", "a.reg")
    assert not session.alert
    session.alert = "something else"
    study.mark(b"image\ncircle(1,2,3)\n", "a.reg")
    assert session.alert == "something else"


def test_a_page_that_has_gone_keeps_no_images_of_its_regions(session):
    session.studies.importing.mark(b"image\ncircle(1,2,3)\n", "a.reg")
    session.close()
    assert session.imported is None
