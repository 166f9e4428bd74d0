"""The arrows of the design: what may import what, and no user interface below the page."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import zogy_explorer

ROOT = Path(zogy_explorer.__file__).parent
UI_LIBRARIES = ("panel", "bokeh", "holoviews")

FOUNDATIONS = {"version", "errors", "checks", "geometry", "masks", "camera"}
CONTAINERS = FOUNDATIONS | {"psf", "exposure"}
ENGINE = CONTAINERS | {"engine"}
ROOMS = {"diagnostics", "simulate", "prepare"}
IO = ENGINE | ROOMS | {"io"}

ALLOWED: dict[str, set[str]] = {
    "version": set(),
    "errors": set(),
    "checks": FOUNDATIONS,
    "geometry": FOUNDATIONS,
    "masks": FOUNDATIONS,
    "camera": FOUNDATIONS,
    "psf": CONTAINERS - {"exposure"},
    "exposure": CONTAINERS,
    "engine": ENGINE,
    # Each of the three judges, makes or prepares; none needs another.
    **{room: ENGINE | {room} for room in ROOMS},
    "io": IO,
    # A page of its own that needs no user interface.
    "report": IO | {"report"},
    "ui": IO | {"report", "ui"},
    "cli": IO | {"report", "ui", "cli"},
    "__main__": IO | {"ui", "cli"},
}
"""Each part of the package, and the parts that it may import at the top of a file."""

LOCAL_EXCEPTIONS = {
    # Exposure.read and friends are a convenience on the container; io builds on it.
    ("exposure.py", "io"),
}
"""Imports inside functions that go against the arrows: (file, part)."""


def source_files() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def part_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_parts(node: ast.stmt) -> set[str]:
    """Parts of the package that an import statement names."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative imports hide the arrows"
        names = [node.module or ""]
        if node.module == "zogy_explorer":
            names = [f"zogy_explorer.{alias.name}" for alias in node.names]
    else:
        return set()
    split = [name.split(".") for name in names]
    return {name[1] for name in split if name[0] == "zogy_explorer" and len(name) > 1}


def is_local(tree: ast.Module, target: ast.stmt) -> bool:
    """Whether the statement is inside a function."""
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return any(target in ast.walk(function) for function in functions)


@pytest.mark.parametrize("path", source_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path):
    part = part_of(path)
    assert part in ALLOWED, f"{part} has no place in the design: give it one here"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for other in imported_parts(node) - ALLOWED[part]:
            name = str(path.relative_to(ROOT))
            allowed = (name, other) in LOCAL_EXCEPTIONS and is_local(tree, node)
            # Names of the package's front (from zogy_explorer import Exposure) belong above it.
            assert allowed, f"{name} imports {other}, against the arrows (line {node.lineno})"


def modules_below_ui() -> list[str]:
    skipped = ("zogy_explorer.ui", "zogy_explorer.cli", "zogy_explorer.__main__")
    return [
        module.name
        for module in pkgutil.walk_packages([str(ROOT)], "zogy_explorer.", onerror=lambda _: None)
        if not module.name.startswith(skipped)
    ]


def test_nothing_below_ui_imports_a_user_interface():
    modules = modules_below_ui()
    assert "zogy_explorer.engine.cell" in modules
    code = (
        "import importlib, sys\n"
        "culprits = []\n"
        f"for name in ['zogy_explorer', *{modules!r}]:\n"
        "    importlib.import_module(name)\n"
        f"    found = [lib for lib in {UI_LIBRARIES!r} if lib in sys.modules]\n"
        "    if found:\n"
        "        sys.exit(f'{name} imports {found}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT.parent,
    )
    assert done.returncode == 0, done.stderr
