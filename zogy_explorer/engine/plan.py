"""`plan`: a frozen snapshot of everything that the cells of one subtraction need."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from zogy_explorer.checks import instance
from zogy_explorer.engine.arithmetic import require_arithmetic
from zogy_explorer.engine.config import ZogyConfig
from zogy_explorer.engine.flags import Flag, raise_flag
from zogy_explorer.engine.grid import Cell, generate_grid
from zogy_explorer.engine.moments import adaptive_moments
from zogy_explorer.engine.noise_setting import MEASURED, given_noise
from zogy_explorer.engine.noise_terms import AstrometricNoise, NoiseTerms
from zogy_explorer.engine.number_words import with_error
from zogy_explorer.engine.overrides import (
    CellSettings,
    check_cell_fields,
    find_cell,
    repadded,
    settings_hash,
)
from zogy_explorer.engine.pair_flags import pair_flags
from zogy_explorer.engine.prepare import PreparedImage, PreparedPair, prepare_pair
from zogy_explorer.errors import PsfError, ZogyError
from zogy_explorer.exposure import Exposure
from zogy_explorer.geometry import Box
from zogy_explorer.psf import Psf, Stamp, unit_sum

_SMALLEST_CELL = 16  # [px]


class Settings(Mapping[str, Any]):
    """Frozen copy of a `ZogyConfig`: fields as attributes or items, hashable by content."""

    def __init__(self, config: ZogyConfig) -> None:
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in config.to_dict().items()}
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "_hash", config.hash())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"ZogyConfig has no field {name}") from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} is frozen: change the ZogyConfig and make a new plan")

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(self._hash)

    @property
    def config_hash(self) -> str:
        """Digest of the values."""
        return str(self._hash)


@dataclass(frozen=True, eq=False)
class SubtractionPlan:
    """Prepared planes, border and cells of one subtraction; never changes once made.

    Parameters
    ----------
    config
        Frozen settings.
    prepared
        Planes of both images.
    bbox
        Pixels of the science image; the result's.
    cells
        The grid, row by row.
    border
        Border around a cell [px].
    border_measured
        What the rule gave before rounding and overrides [px].
    psf_sigma
        Determinant radius of the science and the template PSF at their average position [px].
    astrometric
        Registration errors for the noise term of S, as given or measured; None: off.
    flags
        What is noteworthy about the pair as a whole; each cell repeats it.
    own_plans
        Plans of the cells with settings of their own, by index.
    overrides
        Those settings, by the name of the cell.
    """

    config: Settings
    prepared: PreparedPair
    bbox: Box
    cells: tuple[Cell, ...]
    border: int
    border_measured: float
    psf_sigma: tuple[float, float]
    astrometric: AstrometricNoise | None = None
    flags: tuple[Flag, ...] = ()
    own_plans: Mapping[int, SubtractionPlan] = field(default_factory=dict)
    overrides: CellSettings = field(default_factory=dict)

    def for_cell(self, cell: Cell) -> SubtractionPlan:
        """The plan whose settings a cell has: this one, or the cell's own."""
        return self.own_plans.get(cell.index, self)

    @property
    def noise_terms(self) -> NoiseTerms:
        """Noise terms of S that are on."""
        return NoiseTerms(self.astrometric, self.config.fluxScaleError)

    @property
    def science(self) -> PreparedImage:
        """Prepared science image."""
        return self.prepared.science

    @property
    def template(self) -> PreparedImage:
        """Prepared template."""
        return self.prepared.template

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the images."""
        return self.bbox.shape

    @property
    def mask_planes(self) -> dict[str, int]:
        """Mask planes of the result."""
        return self.prepared.mask_planes

    @property
    def config_hash(self) -> str:
        """Digest of the settings of the frame."""
        return self.config.config_hash

    @property
    def settings_hash(self) -> str:
        """Digest of the settings of the frame and of its cells."""
        return settings_hash(self.config, self.overrides)

    def cell_at(self, x: float, y: float) -> Cell | None:
        """The cell whose inner box holds pixel position (x, y), or None."""
        return next((cell for cell in self.cells if cell.inner.contains_point(x, y)), None)


def plan(
    science: Exposure,
    template: Exposure,
    config: ZogyConfig,
    prepared: PreparedPair | None = None,
    overrides: CellSettings | None = None,
) -> SubtractionPlan:
    """Snapshot of a subtraction: settings, prepared planes and grid.

    Parameters
    ----------
    science, template
        The pair; on one pixel grid.
    config
        Settings; later changes to it have no effect on the plan.
    prepared
        Planes of an earlier plan, used if preparing again would give the same.
    overrides
        Settings of single cells, such as ``{"r0c1": {"maxPsfCentroidDist": 0.5}}``.

    Raises
    ------
    InputError
        If the pair cannot be subtracted.
    MissingExtraError
        If the settings ask for packages that are not installed.
    """
    for role, image in (("science", science), ("template", template)):
        instance(role, image, Exposure, "read it with Exposure.read, or make one of its arrays")
    instance("config", config, ZogyConfig, "give ZogyConfig(), with the settings that you want")
    if prepared is None or not prepared.made_for(science, template, config):
        prepared = prepare_pair(science, template, config)
    settings = Settings(config)
    require_arithmetic(settings.arithmetic)
    sigmas, border, measured = _psfs_and_border(science, template, settings)
    bbox = science.bbox
    astrometric, flags = registration_noise(prepared, settings)
    made = SubtractionPlan(
        config=settings,
        prepared=prepared,
        bbox=bbox,
        cells=generate_grid(
            bbox,
            (border, border),
            _inner_dims(bbox, border, settings),
            (settings.minTotalDims, settings.minTotalDims),
            sizing=settings.fftSizing,
        ),
        border=border,
        border_measured=measured,
        psf_sigma=(sigmas[0], sigmas[1]),
        astrometric=astrometric,
        flags=(*pair_flags(science, template), *flags),
    )
    return _with_overrides(made, config, overrides) if overrides else made


def _with_overrides(
    made: SubtractionPlan, config: ZogyConfig, overrides: CellSettings
) -> SubtractionPlan:
    """The plan with cells of their own settings: inner boxes stay, all else follows them."""
    by_name = {cell.name: cell for cell in made.cells}
    cells, own, kept = list(made.cells), {}, {}
    for name, values in overrides.items():
        cell = find_cell(name, by_name)
        if not values:
            continue
        check_cell_fields(values)
        settings = Settings(ZogyConfig.from_dict(config.to_dict() | dict(values)))
        require_arithmetic(settings.arithmetic)
        _, border, measured = _psfs_and_border(made.science.source, made.template.source, settings)
        cells[cell.index] = repadded(cell, border, settings)
        own[cell.index] = replace(made, config=settings, border=border, border_measured=measured)
        kept[name] = dict(values)
    return replace(made, cells=tuple(cells), own_plans=own, overrides=kept)


def _psfs_and_border(
    science: Exposure, template: Exposure, settings: Settings
) -> tuple[tuple[float, float], int, float]:
    """σ of both PSFs at their average position, and the border that follows."""
    stamps = tuple(
        _average_stamp(exposure, role)
        for exposure, role in ((science, "science"), (template, "template"))
    )
    sigmas = tuple(determinant_radius(stamp, settings) for stamp in stamps)
    _check_stamps_fit(stamps, science)
    pair = (sigmas[0], sigmas[1])
    measured = border_rule(pair, [stamp.shape for stamp in stamps], settings)
    return pair, _border_pixels(measured, settings), measured


def registration_noise(
    prepared: PreparedPair, settings: Settings
) -> tuple[AstrometricNoise | None, tuple[Flag, ...]]:
    """Registration errors of both images, given or measured, and what is noteworthy about them.

    Of a measured scatter, which is that of the difference of two positions, each image gets half
    the variance: the stars do not tell which of the two moved them, and for a constant star, of
    which S_N and S_R are the same, only the sum matters.
    """
    if settings.astrometricNoise != MEASURED:
        return given_noise(settings.astrometricNoise), ()
    stars = prepared.registration
    if stars.reason:
        cause = f"the registration errors could not be measured: {stars.reason}"
        return None, (raise_flag("ASTROMETRIC_NOISE_UNKNOWN", cause),)
    x, y = stars.scatter
    half = (x / math.sqrt(2), y / math.sqrt(2))
    cause = f"{stars.count} matched stars scatter by ({x:.3f}, {y:.3f}) px around their mean shift"
    flags = [raise_flag("ASTROMETRIC_NOISE_MEASURED", cause)]
    if stars.displaced:
        (dx, dy), (ex, ey) = stars.shift, stars.shift_error
        cause = (
            f"the stars of science lie ({with_error(dx, ex, sign=True)}, "
            f"{with_error(dy, ey, sign=True)}) px from those of the template"
        )
        flags.append(raise_flag("MISREGISTERED", cause))
    return AstrometricNoise(half, half), tuple(flags)


def border_rule(
    sigmas: tuple[float, float], stamp_shapes: list[tuple[int, ...]], settings: Settings
) -> float:
    """Border [px]: borderScale·σ of the wider PSF, at least every stamp side and minBorder."""
    sides = [side for shape in stamp_shapes for side in shape]
    return float(max(settings.borderScale * max(sigmas), *sides, settings.minBorder))


def determinant_radius(stamp: Stamp, settings: Settings) -> float:
    """σ [px] of a round Gaussian of the area of a PSF, from its adaptive moments."""
    # LSST weighs around the pixel (n-1)//2, which is off centre for even stamps.
    center = None
    if settings.centroidOrigin == "geometric":
        center = ((stamp.shape[0] - 1) // 2, (stamp.shape[1] - 1) // 2)
    return _radius(np.ascontiguousarray(stamp).tobytes(), stamp.shape, stamp.dtype.str, center)


@lru_cache(maxsize=16)
def _radius(
    pixels: bytes, shape: tuple[int, ...], dtype: str, center: tuple[float, float] | None
) -> float:
    """Kept, because every move of a slider asks for the same PSFs again."""
    return adaptive_moments(np.frombuffer(pixels, dtype).reshape(shape), center).determinant_radius


def evaluate_psf(psf: Psf, x: float, y: float, what: str) -> Stamp:
    """Unit-sum stamp of ``psf`` at (x, y).

    Raises
    ------
    PsfError
        If it cannot be evaluated or used.
    """
    try:
        stamp = psf.kernel_image(x=x, y=y)
    except ZogyError as error:
        raise PsfError(str(error)) from error
    except Exception as error:  # a PSF is anybody's code: whatever it raises is its verdict
        raise PsfError(
            f"{what} cannot be evaluated at ({x:.1f}, {y:.1f}): {type(error).__name__}: {error}; "
            "give a PSF model that covers the whole field"
        ) from error
    return unit_sum(np.asarray(stamp), what=what)


def _average_stamp(exposure: Exposure, role: str) -> Stamp:
    x, y = exposure.average_position
    assert exposure.psf is not None  # prepare_pair has checked
    return evaluate_psf(exposure.psf, x, y, f"the PSF of {role}")


def _border_pixels(measured: float, settings: Settings) -> int:
    return int(measured) if settings.borderSize is None else int(settings.borderSize)


def _inner_dims(bbox: Box, border: int, settings: Settings) -> tuple[int, int]:
    if not settings.doSpatialGrid:
        return (bbox.width, bbox.height)
    # With a border of next to nothing, cells of single pixels would take for ever.
    side = max(int(border * settings.gridInnerSize), _SMALLEST_CELL)
    return (side, side)


def _check_stamps_fit(stamps: tuple[Stamp, ...], science: Exposure) -> None:
    ny, nx = science.shape
    for stamp, role in zip(stamps, ("science", "template"), strict=True):
        h, w = stamp.shape
        if h > ny or w > nx:
            raise PsfError(
                f"the PSF stamp of {role} is {w}×{h} px but the image only {nx}×{ny}: "
                "a stamp must not be larger than the image; crop the stamp"
            )
