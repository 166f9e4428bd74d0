"""Trials: one simulated pair each, subtracted and measured, as sums that add up in any order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from validation.scenes import Scene
from zogy_explorer import plan, run
from zogy_explorer.diagnostics import detect
from zogy_explorer.diagnostics.field import field_of
from zogy_explorer.diagnostics.gaussian_field import clump
from zogy_explorer.diagnostics.lags import lag_covariance
from zogy_explorer.diagnostics.noise import THRESHOLDS
from zogy_explorer.engine import Difference
from zogy_explorer.simulate import PsfField

Plane = NDArray[np.floating]
Sums = dict[str, Any]
"""Numbers and nested lists of numbers that add up; JSON-able."""

LAG = 8
SPACING = 44  # [px] between injected sources: their kernels do not overlap
SNR = (30.0, 150.0)
MATCH = 1.0  # [px]
DETECTION = 10.0  # σ


def noise_trial(scene: Scene, number: int, trial: int, seed: int) -> Sums:
    """Sums over all pixels of one pair of empty skies of scene ``number``."""
    difference = _subtracted(scene, (None, None), [seed, number, trial, 0])
    pixels = field_of(difference, sources=True)
    scorr = pixels.scorr.astype(np.float64)
    everywhere = np.ones(scorr.shape, dtype=bool)
    lags = lag_covariance(pixels.diff, pixels.diff, everywhere, everywhere, LAG)
    rho = pixels.correlation
    return {
        "frames": 1,
        "n": scorr.size,
        "sum": float(scorr.sum()),
        "sum2": float((scorr**2).sum()),
        "above": [int((scorr > t).sum()) for t in THRESHOLDS],
        "below": [int((scorr < -t).sum()) for t in THRESHOLDS],
        "lag_sums": (lags.values * lags.pairs).tolist(),
        "lag_pairs": lags.pairs.tolist(),
        # Of P_S: averages over frames, by `_mean`.
        "rho": float(rho.sum()),
        "rho2": float((rho**2).sum()),
        "clumps": [clump(t, rho) for t in THRESHOLDS],
    }


def source_trial(scene: Scene, number: int, trial: int, seed: int) -> Sums:
    """Sums over the sources injected into one pair of scene ``number``, of either sign in turn."""
    rng = np.random.default_rng([seed, number, trial, 2])
    fields = (scene.field(0), scene.field(1))
    x, y = _places(scene.shape, rng)
    sign = np.where(np.arange(len(x)) % 2, -1, 1)
    unit = _snr_of_unit_flux(scene, fields, x, y)
    flux = rng.uniform(*SNR, len(x)) / unit
    light = [np.zeros(scene.shape), np.zeros(scene.shape)]
    for place_x, place_y, f, s in zip(x, y, flux, sign, strict=True):
        i = 0 if s > 0 else 1
        fields[i].add_star(light[i], place_x, place_y, scene.fluxes[i] * f)
    difference = _subtracted(scene, (light[0], light[1]), [seed, number, trial, 1])
    score, variance = (
        map_coordinates(plane.astype(np.float64), (y, x), order=5, mode="mirror")
        for plane in (difference.score.image, difference.score.variance)
    )
    cells = [difference.cells[difference.plan.cell_at(*at).index] for at in zip(x, y, strict=True)]
    flux_score = np.array([cell.flux_score for cell in cells])
    alpha, error = sign * score / flux_score, np.sqrt(variance) / flux_score
    # V_S of white noise is F_S: SNR² = f² F_S²/V_S = f² F_S; the sources' own noise adds to V_S.
    bound = flux * unit if scene.gain is None else flux * unit**2 / np.sqrt(variance)
    found, pull_x, pull_y = _position_pulls(difference, x, y)
    return {
        "frames": 1,
        "sources": len(x),
        "ratio": _moments(alpha / flux),
        "pull": _moments((alpha - flux) / error),
        "significance": _moments(sign * score / np.sqrt(variance) / bound),
        "found": found,
        "pull_x": _moments(pull_x),
        "pull_y": _moments(pull_y),
    }


def add(total: Sums | None, more: Sums) -> Sums:
    """Sums of both; None is nothing."""
    if total is None:
        return more
    return {
        key: (np.asarray(total[key]) + np.asarray(value)).tolist() for key, value in more.items()
    }


def _subtracted(
    scene: Scene, light: tuple[Plane | None, Plane | None], seed: list[int]
) -> Difference:
    noise = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2)]
    pair = [scene.exposure(i, light[i], noise[i]) for i in (0, 1)]
    config = scene.config()
    config.noiseSeed = int(np.random.SeedSequence(seed).generate_state(1)[0] % 2**31)
    return run(plan(pair[0], pair[1], config))


def _places(shape: tuple[int, int], rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Positions (x, y) on a regular grid, each anywhere in its pixel."""
    ys, xs = (np.arange(SPACING // 2, n - SPACING // 2 + 1, SPACING) for n in shape)
    y, x = (axis.ravel() for axis in np.meshgrid(ys, xs, indexing="ij"))
    return x + rng.uniform(-0.5, 0.5, x.size), y + rng.uniform(-0.5, 0.5, y.size)


def _snr_of_unit_flux(
    scene: Scene, fields: tuple[PsfField, PsfField], x: Plane, y: Plane, side: int = 96
) -> Plane:
    """√F_S of white noise: the matched-filter bound of a source of unit flux at (x, y)."""
    if not scene.variation:
        stamps = [profile.stamp(side) for profile in scene.profiles]
        return np.full(len(x), _bound(stamps, scene, side))
    places = zip(x, y, strict=True)
    return np.array([_bound([f.stamp_at(*at) for f in fields], scene, side) for at in places])


def _bound(stamps: list[Plane], scene: Scene, side: int) -> float:
    """The signal-to-noise of unit flux: √mean F_D² |P_D|² over all frequencies (eqs. 14, 15)."""
    power_n, power_r = (np.abs(np.fft.fft2(stamp, (side, side))) ** 2 for stamp in stamps)
    (sigma_n, sigma_r), (flux_n, flux_r) = scene.sigmas, scene.fluxes
    den = (sigma_n * flux_r) ** 2 * power_r + (sigma_r * flux_n) ** 2 * power_n
    top = (flux_n * flux_r) ** 2 * power_n * power_r
    return float(np.sqrt(np.divide(top, den, out=np.zeros_like(den), where=den > 0).mean()))


def _position_pulls(difference: Difference, x: Plane, y: Plane) -> tuple[int, Plane, Plane]:
    """How many sources are detected, and the errors of their positions over the reported ones."""
    table = detect(difference, DETECTION)
    columns = [np.asarray(table[name].value) for name in ("x", "y", "x_error", "y_error")]
    seen_x, seen_y, error_x, error_y = columns
    distance = np.hypot(seen_x[:, None] - x, seen_y[:, None] - y)
    nearest = distance.argmin(axis=0)
    matched = distance.min(axis=0) < MATCH
    rows = nearest[matched]
    pull_x = (seen_x[rows] - x[matched]) / error_x[rows]
    pull_y = (seen_y[rows] - y[matched]) / error_y[rows]
    return int(matched.sum()), pull_x, pull_y


def _moments(values: Plane) -> list[float]:
    """Number, sum and sum of squares."""
    return [float(len(values)), float(values.sum()), float((values**2).sum())]
