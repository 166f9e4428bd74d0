"""The drawer below the images, one file a tab; their order is `drawer.TABS`."""

from __future__ import annotations

from zogy_explorer.ui.drawer.drawer import Drawer

__all__ = ["Drawer"]
