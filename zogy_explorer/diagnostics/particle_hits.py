"""Point source or particle hit: what explains D better.

A source adds α·F_D·P_D to D; a hit of one pixel of the science image or the template adds that
pixel through the image's own kernel of D, which is sharper (the paper's section on bad pixels and
particle hits: S_CR matches D with that shape instead of P_D). D is white, so each hypothesis
with a free amplitude lowers χ² by (D·T)²/(T·T) for its template T. Tracks of several pixels are
fitted as well, with a free amplitude for each pixel of a 3×3 square: light that came through the
PSF is wider than that.
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
_HIT_MARGIN = 4.0  # by which χ² must prefer a hit of one pixel to a point source
# A track has eight amplitudes more, which alone lower χ² by 8 ± 4; a PSF that is wrong by 5 %
# in width leaves it below a source at any brightness.
_TRACK_MARGIN = 24.0
_TRACK_SHARE = 1.1


@dataclass(frozen=True, eq=False)
class Hits:
    """Fits of n peaks of one cell; arrays (n,).

    Parameters
    ----------
    source_chi2
        By how much a point source lowers χ².
    hit_chi2
        By how much the best hit of a single pixel does.
    track_chi2
        By how much the best track of up to 3×3 pixels does.
    in_science
        Whether the better of the two is in the science image, else in the template.
    """

    source_chi2: Array
    hit_chi2: Array
    track_chi2: Array
    in_science: NDArray[np.bool_]

    @property
    def hit_significance(self) -> Array:
        """S_CR over its own noise [σ]."""
        return np.sqrt(self.hit_chi2)

    @property
    def is_hit(self) -> NDArray[np.bool_]:
        """Whether one pixel fits better than a source."""
        return self.hit_chi2 > self.source_chi2 + _HIT_MARGIN

    @property
    def is_track(self) -> NDArray[np.bool_]:
        """Whether several pixels do, beyond what their number explains."""
        return self.track_chi2 > _TRACK_SHARE * self.source_chi2 + _TRACK_MARGIN


def compare_hits(difference: Difference, peaks: Peaks, response: PointResponse) -> Hits:
    """All fits for peaks of the cell of ``response``.

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
    sources = sources[:, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    product = np.einsum("nyx,nyx->n", data, sources)
    source = product**2 / np.einsum("nyx,nyx->n", sources, sources)
    (one_n, all_n), (one_r, all_r) = (_fits(data, hit, reach) for hit in response.hits)
    in_science = np.where(
        np.maximum(one_n, one_r) > source + _HIT_MARGIN, one_n >= one_r, all_n >= all_r
    )
    return Hits(source, np.maximum(one_n, one_r), np.maximum(all_n, all_r), in_science)


def _fits(data: Array, hit: Array, reach: int) -> tuple[Array, Array]:
    """Gain in χ² by the best single pixel near the peaks, and by all of them together."""
    middle = hit.shape[0] // 2
    steps = range(-_SEARCH, _SEARCH + 1)
    templates = np.stack(
        [
            hit[
                middle - reach - dy : middle + reach + 1 - dy,
                middle - reach - dx : middle + reach + 1 - dx,
            ]
            for dy in steps
            for dx in steps
        ]
    )
    products = np.einsum("nyx,kyx->nk", data, templates, optimize=True)
    gram = np.einsum("jyx,kyx->jk", templates, templates, optimize=True)
    one = (products**2 / np.diag(gram)).max(axis=1)
    together = np.einsum("nk,kn->n", products, np.linalg.pinv(gram) @ products.T)
    return one, together
