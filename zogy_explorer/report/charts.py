"""Two charts of Scorr as SVG: its histogram and its quantiles, against a unit Gaussian."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.diagnostics.noise import ScorrStatistics

_WIDTH, _HEIGHT = 340, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 10, 34
_REACH = 8.0  # [σ] of the histogram

Point = tuple[float, float]


class _Axes:
    """Maps values to places on a chart."""

    def __init__(self, x: Point, y: Point) -> None:
        self._x, self._y = x, y

    def at(self, x: float, y: float) -> Point:
        (x0, x1), (y0, y1) = self._x, self._y
        right, low = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
        return (
            _LEFT + (x - x0) / (x1 - x0) * (right - _LEFT),
            low - (np.clip(y, y0, y1) - y0) / (y1 - y0) * (low - _TOP),
        )

    def line(self, points: Iterable[Point], kind: str) -> str:
        path = " ".join("{:.1f},{:.1f}".format(*self.at(x, y)) for x, y in points)
        return f'<polyline class="{kind}" points="{path}"/>'

    def frame(
        self, xs: Sequence[float], ys: Sequence[tuple[float, str]], title_x: str, title_y: str
    ) -> str:
        right, low = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
        box = f'<path class="axis" d="M{_LEFT},{_TOP} V{low} H{right}"/>'
        marks = []
        for value in xs:
            x = self.at(value, self._y[0])[0]
            marks.append(f'<text x="{x:.1f}" y="{low + 14}" class="tick mid">{value:g}</text>')
        for value, text in ys:
            y = self.at(self._x[0], value)[1]
            marks.append(f'<text x="{_LEFT - 5}" y="{y + 3:.1f}" class="tick end">{text}</text>')
        middle = (_TOP + low) / 2
        return (
            box + "".join(marks) + f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 4}" '
            f'class="mid">{title_x}</text><text transform="translate(11,{middle}) rotate(-90)" '
            f'class="mid">{title_y}</text>'
        )


def histogram(scorr: NDArray[np.floating]) -> str:
    """SVG of log counts of Scorr, with what a unit Gaussian would give."""
    values = scorr[np.isfinite(scorr)]
    edges = np.linspace(-_REACH, _REACH, 81)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    step = edges[1] - edges[0]
    centres = (edges[:-1] + edges[1:]) / 2
    expected = values.size * step * np.exp(-(centres**2) / 2) / np.sqrt(2 * np.pi)
    top = max(np.log10(max(counts.max(), expected.max(), 10)), 1.0) + 0.1
    axes = _Axes((-_REACH, _REACH), (-0.3, top))

    def logs(numbers: NDArray[np.floating]) -> list[Point]:
        return [(c, float(np.log10(max(n, 0.5)))) for c, n in zip(centres, numbers, strict=True)]

    steps = [(e, y) for (c, y) in logs(counts) for e in (c - step / 2, c + step / 2)]
    powers = [
        (float(p), f"10<tspan dy='-4' font-size='8'>{p}</tspan>") for p in range(int(top) + 1)
    ]
    body = axes.frame((-8, -4, 0, 4, 8), powers, "Scorr [σ]", "pixels")
    return _svg(body + axes.line(logs(expected), "expected") + axes.line(steps, "measured"))


def quantiles(statistics: ScorrStatistics) -> str:
    """SVG of measured against theoretical quantiles of Scorr where there are no sources."""
    qq = statistics.qq
    if qq.theoretical.size == 0:
        return ""
    reach = float(np.ceil(max(np.abs(qq.theoretical).max(), np.abs(qq.measured).max(), 1)))
    axes = _Axes((-reach, reach), (-reach, reach))
    ticks = [-reach, 0.0, reach]
    body = axes.frame(
        ticks, [(t, f"{t:g}") for t in ticks], "quantile of a unit Gaussian [σ]", "measured [σ]"
    )
    points = list(zip(qq.theoretical.tolist(), qq.measured.tolist(), strict=True))
    return _svg(body + axes.line([(-reach, -reach), (reach, reach)], "expected")
                + axes.line(points, "measured"))  # fmt: skip


def _svg(body: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{body}</svg>'
