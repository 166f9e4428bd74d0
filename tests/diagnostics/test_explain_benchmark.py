"""A few trials of each case of the benchmark: right names, right sizes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "bench_explain.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_explain", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


BENCH = load()


@pytest.mark.parametrize("cause", sorted(BENCH.CASES))
def test_the_cause_is_named_first_with_its_size(cause: str) -> None:
    outcome = BENCH.measure(cause, trials=8, seed=20)
    assert outcome.named >= 7, outcome.others
    assert outcome.sized >= 7
