"""Paths as people type and paste them, and the folder that they may not leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from zogy_explorer.errors import InputError
from zogy_explorer.ui.loading import pair_from_paths


@pytest.fixture
def root(pair, tmp_path: Path) -> Path:
    """A folder with both files of a pair; one has a space in its name."""
    folder = tmp_path / "in"
    folder.mkdir()
    pair[0].write(folder / "the sci.fits")
    pair[1].write(folder / "ref.fits")
    pair[1].write(tmp_path / "out.fits")
    return folder


@pytest.mark.parametrize(
    "typed",
    [
        "the sci.fits",
        "  the sci.fits ",
        "'the sci.fits'",
        '"{root}/the sci.fits"',
        "{root}/the sci.fits",
        "file://{root}/the%20sci.fits",
        "file://localhost{root}/the%20sci.fits",
        "../in/the sci.fits",
        "~/the sci.fits",
    ],
)
def test_paths_start_from_the_root(root: Path, typed: str, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(root))
    pair = pair_from_paths(typed.format(root=root), "ref.fits", root)
    assert pair.paths == (root / "the sci.fits", root / "ref.fits")


def test_without_a_root_paths_start_where_the_server_was_started(root: Path, monkeypatch) -> None:
    monkeypatch.chdir(root)
    assert pair_from_paths("the sci.fits", "ref.fits").paths[1] == root / "ref.fits"


@pytest.mark.parametrize("typed", ["../out.fits", "{root}/../out.fits", "link.fits", "~/out.fits"])
def test_outside_of_the_root_nothing_is_opened(root: Path, typed: str, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(root.parent))
    (root / "link.fits").symlink_to(root.parent / "out.fits")
    with pytest.raises(InputError, match=r"lies outside .*give a path below it"):
        pair_from_paths(typed.format(root=root), "ref.fits", root)


@pytest.mark.parametrize("typed", ["a\0b.fits", "~nobody-of-that-name/x.fits"])
def test_what_is_no_path_is_said_in_one_sentence(typed: str) -> None:
    with pytest.raises(InputError, match=r"is not a path .*: type the path of a FITS file"):
        pair_from_paths(typed, "ref.fits")
