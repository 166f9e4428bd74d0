"""The gallery of residuals says what its script computes, and has its pictures."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_gallery_is_up_to_date():
    spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
    gallery = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gallery)
    written = (DOCS / "residuals.md").read_text(encoding="utf-8")
    made = gallery.page()
    strip = re.compile(r"\d+\.\d")
    assert strip.sub("#", written) == strip.sub("#", made), "run python docs/make_gallery.py"
    for old, new in zip(strip.findall(written), strip.findall(made), strict=True):
        # Figures may move by round-off between machines, not by more.
        assert float(old) == pytest.approx(float(new), abs=0.11)


def test_every_picture_is_there():
    text = (DOCS / "residuals.md").read_text(encoding="utf-8")
    pictures = re.findall(r"\((images/[^)]+)\)", text)
    assert len(pictures) == 8
    for picture in pictures:
        assert (DOCS / picture).stat().st_size > 5000
