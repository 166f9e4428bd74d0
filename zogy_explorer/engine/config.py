"""`ZogyConfig`: every setting of a subtraction, declared once.

The app's side bar, the command line's options and the reference table in the docs are all made
from this class: a field's ``doc`` is its help, its bounds are the slider's, `UNITS` its unit and
`GROUPS` its place. The first eight fields are those that LSST's ``ZogyConfig`` documented, with
its defaults; the others are ours, in the same dialect.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self

import param

from zogy_explorer.engine.named_settings import NamedSettings, unknown_field
from zogy_explorer.engine.noise_setting import AstrometricNoiseSetting, plain_form
from zogy_explorer.errors import InputError

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PSFs": ("maxPsfCentroidDist", "centroidOrigin", "psfShape", "frequencyFloor"),
        "Grid": ("doSpatialGrid", "gridInnerSize", "blendCells"),
        "Padding": (
            "borderScale",
            "minBorder",
            "borderSize",
            "minTotalDims",
            "fftSizing",
            "padFill",
            "padSky",
            "noiseSeed",
        ),
        "Flux scale": (
            "scaleByCalibration",
            "scienceFluxScaling",
            "templateFluxScaling",
            "swapFluxScaling",
        ),
        "Noise terms": ("astrometricNoise", "fluxScaleError"),
        "Background": ("background", "correctBackground"),
        "Bad pixels": (
            "fillMasked",
            "fillMaskPlanes",
            "fillNonFinite",
            "growMask",
            "ignoreMaskPlanes",
        ),
        "Run": ("strict", "workingPrecision", "arithmetic", "pieceSize", "rawFallbackVariance"),
    }
)
"""Title of a group to its fields, in the order in which people meet them."""

UNITS: Mapping[str, str] = MappingProxyType(
    {
        "maxPsfCentroidDist": "px",
        "gridInnerSize": "borders",
        "blendCells": "px",
        "borderScale": "σ of PSF",
        "minBorder": "px",
        "borderSize": "px",
        "pieceSize": "px",
        "minTotalDims": "px",
        "growMask": "fraction of kernel²",
        "astrometricNoise": "px",
        "fluxScaleError": "of F",
        "frequencyFloor": "fraction of PSF flux",
    }
)
"""Units of the fields that have one."""

PREPARE_FIELDS = (
    "scaleByCalibration",
    "correctBackground",
    "background",
    "ignoreMaskPlanes",
    "fillMasked",
    "fillMaskPlanes",
    "fillNonFinite",
    "rawFallbackVariance",
    "noiseSeed",
)
"""Fields that change the prepared planes of the whole frame; the others act cell by cell."""

ARITHMETICS = ("auto", "numpy", "fast")
"""What may compute; see `engine.arithmetic`."""

PLANES_IGNORED = (
    "INTRP",
    "EDGE",
    "DETECTED",
    "SAT",
    "CR",
    "BAD",
    "NO_DATA",
    "DETECTED_NEGATIVE",
)


class ZogyConfig(NamedSettings):
    """Settings of a ZOGY subtraction; equation numbers are those of the ZOGY paper."""

    templateFluxScaling = param.Number(
        default=1.0,
        bounds=(0, 1e12),
        inclusive_bounds=(False, True),
        softbounds=(0.5, 2.0),
        doc="Flux scale F_r of the template: counts per calibrated unit of flux (eqs. 13-15). "
        "Used when scaleByCalibration is off.",
    )
    scienceFluxScaling = param.Number(
        default=1.0,
        bounds=(0, 1e12),
        inclusive_bounds=(False, True),
        softbounds=(0.5, 2.0),
        doc="Flux scale F_n of the science image: counts per calibrated unit of flux "
        "(eqs. 13-15). Used when scaleByCalibration is off.",
    )
    scaleByCalibration = param.Boolean(
        default=True,
        doc="Multiply each image by its photometric calibration and its variance by the square, "
        "so that F_n = F_r = 1; the two flux scalings are then not used.",
    )
    correctBackground = param.Boolean(
        default=False,
        doc="Subtract the clipped mean of each whole image before anything else (the same as "
        'background = "constant").',
    )
    ignoreMaskPlanes = param.List(
        default=list(PLANES_IGNORED),
        item_type=str,
        doc="Mask planes whose pixels are left out of the statistics (mean variance, sky).",
    )
    maxPsfCentroidDist = param.Number(
        default=0.2,
        bounds=(0, None),
        softbounds=(0, 2),
        doc="Largest distance between the centroids of the science and the template PSF in a "
        "cell. A cell beyond it fails: a PSF offset acts like a misregistration and leaves "
        "dipoles.",
    )
    doSpatialGrid = param.Boolean(
        default=False,
        doc="Subtract in a grid of cells, each with the PSFs, noise and flux ratio of its own "
        "centre, instead of the whole image at once.",
    )
    gridInnerSize = param.Number(
        default=8.0,
        bounds=(0.1, None),
        softbounds=(1, 20),
        doc="Side of a cell's inner box in units of the border; smaller cells follow a varying "
        "PSF better and cost more padding.",
    )

    frequencyFloor = param.Number(
        default=None,
        allow_None=True,
        bounds=(0, 1),
        softbounds=(0, 0.02),
        doc="Flux ε of a point added to both unit-sum PSFs in the kernels of D only, where "
        "neither has power: P → P + ε·ε²/(ε²+|P_n|²+|P_r|²). There the D-kernels P/|P| would "
        "have an arbitrary phase and spread one cosmic ray over the cell; with ε they reach "
        "their limit F/√(σn²Fr²+σr²Fn²) smoothly. S keeps the true PSFs. Empty: from the "
        "measured noise of the stamps; 0: off.",
    )
    centroidOrigin = param.Selector(
        default="fft",
        objects=["fft", "geometric"],
        doc="Where PSF centroids are measured from: 'fft' is pixel n//2, the origin that the "
        "transform uses; 'geometric' is (n-1)/2. They differ by half a pixel for even stamps.",
    )
    psfShape = param.Selector(
        default="both",
        objects=["both", "science"],
        doc="Size of the published P_D and P_S stamps: 'both' holds the larger of the two input "
        "stamps, 'science' is cropped to the science stamp.",
    )
    blendCells = param.Integer(
        default=0,
        bounds=(0, 256),
        softbounds=(0, 64),
        doc="Width of the zone around each cell over which neighbouring cells are blended "
        "linearly; 0 pastes inner boxes edge to edge. At most the border.",
    )
    borderScale = param.Number(
        default=10.0,
        bounds=(0, None),
        softbounds=(2, 20),
        doc="Border around a cell in units of the wider PSF's σ (determinant radius of its "
        "adaptive moments); the border is never smaller than the PSF stamps.",
    )
    minBorder = param.Integer(
        default=0, bounds=(0, None), softbounds=(0, 200), doc="Smallest border around a cell."
    )
    borderSize = param.Integer(
        default=None,
        allow_None=True,
        bounds=(0, None),
        softbounds=(0, 200),
        doc="Border around a cell as you want it, instead of the rule from borderScale, stamp "
        "size and minBorder. Empty: the rule.",
    )
    minTotalDims = param.Integer(
        default=0,
        bounds=(0, 16384),
        softbounds=(0, 2048),
        doc="Smallest side of a cell's padded (outer) box.",
    )
    fftSizing = param.Selector(
        default="fast",
        objects=["fast", "powerOfTwo", "exact"],
        doc="Padded size of a cell: 'fast' is the next even size with small prime factors, "
        "'powerOfTwo' the next power of two, 'exact' inner + 2·border made even.",
    )
    padFill = param.Selector(
        default="noise",
        objects=["noise", "mirror", "zero"],
        doc="What fills the padding beyond the image: white noise of the cell's variance, the "
        "image mirrored at its edge, or zero.",
    )
    padSky = param.Boolean(
        default=True,
        doc="Lay the padding around the local sky of the cell instead of around zero, so that a "
        "sky left in the image makes no step at its edge.",
    )
    noiseSeed = param.Integer(
        default=20160101,
        allow_None=True,
        bounds=(0, None),
        doc="Seed of the padding noise; each image and cell draws a stream of its own from it. "
        "Empty: LSST's rule, the bit pattern of the variance, which repeats the same noise in "
        "both images and all cells.",
    )
    fillMasked = param.Boolean(
        default=True,
        doc="Replace the pixels of fillMaskPlanes by a local interpolation before the Fourier "
        "transform, so that a flagged cosmic ray cannot ring; their variance is kept at least "
        "at the local level and their mask stays.",
    )
    fillMaskPlanes = param.List(
        default=["BAD", "CR", "SAT", "NO_DATA"],
        item_type=str,
        doc="Mask planes that fillMasked interpolates over.",
    )
    fillNonFinite = param.Selector(
        default="local",
        objects=["local", "mean"],
        doc="What replaces NaN and infinite pixels: a local interpolation, marked NO_DATA, or "
        "the mean of the whole plane, unmarked.",
    )
    growMask = param.Number(
        default=0.01,
        bounds=(0, 1),
        softbounds=(0, 0.1),
        doc="Grow the mask of the result by the reach of the kernels: pixels are marked where "
        "the kernel² around a bad pixel, outside of a core that holds all but this fraction of "
        "its sum, ends. 0: the masks are only combined.",
    )
    background = param.Selector(
        default="auto",
        objects=["auto", "none", "constant", "mesh"],
        doc="Sky subtracted from each image: 'constant' its clipped mean, 'mesh' a smooth map "
        "from a mesh of clipped medians, 'none' nothing, 'auto' a constant if "
        "either clipped mean exceeds 5 % of the noise of a pixel.",
    )
    strict = param.Boolean(
        default=False,
        doc="Raise at the first failed cell instead of flagging it and going on.",
    )
    workingPrecision = param.Selector(
        default="input",
        objects=["input", "double"],
        doc="Floating-point type of the computation: that of the images (float32 if both are, but "
        "double in cells with pixels brighter than 500 σ, which float32 would round off by more "
        "than 1e-4 σ), or double everywhere.",
    )
    arithmetic = param.Selector(
        default="auto",
        objects=list(ARITHMETICS),
        doc="What computes: 'numpy' and scipy; 'fast', compiled loops and transforms by numba "
        "and ducc0 (the fast extra), the same within round-off; 'auto', the fast ones if they "
        "are installed.",
    )
    pieceSize = param.Integer(
        default=512,
        bounds=(0, 8192),
        softbounds=(0, 2048),
        doc="Cells of more than 3 times this side squared are transformed in overlapping "
        "pieces of about this side, which is faster and the same within 1e-4 σ of sky and faint "
        "sources (a pixel of 10⁵σ may change D around it by 10⁻³ σ); they are "
        "transformed whole where the kernels reach too far for that. 0: always whole.",
    )
    astrometricNoise = AstrometricNoiseSetting(
        default=None,
        doc="Registration error σ_x, σ_y of each image; adds V_ast = σ_x²(∂S_N/∂x)² + "
        "σ_y²(∂S_N/∂y)², and the same for the template, to the variance of S (eqs. 30-33), so that "
        "dipoles of bright stars no longer look significant. One σ for both axes and images, "
        "'σx, σy', 'σx, σy; σx, σy' for science and template, or 'measured': the scatter of the "
        "matched stars, half of its variance for each image. It hides what it cannot tell from a "
        "registration error: a star that moves by about σ, a slow mover, and variables in part. "
        "Empty: off.",
    )
    fluxScaleError = param.Number(
        default=0.0,
        bounds=(0, 10),
        softbounds=(0, 0.1),
        doc="Fractional error σ_F of the flux ratio F_n/F_r; adds V_F = (σ_F·S_R)², S_R = k_r⊗R, "
        "to the variance of S, so that residuals of bright stars by a wrong flux scale no longer "
        "look significant. It hides variability below σ_F of a source's flux. 0: off.",
    )
    swapFluxScaling = param.Boolean(
        default=False,
        doc="Apply templateFluxScaling to the science image and scienceFluxScaling to the "
        "template, as LSST's code did.",
    )
    rawFallbackVariance = param.Boolean(
        default=False,
        doc="Take the variance that stands in for an unusable cell's from the planes before "
        "calibration, as LSST's code did.",
    )

    @classmethod
    def lsst(cls, **changes: Any) -> Self:
        """The preset that reproduces LSST's ``ZogyTask`` of 2023, quirks included.

        Parameters
        ----------
        **changes
            Fields to set on top of the preset.
        """
        preset: dict[str, Any] = {
            "frequencyFloor": 0.0,
            "centroidOrigin": "geometric",
            "psfShape": "science",
            "fftSizing": "powerOfTwo",
            "padSky": False,
            "noiseSeed": None,
            "fillMasked": False,
            "fillNonFinite": "mean",
            "growMask": 0.0,
            "background": "none",
            "strict": True,
            "workingPrecision": "double",
            "arithmetic": "numpy",
            "pieceSize": 0,
            "astrometricNoise": None,
            "fluxScaleError": 0.0,
            "swapFluxScaling": True,
            "rawFallbackVariance": True,
        }
        return cls(**(preset | changes))

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Names of all fields, grouped as in `GROUPS`."""
        return tuple(field for fields in GROUPS.values() for field in fields)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Config from a mapping such as `to_dict` gives; absent fields keep their default.

        Raises
        ------
        InputError
            If a name is unknown or a value not allowed.
        """
        known = cls.field_names()
        for name in values:
            if name not in known:
                raise InputError(unknown_field(name, known))
        try:
            return cls(**values)
        except (ValueError, TypeError) as error:
            raise InputError(f"configuration value not allowed: {error}") from error

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values, ready for JSON: 3, 3.0 and NumPy's 3 give the same."""
        return {name: self._plain(name) for name in self.field_names()}

    def _plain(self, name: str) -> Any:
        value = getattr(self, name)
        kind = type(self).param[name]  # an instance would make a copy of each, slowly
        if isinstance(value, list):
            return list(value)
        if isinstance(kind, AstrometricNoiseSetting):
            return plain_form(value)
        if value is None or not isinstance(kind, param.Number):
            return value
        return int(value) if isinstance(kind, param.Integer) else float(value)

    def copy(self, **changes: Any) -> Self:
        """A copy with some fields changed."""
        return type(self)(**(self.to_dict() | changes))

    def hash(self) -> str:
        """Twelve hexadecimal digits that identify the settings."""
        return hash_settings(self.to_dict())


def hash_settings(values: Mapping[str, Any]) -> str:
    """Digest of plain settings, the same in every process."""
    text = json.dumps(dict(values), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
