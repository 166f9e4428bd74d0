"""The wall of linked images: what the page shows of a pair and its subtraction."""

from __future__ import annotations

from zogy_explorer.ui.wall.display import DisplaySettings
from zogy_explorer.ui.wall.frame import build_pyramids
from zogy_explorer.ui.wall.layers import DEFAULT_LAYERS, LayerSpec
from zogy_explorer.ui.wall.wall import ImageWall

__all__ = ["DEFAULT_LAYERS", "DisplaySettings", "ImageWall", "LayerSpec", "build_pyramids"]
