"""Make the pictures of README and docs: the explorer on the bundled simulated pair.

    python docs/make_pictures.py

Needs the ``test`` extra and Chromium on the path. Only simulated data are shown.
"""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import panel as pn
from playwright.sync_api import Page, sync_playwright

from zogy_explorer import ZogyExplorer

FOLDER = Path(__file__).parent / "images"
CHROMIUM_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic")


def main() -> None:
    """Serve the explorer here, look at it with a browser, keep what it shows."""
    explorers: list[ZogyExplorer] = []

    def page() -> ZogyExplorer:
        explorers.append(ZogyExplorer())
        return explorers[-1]

    port = free_port()
    server = pn.serve(
        page, port=port, address="127.0.0.1", show=False, threaded=True, verbose=False
    )
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=list(CHROMIUM_FLAGS)
            )
            tab = browser.new_page(viewport={"width": 1440, "height": 900})
            tab.goto(f"http://127.0.0.1:{port}/")
            settle(tab, explorers)
            FOLDER.mkdir(exist_ok=True)
            tab.screenshot(path=FOLDER / "explorer.png")
            browser.close()
    finally:
        server.stop()
        server.join()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settle(tab: Page, explorers: list[ZogyExplorer]) -> None:
    """Wait until the first run is done and its pictures have reached the browser."""
    tab.locator("canvas").nth(5).wait_for()
    for _ in range(600):
        if explorers and explorers[-1].result is not None and not explorers[-1].session.busy:
            break
        tab.wait_for_timeout(100)
    tab.wait_for_timeout(3000)  # tables and stamps follow the images


if __name__ == "__main__":
    main()
