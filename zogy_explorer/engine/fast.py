"""The compiled twins of the inner loops (numba), and transforms by ducc0: the ``fast`` extra.

Each function does what the one of the same name in ``equations``, ``fourier`` or ``compact`` does,
one frequency after the other instead of one operation after the other. Imported only where
`ZogyConfig.arithmetic` asks for it; compiled code is kept on disk, so that only the first use on
a machine waits for the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ducc0
import numba
import numpy as np

from zogy_explorer.engine.arithmetic import Arithmetic
from zogy_explorer.engine.equations import Factors
from zogy_explorer.engine.fourier import Plane, Spectrum

# Contraction to fused multiply-add and the sign of zero: everything else stays IEEE.
_compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(
    nogil=True, cache=True, error_model="numpy", fastmath={"contract", "nsz"}
)


def forward(plane: Plane) -> Spectrum:
    """Half spectrum of a plane."""
    return ducc0.fft.r2c(plane, axes=(0, 1), nthreads=1)


def backward(spectrum: Spectrum, shape: tuple[int, int], rows: slice = slice(None)) -> Plane:
    """The ``rows`` of the plane of ``shape`` from its half spectrum, which is spoilt."""
    by_length = 2  # normalised by the number of elements
    columns = ducc0.fft.c2c(
        spectrum, axes=(0,), forward=False, inorm=by_length, out=spectrum, nthreads=1
    )
    return ducc0.fft.c2r(
        columns[rows], axes=(1,), lastsize=shape[1], forward=False, inorm=by_length, nthreads=1
    )


@_compiled
def folded(even: Any, odd: Any, first: int, above: Any, below: Any) -> None:
    """Rows ``k`` of a spectrum and rows ``-k``, from its even and odd parts."""
    for i in range(even.shape[0]):
        for j in range(even.shape[1]):
            above[i, j] = even[i, j] + odd[i, j]
    n = below.shape[0]
    for i in range(n):
        for j in range(even.shape[1]):
            below[n - 1 - i, j] = even[first + i, j] - odd[first + i, j]


def difference_and_score(
    psf_n: Spectrum,
    psf_r: Spectrum,
    image_n: Spectrum,
    image_r: Spectrum,
    factors: Factors,
    with_score: bool,
    score_r: Spectrum | None,
) -> None:
    """The images of a block of frequencies become D and S (eqs. 13, 17)."""
    f, real = factors, image_n.real.dtype.type
    numbers = (f.noise_n, f.noise_r, f.to_n, f.to_r, f.score, f.floor, f.tiny, 1.0)
    _difference_and_score(
        psf_n,
        psf_r,
        image_n,
        image_r,
        tuple(real(number) for number in numbers),
        (with_score, score_r is not None, f.floor > 0),
        np.empty((0, 0), image_r.dtype) if score_r is None else score_r,
    )


@_compiled
def _difference_and_score(
    psf_n: Any, psf_r: Any, image_n: Any, image_r: Any, factors: Any, wanted: Any, score_r: Any
) -> None:
    noise_n, noise_r, to_n, to_r, to_score, floor, tiny, one = factors
    with_score, with_score_r, floored = wanted
    floor_2 = floor * floor
    floor_3 = floor_2 * floor
    zero = one - one
    for i in range(psf_n.shape[0]):
        for j in range(psf_n.shape[1]):
            n_re, n_im = psf_n[i, j].real, psf_n[i, j].imag
            r_re, r_im = psf_r[i, j].real, psf_r[i, j].imag
            image_n_re, image_n_im = image_n[i, j].real * to_n, image_n[i, j].imag * to_n
            image_r_re, image_r_im = image_r[i, j].real * to_r, image_r[i, j].imag * to_r
            second_re = n_re * image_r_re - n_im * image_r_im
            second_im = n_re * image_r_im + n_im * image_r_re
            cross_re = r_re * image_n_re - r_im * image_n_im - second_re
            cross_im = r_re * image_n_im + r_im * image_n_re - second_im
            limit_re, limit_im = image_n_re - image_r_re, image_n_im - image_r_im
            power_n, power_r = n_re * n_re + n_im * n_im, r_re * r_re + r_im * r_im
            den = noise_n * power_r + noise_r * power_n
            if with_score:
                gain = zero if den < tiny else to_score / den
                matched_re = (n_re * r_re - n_im * r_im) * gain
                matched_im = -(n_re * r_im + n_im * r_re) * gain
                image_r[i, j] = complex(
                    matched_re * cross_re - matched_im * cross_im,
                    matched_re * cross_im + matched_im * cross_re,
                )
                if with_score_r:
                    score_r[i, j] = complex(
                        matched_re * second_re - matched_im * second_im,
                        matched_re * second_im + matched_im * second_re,
                    )
            if floored:
                added = floor_3 / (power_n + power_r + floor_2)
                cross_re += added * limit_re
                cross_im += added * limit_im
                n_re += added
                r_re += added
                power_n, power_r = n_re * n_re + n_im * n_im, r_re * r_re + r_im * r_im
                den = noise_n * power_r + noise_r * power_n
            vanished = den < tiny
            over_root = one / np.sqrt(den)
            image_n[i, j] = complex(
                limit_re if vanished else cross_re * over_root,
                limit_im if vanished else cross_im * over_root,
            )


def weighted_twice(first: Spectrum, second: Spectrum, factors: Sequence[Spectrum]) -> None:
    """Two spectra become a·first + b·second and c·first + d·second, with ``factors`` a, b, c, d."""
    _weighted_twice(first, second, *factors)


@_compiled
def _weighted_twice(first: Any, second: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    for i in range(first.shape[0]):
        for j in range(first.shape[1]):
            x_re, x_im = first[i, j].real, first[i, j].imag
            y_re, y_im = second[i, j].real, second[i, j].imag
            first[i, j] = complex(
                a[i, j].real * x_re
                - a[i, j].imag * x_im
                + b[i, j].real * y_re
                - b[i, j].imag * y_im,
                a[i, j].real * x_im
                + a[i, j].imag * x_re
                + b[i, j].real * y_im
                + b[i, j].imag * y_re,
            )
            second[i, j] = complex(
                c[i, j].real * x_re
                - c[i, j].imag * x_im
                + d[i, j].real * y_re
                - d[i, j].imag * y_im,
                c[i, j].real * x_im
                + c[i, j].imag * x_re
                + d[i, j].real * y_im
                + d[i, j].imag * y_re,
            )


def finish_rows(
    diff: Plane,
    diff_variance: Plane,
    score: Plane,
    score_variance: Plane,
    scorr: Plane,
    flux_diff: float,
) -> tuple[bool, bool]:
    """D / F_D, V_D / F_D², Scorr. Returns whether D and S are finite, and all of V_S positive."""
    real = diff.dtype.type
    limits = np.finfo(diff.dtype)
    numbers = (real(flux_diff), real(flux_diff**2), limits.tiny, limits.max)
    return _finish_rows(diff, diff_variance, score, score_variance, scorr, numbers)


@_compiled
def _finish_rows(
    diff: Any, diff_variance: Any, score: Any, score_variance: Any, scorr: Any, numbers: Any
) -> tuple[bool, bool]:
    flux, flux_2, least, most = numbers
    finite = positive = True
    for i in range(diff.shape[0]):
        for j in range(diff.shape[1]):
            d, s, v = diff[i, j], score[i, j], score_variance[i, j]
            finite &= (abs(d) <= most) & (abs(s) <= most)  # NaN is neither
            positive &= v > least
            diff[i, j] = d / flux
            diff_variance[i, j] = diff_variance[i, j] / flux_2
            scorr[i, j] = s / np.sqrt(v)
    return finite, positive


FAST = Arithmetic(
    name="fast",
    forward=forward,
    backward=backward,
    folded=folded,
    difference_and_score=difference_and_score,
    weighted_twice=weighted_twice,
    finish_rows=finish_rows,
)
"""numba and ducc0."""
