"""Garbage is looked for when no page has changed for a while, and what is left is found."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest

from zogy_explorer import ZogyConfig
from zogy_explorer.ui import explorer
from zogy_explorer.ui import housekeeping as module
from zogy_explorer.ui.housekeeping import GIVE_BACK_AFTER, GIVE_BACK_AT_LAST, QUIET, Housekeeping
from zogy_explorer.ui.live import Job, Lane, cell_pool
from zogy_explorer.ui.session import Session

NEVER = 10**9


class Document:
    """Tells of changes when the test says so."""

    def on_change(self, heard):
        self.change = lambda: heard(None)


class Knot:
    """Something that only a search for garbage finds."""

    def __init__(self):
        self.itself = self


def knot():
    return weakref.ref(Knot())


class NoCourier:
    """Of a page that has gone: brings nothing."""

    def post(self, call):
        pass

    def every(self, milliseconds, call):
        return lambda: None


class Clock:
    """Turned by the test."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def by_hand():
    """No search but the one that is asked for."""
    gc.disable()
    yield
    gc.enable()


def test_a_page_that_has_gone_is_let_go_when_the_others_are_quiet(clock):
    keeping, other = Housekeeping(NEVER, clock), Document()
    keeping.page_opens(other)
    keeping.page_opens(Document())
    keeping.page_closes()
    left = knot()
    clock.now += 0.9 * QUIET
    other.change()
    clock.now += 0.9 * QUIET
    keeping.look()
    assert left() is not None  # the other page was at work
    clock.now += 0.2 * QUIET
    keeping.look()
    assert left() is None


def test_a_quiet_page_is_searched_only_when_much_was_made(clock):
    keeping = Housekeeping(NEVER, clock)
    keeping.page_opens(Document())
    left = knot()
    clock.now += 2 * QUIET
    keeping.look()
    assert left() is not None
    keeping = Housekeeping(0, clock)
    clock.now += 2 * QUIET
    keeping.look()
    assert left() is None


def test_memory_goes_back_after_the_search_when_a_page_has_gone_and_only_then(monkeypatch, clock):
    left = []
    alive_when_given_back = []
    monkeypatch.setattr(
        module, "give_back", lambda: alive_when_given_back.append(left[-1]() is not None)
    )
    keeping = Housekeeping(0, clock)
    keeping.page_opens(Document())
    keeping.page_opens(Document())
    left.append(knot())
    clock.now += 2 * QUIET
    keeping.look()
    assert left[-1]() is None
    assert alive_when_given_back == []  # the page that is open needs it again
    left.append(knot())
    keeping.page_closes()
    keeping.look()
    clock.now += GIVE_BACK_AFTER + QUIET
    keeping.look()
    keeping.look()
    assert alive_when_given_back == [False]


def test_memory_is_given_back_when_visits_pause_or_have_gone_on_for_long(monkeypatch, clock):
    given = []
    monkeypatch.setattr(module, "give_back", lambda: given.append(clock.now))
    keeping = Housekeeping(NEVER, clock)

    def visit():
        keeping.page_opens(Document())
        keeping.page_closes()
        clock.now += 0.6 * GIVE_BACK_AFTER
        keeping.look()

    visit()
    visit()
    assert given == []
    clock.now += GIVE_BACK_AFTER
    keeping.look()
    keeping.look()
    assert given == [clock.now]
    start = clock.now
    while len(given) == 1:
        visit()
    assert GIVE_BACK_AT_LAST < given[1] - start < GIVE_BACK_AT_LAST + GIVE_BACK_AFTER


def test_it_looks_by_itself_until_the_last_page_was_cleared_away(monkeypatch):
    monkeypatch.setattr(module, "LOOK_EVERY", 0.001)
    monkeypatch.setattr(module, "QUIET", 0.0)
    monkeypatch.setattr(module, "GIVE_BACK_AFTER", 0.0)

    async def life():
        keeping = Housekeeping(NEVER)
        keeping.page_opens(Document())
        left = knot()
        keeping.page_closes()
        loop = asyncio.get_running_loop()
        end = loop.time() + 10
        while left() is not None or len(asyncio.all_tasks()) > 1 or loop._scheduled:
            assert loop.time() < end
            await asyncio.sleep(0)
        return keeping

    asyncio.run(life())


def test_a_server_that_has_stopped_does_not_keep_the_next_from_looking(monkeypatch, clock):
    monkeypatch.setattr(module, "LOOK_EVERY", 0.001)
    keeping = Housekeeping(NEVER, clock)

    async def opened():
        keeping.page_opens(Document())

    asyncio.run(opened())  # its loop is closed with a look still due
    keeping.page_closes()
    left = knot()
    clock.now += 2 * QUIET

    async def next_page():
        keeping.page_opens(Document())
        clock.now += 2 * QUIET
        end = asyncio.get_running_loop().time() + 10
        while left() is not None and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0)

    asyncio.run(next_page())
    assert left() is None


def test_libraries_are_not_searched_on_a_server():
    gc.enable()
    before = gc.get_threshold()
    module.housekeeping.cache_clear()
    try:
        module.housekeeping()
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold()[2] == module.SELDOM * before[2]
        assert module.housekeeping() is module.housekeeping()
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
        module.housekeeping.cache_clear()


def test_a_closed_session_holds_no_images_though_somebody_holds_it(pair):
    session = Session(ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0), live=False)
    science, template = (exposure.replace(image=exposure.image.copy()) for exposure in pair)
    session.open_exposures(science, template)
    session.pin()
    session.studies.explaining.answer(40.0, 30.0)
    session.studies.injecting.wanted = session.studies.injecting.armed = True
    session.studies.asking.wanted = True
    session.studies.tap(40.0, 30.0)
    assert session.studies.injecting.injection is not None
    assert session.studies.asking.answer is not None
    difference = session.frame.difference
    images = [weakref.ref(e.image) for e in (science, template, difference.diff)]
    del science, template, difference
    session.close()
    gc.collect()
    assert [image() for image in images] == [None] * 3


def test_what_ran_when_the_page_went_is_let_go_when_it_has_ended():
    started, gate = threading.Event(), threading.Event()
    held = Knot()

    def work(token, progress, held=held):
        started.set()
        gate.wait(30)

    lane = Lane(cell_pool)
    lane.submit(Job(work, lambda found: None, pytest.fail, courier=NoCourier()))
    started.wait(30)
    left = weakref.ref(held)
    del held, work
    lane.close()
    gate.set()
    for _ in range(1000):
        gc.collect()
        if left() is None:
            break
        threading.Event().wait(0.01)
    assert left() is None
    assert lane.idle


def test_nothing_of_a_page_is_made_before_the_libraries_are_set_aside(monkeypatch):
    def set_aside():
        raise LookupError("what is there now is never searched again")

    monkeypatch.setattr(explorer, "served_document", object)
    monkeypatch.setattr(explorer, "housekeeping", set_aside)
    monkeypatch.setattr(explorer, "Session", None)
    with pytest.raises(LookupError):
        explorer.ZogyExplorer()
