"""`LessonSky`: the small field of the lessons, with a knob for whatever makes images differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.psf import KernelPsf
from zogy_explorer.simulate.flawed import FlawedPair, Star
from zogy_explorer.simulate.moffat import Moffat
from zogy_explorer.simulate.psf_field import render_star

STARS: tuple[Star, ...] = (
    (68.0, 64.0, 12000.0),
    (27.4, 24.2, 5000.0),
    (72.3, 25.6, 3000.0),
    (48.2, 78.3, 2000.0),
    (14.7, 76.4, 1200.0),
    (83.6, 45.3, 800.0),
)
"""(x, y, flux) of the stars that do not change, brightest first; the first on a pixel's centre."""

TRANSIENT = (34, 52)
"""Pixel (x, y) of the new source, far from all stars."""

HIT = (40, 12)
"""Pixel (x, y) of the science image that a particle hits."""

SHAPE = (96, 96)
_STAMP = 25
_GAIN = 2.0


def _knob(default: float, label: str, low: float, high: float, step: float, doc: str) -> Any:
    about = {"label": label, "bounds": (low, high), "step": step, "doc": doc}
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class LessonSky:
    """Two exposures of six stars and one new source.

    Fluxes and noise are in the calibrated unit; the science image counts ``flux_ratio`` times as
    many, and its ``photo_calib`` says so. The template is calibrated. ``stamp_noise`` is the σ of
    the noise in each pixel of the PSF stamps, as one measures them, in units of their peak;
    ``hit`` the flux that a particle leaves in pixel `HIT` of the science image. Other knobs: see
    `KNOBS`.

    Examples
    --------
    >>> science, template = LessonSky(seeing=4.0).draw()
    >>> science.shape
    (96, 96)
    """

    seeing: float = _knob(3.4, "Seeing of the science image [px]", 2.0, 5.0, 0.1, "FWHM of P_n.")
    seeing_template: float = _knob(
        2.4, "Seeing of the template [px]", 2.0, 5.0, 0.1, "FWHM of P_r."
    )
    noise: float = _knob(
        6.0, "Noise of the science image σ_n [flux]", 1.0, 20.0, 0.5,
        "σ of a pixel without light, in the calibrated unit.",
    )  # fmt: skip
    noise_template: float = _knob(
        4.0, "Noise of the template σ_r [flux]", 0.5, 20.0, 0.5,
        "σ of a pixel without light, in the calibrated unit.",
    )  # fmt: skip
    flux_ratio: float = _knob(
        1.25, "Flux scale F_n (F_r = 1)", 0.5, 2.0, 0.05,
        "Counts of the science image per unit of flux.",
    )  # fmt: skip
    transient: float = _knob(
        300.0, "Flux of the new source", 0.0, 1500.0, 10.0, "In the science image alone."
    )
    shift: float = _knob(
        0.0, "Shift between the images [px]", -1.0, 1.0, 0.05,
        "Science minus template position along x.",
    )  # fmt: skip
    width_error: float = _knob(
        0.0, "Error of the PSF's width [fraction]", -0.2, 0.2, 0.01,
        "How much wider the stars of the science image are than its PSF says.",
    )  # fmt: skip
    seed: int = 7
    stamp_noise: float = field(default=0.0, metadata={"bounds": (0.0, 0.1)})
    hit: float = field(default=0.0, metadata={"bounds": (0.0, 1e6)})

    def __post_init__(self) -> None:
        for knob in fields(self):
            low, high = knob.metadata.get("bounds", (0, 2**32))
            value = getattr(self, knob.name)
            if not (np.isfinite(value) and low <= value <= high):
                raise InputError(f"{knob.name} is {value}: it must lie between {low} and {high}")

    @property
    def psfs(self) -> tuple[Moffat, Moffat]:
        """Profiles of science and template, as their exposures report them."""
        return Moffat(self.seeing, 3.5, 0.06, 0.6, 12.5), Moffat(
            self.seeing_template, 3.5, 0.03, 2.0, 12.5
        )

    @property
    def stamps(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Unit-sum stamps (25, 25) of the PSFs of science and template."""
        first, second = (psf.stamp(_STAMP) for psf in self.psfs)
        return first, second

    @property
    def drawn(self) -> tuple[Moffat, Moffat]:
        """Profiles that the stars really have: the science image's may be wider than it says."""
        science, template = self.psfs
        return replace(science, fwhm=science.fwhm * (1 + self.width_error)), template

    def light(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Noise-free science and template (96, 96), both in the calibrated unit."""
        science, template = np.zeros(SHAPE), np.zeros(SHAPE)
        psf_n, psf_r = self.drawn
        for x, y, flux in STARS:
            science += render_star(SHAPE, x, y, flux, psf_n)
            template += render_star(SHAPE, x - self.shift, y, flux, psf_r)
        return science + render_star(SHAPE, *TRANSIENT, self.transient, psf_n), template

    def draw(self, seed: int | None = None) -> tuple[Exposure, Exposure]:
        """Science image and template.

        Parameters
        ----------
        seed
            Of the noise; None: the sky's own.
        """
        pair = FlawedPair(
            stars=STARS,
            shape=SHAPE,
            shift=(self.shift, 0.0),
            width_error=self.width_error,
            new_source=(*TRANSIENT, self.transient) if self.transient else None,
            hit=(*HIT, self.hit) if self.hit else None,
            psfs=self.psfs,
            sigmas=(self.noise, self.noise_template),
            gain=_GAIN,
            psf_size=_STAMP,
        )
        science, template = pair.draw(self.seed if seed is None else seed)
        assert science.variance is not None
        scale = self.flux_ratio
        psf_n, psf_r = self._measured_psfs()
        return science.replace(
            image=science.image * scale,
            variance=science.variance * scale**2,
            photo_calib=1.0 / scale,
            psf=psf_n,
            meta={"GAIN": _GAIN / scale},
        ), template.replace(psf=psf_r, meta={"GAIN": _GAIN})

    def _measured_psfs(self) -> tuple[KernelPsf, KernelPsf]:
        """PSFs of science and template with the noise of their stamps; the same in each draw."""
        rng = np.random.default_rng(self.seed)
        first, second = (
            KernelPsf(stamp + self.stamp_noise * stamp.max() * rng.standard_normal(stamp.shape))
            for stamp in self.stamps
        )
        return first, second

    def changed(self) -> dict[str, Any]:
        """Knobs that are not at their defaults."""
        return {
            k.name: getattr(self, k.name)
            for k in fields(self)
            if getattr(self, k.name) != k.default
        }

    def replace(self, **changes: Any) -> Self:
        """A copy with some knobs turned."""
        return replace(self, **changes)

    @classmethod
    def from_words(cls, words: Mapping[str, str]) -> Self:
        """A sky from texts, such as those of an address.

        Raises
        ------
        InputError
            If a name is unknown, or a value no number or out of its range.
        """
        values: dict[str, Any] = {}
        known = tuple(knob.name for knob in fields(cls))
        for name in set(words) - set(known):
            raise InputError(f"the sky has no {name}: it has {', '.join(known)}")
        for name in known:
            if name in words:
                try:
                    values[name] = int(words[name]) if name == "seed" else float(words[name])
                except ValueError:
                    raise InputError(f"{name} is {words[name]!r}: a number is needed") from None
        return cls(**values)


KNOBS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        knob.name: {**knob.metadata, "default": knob.default}
        for knob in fields(LessonSky)
        if "label" in knob.metadata
    }
)
"""Name of each knob to its label, bounds, step, doc and default."""
