"""What speaks against each peak being a new point source: flags with their causes in numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.detecting.pair_errors import PairErrors, compare_pair_errors
from zogy_explorer.diagnostics.detecting.particle_hits import Hits, compare_hits
from zogy_explorer.diagnostics.detecting.peaks import Peaks
from zogy_explorer.diagnostics.detecting.surroundings import Surroundings
from zogy_explorer.diagnostics.detecting.unmuted import Unmuted
from zogy_explorer.diagnostics.point_response import PointResponse
from zogy_explorer.engine.result import Difference
from zogy_explorer.masks import bit_mask, names_of

_DIPOLE_REACH = 2.0  # [FWHM of P_D] between the lobes
_DIPOLE_BALANCE = 0.3  # of the brighter lobe that the fainter one has at least
_DIPOLE_SIGMA = 4.0  # of a lobe that is no detection of its own: rare enough by chance
_LOBE_EXCESS = 1.5  # by how much a side lobe may exceed what the PSFs predict
_LOBE_SEEN = 1.0  # [σ] a lobe below it explains nothing
_SATURATED_REACH = 3.0  # [FWHM of P_D] from saturated pixels
_AT_ONCE = 256  # peaks that are fitted together, for the memory of their windows
_BAD_PLANES = ("BAD", "SAT", "CR", "NO_DATA", "INTRP", "SUSPECT")


@dataclass(eq=False)
class Verdict:
    """What was found of one peak; filled while the peaks are looked at.

    Parameters
    ----------
    reasons
        Flag name to its cause.
    planes
        Mask planes set under the footprint.
    partner
        Position in the list of peaks of the other lobe of a dipole; −1: none.
    hit_significance
        |S_CR| over its noise [σ].
    """

    reasons: dict[str, str] = field(default_factory=dict)
    planes: list[str] = field(default_factory=list)
    partner: int = -1
    hit_significance: float = float("nan")


def vet(
    difference: Difference, peaks: Peaks, response_of: Callable[[int], PointResponse]
) -> list[Verdict]:
    """A verdict for each of the peaks, which are sorted brightest first."""
    from scipy.spatial import cKDTree

    verdicts = [Verdict() for _ in range(len(peaks))]
    if not verdicts:
        return verdicts
    tree = cKDTree(np.column_stack([peaks.array_x, peaks.array_y]))
    unmuted = Unmuted.of(difference, peaks, response_of)
    bad = bit_mask(difference.plan.mask_planes, _BAD_PLANES)
    for i, verdict in enumerate(verdicts):
        response = response_of(int(peaks.cell[i]))
        _look_at_mask(verdict, difference, peaks, i, response.fwhm, bad)
        near = np.array(
            tree.query_ball_point((peaks.array_x[i], peaks.array_y[i]), response.side / 2 - 1)
        )
        near = near[near != i]
        _look_for_other_lobe(verdict, difference, peaks, i, near, response)
        _look_for_brighter(verdict, peaks, i, unmuted, response_of)
        _look_at_noise(verdict, difference, peaks, i)
    _look_at_fits(verdicts, difference, peaks, response_of)
    return verdicts


def _disk(
    shape: tuple[int, int], x: float, y: float, radius: float
) -> tuple[tuple[slice, slice], NDArray[np.float64]]:
    """Box of the pixels within ``radius`` of (x, y), and their distances (infinite beyond it)."""
    x0, x1 = max(int(np.floor(x - radius)), 0), min(int(np.ceil(x + radius)) + 1, shape[1])
    y0, y1 = max(int(np.floor(y - radius)), 0), min(int(np.ceil(y + radius)) + 1, shape[0])
    columns, rows = np.arange(x0, x1) - x, np.arange(y0, y1) - y
    distance = np.hypot(columns[None, :], rows[:, None])
    distance[distance > radius] = np.inf
    return (slice(y0, y1), slice(x0, x1)), distance


def _look_at_mask(
    verdict: Verdict, difference: Difference, peaks: Peaks, i: int, fwhm: float, bad: np.int32
) -> None:
    """Flags masked, saturated_nearby and edge; planes under the footprint, a disk of one FWHM."""
    plan, x, y = difference.plan, peaks.array_x[i], peaks.array_y[i]
    planes, shape = plan.mask_planes, plan.shape
    box, distance = _disk(shape, x, y, max(fwhm / 2, 1.0))
    under = difference.diff.mask[box][np.isfinite(distance)]
    bits = np.bitwise_or.reduce(under) if under.size else np.int32(0)
    verdict.planes = names_of(int(bits), planes)
    at_peak = int(difference.diff.mask[peaks.row[i], peaks.column[i]])
    if at_peak & int(bad):
        names = " ".join(names_of(at_peak & int(bad), planes))
        verdict.reasons["masked"] = f"{names} at the peak"

    reach = _SATURATED_REACH * fwhm
    box, distance = _disk(shape, x, y, reach)
    inputs = plan.science.mask[box] | plan.template.mask[box]
    saturated = (inputs & bit_mask(planes, ["SAT"])) != 0
    if (saturated & np.isfinite(distance)).any():
        nearest = float(distance[saturated].min())
        verdict.reasons["saturated_nearby"] = f"a saturated pixel {nearest:.1f} px away"

    to_edge = min(x + 0.5, y + 0.5, shape[1] - 0.5 - x, shape[0] - 0.5 - y)
    marked = (inputs & bit_mask(planes, ["EDGE"])) != 0
    marked_distance = float(distance[marked].min()) if marked.any() else np.inf
    if to_edge < fwhm:
        verdict.reasons["edge"] = f"the frame ends {max(to_edge, 0.0):.1f} px away"
    elif marked_distance < fwhm:
        verdict.reasons["edge"] = f"a pixel marked EDGE {marked_distance:.1f} px away"


def _look_for_other_lobe(
    verdict: Verdict,
    difference: Difference,
    peaks: Peaks,
    i: int,
    near: NDArray[np.intp],
    response: PointResponse,
) -> None:
    """Flag dipole: a comparable peak of the other sign, detected itself or not.

    A trough that P_S explains, the negative ring around a source, is none. Both lobes are judged
    by the source noise alone: a registration error that is in V_total mutes dipoles, and what is
    left of one must not pass for a source.
    """
    sign, reach = int(peaks.sign[i]), _DIPOLE_REACH * response.fwhm
    box, far = _disk(difference.plan.shape, peaks.array_x[i], peaks.array_y[i], reach)
    against = -sign * _source_scorr(difference, box)
    here = (peaks.row[i] - box[0].start, peaks.column[i] - box[1].start)
    size = float(-against[here])

    def counts(other: float, distance: float) -> bool:
        trough = _LOBE_EXCESS * _at_distance(response.troughs, distance) * size
        return other > trough and min(other, size) >= _DIPOLE_BALANCE * max(other, size)

    opposite = near[peaks.sign[near] != sign]
    distances = peaks.separation(i, opposite)
    for k in np.argsort(distances):
        j, distance = int(opposite[k]), float(distances[k])
        if distance > reach:
            break
        row, column = peaks.row[j], peaks.column[j]
        pixel = (slice(row, row + 1), slice(column, column + 1))
        other = -sign * float(_source_scorr(difference, pixel)[0, 0])
        if counts(other, distance):
            verdict.partner = j
            verdict.reasons["dipole"] = (
                f"Scorr {peaks.significance[j]:+.1f} at {distance:.1f} px, detection " + "{partner}"
            )
            return
    against[~np.isfinite(far)] = -np.inf
    at = np.unravel_index(np.argmax(against), against.shape)
    other, distance = float(against[at]), float(far[at])
    if other >= _DIPOLE_SIGMA and counts(other, distance):
        muted = "" if difference.astrometric_variance is None else ", registration errors left out"
        verdict.reasons["dipole"] = (
            f"Scorr {-sign * other:+.1f} at {distance:.1f} px, no detection itself{muted}"
        )


def _source_scorr(difference: Difference, box: tuple[slice, slice]) -> NDArray[np.float64]:
    """S over the root of its source noise alone in a box [σ]."""
    score = difference.score
    assert score is not None
    assert score.variance is not None
    return np.asarray(score.image[box] / np.sqrt(score.variance[box]), dtype=np.float64)


def _look_for_brighter(
    verdict: Verdict,
    peaks: Peaks,
    i: int,
    unmuted: Unmuted,
    response_of: Callable[[int], PointResponse],
) -> None:
    """Flag ringing: what brighter peaks leave at this distance explains the peak.

    So does a residual that the noise terms mute: S has no maximum on its flank, only Scorr. The
    terms grow with the light, so that they mute a bright neighbour and not what it leaves: all is
    judged by the source noise alone.
    """
    if peaks.flank[i]:
        verdict.reasons["ringing"] = "only Scorr peaks here, not S: the flank of a larger residual"
    size, noise = abs(float(peaks.score[i])), float(unmuted.noise[i])
    reach = response_of(int(peaks.cell[i])).side / 2 - 1
    brighter, distances = unmuted.brighter(peaks, i, reach)
    lobes = unmuted.lobes(brighter, distances, response_of)
    explains = (lobes >= _LOBE_SEEN * noise) & (size <= _LOBE_EXCESS * lobes + noise)
    if explains.any():
        k = int(np.argmax(explains))
        verdict.reasons["ringing"] = (
            f"the peak of Scorr {unmuted.significance[brighter[k]]:+.0f} at {distances[k]:.1f} px "
            f"leaves up to {lobes[k] / noise:.1f} sigma here{unmuted.remark}"
        )


def _at_distance(envelope: NDArray[np.float64], distance: float) -> float:
    """Value of a radial envelope at a distance [px]; 0 beyond its end."""
    index = round(distance)
    return float(envelope[index]) if index < len(envelope) else 0.0


def _look_at_noise(verdict: Verdict, difference: Difference, peaks: Peaks, i: int) -> None:
    """Flags noise_excess and noise_deficit, where the cell has the corresponding flag."""
    cell = difference.cells[peaks.cell[i]]
    names = {flag.name for flag in cell.flags}
    for name, raised in (
        ("SCORR_SIGMA_HIGH", "noise_excess"),
        ("SCORR_SIGMA_LOW", "noise_deficit"),
    ):
        if name in names:
            verdict.reasons[raised] = (
                f"sigma(Scorr) is {cell.noise.scorr_measured:.2f} in cell {cell.cell.name}"
            )


def _look_at_fits(
    verdicts: list[Verdict],
    difference: Difference,
    peaks: Peaks,
    response_of: Callable[[int], PointResponse],
) -> None:
    """Flags that ask whether something else explains D around the peaks better than a source."""
    for index in np.unique(peaks.cell):
        here, response = np.flatnonzero(peaks.cell == index), response_of(int(index))
        for part in np.array_split(here, int(np.ceil(here.size / _AT_ONCE))):
            around = Surroundings.of(difference, peaks.take(part), response)
            of_part = [verdicts[i] for i in part]
            _look_for_pair_errors(of_part, compare_pair_errors(around))
            _look_for_hits(of_part, compare_hits(around, response))


def _look_for_pair_errors(verdicts: list[Verdict], errors: PairErrors) -> None:
    """Flags dipole, where lobes have not raised it, and psf_error."""
    shift, shape = errors.is_shift, errors.is_shape
    for k, verdict in enumerate(verdicts):
        source = f"a point source with {np.sqrt(errors.source_chi2[k]):.1f} sigma"
        if shift[k]:
            chi2 = max(errors.shift_chi2[k], errors.both_chi2[k])
            verdict.reasons.setdefault(
                "dipole", f"a shift of the light here fits with {np.sqrt(chi2):.1f} sigma, {source}"
            )
        elif shape[k]:
            verdict.reasons["psf_error"] = (
                f"other widths of the PSFs fit with {np.sqrt(errors.both_chi2[k]):.1f} sigma, "
                f"{source}"
            )


def _look_for_hits(verdicts: list[Verdict], hits: Hits) -> None:
    """Flag cosmic_ray: a hit of one or a few pixels fits D better than a source.

    Not beside saturated stars, whose residuals have no shape of their own.
    """
    one, track = hits.is_hit, hits.is_track
    for k, verdict in enumerate(verdicts):
        verdict.hit_significance = float(hits.hit_significance[k])
        if "saturated_nearby" in verdict.reasons or not (one[k] or track[k]):
            continue
        image = "science image" if hits.in_science[k] else "template"
        what = "one pixel" if one[k] else "a track of up to 9 pixels"
        chi2 = hits.hit_chi2[k] if one[k] else hits.track_chi2[k]
        verdict.reasons["cosmic_ray"] = (
            f"{what} of the {image} fits with {np.sqrt(chi2):.1f} sigma, a point source "
            f"with {np.sqrt(hits.source_chi2[k]):.1f} sigma"
        )
