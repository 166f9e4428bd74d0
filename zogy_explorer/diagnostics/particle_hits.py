"""Point source or particle hit: what explains D better.

A source adds α·F_D·P_D to D; a hit of one pixel of the science image or the template adds that
pixel through the image's own kernel of D, which is sharper (the paper's section on bad pixels and
particle hits: S_CR matches D with that shape instead of P_D). D is white, so each hypothesis
with a free amplitude lowers χ² by (D·T)²/(T·T) for its template T.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.peaks import Peaks
from zogy_explorer.diagnostics.point_response import PointResponse
from zogy_explorer.engine.result import Difference
from zogy_explorer.engine.subpixel import shifted, windows

Array = NDArray[np.float64]

_FIT_FWHM = 2.0  # half side of the window of D, in FWHM of P_D
_SEARCH = 1  # [px] from the peak in which a hit is looked for
_MARGIN = 6  # [px] around the window, so that splines do not see its end


@dataclass(frozen=True, eq=False)
class Hits:
    """Fits of n peaks of one cell; arrays (n,).

    Parameters
    ----------
    source_chi2
        By how much a point source lowers χ².
    hit_chi2
        By how much the best hit of a single pixel does.
    in_science
        Whether that is a pixel of the science image, else of the template.
    """

    source_chi2: Array
    hit_chi2: Array
    in_science: NDArray[np.bool_]

    @property
    def hit_significance(self) -> Array:
        """S_CR over its own noise [σ]."""
        return np.sqrt(self.hit_chi2)


def compare_hits(difference: Difference, peaks: Peaks, response: PointResponse) -> Hits:
    """Both fits for peaks of the cell of ``response``.

    A hit has positive counts, so that it can be in the science image for a positive peak and in
    the template for a negative one, or a dead pixel, the other way round: the better one counts.
    """
    reach = max(int(np.ceil(_FIT_FWHM * response.fwhm)), 3)
    reach = min(reach, response.side // 2 - _MARGIN - 1)
    image, variance = difference.diff.image, difference.diff.variance
    assert variance is not None
    data = windows(image, peaks.row, peaks.column, reach)
    # The noise of the place is taken as one number: the source's own light changes it slowly.
    noise = np.sqrt(np.maximum(variance[peaks.row, peaks.column].astype(np.float64), 1e-300))
    data /= noise[:, None, None]
    middle = response.side // 2
    around = slice(middle - reach - _MARGIN, middle + reach + _MARGIN + 1)
    sources = shifted(response.psf_diff[around, around], peaks.x, peaks.y)
    source = _chi2(data, sources[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN])
    best = np.zeros(len(peaks))
    in_science = np.ones(len(peaks), dtype=bool)
    steps = range(-_SEARCH, _SEARCH + 1)
    for science, hit in zip((True, False), response.hits, strict=True):
        for dy in steps:
            for dx in steps:
                part = hit[
                    middle - reach - dy : middle + reach + 1 - dy,
                    middle - reach - dx : middle + reach + 1 - dx,
                ]
                chi2 = _chi2(data, part[None])
                better = chi2 > best
                best[better], in_science[better] = chi2[better], science
    return Hits(source, best, in_science)


def _chi2(data: Array, template: Array) -> Array:
    """(D·T)²/(T·T) of n windows, for one template or one each."""
    product = np.einsum("nyx,nyx->n", data, np.broadcast_to(template, data.shape))
    return product**2 / np.einsum("nyx,nyx->n", template, template)
