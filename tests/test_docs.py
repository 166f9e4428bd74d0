"""What the pages say runs: code, commands, options; and they can be read without a network."""

from __future__ import annotations

import argparse
import ast
import asyncio
import importlib.util
import re
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from zogy_explorer import Difference, Exposure, ZogyConfig, make_pair, plan, run
from zogy_explorer.cli import main
from zogy_explorer.cli.main import COMMANDS, make_parser
from zogy_explorer.ui.session_file import SessionSpec, write_session_file

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
RUNS = ("prepare", "subtract", "batch")  # the others serve until they are stopped
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def commands(page: Path) -> Iterator[list[str]]:
    """Words of every call of ``zogy-explorer`` in the page's shell blocks."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            names = [Path(word).name for word in words]
            if "zogy-explorer" in names:
                yield words[names.index("zogy-explorer") + 1 :]


def pages_with(language: str) -> list[Any]:
    found = [page for page in PAGES if blocks(page, language)]
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in found]


@pytest.fixture(scope="module")
def pair() -> tuple[Exposure, Exposure]:
    science, template, _ = make_pair(seed=4, shape=(256, 256), n_stars=120, nan_patch=False)
    return science, template


@pytest.fixture
def folder(pair, tmp_path, monkeypatch) -> Path:
    """Where a reader stands: a pair, the same as raw images without anything, and a mask."""
    science, template = pair
    science.write(tmp_path / "science.fits")
    template.write(tmp_path / "template.fits")
    card = fits.Header({"GAIN": 2.0})
    moved = np.roll(template.image, (5, -9), (0, 1))
    fits.writeto(tmp_path / "new.fits", np.nan_to_num(science.image) + 300, card)
    fits.writeto(tmp_path / "reference.fits", np.nan_to_num(moved) + 200, card)
    fits.writeto(tmp_path / "bad.fits", np.zeros(science.shape, np.uint8))
    night = tmp_path / "night42" / "ccd01"
    night.mkdir(parents=True)
    science.write(night / "science.fits")
    template.write(night / "template.fits")
    (tmp_path / "night42.txt").write_text("science.fits template.fits ccd01  # a pair a line\n")
    files = ("science.fits", "template.fits")
    spec = SessionSpec("files", *(str(tmp_path / name) for name in files))
    write_session_file(spec, tmp_path / "night.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def difference(pair) -> Difference:
    return run(plan(*pair, ZogyConfig(doSpatialGrid=True)))


@pytest.fixture
def given(pair, difference) -> dict[str, Any]:
    """Names that a page may take for granted."""
    science, template = pair
    stamp = science.psf.kernel_image(x=128, y=128)
    return {
        "science": science,
        "template": template,
        "config": ZogyConfig(doSpatialGrid=True),
        "difference": difference,
        "image": science.image,
        "variance": science.variance,
        "mask": science.mask,
        "stamp": stamp,
        "stamps": np.stack([stamp] * 4),
        "positions": np.array([(0, 0), (255, 0), (0, 255), (255, 255)]),
        "my_model": lambda x, y: stamp,
        "x": 100,
        "y": 120,
    }


# Bokeh 3.9 with pandas 3.1, in every table of a page.
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")
@pytest.mark.parametrize("page", pages_with("python"))
def test_code_of_a_page_runs_from_top_to_bottom(page, folder, given):
    for number, source in enumerate(blocks(page, "python"), 1):
        name = f"{page.name}, block {number}"
        code = compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, given)  # a coroutine if the block awaits, as notebooks allow
        if running is not None:
            # In a thread of its own: browser tests leave a loop running in this one.
            with ThreadPoolExecutor(max_workers=1) as aside:
                aside.submit(asyncio.run, running).result()


@pytest.mark.parametrize("page", pages_with("sh"))
def test_commands_of_a_page_are_understood_and_those_that_end_succeed(page, folder):
    for words in commands(page):
        named = bool(words) and words[0] in COMMANDS
        parser = make_parser(words[0] if named else "explore", named=named)
        if {"--help", "--fields"} & set(words):
            continue
        options = parser.parse_args(words[1:] if named else words)
        assert isinstance(options, argparse.Namespace)
        if named and words[0] in RUNS and "--dask" not in words:
            assert main(words) == 0, shlex.join(words)


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_is_in_the_contents():
    index = (ROOT / "docs" / "index.md").read_text()
    for page in PAGES:
        name = page.relative_to(ROOT / "docs") if page.is_relative_to(ROOT / "docs") else None
        if name is not None and name.stem != "index":
            assert f"\n{name.with_suffix('')}\n" in index, f"{name} is in no contents"


def test_pictures_are_small():
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < 250_000, picture.name


def test_what_a_built_page_would_fetch_is_found():
    spec = importlib.util.spec_from_file_location("offline", ROOT / "docs/_extensions/offline.py")
    assert spec is not None
    assert spec.loader is not None
    offline = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(offline)
    page = """
        <a href="https://example.org/">a link is followed by hand</a>
        <link rel="canonical" href="https://example.org/page.html">
        <link rel="stylesheet" href="_static/a.css"><img src="data:image/png;base64,AAAA">
        <script src="https://cdn.example.org/x.js"></script>
        <link href="//fonts.example.org/y.css" rel="stylesheet">
        <img alt="" src='http://example.org/z.png'>
    """
    assert offline.fetched_by_page(page) == [
        "https://cdn.example.org/x.js",
        "//fonts.example.org/y.css",
        "http://example.org/z.png",
    ]
    style = "@import url('https://e.org/a.css'); b { background: url(data:x) } i { src: url(f) }"
    assert offline.fetched_by_style(style) == ["https://e.org/a.css"]
