"""Things that change between the images, and the truth table that tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy import units as u
from astropy.table import Table
from astropy.wcs import WCS
from numpy.typing import NDArray

from zogy_explorer.simulate.psf_field import PsfField

_KINDS = ("new", "fading", "new", "moving")
_SHARES = {"new": (1.0, 0.0), "fading": (0.5, 1.5), "moving": (1.0, 1.0)}
"""Flux in science and template over the flux that changes."""

_TRIES = 500


@dataclass(frozen=True)
class Transient:
    """A change.

    Parameters
    ----------
    kind
        "new" (science only), "fading" (three times brighter in the template), or "moving".
    x, y
        Where it is in the science image [px].
    x_template, y_template
        Where it is, or would be, in the template [px].
    flux_science, flux_template
        Calibrated unit.
    snr
        Expected size of Scorr at its place [σ], the noise of its own light included, that of
        stars and galaxies underneath not.
    """

    kind: str
    x: float
    y: float
    x_template: float
    y_template: float
    flux_science: float
    flux_template: float
    snr: float

    @property
    def sign(self) -> int:
        """Sign of D at (x, y)."""
        return -1 if self.kind == "fading" else 1

    @property
    def flux(self) -> float:
        """Flux of D at (x, y): science minus template, of what is at that place."""
        if self.kind == "moving":
            return self.flux_science
        return self.flux_science - self.flux_template


@dataclass(frozen=True)
class Detectability:
    """What S shows at the place of a point source.

    For flux f the peak is f · ``signal``; its variance is ``signal`` from the background, plus
    f times the Poisson terms from the source's own light in each image.
    """

    signal: float
    poisson_science: float
    poisson_template: float

    def flux(self, snr: float, in_science: float, in_template: float) -> float:
        """Flux for a significance of ``snr`` σ, if the images hold these multiples of it."""
        own = in_science * self.poisson_science + in_template * self.poisson_template
        root = np.sqrt(snr**4 * own**2 + 4 * snr**2 * self.signal**3)
        return float((snr**2 * own + root) / (2 * self.signal**2))


def detectability(
    science: NDArray[np.float64],
    template: NDArray[np.float64],
    sigma: tuple[float, float],
    flux_scale: tuple[float, float],
    gain: float | None,
) -> Detectability:
    """F_S (eqs. 41, 42) and the noise of a source's own light (eqs. 26, 27).

    Parameters
    ----------
    science, template
        Stamps centred on ``n // 2``.
    sigma, flux_scale
        Of science and template.
    gain
        Electrons per count; None: no Poisson noise.
    """
    size = 2 * max(*science.shape, *template.shape)
    P_n, P_r = (_at_origin(stamp, size) for stamp in (science, template))
    n, r = np.fft.fft2(P_n), np.fft.fft2(P_r)
    (sn, sr), (fn, fr) = sigma, flux_scale
    den = sn**2 * fr**2 * np.abs(r) ** 2 + sr**2 * fn**2 * np.abs(n) ** 2
    den = np.maximum(den, np.finfo(np.float64).tiny)
    k_n = np.fft.ifft2(fn * fr**2 * n.conj() * np.abs(r) ** 2 / den).real
    k_r = np.fft.ifft2(fr * fn**2 * r.conj() * np.abs(n) ** 2 / den).real
    per_count = 0.0 if gain is None else 1.0 / gain
    # S(0) = Σ k(−u) N(u): the kernel is turned round before it meets the light.
    return Detectability(
        signal=float((fn**2 * fr**2 * np.abs(n * r) ** 2 / den).sum() / size**2),
        poisson_science=per_count * fn * float((_turned(k_n) ** 2 * P_n).sum()),
        poisson_template=per_count * fr * float((_turned(k_r) ** 2 * P_r).sum()),
    )


def _at_origin(stamp: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Stamp in a square of ``size`` with its centre ``n // 2`` at [0, 0]."""
    plane = np.zeros((size, size))
    plane[: stamp.shape[0], : stamp.shape[1]] = stamp
    return np.roll(plane, (-(stamp.shape[0] // 2), -(stamp.shape[1] // 2)), axis=(0, 1))


def _turned(kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """k(−u) on a periodic grid."""
    return np.roll(kernel[::-1, ::-1], (1, 1), axis=(0, 1))


def draw_transients(
    rng: np.random.Generator,
    n: int,
    snr_range: tuple[float, float],
    allowed: NDArray[np.bool_],
    psfs: tuple[PsfField, PsfField],
    sigma: tuple[float, float],
    flux_scale: tuple[float, float],
    gain: float | None,
    shift: tuple[float, float],
) -> list[Transient]:
    """Transients of evenly spread log significance, apart from one another.

    Parameters
    ----------
    allowed
        Pixels (ny, nx) where one may lie.
    shift
        Science minus template position (x, y) of everything [px].
    """
    if n == 0:
        return []
    snrs = rng.permutation(np.geomspace(*snr_range, n))
    places = _places(rng, n, allowed, 1.5 * psfs[0].size)
    made = []
    for i, ((x, y), snr) in enumerate(zip(places, snrs, strict=True)):
        kind = _KINDS[i % len(_KINDS)]
        science, template = (psf.stamp_at(x, y) for psf in psfs)
        in_science, in_template = _SHARES[kind]
        seen = detectability(science, template, sigma, flux_scale, gain)
        # A mover's two places are apart: the light of the other one does not matter here.
        flux = seen.flux(float(snr), in_science, 0.0 if kind == "moving" else in_template)
        angle, step = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 0.6) * psfs[0].size
        moved = kind == "moving"
        made.append(
            Transient(
                kind=kind,
                x=x,
                y=y,
                x_template=x - shift[0] + moved * float(step * np.cos(angle)),
                y_template=y - shift[1] + moved * float(step * np.sin(angle)),
                flux_science=in_science * flux,
                flux_template=in_template * flux,
                snr=float(snr),
            )
        )
    return made


def _places(
    rng: np.random.Generator, n: int, allowed: NDArray[np.bool_], apart: float
) -> list[tuple[float, float]]:
    """Positions on allowed pixels, ``apart`` px from one another or, if crowded, closer."""
    rows, columns = np.nonzero(allowed)
    places: list[tuple[float, float]] = []
    tries = 0
    while len(places) < n:
        tries += 1
        if tries > _TRIES:
            tries, apart = 0, apart / 2
        k = rng.integers(len(rows))
        x, y = (float(v[k] + rng.uniform(-0.5, 0.5)) for v in (columns, rows))
        if all(np.hypot(x - a, y - b) >= apart for a, b in places):
            places.append((x, y))
    return places


def truth_table(transients: Sequence[Transient], wcs: WCS) -> Table:
    """One row a transient; positions in 0-based pixels of the science image and on the sky."""
    x, y = (np.array([getattr(t, key) for t in transients]) for key in ("x", "y"))
    ra, dec = wcs.wcs_pix2world(x, y, 0) if len(transients) else (x, y)
    table = Table()
    table["id"] = np.arange(1, len(transients) + 1)
    table["kind"] = np.array([t.kind for t in transients], dtype="U8")
    table["sign"] = np.array([t.sign for t in transients], dtype=np.int64)
    table["x"], table["y"] = x * u.pix, y * u.pix
    table["ra"], table["dec"] = ra * u.deg, dec * u.deg
    for name in ("x_template", "y_template"):
        table[name] = np.array([getattr(t, name) for t in transients]) * u.pix
    for name in ("flux", "flux_science", "flux_template", "snr"):
        table[name] = np.array([getattr(t, name) for t in transients])
    return table
