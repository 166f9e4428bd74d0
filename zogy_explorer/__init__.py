"""ZOGY Explorer: optimal image subtraction, and a page to see why a residual is there.

The names below are the public ones. Each is imported on first use: so the engine starts without
`ZogyExplorer`, the Panel page, and the command line is there to answer Ctrl+C before the numerical
libraries are read, which takes a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from zogy_explorer.version import __version__

if TYPE_CHECKING:
    from zogy_explorer.engine import (
        CancelToken,
        CellResult,
        Difference,
        Mosaic,
        ZogyConfig,
        ZogyTask,
        plan,
        run,
        subtract_cell,
    )
    from zogy_explorer.exposure import Exposure
    from zogy_explorer.geometry import Box
    from zogy_explorer.psf import CallablePsf, GridPsf, KernelPsf
    from zogy_explorer.simulate import make_pair
    from zogy_explorer.ui.explorer import ZogyExplorer

__all__ = [
    "Box",
    "CallablePsf",
    "CancelToken",
    "CellResult",
    "Difference",
    "Exposure",
    "GridPsf",
    "KernelPsf",
    "Mosaic",
    "ZogyConfig",
    "ZogyExplorer",
    "ZogyTask",
    "__version__",
    "make_pair",
    "plan",
    "run",
    "subtract_cell",
]

_ENGINE = (
    "CancelToken", "CellResult", "Difference", "Mosaic", "ZogyConfig", "ZogyTask", "plan", "run",
    "subtract_cell",
)  # fmt: skip
_HOMES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(_ENGINE, "engine"),
        **dict.fromkeys(("CallablePsf", "GridPsf", "KernelPsf"), "psf"),
        "Box": "geometry",
        "Exposure": "exposure",
        "ZogyExplorer": "ui.explorer",
        "make_pair": "simulate",
    }
)
"""Name to the module that has it."""

_ALONG = ("checks", "engine", "errors", "exposure", "geometry", "masks", "psf")
"""Modules that are there after ``import zogy_explorer`` alone."""


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _ALONG:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
