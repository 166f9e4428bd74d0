"""Lanes: latest wins, cancel stops, nothing is lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import pytest

from zogy_explorer.errors import CancelledError
from zogy_explorer.ui.couriers import InlineCourier
from zogy_explorer.ui.live import InlineExecutor, Job, Lane, Painter


class HandCourier:
    """Keeps posted calls until the test, playing the page's thread, runs them."""

    def __init__(self) -> None:
        self.calls: Queue[Callable[[], object]] = Queue()
        self.polls: list[Callable[[], None]] = []

    def post(self, call):
        self.calls.put(call)

    def every(self, milliseconds, call):
        self.polls.append(call)
        return lambda: self.polls.remove(call)

    def run_next(self):
        outcome = self.calls.get(timeout=5)()
        if outcome is not None:
            InlineCourier().post(lambda: outcome)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(1) as executor:
        yield executor


def job(work, landed, *, courier, errors=None, **more):
    def keep(error):
        (errors if errors is not None else landed).append(error)

    return Job(work=work, on_result=landed.append, on_error=keep, courier=courier, **more)


def test_only_the_first_and_the_latest_of_a_burst_run(pool):
    courier, landed, gate = HandCourier(), [], threading.Event()
    lane = Lane(lambda: pool)
    for value in range(5):
        lane.submit(job(lambda t, p, v=value: (gate.wait(5), v)[1], landed, courier=courier))
    gate.set()
    courier.run_next()
    courier.run_next()
    assert landed == [0, 4]
    assert lane.idle


def test_a_long_lane_cancels_the_running_job_for_a_newer_one(pool):
    courier, landed, cancelled, started = HandCourier(), [], [], threading.Event()

    def endless(token, progress):
        started.set()
        while True:
            token.check()

    lane = Lane(lambda: pool, cancel_running=True)
    lane.submit(job(endless, landed, courier=courier, on_cancel=lambda: cancelled.append(1)))
    assert started.wait(5)
    lane.submit(job(lambda t, p: "new", landed, courier=courier))
    courier.run_next()
    courier.run_next()
    assert landed == ["new"]
    assert cancelled == [1]


def test_cancel_drops_the_waiting_job_and_stops_the_running_one(pool):
    courier, landed, cancelled, started = HandCourier(), [], [], threading.Event()

    def endless(token, progress):
        started.set()
        while True:
            token.check()

    lane = Lane(lambda: pool)
    lane.submit(job(endless, landed, courier=courier, on_cancel=lambda: cancelled.append(1)))
    lane.submit(job(lambda t, p: "never", landed, courier=courier))
    assert started.wait(5)
    lane.cancel()
    courier.run_next()
    assert landed == []
    assert cancelled == [1]
    assert lane.idle


def test_a_result_that_comes_after_cancel_does_not_land(pool):
    courier, landed, gate = HandCourier(), [], threading.Event()
    lane = Lane(lambda: pool)
    lane.submit(job(lambda t, p: gate.wait(5), landed, courier=courier))
    lane.cancel()
    gate.set()
    courier.run_next()
    assert landed == []


def test_every_exception_is_handed_over():
    errors, idle = [], []
    lane = Lane(InlineExecutor, on_idle=lambda: idle.append(1))

    def broken(token, progress):
        raise ValueError("no")

    lane.submit(job(broken, [], courier=InlineCourier(), errors=errors))
    assert [str(error) for error in errors] == ["no"]
    assert idle == [1]


def test_an_exception_while_landing_is_handed_over_and_the_lane_goes_on():
    errors, landed = [], []
    lane = Lane(InlineExecutor)

    async def refuse(value):
        raise RuntimeError("page")

    lane.submit(
        Job(lambda t, p: 1, on_result=refuse, on_error=errors.append, courier=InlineCourier())
    )
    lane.submit(job(lambda t, p: 2, landed, courier=InlineCourier()))
    assert [str(error) for error in errors] == ["page"]
    assert landed == [2]


def test_idle_comes_after_an_awaited_landing():
    order = []
    lane = Lane(InlineExecutor, on_idle=lambda: order.append("idle"))

    async def paint(value):
        order.append("painted")

    lane.submit(
        Job(lambda t, p: 1, on_result=paint, on_error=order.append, courier=InlineCourier())
    )
    assert order == ["painted", "idle"]


def test_progress_is_polled_while_the_job_runs_and_not_after(pool):
    courier, seen, halfway, gate = HandCourier(), [], threading.Event(), threading.Event()

    def work(token, progress):
        progress(1, 2)
        halfway.set()
        gate.wait(5)

    lane = Lane(lambda: pool)
    lane.submit(
        job(work, [], courier=courier, on_poll=lambda progress: seen.append(progress.fraction))
    )
    assert halfway.wait(5)
    courier.polls[0]()
    gate.set()
    courier.run_next()
    assert seen == [0.5]
    assert courier.polls == []


def test_work_cancelled_before_its_turn_never_starts():
    started, cancelled = [], []
    pending = job(
        lambda t, p: started.append(1),
        [],
        courier=InlineCourier(),
        on_cancel=lambda: cancelled.append(1),
    )
    pending.token.cancel()
    Lane(InlineExecutor).submit(pending)
    assert started == []
    assert cancelled == [1]
    with pytest.raises(CancelledError):
        pending.token.check()


def test_nothing_lands_on_a_page_that_has_gone(pool):
    courier, landed, gate = HandCourier(), [], threading.Event()
    lane = Lane(lambda: pool)
    lane.submit(job(lambda t, p: gate.wait(5), landed, courier=courier))
    lane.close()
    gate.set()
    pool.submit(lambda: None).result(timeout=5)  # the pool has one thread: the job is over
    assert courier.calls.empty()
    assert landed == []


def test_painting_is_done_once_however_often_it_was_asked_for():
    courier, painted, faults = HandCourier(), [], []

    def paint():
        painted.append(1)

    def broken():
        raise RuntimeError("view")

    painter = Painter(courier, faults.append)
    for what in (broken, paint, paint):
        painter.ask(what)
    courier.run_next()
    assert painted == [1]
    assert [str(fault) for fault in faults] == ["view"]
    assert courier.calls.empty()


def test_an_inline_landing_is_awaited_under_a_running_loop_too() -> None:
    landed: list[str] = []

    async def land() -> None:
        await asyncio.sleep(0)
        landed.append("landed")

    async def notebook() -> None:
        InlineCourier().post(land)
        assert landed == ["landed"]

    # In a thread of its own: browser tests before this one may have left a loop running here.
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(lambda: asyncio.run(notebook())).result()
