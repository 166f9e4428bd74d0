"""Get raw frames ready: what an image lacks is measured, both are brought onto one grid.

Outside of what the project exists for: what photutils and reproject do well, they do.
"""

from zogy_explorer.camera import Camera, read_camera
from zogy_explorer.prepare.align import align_to
from zogy_explorer.prepare.completing import Completed, complete
from zogy_explorer.prepare.masking import add_mask
from zogy_explorer.prepare.psf import MeasuredPsf, measure_psf
from zogy_explorer.prepare.registering import moved_template
from zogy_explorer.prepare.shift import shift_exposure

__all__ = [
    "Camera",
    "Completed",
    "MeasuredPsf",
    "add_mask",
    "align_to",
    "complete",
    "measure_psf",
    "moved_template",
    "read_camera",
    "shift_exposure",
]
