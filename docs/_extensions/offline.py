"""Warns of whatever a built page would fetch from the network: the pages are read offline."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_REMOTE = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
_STYLE_URL = re.compile(
    r"url\(\s*['\"]?((?:https?:)?//[^'\")]+)|@import\s+['\"]((?:https?:)?//[^'\"]+)"
)
_FETCHING = {"script", "img", "iframe", "source", "video", "audio", "embed", "object", "input"}
_FETCHED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "preconnect"}


class _Sources(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        sources = []
        if tag in _FETCHING:
            sources = [given.get("src", ""), given.get("data", "")]
            sources += [part.split()[0] for part in given.get("srcset", "").split(",") if part]
        elif tag == "link" and _FETCHED_LINKS & set(given.get("rel", "").lower().split()):
            sources = [given.get("href", "")]
        self.found += [source for source in sources if _REMOTE.match(source)]
        self.found += fetched_by_style(given.get("style", ""))


def fetched_by_page(text: str) -> list[str]:
    """Addresses that a browser asks for when it shows a page."""
    sources = _Sources()
    sources.feed(text)
    return sources.found


def fetched_by_style(text: str) -> list[str]:
    """Addresses that a style sheet asks for."""
    return [first or second for first, second in _STYLE_URL.findall(text)]


def check(app: Sphinx, exception: Exception | None) -> None:
    """Read all that was built."""
    from sphinx.util import logging

    if exception is not None or app.builder.format != "html":
        return
    logger = logging.getLogger(__name__)
    for path in sorted(Path(app.outdir).rglob("*")):
        search = {".html": fetched_by_page, ".css": fetched_by_style}.get(path.suffix)
        for source in search(path.read_text(encoding="utf-8")) if search else ():
            logger.warning("%s would fetch %s", path.relative_to(app.outdir), source)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("build-finished", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
