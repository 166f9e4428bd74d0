"""A/B: what changed between two results of one cell, or two differences of one pair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from zogy_explorer.engine.result import CellResult, Difference, Plane
from zogy_explorer.errors import InputError

_THRESHOLD = 5.0  # [σ]


@dataclass(frozen=True)
class Row:
    """One number or word of both results; ``change`` is b − a, NaN where there is none."""

    name: str
    unit: str
    a: float | str
    b: float | str
    change: float

    @property
    def changed(self) -> bool:
        """Whether the two differ."""
        if isinstance(self.a, float) and isinstance(self.b, float):
            return self.a != self.b and not (np.isnan(self.a) and np.isnan(self.b))
        return self.a != self.b


@dataclass(frozen=True, eq=False)
class Comparison:
    """What changed from a to b.

    Parameters
    ----------
    rows
        Every number that was compared.
    diff_change, scorr_change
        b − a of D [calibrated unit] and Scorr [σ]; None where one of them has no such plane.
    """

    rows: tuple[Row, ...]
    diff_change: Plane | None = field(repr=False)
    scorr_change: Plane | None = field(repr=False)

    @property
    def changed(self) -> tuple[Row, ...]:
        """The rows that differ."""
        return tuple(row for row in self.rows if row.changed)

    def row(self, name: str) -> Row:
        """The row of this name.

        Raises
        ------
        InputError
            If there is none.
        """
        for row in self.rows:
            if row.name == name:
                return row
        names = ", ".join(row.name for row in self.rows)
        raise InputError(f"no row is called {name}: the rows are {names}")


def compare_results(a: CellResult | Difference, b: CellResult | Difference) -> Comparison:
    """Numbers and planes of two results side by side.

    Parameters
    ----------
    a, b
        Two results of one cell, or two differences of one frame.

    Raises
    ------
    InputError
        If one is a cell and the other a difference, or they do not cover the same pixels.
    """
    if isinstance(a, CellResult) and isinstance(b, CellResult):
        if a.region != b.region:
            raise InputError(
                f"cell {a.cell.name} covers {a.region} and cell {b.cell.name} {b.region}: "
                "compare results of the same pixels"
            )
        rows = (*_cell_rows(a, b), *_plane_rows(a.diff, b.diff, a.scorr, b.scorr))
        return Comparison(tuple(rows), _change(a.diff, b.diff), _change(a.scorr, b.scorr))
    if isinstance(a, Difference) and isinstance(b, Difference):
        if a.diff.bbox != b.diff.bbox:
            raise InputError(
                f"the frames are {a.diff.bbox} and {b.diff.bbox}: "
                "compare differences of the same pixels"
            )
        planes = (a.diff.image, b.diff.image)
        rows = (*_frame_rows(a, b), *_plane_rows(*planes, a.scorr, b.scorr))
        return Comparison(tuple(rows), _change(*planes), _change(a.scorr, b.scorr))
    kinds = f"{type(a).__name__} and {type(b).__name__}"
    raise InputError(f"{kinds} cannot be compared: give two cells or two differences")


def _cell_rows(a: CellResult, b: CellResult) -> Iterator[Row]:
    for name, unit in (
        ("sigma_science", "calibrated unit"),
        ("sigma_template", "calibrated unit"),
        ("flux_science", ""),
        ("flux_template", ""),
        ("flux_diff", ""),
        ("flux_score", ""),
        ("centroid_distance", "px"),
        ("psf_diff_sum", ""),
        ("psf_score_sum", ""),
        ("kernel_reach", "px"),
        ("frequency_floor", ""),
    ):
        yield _number(name, unit, getattr(a, name), getattr(b, name))
    for name, unit in (
        ("diff_predicted", "calibrated unit"),
        ("diff_measured", "calibrated unit"),
        ("scorr_measured", "σ"),
    ):
        yield _number(name, unit, getattr(a.noise, name), getattr(b.noise, name))
    yield _words("flags", _flags(a), _flags(b))
    yield _words("config", a.config_hash, b.config_hash)


def _frame_rows(a: Difference, b: Difference) -> Iterator[Row]:
    for name in ("sigma_science", "sigma_template"):
        yield _number(name, "calibrated unit", _median(a, name), _median(b, name))
    for name in ("flux_diff", "flux_score"):
        yield _number(name, "", _median(a, name), _median(b, name))
    yield _number("centroid_distance", "px", *(_median(d, "centroid_distance") for d in (a, b)))
    yield _number("scorr_measured", "σ", a.scorr_sigma(), b.scorr_sigma())
    yield _number("cells", "", float(len(a.cells)), float(len(b.cells)))
    for severity in ("failed", "warning"):
        name = f"cells_{severity}"
        yield _number(name, "", float(a.count(severity)), float(b.count(severity)))
    yield _words("flags", *("; ".join(sorted(_all_flags(d))) for d in (a, b)))
    yield _words("config", a.plan.config_hash, b.plan.config_hash)


def _plane_rows(
    diff_a: Plane | None, diff_b: Plane | None, scorr_a: Plane | None, scorr_b: Plane | None
) -> Iterator[Row]:
    yield _number("diff_rms", "calibrated unit", _rms(diff_a), _rms(diff_b))
    yield _number("scorr_max", "σ", _largest(scorr_a), _largest(scorr_b))
    for name, sign in ((f"over_{_THRESHOLD:g}", 1), (f"below_-{_THRESHOLD:g}", -1)):
        yield _number(name, "px", _beyond(scorr_a, sign), _beyond(scorr_b, sign))


def _number(name: str, unit: str, a: float, b: float) -> Row:
    return Row(name, unit, float(a), float(b), float(b) - float(a))


def _words(name: str, a: str, b: str) -> Row:
    return Row(name, "", a, b, float("nan"))


def _flags(cell: CellResult) -> str:
    return "; ".join(flag.name for flag in cell.flags)


def _all_flags(difference: Difference) -> set[str]:
    return {flag.name for cell in difference.cells for flag in cell.flags}


def _median(difference: Difference, name: str) -> float:
    values = [getattr(cell, name) for cell in difference.cells]
    finite = [value for value in values if np.isfinite(value)]
    return float(np.median(finite)) if finite else float("nan")


def _rms(plane: Plane | None) -> float:
    return float("nan") if plane is None else float(np.sqrt(np.mean(np.square(plane, dtype=float))))


def _largest(plane: Plane | None) -> float:
    return float("nan") if plane is None else float(np.abs(plane).max())


def _beyond(plane: Plane | None, sign: int) -> float:
    if plane is None:
        return float("nan")
    return float(np.count_nonzero(sign * plane > _THRESHOLD))


def _change(a: Plane | None, b: Plane | None) -> Plane | None:
    return None if a is None or b is None else b - a
