"""The explorer for ``panel serve apps/explorer.py [--args science.fits template.fits]``.

Every visitor gets a session of their own. Without files it opens the sample pair.
"""

from __future__ import annotations

import sys

from zogy_explorer import ZogyExplorer

science, template = [*sys.argv[1:3], None, None][:2]
ZogyExplorer(science, template).servable()
