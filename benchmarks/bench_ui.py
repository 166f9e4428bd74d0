"""How fast the page answers, measured in a real browser by the browser's own clock.

    python benchmarks/bench_ui.py [--sizes 1024 4096] [--rounds 15]

Needs the ``test`` extra and Chromium on the path. The page is served by a process of its own, on a
simulated pair of each size. A latency runs from the last input event (key, wheel, release of the
button, move) to the end of the frame in which the browser has drawn the answer: all panels that it
concerns have painted their new image or outline. For the line under the cursor it runs until the
text is laid out. Median and 95th percentile over the rounds; budgets are for a quiet machine.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from timed_tab import FLAGS, Tab, served, write_pair

RESULTS = "['difference', 'score', 'scorr'].every((name) => zx.drawn.has(name))"
SKIES = "zx.drawn.has('science') && zx.drawn.has('template')"
EVERYTHING = "zx.drawn.size === 6"
OUTLINED = "zx.outlined.size === 6"
FILLED = "zx.inspector() !== zx.text"


@dataclass(frozen=True)
class Budget:
    """Median and 95th percentile that an event may take at one size [ms]."""

    median: float
    high: float


BUDGETS: dict[str, dict[int, Budget]] = {
    "slider step → cell recomputed, panels repainted": {
        1024: Budget(160, 230),
        4096: Budget(170, 240),
    },
    "display-only change → repainted": {1024: Budget(130, 180), 4096: Budget(140, 200)},
    "wheel zoom → repainted": {1024: Budget(140, 200), 4096: Budget(160, 220)},
    "tap → cell outlined": {1024: Budget(60, 100), 4096: Budget(60, 100)},
    "tap → inspector filled": {1024: Budget(150, 220), 4096: Budget(180, 260)},
    "page open → first full wall": {1024: Budget(1500, 1500), 4096: Budget(2500, 2500)},
    "hover → readout, all layers": {1024: Budget(15, 40), 4096: Budget(15, 40)},
    "another user's tap during a full-frame run, worst": {
        1024: Budget(60, 60),
        4096: Budget(60, 60),
    },
}


def places(rounds: int) -> list[tuple[float, float]]:
    """Points over the panel, each in another cell than the one before."""
    rng = np.random.default_rng(3)
    return [
        (0.25 + 0.5 * (i % 2) + rng.uniform(-0.06, 0.06), rng.uniform(0.3, 0.7))
        for i in range(rounds)
    ]


def measure(browser: Any, url: str, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Each event and its latencies [ms], as soon as they are known."""
    slider, display, wheel, tap, inspector, opening, hover, other = BUDGETS
    yield opening, openings(browser, url, rounds)
    tab = Tab(browser, url)
    yield tap, taps(tab, rounds, OUTLINED)
    yield inspector, taps(tab, rounds, FILLED)
    yield hover, hovers(tab, rounds)
    yield wheel, zooms(tab, rounds)
    yield slider, slides(tab, rounds)
    tab.idle()
    yield display, restretches(tab, rounds)
    yield other, [max(beside_a_run(tab, browser, url, max(rounds // 2, 5)))]
    tab.close()


def openings(browser: Any, url: str, rounds: int) -> list[float]:
    """New pages until the first full wall, by the clock of the navigation in an empty tab.

    The first of all warms the server and does not count.
    """
    times = []
    for _ in range(rounds + 1):
        tab = Tab(browser, url)
        times.append(tab.first_wall)
        tab.close()
        time.sleep(1)  # the browser clears the old tab away, which is no part of the next
    return times[1:]


def taps(tab: Tab, rounds: int, ready: str) -> list[float]:
    """Clicks on the science image, each into another cell."""
    times = []
    for fx, fy in places(rounds):
        tab.aim(fx, fy)
        times.append(tab.timed(tab.tap, ready))
        tab.quiet()
    return times


def zooms(tab: Tab, rounds: int) -> list[float]:
    """Turns of the wheel, in and out again."""
    times = []
    for i in range(rounds):
        turn = -240 if i % 2 == 0 else 240
        tab.page.mouse.move(*tab.point("science", 0.5, 0.5))
        times.append(tab.timed(lambda: tab.page.mouse.wheel(0, turn), EVERYTHING))  # noqa: B023
        tab.quiet()
    return times


def slides(tab: Tab, rounds: int) -> list[float]:
    """Arrow keys on the slider of the science flux scale: each step makes new pixels of the cell.

    Always to the right: a value that was there before would be shown from what is kept.
    """
    tab.page.keyboard.press("r")  # the whole frame, and a cell in its middle
    tab.aim(0.45, 0.45)
    tab.tap()
    tab.quiet()
    handle = slider_handle(tab.page, "Flux scale", "scienceFluxScaling")
    handle.focus()
    times = []
    for _ in range(rounds):
        times.append(tab.timed(lambda: tab.page.keyboard.press("ArrowRight"), RESULTS))
        tab.quiet()
        tab.quiet()
    return times


def slider_handle(page: Any, group: str, label: str) -> Any:
    """The handle that stands below the number box with this label; its group is opened."""
    box = page.get_by_label(label, exact=False).first
    if not box.is_visible():
        page.get_by_text(group, exact=True).first.click()
    box.wait_for()
    box.scroll_into_view_if_needed()
    top = box.bounding_box()["y"]
    handles = [h for h in page.locator(".noUi-handle").all() if h.is_visible()]
    below = [h for h in handles if h.bounding_box()["y"] > top]
    return min(below, key=lambda handle: handle.bounding_box()["y"])


def restretches(tab: Tab, rounds: int) -> list[float]:
    """The stretch of the sky images, to and fro."""
    choice = tab.page.get_by_label("Stretch")
    if not choice.first.is_visible():
        tab.page.get_by_text("Display", exact=True).first.click()
    choice.first.wait_for()
    times = []
    for i in range(rounds):
        wanted = ("log", "linear")[i % 2]
        times.append(
            tab.timed(lambda: choice.first.select_option(wanted), SKIES)  # noqa: B023
        )
        tab.quiet()
    return times


def hovers(tab: Tab, rounds: int) -> list[float]:
    """Moves over an image until the line of values has changed; no message may be sent."""
    times = []
    for i in range(rounds):
        x, y = tab.point("science", 0.3 + 0.02 * i, 0.5)
        tab.page.mouse.move(x, y)
        tab.quiet()
        tab.page.evaluate("() => { zx.before = zx.readout() }")
        before = len(tab.sent)
        act = lambda: tab.page.mouse.move(x + 6, y + 4)  # noqa: B023, E731
        times.append(tab.timed(act, "zx.readout() !== zx.before", drawn=False))
        if len(tab.sent) > before:
            print("hover sent a message", file=sys.stderr)
    return times


def beside_a_run(first: Tab, browser: Any, url: str, rounds: int) -> list[float]:
    """Another user's taps while the first user's whole frame is computed.

    Not in the instant of the first user's click: both pages are drawn by one browser here, in which
    any two clicks wait for each other. A tap counts if the frame was computed before and after it.
    """
    second, running = Tab(browser, url), first.page.get_by_text("subtracting", exact=False)
    times: list[float] = []
    for fx, fy in places(4 * rounds):
        second.aim(fx, fy)
        first.page.get_by_role("button", name="Recompute").click()
        running.wait_for()
        taken = second.timed(second.tap, OUTLINED)
        times += [taken] if running.is_visible() else []
        if len(times) == rounds:
            break
        first.idle()
        second.quiet()
    second.close()
    return times


def row(name: str, size: int, times: list[float]) -> str:
    """One line of the table."""
    budget = BUDGETS[name][size]
    median, high = statistics.median(times), float(np.percentile(times, 95))
    met = median <= budget.median and high <= budget.high
    return (
        f"| {name} | {size}² | {budget.median:g} / {budget.high:g} ms | "
        f"{median:.0f} / {high:.0f} ms | {'met' if met else 'not met'} |"
    )


def main() -> None:
    """Print the table."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 4096])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print("| event | pair | budget: median / p95 | measured | |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=list(FLAGS),
        )
        for size in options.sizes:
            with served(write_pair(Path(folder), size), inner=8.0) as url:
                time.sleep(1)
                for name, times in measure(browser, url, options.rounds):
                    print(row(name, size, times), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
