"""How the wall shows its layers: everything a user can set about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from zogy_explorer.errors import InputError
from zogy_explorer.ui.wall.stretch import LimitsName, StretchName

SkyMap = Literal["cividis", "gray", "viridis"]


@dataclass(frozen=True)
class DisplaySettings:
    """Stretch, limits and overlays of the wall.

    Parameters
    ----------
    sky_stretch
        Curve of science and template.
    sky_limits
        Where their common limits come from.
    percentile
        Central part of the values between the limits [%].
    n_sigma
        Half range about the median [robust σ].
    manual_limits
        (low, high) for ``sky_limits="manual"`` [image unit].
    diverging_sigma
        Half range of D, S and Scorr [robust σ of the shown pixels].
    sky_map
        Colours of science and template; all are readable with colour-blind eyes.
    mask_overlay
        Draw the masks over the other panels too.
    mask_opacity
        Opacity of that overlay, 0 … 1.
    hidden_planes
        Mask planes that are not drawn anywhere.
    plane_colors
        (plane, CSS colour) of mask planes that are not to have their usual colour.
    contours
        Draw contours of the science image over D, S and Scorr.
    grid
        Draw the cells.

    Raises
    ------
    InputError
        If a number is out of range, or manual limits are asked for and not given.
    """

    sky_stretch: StretchName = "linear"
    sky_limits: LimitsName = "zscale"
    percentile: float = 99.5
    n_sigma: float = 5.0
    manual_limits: tuple[float, float] | None = None
    diverging_sigma: float = 5.0
    sky_map: SkyMap = "cividis"
    mask_overlay: bool = False
    mask_opacity: float = 0.5
    hidden_planes: frozenset[str] = frozenset()
    plane_colors: tuple[tuple[str, str], ...] = ()
    contours: bool = False
    grid: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden_planes", frozenset(self.hidden_planes))
        colors = tuple(sorted((str(name), str(color)) for name, color in self.plane_colors))
        object.__setattr__(self, "plane_colors", colors)
        if not 0 < self.percentile <= 100:
            raise InputError(f"percentile is {self.percentile}: it must lie in 0 … 100 %")
        for name in ("n_sigma", "diverging_sigma"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}: it must be positive")
        if not 0 <= self.mask_opacity <= 1:
            raise InputError(f"mask_opacity is {self.mask_opacity}: it must lie in 0 … 1")
        if self.sky_limits == "manual":
            limits = self.manual_limits
            if limits is None or not (np.isfinite(limits).all() and limits[0] < limits[1]):
                raise InputError(
                    f"manual limits are {limits}: give two finite numbers, the first below the "
                    "second"
                )
