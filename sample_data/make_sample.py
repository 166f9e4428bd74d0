"""Make science.fits, template.fits and truth.ecsv again, byte for byte.

Run it as ``python sample_data/make_sample.py [FOLDER]``; the folder is this one by default.
The same pair is `zogy_explorer.simulate.sample_pair()` in memory.
"""

from __future__ import annotations

import sys
from pathlib import Path

from zogy_explorer.simulate import sample_pair


def main(folder: Path) -> None:
    """Write the three files into ``folder``."""
    science, template, truth = sample_pair()
    science.write(folder / "science.fits")
    template.write(folder / "template.fits")
    truth.write(folder / "truth.ecsv", format="ascii.ecsv", overwrite=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
