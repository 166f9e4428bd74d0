"""The Runs tab gives its room to what changed."""

from __future__ import annotations

import pytest

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


def test_the_room_there_is_goes_to_what_changed(page):
    page.drawer.front("Runs")
    table = next(tab for tab in page.drawer.tabs if tab.title == "Runs").view
    assert table.layout == "fit_columns"
    assert set(table.value.columns) - set(table.widths) == {"changes"}
