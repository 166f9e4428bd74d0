"""``await explorer.ready()``: the result of the newest settings, or why there is none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from zogy_explorer import ZogyConfig, ZogyExplorer
from zogy_explorer.errors import InputError
from zogy_explorer.ui import work
from zogy_explorer.ui.state import Pair

# Bokeh 3.9 with pandas 3.1, in every table.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")


def in_a_notebook(cell: Callable[[], Awaitable[Any]]) -> Any:
    """Result of a cell in a loop of its own: browser tests leave one running in this thread."""
    with ThreadPoolExecutor(max_workers=1) as aside:
        return aside.submit(lambda: asyncio.run(cell())).result()


def config() -> ZogyConfig:
    return ZogyConfig(doSpatialGrid=True, gridInnerSize=2.0)


def test_the_first_result_is_waited_for(pair):
    async def cell():
        explorer = ZogyExplorer(*pair, config())
        assert explorer.result is None
        difference = await explorer.ready(60)
        assert difference is explorer.result
        assert explorer.cell is not None
        return difference

    assert np.isfinite(in_a_notebook(cell).diff.image).all()


def test_each_new_setting_s_result_is_waited_for_in_one_cell(pair):
    async def cell():
        explorer = ZogyExplorer(*pair, config())
        floors = []
        for floor in (0.01, 0.02, 0.03):  # the first before the pair is open
            explorer.config.frequencyFloor = floor
            difference = await explorer.ready(60)
            floors.append(difference.plan.config.frequencyFloor)
            assert not explorer.session.stale
        return floors

    assert in_a_notebook(cell) == [0.01, 0.02, 0.03]


def test_a_pair_that_cannot_be_opened_raises_what_the_page_says(tmp_path):
    async def cell():
        explorer = ZogyExplorer(tmp_path / "a.fits", tmp_path / "b.fits")
        await explorer.ready(60)

    with pytest.raises(InputError, match=r"a\.fits: there is no such file"):
        in_a_notebook(cell)


def test_a_failed_subtraction_raises_and_the_next_one_is_waited_for_again(pair):
    async def cell():
        explorer = ZogyExplorer(*pair, config())
        await explorer.ready(60)
        explorer.session.edit(strict=True, maxPsfCentroidDist=0.01)
        with pytest.raises(InputError, match="maxPsfCentroidDist") as caught:
            await explorer.ready(60)
        assert str(caught.value) == explorer.session.alert
        explorer.config.maxPsfCentroidDist = 0.5
        return (await explorer.ready(60)).plan.config.maxPsfCentroidDist

    assert in_a_notebook(cell) == 0.5


def test_a_pair_that_fails_after_another_is_not_answered_with_the_old_result(pair, tmp_path):
    async def cell():
        explorer = ZogyExplorer(*pair, config())
        await explorer.ready(60)
        explorer.session.open_paths(str(tmp_path / "a.fits"), str(tmp_path / "b.fits"))
        await explorer.ready(60)

    with pytest.raises(InputError, match="no such file"):
        in_a_notebook(cell)


def test_what_takes_too_long_and_what_was_cancelled_is_said(pair, monkeypatch):
    gate = threading.Event()
    subtract = work.run

    def slow(*args, **kwargs):
        gate.wait(30)
        return subtract(*args, **kwargs)

    monkeypatch.setattr(work, "run", slow)

    async def cell():
        explorer = ZogyExplorer(*pair, config())
        with pytest.raises(InputError, match=r"not there after 0\.1 s .*longer with ready"):
            await explorer.ready(0.1)
        explorer.session.cancel()
        gate.set()
        with pytest.raises(InputError, match="opening of the pair was cancelled"):
            await explorer.ready(60)

    in_a_notebook(cell)


def test_an_opening_that_was_cancelled_does_not_give_the_pair_before(pair, monkeypatch):
    gate = threading.Event()

    def slow():
        gate.wait(30)
        return Pair(*pair, "other science", "other template")

    async def cell():
        explorer = ZogyExplorer(*pair, config())
        await explorer.ready(60)
        explorer.session.open(slow, "reading slowly")
        explorer.session.cancel()
        gate.set()
        with pytest.raises(InputError, match="opening of the pair was cancelled"):
            await explorer.ready(60)
        explorer.session.open(lambda: Pair(*pair, "a", "b"), "reading")
        explorer.session.open(lambda: Pair(*pair, "c", "d"), "reading")  # cancels the one before
        await explorer.ready(60)
        assert explorer.session.pair.science_name == "c"

    in_a_notebook(cell)


def test_a_notebook_runs_from_top_to_bottom_without_a_browser():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = (
        "from zogy_explorer import ZogyExplorer; explorer = ZogyExplorer(); explorer",
        "print((await explorer.ready()).diff.image.mean() == explorer.result.diff.image.mean())",
        "explorer.config.maxPsfCentroidDist = 0.7\n"
        "print((await explorer.ready()).plan.config.maxPsfCentroidDist)",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert [cell.outputs[0].text for cell in notebook.cells[1:]] == ["True\n", "0.7\n"]
