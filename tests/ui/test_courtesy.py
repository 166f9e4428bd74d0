"""Long work waits while short work is running, but not for ever, and stops when it is told to."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from zogy_explorer.errors import CancelledError
from zogy_explorer.ui import courtesy as module
from zogy_explorer.ui.courtesy import Courtesy, PoliteToken


@pytest.fixture
def courtesy(monkeypatch):
    made = Courtesy()
    monkeypatch.setattr(module, "courtesy", lambda: made)
    return made


def test_nothing_waits_while_nobody_is_in_a_hurry(courtesy):
    start = time.monotonic()
    for _ in range(1000):
        PoliteToken().check()
    assert time.monotonic() - start < module.PATIENCE


def test_long_work_goes_on_when_the_short_is_done(courtesy):
    order = []
    started = threading.Event()

    def long_work():
        started.wait()
        PoliteToken().check()
        order.append("long")

    worker = threading.Thread(target=long_work)
    worker.start()
    with courtesy.first():
        started.set()
        worker.join(module.PATIENCE / 4)
        order.append("short")
    worker.join()
    assert order == ["short", "long"]


def test_long_work_gets_on_beside_short_work_without_end(courtesy):
    with courtesy.first():
        start = time.monotonic()
        PoliteToken().check()
        assert time.monotonic() - start >= 0.9 * module.PATIENCE


def test_what_is_cancelled_while_it_waits_stops(courtesy):
    token = PoliteToken()
    with courtesy.first():
        threading.Timer(0.02, token.cancel).start()
        with pytest.raises(CancelledError):
            token.check()


def test_short_work_that_fails_holds_nobody_up(courtesy):
    with pytest.raises(ValueError, match="broken"), courtesy.first():
        raise ValueError("broken")
    start = time.monotonic()
    PoliteToken().check()
    assert time.monotonic() - start < module.PATIENCE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives threads a niceness")
def test_long_work_steps_back_behind_other_programs():
    def niceness():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    with ThreadPoolExecutor(1, initializer=module.step_back) as pool:
        assert pool.submit(niceness).result() == min(niceness() + module.LONG_WORK_NICENESS, 19)
