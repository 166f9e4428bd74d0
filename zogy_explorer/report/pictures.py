"""Small pictures of planes as PNG."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Sequence

import numpy as np
from astropy.nddata import block_reduce
from astropy.visualization import AsinhStretch, ZScaleInterval
from numpy.typing import NDArray

SIDE = 460
"""[px] Longer side of a picture at most."""

_COLORS = 65  # odd: zero has a colour of its own
_SIGMAS = 5.0  # half range of a diverging picture
_MAD_TO_SIGMA = 1.4826022


def sky_picture(plane: NDArray[np.floating]) -> bytes:
    """PNG of an image of the sky: zscale limits, asinh stretch; holes stay transparent."""
    small = _reduced(plane, np.nanmean)
    known = small[np.isfinite(small)]
    if known.size == 0:
        return _png(np.zeros(small.shape), np.zeros(small.shape, bool), "gray")
    low, high = ZScaleInterval(n_samples=min(known.size, 5000)).get_limits(known)
    # zscale ends a little above the sky; sources need more room.
    high = low + 3 * max(high - low, 1e-30)
    level = AsinhStretch(0.1)(np.clip((small - low) / (high - low), 0, 1), clip=False)
    return _png(level, np.isfinite(small), "gray")


def diverging_picture(plane: NDArray[np.floating]) -> bytes:
    """PNG of a plane about zero: ±5 robust σ, the pixel of larger modulus where many fall together.

    Blue is negative, red positive, as the light theme of the page has it.
    """
    high, low = _reduced(plane, np.nanmax), _reduced(plane, np.nanmin)
    small = np.where(np.abs(low) > np.abs(high), low, high)
    known = small[np.isfinite(small)]
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(known))) if known.size else 1.0
    reach = _SIGMAS * (sigma or float(np.std(known)) or 1.0)
    return _png(np.clip(small / reach, -1, 1) / 2 + 0.5, np.isfinite(small), "coolwarm")


def data_uri(png: bytes) -> str:
    """The picture as it stands in a page."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _reduced(plane: NDArray[np.floating], function: object) -> NDArray[np.floating]:
    block = max(1, -(-max(plane.shape) // SIDE))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # blocks without a value stay NaN
        return np.asarray(block_reduce(plane, block, func=function), dtype=float)


def _png(level: NDArray[np.floating], known: NDArray[np.bool_], colors: str) -> bytes:
    """Levels 0 … 1 through a palette, first row at the bottom."""
    from PIL import Image

    # A small palette compresses four times better than 24 bits of noise.
    index = np.nan_to_num(level * (_COLORS - 1)).round().astype(np.uint8) + 1
    index[~known] = 0
    picture = Image.fromarray(np.ascontiguousarray(index[::-1])).convert("P")
    steps = np.linspace(0, 255, _COLORS).round().astype(int)
    picture.putpalette([0, 0, 0, *_palette(colors)[steps].ravel().tolist()])
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, transparency=0)
    return file.getvalue()


def _palette(name: str) -> NDArray[np.uint8]:
    import colorcet

    if name == "gray":
        return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    return _rgb(colorcet.palette[name])


def _rgb(colors: Sequence[str]) -> NDArray[np.uint8]:
    return np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colors], dtype=np.uint8)
