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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

SERVER = """
import sys
import panel as pn
from zogy_explorer import Exposure, ZogyConfig, ZogyExplorer
science, template = (Exposure.read(path) for path in sys.argv[1:3])
config = dict(doSpatialGrid=True, gridInnerSize=float(sys.argv[3]), scaleByCalibration=False)
app = lambda: ZogyExplorer(science, template, ZogyConfig(**config))
server = pn.serve(app, port=0, address="127.0.0.1", show=False, start=False, verbose=False)
server.start()
print(server.port, flush=True)
server.io_loop.start()
"""

# Counts what was drawn since the last input: a panel has drawn its image when its figure was
# repainted after the image's source had changed.
WATCH = """() => {
  const doc = Bokeh.documents[0];
  const zx = window.zx = {
    drawn: new Set(), outlined: new Set(), input: 0, text: "", wake: null, inFrame: false,
  };
  const frame = window.requestAnimationFrame;
  window.requestAnimationFrame = (draw) => frame((now) => {
    zx.inFrame = true;
    try { draw(now) } finally { zx.inFrame = false }
  });
  const told = () => zx.wake?.();
  const layers = ["science", "template", "difference", "score", "scorr", "mask"];
  const chosen = doc.get_model_by_name("selection");
  for (const name of layers) {
    const changed = {image: false, selection: false};
    doc.get_model_by_name("image-" + name).change.connect(() => { changed.image = true });
    chosen.change.connect(() => { changed.selection = true });
    Bokeh.index.find_one(doc.get_model_by_name("figure-" + name)).repainted.connect(() => {
      if (changed.image) zx.drawn.add(name);
      if (changed.selection) zx.outlined.add(name);
      changed.image = changed.selection = false;
      told();
    });
  }
  // The last thing that the inspector writes: the table of predicted and measured σ.
  const sigmas = [...doc._all_models.values()].find((m) => m.text?.includes?.("predicted"));
  for (const text of [doc.get_model_by_name("readout"), sigmas]) text.change.connect(told);
  const stamp = () => { zx.input = performance.now() };
  for (const kind of ["keydown", "wheel", "pointerdown", "pointerup", "input", "mousemove"])
    document.addEventListener(kind, stamp, {capture: true, passive: true});
  zx.readout = () => doc.get_model_by_name("readout").text;
  zx.inspector = () => sigmas.text;
}"""
# Waits, from before the input, for the answer: for the end of the frame in which it was drawn (a
# message posted within a frame arrives after it; what is drawn between two frames is shown by the
# next), or, for text, until its layout is done.
ARM = """([ready, drawn]) => {
  zx.drawn.clear(); zx.outlined.clear(); zx.input = 0; zx.text = zx.inspector();
  const test = new Function("zx", "return " + ready), {port1, port2} = new MessageChannel();
  zx.answer = new Promise((resolve, reject) => {
    const done = () => resolve(performance.now() - zx.input);
    const late = setTimeout(() => reject(new Error("waited in vain for " + ready)), 20000);
    port1.onmessage = done;
    zx.wake = () => {
      if (!zx.input || !test(zx)) return;
      zx.wake = null;
      clearTimeout(late);
      if (drawn && zx.inFrame) port2.postMessage(0);
      else if (drawn) requestAnimationFrame(() => port2.postMessage(0));
      else { document.body.offsetHeight; done(); }
    };
  });
}"""
FIRST_WALL = """() => new Promise((resolve) => {
  const filled = (name) => {
    const {data} = Bokeh.documents[0].get_model_by_name("image-" + name);
    const image = data.get ? data.get("image") : data.image;
    return image?.[0] && (image[0].shape ?? [0]).reduce((a, b) => a * b) > 1;
  };
  const look = () => {
    const doc = window.Bokeh?.documents?.[0];
    if (doc?.get_model_by_name("image-mask") &&
        ["science", "template", "difference", "score", "scorr", "mask"].every(filled))
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    else requestAnimationFrame(look);
  };
  look();
})"""
WHERE = """([name, fx, fy]) => {
  const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name("figure-" + name));
  const box = view.el.getBoundingClientRect(), {frame} = view;
  const x = frame.x_scale.source_range, y = frame.y_scale.source_range;
  return [box.left + frame.x_scale.compute(x.start + fx * (x.end - x.start)),
          box.top + frame.y_scale.compute(y.start + fy * (y.end - y.start))];
}"""
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


def write_pair(folder: Path, size: int) -> tuple[Path, Path]:
    """A simulated pair of ``size``² pixels as files."""
    from zogy_explorer import make_pair

    science, template, _ = make_pair(
        seed=1, shape=(size, size), n_stars=size, n_galaxies=size // 8, psf_variation=0.2
    )
    paths = folder / f"science{size}.fits", folder / f"template{size}.fits"
    for exposure, path in zip((science, template), paths, strict=True):
        exposure.write(path)
    return paths


@contextmanager
def served(paths: tuple[Path, Path], inner: float) -> Iterator[str]:
    """The page in a process of its own; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, *map(str, paths), str(inner)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
    finally:
        process.terminate()
        process.wait()


class Tab:
    """One browser tab with the page, ready to be measured."""

    def __init__(self, browser: Any, url: str) -> None:
        self.page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        self.sent: list[str] = []
        self.page.on("websocket", lambda s: s.on("framesent", lambda f: self.sent.append("f")))
        self.page.goto(url, wait_until="commit")
        self.first_wall = float(self.page.evaluate(FIRST_WALL))
        self.page.get_by_text("Cell r", exact=False).first.wait_for()
        self.page.get_by_text("predicted", exact=False).first.wait_for()
        self.idle()
        self.page.evaluate(WATCH)
        self.quiet()

    def quiet(self) -> None:
        """Wait until nothing has been repainted for a while."""
        self.page.wait_for_timeout(700)

    def idle(self) -> None:
        """Wait until no frame is being computed."""
        self.page.get_by_text("subtracting", exact=False).wait_for(state="hidden", timeout=60_000)
        self.quiet()

    def timed(self, act: Callable[[], None], ready: str, *, drawn: bool = True) -> float:
        """Milliseconds from the last input of ``act`` until ``ready``, and drawn."""
        self.page.evaluate(ARM, [ready, drawn])
        act()
        return float(self.page.evaluate("() => zx.answer"))

    def point(self, panel: str, fx: float, fy: float) -> tuple[float, float]:
        """Screen position of a fraction of a panel."""
        x, y = self.page.evaluate(WHERE, [panel, fx, fy])
        return float(x), float(y)

    def aim(self, fx: float, fy: float) -> None:
        """Bring the cursor to a place on the science image, and let it rest there."""
        self.page.mouse.move(*self.point("science", fx, fy))
        self.quiet()

    def tap(self) -> None:
        """Click where the cursor is."""
        self.page.mouse.down()
        self.page.mouse.up()

    def close(self) -> None:
        """Close the tab."""
        self.page.context.close()


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
    """New pages until the first full wall; the first of all warms the server and does not count."""
    times = []
    for _ in range(rounds + 1):
        tab = Tab(browser, url)
        times.append(tab.first_wall)
        tab.close()
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
