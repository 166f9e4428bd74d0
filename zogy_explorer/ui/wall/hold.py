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

    To a served page Bokeh's own hold sends it, in order: Panel's drops changes while a page
    loads, when a browser tells the sizes of the panels and must hear the answer, and later it can
    leave a message waiting for the next one. A notebook has only Panel's.
    """
    if document is None or document.session_context is None:
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
