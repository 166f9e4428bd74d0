"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
