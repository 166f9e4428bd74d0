"""Mask bits as a palette image: one colour code for each combination of planes that occurs.

The browser gets one byte a pixel, and the table of what each byte means: enough to draw the
masks and to name *every* plane under the cursor without asking the server.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.masks import bit_mask, names_of
from zogy_explorer.ui.wall.palettes import PLANE_COLORS, plane_color

CLEAN = 1  # code of a pixel with no plane set; 0 is "outside the image"
_TRANSPARENT = "#00000000"


class MaskCodes:
    """Codes of the plane combinations of one frame, given out as they are met.

    Parameters
    ----------
    planes
        Plane name to bit.
    """

    def __init__(self, planes: Mapping[str, int]) -> None:
        self.planes = dict(planes)
        rank = {name: place for place, name in enumerate(PLANE_COLORS)}
        self._order = sorted(planes, key=lambda name: (rank.get(name, len(rank)), planes[name]))
        self._combinations: list[int] = [0, 0]  # by code
        self._codes: dict[int, int] = {0: CLEAN}

    def encode(self, mask: NDArray[np.int32]) -> NDArray[np.uint8]:
        """Codes of the pixels of a mask, same shape; 1 where no plane is set."""
        bits = mask.view(np.uint32)
        if bits.size and int(bits.max()) < 1 << 16:
            # Counting is far faster than sorting, and LSST's planes fit.
            present = np.flatnonzero(np.bincount(bits.ravel(), minlength=1 << 16))
            table = np.zeros(1 << 16, np.uint8)
            table[present] = [self._code(int(value)) for value in present]
            return table[bits]
        present, inverse = np.unique(bits, return_inverse=True)
        codes = np.array([self._code(int(value)) for value in present], np.uint8)
        return codes[inverse].reshape(mask.shape)

    def names(self) -> list[str]:
        """Plane names of each code, as the readout shows them."""
        return [" ".join(names_of(value, self.planes)) for value in self._combinations]

    def palette(
        self,
        hidden: Collection[str] = (),
        clean: str = _TRANSPARENT,
        own: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Palette of 256: each code in the colour of its topmost plane that is not hidden.

        ``own`` has the colours of planes that are not to have their usual one.
        """
        own = own or {}
        shown = [(int(np.uint32(1 << self.planes[n])), n) for n in self._order if n not in hidden]
        colors = [_TRANSPARENT, clean]
        for value in self._combinations[2:]:
            top = next((name for bit, name in shown if value & bit), None)
            colors.append((own.get(top) or plane_color(top)) if top else clean)
        return colors + [clean] * (256 - len(colors))

    def present(self, codes: NDArray[Any]) -> list[str]:
        """Names of the planes that occur in a coded image, topmost first."""
        union = 0
        for code in np.flatnonzero(np.bincount(codes.ravel(), minlength=256)):
            if code < len(self._combinations):
                union |= self._combinations[code]
        return [name for name in self._order if union >> self.planes[name] & 1]

    def _code(self, value: int) -> int:
        if value not in self._codes:
            if len(self._combinations) < 256:
                self._combinations.append(value)
                self._codes[value] = len(self._combinations) - 1
            else:
                # More than 254 combinations: the eye cannot tell them apart anyway. Fall back
                # to a known one with the same topmost plane; the exact readout has them all.
                self._codes[value] = self._nearest(value)
        return self._codes[value]

    def _nearest(self, value: int) -> int:
        for name in self._order:
            bit = int(np.uint32(bit_mask(self.planes, [name])))
            if value & bit:
                for code, known in enumerate(self._combinations):
                    if known & bit:
                        return code
        return CLEAN
