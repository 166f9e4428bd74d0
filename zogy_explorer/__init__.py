"""ZOGY Explorer: optimal image subtraction, and a page to see why a residual is there.

The names below are the public ones. `ZogyExplorer`, the Panel page, is imported on first use,
so that the engine alone starts without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from zogy_explorer.version import __version__

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    if name == "ZogyExplorer":
        from zogy_explorer.ui.explorer import ZogyExplorer

        return ZogyExplorer
    if name == "make_pair":
        from zogy_explorer.simulate import make_pair

        return make_pair
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
