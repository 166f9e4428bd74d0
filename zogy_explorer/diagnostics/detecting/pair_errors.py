"""Point source or error of the pair: what explains D better.

Misregistration and a wrong PSF leave residuals of light that both images have, however wide it
is: its gradient, and its second derivatives (see `surroundings`). Here the light is the mean of
both images', which makes the series exact to second order. Differences of flux are left out:
they look like a variable star, which is what is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.detecting.spans import Span, gains
from zogy_explorer.diagnostics.detecting.surroundings import ORDERS, Surroundings

Array = NDArray[np.float64]

_N_SHIFT = sum(i + j == 1 for i, j in ORDERS)
# By which χ² must prefer errors of the pair to a point source. All five have two parameters more
# than its flux and place, at ln n each for the some 150 pixels of a window.
_SHIFT_MARGIN = 4.0
_BOTH_MARGIN = 10.0
_SOURCE_LEFT = 0.25  # of the χ² that a source explains: with more, half its flux is still there


@dataclass(frozen=True, eq=False)
class PairErrors:
    """Fits of n peaks of one cell; arrays (n,).

    Parameters
    ----------
    source_chi2
        By how much a point source lowers χ².
    shift_chi2
        By how much a shift of the light does.
    both_chi2
        By how much a shift and another width or shape of its PSFs do together.
    left_by_shift, left_by_both
        By how much a point source of the same shape lowers χ² after them.
    """

    source_chi2: Array
    shift_chi2: Array
    both_chi2: Array
    left_by_shift: Array
    left_by_both: Array

    @property
    def is_shift(self) -> NDArray[np.bool_]:
        """Whether a shift explains the peak, alone or as the larger part."""
        alone = self._explain(self.shift_chi2 - _SHIFT_MARGIN, self.left_by_shift)
        return alone | (self._both & (2 * self.shift_chi2 >= self.both_chi2))

    @property
    def is_shape(self) -> NDArray[np.bool_]:
        """Whether other shapes of the PSFs do, and a shift does not."""
        return self._both & ~self.is_shift

    @property
    def _both(self) -> NDArray[np.bool_]:
        return self._explain(self.both_chi2 - _BOTH_MARGIN, self.left_by_both)

    def _explain(self, chi2: Array, left: Array) -> NDArray[np.bool_]:
        """Whether they beat a source, and leave none: beside a star one may be new."""
        return (chi2 > self.source_chi2) & (left < _SOURCE_LEFT * self.source_chi2)


def compare_pair_errors(around: Surroundings) -> PairErrors:
    """All fits for peaks of one cell."""
    light = (around.science_light + around.template_light) / 2
    both = Span.of(light[:, 1:])  # without the flux
    shift = both.first(_N_SHIFT)
    square = (around.sources**2).sum(axis=1)

    def left_by(span: Span) -> Array:
        # The source itself, not its part outside the span: how much of the peak is still there.
        return np.asarray((around.sources * span.rest(around.data)).sum(axis=1) ** 2 / square)

    return PairErrors(
        source_chi2=gains(around.sources, around.data),
        shift_chi2=shift.gain(around.data),
        both_chi2=both.gain(around.data),
        left_by_shift=left_by(shift),
        left_by_both=left_by(both),
    )
