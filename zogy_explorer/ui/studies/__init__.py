"""Questions that a user asks of a result: each keeps its answer and works beside the page."""

from __future__ import annotations

from zogy_explorer.ui.studies.studies import Studies

__all__ = ["Studies"]
