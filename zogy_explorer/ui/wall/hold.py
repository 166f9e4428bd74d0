"""Many changes of models as one message to the browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import panel as pn

if TYPE_CHECKING:
    from bokeh.document import Document


@contextmanager
def one_message(document: Document | None) -> Iterator[None]:
    """Send what is written inside together, so that no panel is ahead of the others.

    While a page loads, Panel's own hold drops changes of models: it expects that the document is
    yet to be sent. But a browser tells the sizes of the panels just then, and the answer must
    reach it; Bokeh's hold sends each change in a message of its own, once.
    """
    if document is None or document.session_context is None or pn.state.loaded:
        with pn.io.hold(document):
            yield
    elif document.callbacks.hold_value:
        yield
    else:
        document.hold("combine")
        try:
            yield
        finally:
            document.unhold()
