"""A headless Chromium and pages that fail on errors and on requests that leave the machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlparse

import panel as pn
import pytest

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 20.0  # seconds until a predicate must hold: generous, for shared machines


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser on a busy machine may lose a race that no person would: it gets a second try."""
    for item in items:
        if item.get_closest_marker("browser") is not None:
            item.add_marker(pytest.mark.flaky(reruns=2))


def _missing(reason: str) -> None:
    """Skip, but never silently where the browser is part of the promise."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for the tests of a file.

    Not for the whole run: while Playwright is up, the main thread has a running event loop, and
    the tests after these, which have no browser, would find sessions that wait for it.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is not installed: pip install 'zogy-explorer[test]'")
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if executable is None:
        _missing("chromium is not on the PATH: install it to run the browser tests")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """``serve(app)`` → URL of the app on a free loopback port; stopped after the test.

    ``serve.stop()`` stops it before.
    """
    threads = []

    def start(app: Any, **options: Any) -> str:
        thread = pn.serve(
            app, threaded=True, port=0, address="127.0.0.1", show=False, verbose=False, **options
        )
        threads.append(thread)
        wait_until(lambda: _port(thread) is not None, "the server listens")
        return f"http://127.0.0.1:{_port(thread)}/"

    def stop() -> None:
        for thread in threads:
            thread.stop()
            thread.join()
        threads.clear()

    start.stop = stop  # type: ignore[attr-defined]
    yield start
    stop()


def _port(thread: Any) -> int | None:
    entry = pn.state._servers.get(thread.server_id)
    return entry[0].port if entry is not None else None


@pytest.fixture
def page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """``page(url)`` → an open page; the test fails on console errors and outside requests.

    ``page(url, width=1280, height=800, allow=("text of an expected error",))``
    """
    opened: list[tuple[Any, list[str], tuple[str, ...]]] = []

    def open_page(
        url: str, *, width: int = 1280, height: int = 800, allow: tuple[str, ...] = ()
    ) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height})
        faults: list[str] = []

        def guard(route: Any) -> None:
            target = urlparse(route.request.url)
            if target.hostname in ("127.0.0.1", "localhost") or target.scheme in ("data", "blob"):
                route.continue_()
            else:
                faults.append(f"request left the machine: {route.request.url}")
                route.abort()

        context.route("**/*", guard)
        made = context.new_page()
        made.on(
            "console",
            lambda message: faults.append(message.text) if message.type == "error" else None,
        )
        made.on("pageerror", lambda error: faults.append(str(error)))
        opened.append((made, faults, allow))
        made.goto(url)
        return made

    yield open_page
    unexpected = []
    for made, faults, allow in opened:
        unexpected += [f for f in faults if not any(text in f for text in allow)]
        # A page that a test has closed or crashed is no fault of its own.
        with contextlib.suppress(Exception):
            made.context.close()
    assert not unexpected, unexpected


def wait_until(predicate: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """First true value of a predicate; fails with ``what`` when patience is over."""
    deadline = time.monotonic() + patience
    while True:
        value = predicate()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {patience:g} s in vain until {what}"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """``until(predicate, what)``: polls, and keeps a page's events flowing if it is given one."""

    def poll(
        predicate: Callable[[], Any], what: str, *, page: Any = None, patience: float = PATIENCE
    ) -> Any:
        if page is None:
            return wait_until(predicate, what, patience)

        def pumped() -> Any:
            page.wait_for_timeout(10)  # lets playwright deliver console and request events
            return predicate()

        return wait_until(pumped, what, patience)

    return poll


def click_row(browser: Any, name: str) -> None:
    """Click the row of a cell in the drawer's table, which may be scrolled to another one."""
    browser.locator(".tabulator-tableholder").first.evaluate("(el) => el.scrollTo(0, 0)")
    browser.get_by_role("gridcell", name=name, exact=True).first.click(timeout=3000)


@pytest.fixture
def opened(serve: Any, page: Any, until: Any) -> Callable[..., Any]:
    """``opened(**options)`` → (browser page, explorer) with the first frame on screen."""

    def start(*args: Any, width: int = 1280, height: int = 800, **options: Any) -> Any:
        from zogy_explorer import ZogyExplorer

        made: list[Any] = []

        def app() -> Any:
            made.append(ZogyExplorer(*args, **options))
            return made[-1]

        browser = page(serve(app), width=width, height=height)
        until(lambda: made and made[-1].result is not None, "the first frame lands", page=browser)
        until(lambda: made[-1].session.idle, "the session is idle", page=browser)
        browser.get_by_text("Cell r", exact=False).first.wait_for()
        return browser, made[-1]

    return start
