"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Reproducible, without a database, and short: two cores are shared by all tests.
settings.register_profile("short", derandomize=True, deadline=None, max_examples=50, database=None)
settings.register_profile("long", deadline=None, max_examples=1000, database=None)
settings.load_profile("short")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data kept outside the repository: $ZOGY_SHARED, or ../shared beside it.

    Tests that need it are skipped where it is absent, but fail in CI.
    """
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("ZOGY_SHARED", default))
    if (folder / "data").is_dir():
        return folder
    reason = f"no real data at {folder / 'data'}: set ZOGY_SHARED to the folder that holds data/"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
