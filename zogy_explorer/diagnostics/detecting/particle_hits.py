"""Point source or particle hit: what explains D better.

A source adds α·F_D·P_D to D; a hit of one pixel of the science image or the template adds that
pixel through the image's own kernel of D, which is sharper (the paper's section on bad pixels and
particle hits: S_CR matches D with that shape instead of P_D). D is white, so each hypothesis
with a free amplitude lowers χ² by (D·T)²/(T·T) for its template T. Tracks of several pixels are
fitted as well, with a free amplitude for each pixel of a 3×3 square: light that came through the
PSF is wider than that.

A star that is misregistered, or whose PSF is off, is sharper than P_D too. So both hypotheses may
call on such errors of the pair, fitted with them: what these explain counts for neither. The
light on which they act is that of the other image than the hit's (see `surroundings`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.detecting.spans import LEAST_SQUARE, Span, gains, gains_of_products
from zogy_explorer.diagnostics.detecting.surroundings import Surroundings
from zogy_explorer.diagnostics.point_response import PointResponse

Array = NDArray[np.float64]

_SEARCH = 1  # [px] from the peak in which a hit is looked for
_HIT_MARGIN = 4.0  # by which χ² must prefer a hit of one pixel to a point source
# A track has eight amplitudes more, which alone lower χ² by 8 ± 4; a PSF that is wrong by 5 %
# in width leaves it below a source at any brightness.
_TRACK_MARGIN = 24.0
_TRACK_SHARE = 1.1
_LIGHT_SHARE = 0.1  # of what errors of the pair explain, their series may miss
_LEAST_CHI2 = 16.0  # of a hit beyond errors of the pair: rare enough by chance


@dataclass(frozen=True, eq=False)
class Hits:
    """Fits of n peaks of one cell; arrays (n,). Gains in χ² are those beyond the first.

    Parameters
    ----------
    light_chi2
        By how much errors of the pair lower χ².
    source_chi2
        By how much a point source does.
    hit_chi2
        By how much the best hit of a single pixel does.
    track_chi2
        By how much the best track of up to 3×3 pixels does.
    left_chi2
        What the track leaves, beyond the noise.
    hit_significance
        S_CR of the best pixel over its own noise [σ], no errors of the pair allowed for.
    in_science
        Whether the hit is in the science image, else in the template.
    """

    light_chi2: Array
    source_chi2: Array
    hit_chi2: Array
    track_chi2: Array
    left_chi2: Array
    hit_significance: Array
    in_science: NDArray[np.bool_]

    @property
    def is_hit(self) -> NDArray[np.bool_]:
        """Whether one pixel fits better than a source."""
        return self._hit_excess > 0

    @property
    def is_track(self) -> NDArray[np.bool_]:
        """Whether several pixels do, beyond what their number explains."""
        return self._track_excess > 0

    @property
    def _hit_excess(self) -> Array:
        margin = self.source_chi2 + _HIT_MARGIN
        return self._if_believed(self.hit_chi2, self.hit_chi2 - margin)

    @property
    def _track_excess(self) -> Array:
        margin = _TRACK_SHARE * self.source_chi2 + _TRACK_MARGIN
        return self._if_believed(self.track_chi2, self.track_chi2 - margin)

    def _if_believed(self, gain: Array, excess: Array) -> Array:
        """Excess over a source, less what the errors of the pair miss; 0 if they are the cause.

        A hit is believed where it does more than they, or where nothing is left besides: what
        neither explains is a residual of another kind, of which a hit fits some part by chance.
        """
        believed = gain - self.source_chi2 > np.minimum(self.light_chi2, self.left_chi2)
        believed &= gain > _LEAST_CHI2
        return np.where(believed, excess - _LIGHT_SHARE * self.light_chi2, 0.0)

    def or_else(self, other: Hits) -> Self:
        """Of each peak these fits or the others, whichever says more of a hit."""
        hit, track = self._hit_excess, self._track_excess
        hit_other, track_other = other._hit_excess, other._track_excess
        single = np.maximum(hit, hit_other) > 0
        mine = np.where(single, hit >= hit_other, track >= track_other)
        chosen = {
            f.name: np.where(mine, getattr(self, f.name), getattr(other, f.name))
            for f in fields(self)
        }
        best = np.maximum(self.hit_significance, other.hit_significance)
        return type(self)(**(chosen | {"hit_significance": best}))


def compare_hits(around: Surroundings, response: PointResponse) -> Hits:
    """All fits for peaks of the cell of ``response``.

    A hit has positive counts, so that it can be in the science image for a positive peak and in
    the template for a negative one, or a dead pixel, the other way round: the better one counts.
    """
    in_science, in_template = response.hits
    science = _fits(around, around.template_light, in_science, in_science=True)
    return science.or_else(_fits(around, around.science_light, in_template, in_science=False))


def _fits(around: Surroundings, light: Array, hit: Array, *, in_science: bool) -> Hits:
    """Gains in χ² by all hypotheses of a hit in one image, errors of the light fitted with them."""
    pixels = _pixels(hit, around.reach)
    square = (pixels**2).sum(axis=1)
    errors = Span.of(light)
    # Products with what the errors leave are those with the parts of templates beyond them.
    data = errors.rest(around.data)
    products, shared = data @ pixels.T, pixels @ errors.basis
    one = gains_of_products(products, square, (shared**2).sum(axis=2)).max(axis=1)
    gram = pixels @ pixels.T - shared @ shared.transpose(0, 2, 1)
    inverse = np.linalg.pinv(gram, rcond=LEAST_SQUARE, hermitian=True)
    track = np.einsum("nj,njk,nk->n", products, inverse, products, optimize=True)
    energy = (data**2).sum(axis=1)
    alone = (around.data @ pixels.T) ** 2 / square
    return Hits(
        light_chi2=errors.gain(around.data),
        source_chi2=gains(around.sources, data, errors),
        hit_chi2=one,
        track_chi2=track,
        left_chi2=np.maximum(energy - track - around.noise**2 * data.shape[1], 0.0),
        hit_significance=np.sqrt(alone.max(axis=1)),
        in_science=np.full(len(data), in_science),
    )


def _pixels(hit: Array, reach: int) -> Array:
    """A count in each pixel of the square in which hits are looked for, as it enters D (9, …)."""
    middle = hit.shape[0] // 2
    steps = range(-_SEARCH, _SEARCH + 1)
    return np.stack(
        [
            hit[
                middle - reach - dy : middle + reach + 1 - dy,
                middle - reach - dx : middle + reach + 1 - dx,
            ].ravel()
            for dy in steps
            for dx in steps
        ]
    )
