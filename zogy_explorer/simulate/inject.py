"""`inject`: known point sources added to an exposure, with the noise of their own light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zogy_explorer.camera import read_camera
from zogy_explorer.checks import generator, instance
from zogy_explorer.engine.plan import evaluate_psf
from zogy_explorer.engine.provenance import INJECTED_KEY, INJECTED_WORD
from zogy_explorer.engine.subpixel import shifted
from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure, require_psf

Array = NDArray[np.float64]

_MARGIN = 8  # [px] around a stamp into which a shift may move light
_LISTED = 100  # sources that a header has lines for


def inject(
    exposure: Exposure,
    x: ArrayLike,
    y: ArrayLike,
    flux: ArrayLike,
    *,
    rng: np.random.Generator | Sequence[np.random.Generator] | int | None = None,
    gain: float | None = None,
) -> Exposure:
    """A copy of an exposure with point sources added; the input is left as it is.

    Parameters
    ----------
    exposure
        With a PSF.
    x, y
        Positions [px] on the exposure's pixel grid, numbers or arrays; integers are pixel
        centres. A source may hang over the edge, but its centre must be on the frame.
    flux
        Sum over the pixels in the exposure's own unit (the calibrated flux over
        ``photo_calib``); positive. One number, or one for each position.
    rng
        Source of the Poisson noise, or its seed; None: fresh. A list of generators, one for each
        source, gives each a noise of its own that does not depend on the others.
    gain
        Electrons per image unit. None: from the header (see ``camera.GAIN_KEYS``). If that has
        none either, the light is added without noise and the variance stays as it is. ``np.inf``:
        no noise, whatever the header says.

    Returns
    -------
    exposure : Exposure
        The light drawn from a Poisson distribution of its expectation, which is also added to
        the variance: light / gain. Missing pixels stay missing, the mask stays as it is. ``meta``
        tells how many (NINJECT) and which (HISTORY, in the unit of ``flux``), and so does a
        difference of it.

    Raises
    ------
    InputError
        If a flux is not positive, a position is off the frame, the gain is not positive, or there
        are not as many generators as sources.

    Notes
    -----
    The PSF is evaluated at each position and moved to it by splines of degree 7, which conserve
    the flux. Against exact pixel integration of Moffat profiles the largest error of a pixel is
    10⁻⁴ of the peak at a FWHM of 4 px, 6·10⁻⁴ at 3 px, 2·10⁻³ at 2.5 px and 9·10⁻³ at 2 px.
    """
    instance("the image to inject into", exposure, Exposure, "read it with Exposure.read")
    xs, ys, fluxes = _sources(exposure, x, y, flux)
    psf = require_psf(exposure, exposure.name or "the exposure")
    electrons = None if gain == np.inf else read_camera(exposure.meta, gain=gain).gain
    streams = _streams(rng, len(fluxes))
    light, noise = np.zeros(exposure.shape), np.zeros(exposure.shape)
    for number, (px, py, amount) in enumerate(zip(xs, ys, fluxes, strict=True)):
        stamp = evaluate_psf(psf, px, py, f"the PSF of {exposure.name or 'the exposure'}")
        at, added = _placed(stamp, px - exposure.xy0[0], py - exposure.xy0[1], amount, light.shape)
        light[at] += added
        if streams and electrons is not None:
            noise[at] += _photon_noise(added, electrons, streams[number])
    image, variance = exposure.image.copy(), exposure.variance
    if electrons is not None:
        if not streams:
            noise = _photon_noise(light, electrons, generator(rng))
        if variance is not None:
            variance = variance + (np.maximum(light, 0.0) / electrons).astype(variance.dtype)
    noisy = light + noise
    image += noisy.astype(image.dtype)
    return exposure.replace(
        image=image,
        variance=None if variance is None else variance.copy(),
        mask=exposure.mask.copy(),
        meta=exposure.meta | _told(exposure.meta, xs, ys, fluxes),
    )


def _told(meta: Mapping[str, Any], xs: Array, ys: Array, fluxes: Array) -> dict[str, Any]:
    """Entries of ``meta`` that tell of the sources: their number, and a line of HISTORY each."""
    sources = list(zip(xs, ys, fluxes, strict=True))
    lines = [
        f"{INJECTED_WORD} x={x:.3f} y={y:.3f} flux={flux:.6g}" for x, y, flux in sources[:_LISTED]
    ]
    if len(sources) > _LISTED:
        lines.append(f"{INJECTED_WORD} {len(sources) - _LISTED} more, which are not listed")
    if meta.get("HISTORY"):
        lines.insert(0, str(meta["HISTORY"]))
    number = int(meta.get(INJECTED_KEY, 0)) + len(sources)
    return {INJECTED_KEY: number, "HISTORY": "\n".join(lines)}


def _streams(rng: object, count: int) -> list[np.random.Generator]:
    """A generator for each source if there are several; else none: one draws for all."""
    if not isinstance(rng, list | tuple):
        return []
    if not all(isinstance(each, np.random.Generator) for each in rng):
        return []  # numbers are one seed
    if len(rng) != count:
        raise InputError(
            f"rng holds {len(rng)} generators for {count} sources: give one for each, or one for "
            "all"
        )
    return list(rng)


def _photon_noise(light: Array, electrons: float, rng: np.random.Generator) -> Array:
    """What arrives less what is expected [image unit], at so many electrons per unit."""
    expected = np.maximum(light, 0.0)  # a measured stamp may dip below zero
    lit = expected > 0
    noise = np.zeros(light.shape)
    noise[lit] = _poisson(expected[lit] * electrons, rng) / electrons - expected[lit]
    return noise


def _poisson(expected: Array, rng: np.random.Generator) -> Array:
    """Electrons that arrive where so many are expected."""
    try:
        return rng.poisson(expected).astype(np.float64)
    except ValueError as error:
        raise InputError(
            f"the light of the injected sources is {expected.max():.3g} electrons in a pixel, "
            "more than can be drawn: give fainter sources, or gain=np.inf for light without noise"
        ) from error


def _sources(
    exposure: Exposure, x: ArrayLike, y: ArrayLike, flux: ArrayLike
) -> tuple[Array, Array, Array]:
    """Positions and fluxes as flat arrays of one length, checked."""
    try:
        parts = [np.asarray(part, dtype=np.float64) for part in (x, y, flux)]
        xs, ys, fluxes = (np.ravel(part) for part in np.broadcast_arrays(*parts))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"x, y and flux of the sources cannot be combined ({error}): give numbers, or arrays "
            "of one length"
        ) from error
    for amount in fluxes:
        if not (np.isfinite(amount) and amount > 0):
            raise InputError(
                f"flux of an injected source is {amount:g}: it must be positive; to simulate a "
                "fading source, inject into the template"
            )
    for px, py in zip(xs, ys, strict=True):
        if not exposure.bbox.contains_point(px, py):
            raise InputError(
                f"position ({px:g}, {py:g}) is off the frame {exposure.bbox}: the centre of an "
                "injected source must lie on one of its pixels"
            )
    return xs, ys, fluxes


def _placed(
    stamp: Array, x: float, y: float, flux: float, shape: tuple[int, int]
) -> tuple[tuple[slice, slice], Array]:
    """Where on a frame a unit-sum stamp centred at (x, y) lies, and ``flux`` times its pixels."""
    column, row = int(np.rint(x)), int(np.rint(y))
    side = max(stamp.shape) + 2 * _MARGIN
    padded = np.zeros((side, side))
    middle = side // 2
    y0, x0 = (middle - n // 2 for n in stamp.shape)
    padded[y0 : y0 + stamp.shape[0], x0 : x0 + stamp.shape[1]] = stamp
    moved = shifted(padded, np.array([x - column]), np.array([y - row]))[0]
    rows, from_rows = _overlap(row - middle, side, shape[0])
    columns, from_columns = _overlap(column - middle, side, shape[1])
    return (rows, columns), flux / moved.sum() * moved[from_rows, from_columns]


def _overlap(start: int, side: int, length: int) -> tuple[slice, slice]:
    """Where a span of ``side`` from ``start`` meets 0…length, and the same within the span."""
    low, high = max(start, 0), min(start + side, length)
    return slice(low, max(high, low)), slice(low - start, max(high, low) - start)
