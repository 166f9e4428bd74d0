"""One browser tab with the page of the explorer, and the clocks in it that `bench_ui` reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
        self.quiet()  # a new profile and an empty tab are the browser's work, not the page's
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
