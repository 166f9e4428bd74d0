"""The ZOGY engine: arrays in, arrays out; needs numpy, scipy and param.

`plan` takes a snapshot of a pair and its settings, `subtract_cell` does one cell of it,
`Mosaic` puts cells together, `run` does all of that, and `ZogyTask` speaks LSST's dialect.
"""

from zogy_explorer.engine.cancel import CancelToken
from zogy_explorer.engine.cell import compute_cell, subtract_cell
from zogy_explorer.engine.config import GROUPS, UNITS, ZogyConfig
from zogy_explorer.engine.cutout import CellInput, cut_cell
from zogy_explorer.engine.flags import REGISTRY, Flag, FlagKind
from zogy_explorer.engine.forced import ForcedPhotometry, forced_photometry
from zogy_explorer.engine.grid import Cell, generate_grid, split_border
from zogy_explorer.engine.mosaic import CellPsf, Mosaic
from zogy_explorer.engine.noise_terms import AstrometricNoise
from zogy_explorer.engine.plan import Settings, SubtractionPlan, plan
from zogy_explorer.engine.prepare import PreparedPair, prepare_pair
from zogy_explorer.engine.result import CellResult, Difference, NoiseCheck
from zogy_explorer.engine.run import require_usable_cell, run
from zogy_explorer.engine.task import Struct, ZogyTask

__all__ = [
    "GROUPS",
    "REGISTRY",
    "UNITS",
    "AstrometricNoise",
    "CancelToken",
    "Cell",
    "CellInput",
    "CellPsf",
    "CellResult",
    "Difference",
    "Flag",
    "FlagKind",
    "ForcedPhotometry",
    "Mosaic",
    "NoiseCheck",
    "PreparedPair",
    "Settings",
    "Struct",
    "SubtractionPlan",
    "ZogyConfig",
    "ZogyTask",
    "compute_cell",
    "cut_cell",
    "forced_photometry",
    "generate_grid",
    "plan",
    "prepare_pair",
    "require_usable_cell",
    "run",
    "split_border",
    "subtract_cell",
]
