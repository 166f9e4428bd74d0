"""A mask in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import ReadError
from zogy_explorer.io._fits import find, is_image, native, opened
from zogy_explorer.io.planes import planes_from


def read_mask(path: str | Path) -> tuple[NDArray[Any], dict[str, int]]:
    """Read a mask: its ``MASK`` or ``DQ`` extension, else its first image.

    Returns
    -------
    mask : (ny, nx) array
        As it is in the file.
    planes
        Plane names and bits by its ``MP_<PLANE>`` cards; empty without any.

    Raises
    ------
    PathNotFoundError
        If there is no such file.
    ReadError
        If it cannot be read or holds no image.
    """
    with opened(path) as hdus:
        hdu = find(hdus, "MASK", "DQ") or next((hdu for hdu in hdus if is_image(hdu)), None)
        if hdu is None or not is_image(hdu):
            raise ReadError(path, "it holds no mask: give a file with a mask image of two axes")
        mask = native(np.asarray(hdu.data))
        return mask.reshape(mask.shape[-2:]), planes_from(hdu.header)
