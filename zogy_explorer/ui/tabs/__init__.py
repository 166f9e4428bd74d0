"""Tabs of the inspector, one file each; the order on the page is `inspector.TABS`."""
