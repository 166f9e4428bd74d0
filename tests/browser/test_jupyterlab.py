"""The page in a real JupyterLab 4, driven by a browser: live both ways, offline, and again."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import zogy_explorer

pytestmark = pytest.mark.browser

PATIENCE = 120.0  # seconds: a kernel, the page and its first subtraction on a shared machine

MAKE = """\
from zogy_explorer import ZogyConfig, ZogyExplorer
from zogy_explorer.simulate import make_pair
science, template, _ = make_pair(seed=5, shape=(240, 240), n_stars=60, n_galaxies=5)
explorer = ZogyExplorer(science, template, ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0))
explorer"""

# The newest document of Bokeh's that holds the page.
PAGE = """
  const page = [...Bokeh.documents].reverse().find((d) =>
    d.get_model_by_name("figure-science") && Bokeh.index.find_one(d.roots()[0]));
"""
LAYERS = ("science", "template", "difference", "score", "scorr", "mask")
# How many colours the image of each panel shows; 0: none is there yet.
COLOURS = (
    f"(names) => {{ {PAGE}"
    """
  return names.map((name) => {
    const view = page && Bokeh.index.find_one(page.get_model_by_name("figure-" + name));
    const canvas = view?.canvas_view?.primary.canvas;
    if (!canvas?.width) return 0;
    const {left, top, width, height} = view.frame.bbox, ratio = canvas.width / view.bbox.width;
    const {data} = canvas.getContext("2d").getImageData(
      ...[left, top, width, height].map((v) => Math.round(v * ratio)));
    return new Set(new Uint32Array(data.buffer)).size;
  });
}"""
)
READY = """() => {
  const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
  const kernel = context?.session?.kernel;
  return !!context?.isReady && kernel?.connectionStatus === "connected" && kernel.status === "idle";
}"""
DIRTY = "() => window.jupyterapp.shell.currentWidget.context.model.dirty"
# Screen pixels that 100 image pixels take in x and in y; the kernel knows the panels' sizes if they
# are the same.
SCALE = (
    f"() => {{ {PAGE}"
    """
  const {frame} = Bokeh.index.find_one(page.get_model_by_name("figure-science"));
  return [frame.x_scale, frame.y_scale].map((s) => Math.abs(s.compute(100) - s.compute(0)));
}"""
)
WHERE = (
    f"([name, x, y]) => {{ {PAGE}"
    """
  const view = Bokeh.index.find_one(page.get_model_by_name("figure-" + name));
  view.el.scrollIntoView({block: "center"});
  const box = view.el.getBoundingClientRect(), {frame} = view;
  return [box.left + frame.x_scale.compute(x), box.top + frame.y_scale.compute(y)];
}"""
)


def missing(reason: str) -> None:
    """Skip, but never silently where JupyterLab is part of the promise."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: where it is, and the folder of its notebooks."""

    url: str
    token: str
    folder: Path

    def notebook(self, name: str, cells: list[str]) -> str:
        """Address of a new notebook with these cells."""
        import nbformat

        made = nbformat.v4.new_notebook()
        made.cells = [nbformat.v4.new_code_cell(source) for source in cells]
        made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(made, self.folder / name)
        workspace = Path(name).stem  # of its own: JupyterLab opens again what a shared one had
        return f"{self.url}/lab/workspaces/{workspace}/tree/{name}?token={self.token}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: Any, until: Any) -> Iterator[Lab]:
    """JupyterLab on a free port of the loopback, with folders of its own and no way outside."""
    for package in ("jupyterlab", "ipykernel", "jupyter_bokeh"):
        if find_spec(package) is None:
            missing(f"{package} is not installed: pip install 'zogy-explorer[test]'")
    root = tmp_path_factory.mktemp("jupyter")
    folder = root / "notebooks"
    folder.mkdir()
    names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    private = {f"JUPYTER_{name}": str(root / name.lower()) for name in names}
    private |= {f"JUPYTERLAB_{n}_DIR": str(root / n.lower()) for n in ("SETTINGS", "WORKSPACES")}
    private["IPYTHONDIR"] = str(root / "ipython")
    # The kernel imports the package that is tested, wherever pytest was started.
    private["PYTHONPATH"] = str(Path(zogy_explorer.__file__).parents[1])
    token, port = secrets.token_hex(), free_port()
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"),
        *("--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with (root / "log").open("w") as log:
        server = subprocess.Popen(command, env=os.environ | private, stdout=log, stderr=log)
        try:
            made = Lab(f"http://127.0.0.1:{port}", token, folder)

            def answers() -> bool:
                assert server.poll() is None, (root / "log").read_text()[-2000:]
                try:
                    with urllib.request.urlopen(f"{made.url}/api?token={token}", timeout=5):
                        return True
                except urllib.error.URLError:
                    return False

            until(answers, "JupyterLab answers", patience=PATIENCE)
            yield made
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Notebook:
    """A notebook in the browser."""

    def __init__(self, browser: Any, until: Callable[..., Any]) -> None:
        self.browser = browser
        self._until = until
        self.cells = browser.locator(".jp-Notebook .jp-Cell")
        self.cells.first.wait_for(timeout=PATIENCE * 1000)
        self.until(lambda: browser.evaluate(READY), "the kernel is ready")

    def until(self, predicate: Callable[[], Any], what: str) -> Any:
        return self._until(predicate, what, page=self.browser, patience=PATIENCE)

    def command(self, name: str) -> None:
        self.browser.evaluate(f"() => void jupyterapp.commands.execute({name!r})")

    def run(self, number: int) -> str:
        """Run a cell as a person would, wait until it is done; what it printed."""
        cell, prompt = self.cells.nth(number), self.prompt(number)
        cell.locator(".cm-content").click()
        self.browser.keyboard.press("Control+Enter")
        self.until(
            lambda: re.fullmatch(r"\[\d+\]:", now := self.prompt(number)) and now != prompt,
            f"cell {number} has run",
        )
        return self.printed(number)

    def prompt(self, number: int) -> str:
        return str(self.cells.nth(number).locator(".jp-InputPrompt").inner_text()).strip()

    def printed(self, number: int) -> str:
        return "\n".join(self.cells.nth(number).locator("pre").all_inner_texts()).strip()

    def wait_for_images(self) -> None:
        """All six images are painted: more colours than an empty panel with a grid has."""
        self.until(
            lambda: min(self.browser.evaluate(COLOURS, list(LAYERS)) or [0]) > 4,
            "six images are painted",
        )

        def square() -> bool:
            across, up = self.browser.evaluate(SCALE)
            return bool(abs(across / up - 1) < 0.03)

        self.until(square, "their pixels are square")

    def tap(self, panel: str, x: float, y: float) -> None:
        self.browser.mouse.click(*self.browser.evaluate(WHERE, [panel, x, y]))


@pytest.fixture
def notebook(lab: Lab, page: Any, until: Any) -> Callable[..., Notebook]:
    """``notebook(name, *cells)`` → it, open in the browser."""

    def start(name: str, *cells: str, width: int = 1500) -> Notebook:
        return Notebook(page(lab.notebook(name, list(cells)), width=width, height=1250), until)

    return start


def test_the_page_in_a_cell_is_live_both_ways(notebook):
    book = notebook(
        "live.ipynb",
        MAKE,
        "explorer.config.maxPsfCentroidDist = 0.5",
        "print('allows', explorer.result.plan.config.maxPsfCentroidDist)",
        "print('cell', explorer.cell.cell.name, explorer.cell.cell.inner.contains_point(40, 40))",
        "print('why', [cause.name for cause in explorer.explain(120, 120).causes])",
    )
    book.run(0)
    book.wait_for_images()
    number = book.browser.get_by_role("textbox", name="maxPsfCentroidDist [px]")
    slider = book.cells.nth(0).locator(".noUi-handle").first
    assert float(slider.get_attribute("aria-valuenow")) == pytest.approx(0.2)
    book.run(1)
    book.until(lambda: float(slider.get_attribute("aria-valuenow")) == 0.5, "the slider follows")
    book.until(lambda: "allows 0.5" in book.run(2), "the frame follows")
    book.browser.get_by_text("run 2 ", exact=False).first.wait_for(timeout=PATIENCE * 1000)
    number.fill("0.25")
    number.press("Enter")
    book.until(lambda: "allows 0.25" in book.run(2), "Python follows the slider")
    assert "False" in book.run(3)
    book.tap("science", 40, 40)
    book.until(lambda: "True" in book.run(3), "Python knows the cell that was tapped")
    name = book.printed(3).split()[1]
    book.browser.get_by_text(f"Cell {name}").first.wait_for(timeout=PATIENCE * 1000)
    assert "why [" in book.run(4)


def test_in_a_narrow_window_the_page_begins_without_its_settings(notebook):
    book = notebook("narrow.ipynb", MAKE, width=1280)
    book.run(0)
    book.wait_for_images()
    output = book.browser.locator(".jp-OutputArea-output").last
    book.until(
        lambda: output.evaluate("(el) => el.scrollWidth <= el.clientWidth"), "nothing is cut off"
    )
    slider = book.cells.nth(0).locator(".noUi-handle").first
    assert not slider.is_visible()
    book.browser.get_by_role("button", name="☰").click()
    slider.wait_for()


def test_running_all_and_showing_it_again_moves_the_page_and_loses_no_print(notebook):
    book = notebook(
        "again.ipynb",
        MAKE,
        "explorer.config.maxPsfCentroidDist = 0.4; print('set while the page is built')",
        "explorer",
        "print('printed', explorer.config.maxPsfCentroidDist)",
    )
    book.command("notebook:run-all-cells")
    book.until(lambda: book.printed(3) == "printed 0.4", "the last cell has run")
    book.wait_for_images()
    assert book.printed(1) == "set while the page is built"
    moved = book.cells.nth(0).get_by_text("moved to the output opened last")
    moved.wait_for(timeout=PATIENCE * 1000)
    handle = book.cells.nth(2).locator(".noUi-handle").first
    book.until(lambda: float(handle.get_attribute("aria-valuenow")) == 0.4, "the slider is there")
    book.run(0)  # another explorer, in the place of the first
    book.wait_for_images()
    assert moved.count() == 0
    book.command("kernelmenu:shutdown")


def test_after_a_restart_and_when_opened_again_the_page_says_that_it_is_dead(notebook):
    book = notebook("restarted.ipynb", "print(1)", MAKE)
    alert = book.cells.nth(1).get_by_role("alert")
    book.run(0)
    book.run(1)
    book.wait_for_images()
    assert alert.count() == 0
    book.browser.evaluate(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    alert.get_by_text("The kernel was restarted").wait_for(timeout=PATIENCE * 1000)
    line = alert.bounding_box()
    page = book.cells.nth(1).get_by_text("ZOGY Explorer").first.bounding_box()
    assert 30 < line["height"] < 80 < 900 < line["width"]
    assert line["y"] + line["height"] <= page["y"]
    book.until(lambda: book.browser.evaluate(READY), "the kernel is there again")
    book.run(1)
    book.wait_for_images()
    assert alert.count() == 0
    book.command("docmanager:save")
    book.until(lambda: not book.browser.evaluate(DIRTY), "the notebook is saved")
    book.browser.reload()
    alert.get_by_text("run this cell again").wait_for(timeout=PATIENCE * 1000)


def test_as_an_ipywidget_the_page_is_live_too(notebook):
    book = notebook(
        "widget.ipynb",
        MAKE.removesuffix("explorer") + "explorer.ipywidget()",
        "print('cell', explorer.cell.cell.name, explorer.cell.cell.inner.contains_point(40, 40))",
        "explorer.config.maxPsfCentroidDist = 0.5; print('set')",
    )
    book.run(0)
    book.wait_for_images()
    book.tap("science", 40, 40)
    book.until(lambda: "True" in book.run(1), "Python knows the cell that was tapped")
    assert book.run(2) == "set"
    handle = book.cells.nth(0).locator(".noUi-handle").first
    book.until(lambda: float(handle.get_attribute("aria-valuenow")) == 0.5, "the slider follows")
