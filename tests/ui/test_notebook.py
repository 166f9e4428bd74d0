"""What goes from a kernel to a notebook: nothing too early, in order, and nothing from a CDN."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bokeh.core.json_encoder import serialize_json
from bokeh.core.serialization import Serializer
from bokeh.models import Div, ImportedStyleSheet
from panel.io.resources import CDN_DIST

from zogy_explorer import ZogyExplorer
from zogy_explorer.errors import InputError
from zogy_explorer.ui import notebook
from zogy_explorer.ui.notebook import NotebookCourier, Outbox


def elsewhere(call: Callable[[], Any]) -> Any:
    """Result of a call in a thread of its own: browser tests leave a loop running in this one."""
    with ThreadPoolExecutor(max_workers=1) as aside:
        return aside.submit(call).result()


def test_what_is_sent_before_the_page_is_built_waits_and_keeps_its_order():
    sent: list = []
    outbox = Outbox(lambda *args, **kwargs: sent.append((args, kwargs)))
    outbox.send("a")
    outbox.send("b", buffers=[b"1"])
    assert sent == []
    outbox.open()
    outbox.open()
    outbox.send("c")
    assert sent == [(("a",), {}), (("b",), {"buffers": [b"1"]}), (("c",), {})]


def test_a_page_that_is_never_built_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(notebook, "_MOST_KEPT", 100)
    sent: list = []
    outbox = Outbox(lambda *args, **kwargs: sent.append(kwargs))
    for _ in range(10):
        outbox.send(buffers=[bytes(40)])
    outbox.open()
    assert sent == []


def test_style_sheets_of_panel_travel_with_the_message():
    sheet = ImportedStyleSheet(url=f"{CDN_DIST}css/loading.css?v=1")
    content = serialize_json(Serializer().encode(Div(stylesheets=[sheet])))
    sent: list = []
    outbox = Outbox(sent.append)
    outbox.open()
    outbox.send(content)
    assert CDN_DIST in content
    assert CDN_DIST not in sent[0]
    assert f'"name":"InlineStyleSheet","id":"{sheet.id}"' in sent[0]
    assert "pn-loading" in sent[0]


def test_what_comes_later_is_followed_by_a_push():
    done: list[str] = []

    async def kernel() -> None:
        courier = NotebookCourier(asyncio.get_running_loop())
        finished = asyncio.Event()
        courier.after = lambda: (done.append("pushed"), finished.set())
        courier.later(lambda: done.append("called"), 1)
        await asyncio.wait_for(finished.wait(), 20)

    elsewhere(lambda: asyncio.run(kernel()))
    assert done == ["called", "pushed"]


# Bokeh 3.9 with pandas 3.1, in every table.
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index")
def test_outside_a_notebook_there_is_no_ipywidget(pair):
    with pytest.raises(InputError, match="no notebook"):
        elsewhere(lambda: ZogyExplorer(*pair).ipywidget())
