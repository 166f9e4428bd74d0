"""The drawer below the images, one file a tab; their order is `drawer.TABS`."""

from __future__ import annotations

from zogy_explorer.ui.drawer.drawer import DRAWER_HEIGHT, Drawer

__all__ = ["DRAWER_HEIGHT", "Drawer"]
