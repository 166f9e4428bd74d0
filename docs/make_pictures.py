"""Make the pictures of README, index and tutorial: the page on the bundled simulated pair.

    python docs/make_pictures.py [NAME …]

Needs the ``test`` extra and Chromium on the path. Only simulated data are shown.
"""

from __future__ import annotations

import io
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import panel as pn
from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from zogy_explorer import ZogyExplorer
from zogy_explorer.ui.teaching.app import teaching_page

FOLDER = Path(__file__).parent / "images"
CHROMIUM_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic")
VIEWPORT = {"width": 1280, "height": 800}
COLORS = 256  # of a picture: small files, and the page has few
PATIENCE = 60_000  # [ms]
# Page position of a point of the pixel grid in an image of the wall.
WHERE = """([name, x, y]) => {
  const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name("figure-" + name));
  const box = view.el.getBoundingClientRect(), {frame} = view;
  return [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)];
}"""


@dataclass
class Desk:
    """A browser page on an explorer of its own, and what one does there."""

    tab: Page
    explorer: ZogyExplorer

    def settle(self) -> None:
        """Wait until nothing is computed and its pictures have reached the browser."""
        for _ in range(PATIENCE // 100):
            if self.explorer.result is not None and self.explorer.session.idle:
                break
            self.tab.wait_for_timeout(100)
        self.tab.wait_for_timeout(2500)  # tables and stamps follow the images

    def tap(self, x: float, y: float, panel: str = "difference") -> None:
        """Select what lies at a position of the pixel grid."""
        self.tab.mouse.click(*self.tab.evaluate(WHERE, [panel, x, y]))
        self.settle()

    def tap_cell(self, name: str) -> None:
        """Select a cell."""
        cells = {cell.cell.name: cell.cell for cell in self.explorer.result.cells}
        self.tap(*cells[name].inner.center)

    def show(self, tab: str) -> None:
        """Open a tab of the inspector or the drawer."""
        self.tab.get_by_text(tab, exact=True).first.click()
        self.settle()

    def type(self, label: str, value: object) -> None:
        """A number into a field of the side bar."""
        field = self.tab.get_by_role("textbox", name=label, exact=True)
        field.fill(str(value))
        field.press("Enter")
        self.settle()

    def press(self, key: str) -> None:
        """A shortcut."""
        self.tab.keyboard.press(key)
        self.settle()

    def click(self, what: Locator) -> None:
        """A button."""
        what.click()
        self.settle()


def failed_cell(desk: Desk) -> None:
    """The cell that fails, its reason, and the distances of all cells."""
    desk.tap_cell("r3c3")
    desk.show("Threshold")


def compared(desk: Desk) -> None:
    """A − B of two runs, the second with the failed cell mended."""
    desk.tap_cell("r3c3")
    desk.press("p")
    desk.type("maxPsfCentroidDist [px]", 0.25)
    desk.show("Compare")


def one_cell(desk: Desk) -> None:
    """A cell with its spectra."""
    desk.tap_cell("r2c1")
    desk.press("z")
    desk.show("Fourier")


def detections(desk: Desk) -> None:
    """What changed, marked and listed, and one of it explained."""
    desk.type("maxPsfCentroidDist [px]", 0.25)
    desk.show("Detections")
    desk.tap(112, 190)
    desk.show("Explain")
    desk.press("e")
    desk.tab.wait_for_timeout(4000)


def trust(desk: Desk) -> None:
    """Whether Scorr of a cell is what it says."""
    desk.tap_cell("r1c1")
    desk.show("Trust")
    desk.tab.wait_for_timeout(4000)


SCENES: Mapping[str, Callable[[Desk], None]] = MappingProxyType(
    {
        "explorer": lambda desk: desk.settle(),
        "failed-cell": failed_cell,
        "compared": compared,
        "one-cell": one_cell,
        "trust": trust,
        "detections": detections,
    }
)
"""Name of a picture to what is done before it is taken."""

CHAPTERS: Mapping[str, int] = MappingProxyType({"lessons": 5})
"""Name of a picture to the chapter of the lessons that it shows."""


def main(names: list[str]) -> None:
    """Serve page and lessons here, look at them with a browser, keep what they show."""
    wanted = names or [*SCENES, *CHAPTERS]
    FOLDER.mkdir(exist_ok=True)
    with served() as (address, explorers), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_FLAGS)
        )
        for name in wanted:
            tab = browser.new_page(viewport=VIEWPORT)  # type: ignore[arg-type]
            if name in SCENES:
                tab.goto(f"{address}/explorer")
                tab.locator("canvas").nth(5).wait_for(timeout=PATIENCE)
                desk = Desk(tab, explorers[-1])
                desk.settle()
                SCENES[name](desk)
            else:
                tab.goto(f"{address}/lessons?chapter={CHAPTERS[name]}")
                tab.locator("canvas").nth(1).wait_for(timeout=PATIENCE)
                tab.wait_for_timeout(5000)  # the lesson has no state to ask for
            save(tab.screenshot(), FOLDER / f"{name}.png")
            tab.close()
        browser.close()


@contextmanager
def served() -> Iterator[tuple[str, list[ZogyExplorer]]]:
    """Address of a server, and the explorers that it has made."""
    explorers: list[ZogyExplorer] = []

    def page() -> ZogyExplorer:
        explorers.append(ZogyExplorer())
        return explorers[-1]

    port = free_port()
    server = pn.serve(
        {"explorer": page, "lessons": teaching_page},
        port=port,
        address="127.0.0.1",
        show=False,
        threaded=True,
        verbose=False,
    )
    try:
        yield f"http://127.0.0.1:{port}", explorers
    finally:
        server.stop()
        server.join()


def save(png: bytes, path: Path) -> None:
    """A screenshot with few colours, which is what keeps the file small."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    few = picture.quantize(COLORS, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main(sys.argv[1:])
