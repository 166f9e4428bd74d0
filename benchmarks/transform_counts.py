"""Transform-count yardsticks: what other packages' cores cost in Fourier transforms alone.

Not their code, and less than they do: only the number and kind of their transforms of a whole
frame, by scipy, with none of the arithmetic between them, no PSF modelling, no files. A package
takes longer than its yardstick, unless its transforms are faster than scipy's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.fft


@dataclass(frozen=True)
class Yardstick:
    """Complex transforms of a frame, without padding."""

    name: str
    transforms: int
    dtype: type


YARDSTICKS = (
    Yardstick("27 complex double FFTs, no padding (a PyZOGY core)", 27, np.complex128),
    Yardstick("16 complex float FFTs (a pmvreeswijk core)", 16, np.complex64),
)


def job(yardstick: Yardstick, size: int) -> Callable[[], None]:
    """The transforms of a frame of ``size``², half of them inverse."""
    frame = np.ones((size, size), yardstick.dtype)

    def work() -> None:
        for i in range(yardstick.transforms):
            (scipy.fft.ifft2 if i % 2 else scipy.fft.fft2)(frame)

    return work
