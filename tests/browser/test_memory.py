"""Closing a page frees its memory."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, ZogyExplorer
from zogy_explorer.ui.housekeeping import GIVE_BACK_AFTER

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]

SIDE, CYCLES = 2048, 20
AT_ONCE = {
    "check_unused_sessions_milliseconds": 200,
    "unused_session_lifetime_milliseconds": 1500,
}
"""How soon the server notices that a page has gone; 15 s by default. A page that is slow to open
its socket must not count as gone."""


def resident() -> float:
    """Memory of this process that is in use [MB]."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def exposure(seed: int, sigma: float) -> Exposure:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:21, :21] - 10
    image = rng.standard_normal((SIDE, SIDE), dtype=np.float32) * 5
    psf = KernelPsf(np.exp(-(x**2 + y**2) / (2 * sigma**2)))
    return Exposure(image, variance=np.full(image.shape, 25, np.float32), psf=psf)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="measures memory by /proc")
def test_twenty_pages_opened_and_closed_leave_no_memory_behind(serve, chromium, until):
    pair = exposure(1, 1.8), exposure(2, 1.4)
    living: list[ZogyExplorer] = []

    def app() -> ZogyExplorer:
        living.append(ZogyExplorer(*pair, config=ZogyConfig(doSpatialGrid=True)))
        return living[-1]

    url = serve(app, **AT_ONCE)
    levels: list[float] = []
    sessions: list[weakref.ref] = []
    for _ in range(CYCLES):
        page = chromium.new_page()
        page.goto(url)
        until(lambda: living and living[-1].result is not None, "a frame", page=page, patience=60)
        until(lambda: living[-1].session.idle, "the session is idle", page=page, patience=60)
        page.get_by_text("Cell r", exact=False).first.wait_for()
        page.close()
        explorer = living.pop()
        until(lambda gone=explorer: gone.session.frame is None, "the page has gone", patience=60)
        sessions.append(weakref.ref(explorer.session))
        del explorer
        living.clear()
        levels.append(resident())
    most = 1.1 * levels[1] + 100
    # What is free goes back to the system a while after the last page has gone.
    until(
        lambda: resident() < most,
        f"less than {most:.0f} MB of {list(map(round, levels))} are left",
        patience=GIVE_BACK_AFTER + 20,
    )

    def alive() -> int:
        gc.collect()
        return sum(reference() is not None for reference in sessions)

    until(lambda: alive() <= 2, "closed sessions are let go")
