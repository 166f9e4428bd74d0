"""The lessons for ``panel serve apps/teaching.py``: ZOGY from two images to Scorr.

Every visitor gets a session of their own; ``?chapter=5`` opens a chapter.
"""

from __future__ import annotations

from zogy_explorer.ui.teaching.app import teaching_page

teaching_page().servable()
