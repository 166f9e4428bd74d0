"""Memory that was let go between things that stay returns to the system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from zogy_explorer.ui import give_back as module
from zogy_explorer.ui.give_back import give_back

MB = 1 << 20


@pytest.fixture(autouse=True)
def library():
    """The C library is looked for anew, and again after the test."""
    module._trim.cache_clear()
    yield
    module._trim.cache_clear()


def resident() -> float:
    """Memory of this process that is in use [MB]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / MB


def test_what_is_free_in_the_middle_of_the_heap_goes_back():
    if module._trim() is None:
        pytest.skip("not with glibc")
    del (large := [bytearray(31 * MB)])[:]  # from now on such sizes come from the heap
    stay = []
    for _ in range(50):
        large.append(bytearray(b"1" * (4 * MB)))
        stay.append(bytearray(b"1" * (MB // 4)))
    large.clear()
    before = resident()
    give_back()
    assert resident() < before - 100
    assert len(stay) == 50


def test_elsewhere_nothing_happens(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert module._trim() is None
    give_back()


def test_without_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr(module.ctypes, "CDLL", lambda name: object())
    assert module._trim() is None
    give_back()
