"""The reference pages say what the code does: the made ones are up to date, the tests exist."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from zogy_explorer import ZogyConfig
from zogy_explorer.engine.flags import REGISTRY

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
DIFFERENCES = REFERENCE / "differences-from-lsst.md"


@pytest.fixture(scope="module")
def made() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_reference", ROOT / "docs" / "make_reference.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["config.md", "flags.md", "detections.md", "command-line.md"])
def test_page_is_up_to_date(made: ModuleType, name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == made.PAGES[name](), "run python docs/make_reference.py"


@pytest.mark.parametrize("package", ["", ".diagnostics", ".simulate", ".prepare", ".io"])
def test_every_public_name_is_described(package: str) -> None:
    module = importlib.import_module("zogy_explorer" + package)
    page = (REFERENCE / "api.md").read_text(encoding="utf-8")
    described = {path.rpartition(".")[2] for path in re.findall(r"auto\w+:: (\S+)", page)}
    named = {name for name in module.__all__ if callable(getattr(module, name))}
    assert named - described - {"ZogyConfig"} == set()  # settings have a page of their own


def test_every_setting_has_a_row(made: ModuleType) -> None:
    page = made.config_page()
    for name in ZogyConfig.field_names():
        assert page.count(f"\n| `{name}` |") == 1


def test_every_flag_has_a_row(made: ModuleType) -> None:
    page = made.flags_page()
    for name in REGISTRY:
        assert page.count(f"\n| `{name}` |") == 1


@pytest.mark.parametrize("name", ["config.md", "flags.md", "differences-from-lsst.md"])
def test_rows_of_a_table_have_as_many_cells_as_its_head(name: str) -> None:
    for block in (REFERENCE / name).read_text(encoding="utf-8").split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) <= 1, block


# --- differences from LSST: written by hand, so what it names must exist ------------------------


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", DIFFERENCES.read_text(encoding="utf-8"))
    assert len(named) > 12
    for path, function in named:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {function}(" in source, f"{path}::{function}"


def test_every_setting_that_the_preset_changes_is_explained() -> None:
    plain, lsst = ZogyConfig().to_dict(), ZogyConfig.lsst().to_dict()
    text = DIFFERENCES.read_text(encoding="utf-8")
    for name in ZogyConfig.field_names():
        if lsst[name] != plain[name]:
            assert f"`{name}" in text


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in REFERENCE.glob("*.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
