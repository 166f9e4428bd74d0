"""When models are written: many changes as one message, or some milliseconds later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bokeh.document import Document


@contextmanager
def one_message(document: Document | None) -> Iterator[None]:
    """Send what is written inside together, so that no panel is ahead of the others.

    Bokeh's own hold sends it, in order: Panel's drops changes while a page loads, when a browser
    tells the sizes of the panels and must hear the answer, later it can leave a message waiting
    for the next one, and an ipywidget never hears of what it held.
    """
    if document is None or document.callbacks.hold_value:
        yield
        return
    document.hold("combine")
    try:
        yield
    finally:
        document.unhold()


def call_later(document: Document | None, call: Callable[[], None], milliseconds: int) -> None:
    """Have a served page's document call back; without one it is done at once."""
    if document is None or document.session_context is None:
        call()
    elif milliseconds <= 0:
        document.add_next_tick_callback(call)
    else:
        document.add_timeout_callback(call, milliseconds)
