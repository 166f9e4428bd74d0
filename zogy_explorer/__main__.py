"""``python -m zogy_explorer``: the same as ``zogy-explorer``."""

from __future__ import annotations

import sys

from zogy_explorer.cli import main

if __name__ == "__main__":
    sys.exit(main())
