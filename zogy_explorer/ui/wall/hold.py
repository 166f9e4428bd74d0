"""Many changes of models as one message to the browser."""

from __future__ import annotations

from collections.abc import Iterator
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
