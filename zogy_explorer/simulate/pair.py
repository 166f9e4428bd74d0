"""`make_pair`: two simulated images of one field, and what changed between them."""

from __future__ import annotations

import numpy as np
from astropy.table import Table
from astropy.wcs import WCS
from numpy.typing import DTypeLike, NDArray

from zogy_explorer.errors import InputError
from zogy_explorer.exposure import Exposure
from zogy_explorer.simulate.camera import Camera, varying_psf
from zogy_explorer.simulate.defects import Defects
from zogy_explorer.simulate.moffat import Moffat
from zogy_explorer.simulate.sources import Star, draw_galaxies, draw_stars
from zogy_explorer.simulate.transients import Transient, draw_transients, truth_table

_SKY_POSITION = (150.1163, 2.2058)
_SATURATED_PEAK = 4.0
_ROOM = 0.05


def make_pair(
    seed: int = 1,
    shape: tuple[int, int] = (512, 512),
    *,
    n_stars: int = 150,
    n_galaxies: int = 25,
    n_transients: int = 8,
    transient_snr: tuple[float, float] = (6.0, 60.0),
    star_flux: tuple[float, float] = (150.0, 1e5),
    galaxy_flux: tuple[float, float] = (500.0, 4e4),
    fwhm_science: float = 3.2,
    fwhm_template: float = 2.6,
    ellipticity_science: float = 0.08,
    ellipticity_template: float = 0.03,
    beta: float = 3.5,
    psf_variation: float = 0.3,
    psf_size: int = 31,
    centroid_offset: float = 0.0,
    sigma_science: float = 10.0,
    sigma_template: float = 6.0,
    flux_ratio: float = 1.25,
    gain: float | None = 2.0,
    shift: tuple[float, float] = (0.0, 0.0),
    sky_science: float = 0.0,
    sky_template: float = 0.0,
    defects: bool = True,
    saturated: bool | None = None,
    saturation: float = 60000.0,
    cosmic_rays: int | None = None,
    bad_column: bool | None = None,
    nan_patch: bool | None = None,
    edge: bool | None = None,
    pixel_scale: float = 0.3,
    dtype: DTypeLike = np.float32,
) -> tuple[Exposure, Exposure, Table]:
    """Simulate a science image and a template of one field.

    With ``defects=False`` every pixel is Gaussian noise around the model, drawn with exactly the
    variance that the exposure reports: σ² + (light of the noise-free sources) / gain. The PSFs
    that the exposures report are those that the stars were drawn with, pixel integration included.

    Parameters
    ----------
    seed
        Of all random numbers; sources, noise and defects draw from streams of their own, so
        that switching one off leaves the others as they are (only transients move, to keep
        away from defects).
    shape
        (ny, nx).
    n_stars, n_galaxies, n_transients
        How many. Transients are new, fading, new and moving in turn.
    transient_snr
        Range of their expected significance in Scorr [σ].
    star_flux, galaxy_flux
        Limits of the power laws of flux [calibrated unit].
    fwhm_science, fwhm_template
        Width of the PSFs, geometric mean of the axes at the centre of the field [px].
    ellipticity_science, ellipticity_template
        (a - b) / (a + b) at the centre of the field.
    beta
        Power of the Moffat wings.
    psf_variation
        0: the same PSF everywhere; 1: widths vary by up to 15 % and ellipticities by up to 0.1
        over the field, differently in the two images.
    psf_size
        Side of the PSF stamps [px]; the profiles end there.
    centroid_offset
        Offset of the science PSF's centroid in the upper right corner [px]; it falls off to
        zero at the diagonal. Its stars are drawn with it.
    sigma_science, sigma_template
        Noise of a pixel without light [image unit].
    flux_ratio
        F_n / F_r: the science image has this many counts per calibrated unit, the template one.
        ``photo_calib`` says so.
    gain
        Electrons per count, for the Poisson noise of sources; None: no such noise.
    shift
        Science minus template position (x, y) of everything: a misregistration [px].
    sky_science, sky_template
        Constant added to the pixels; its noise is part of σ.
    defects
        Default of the next five.
    saturated
        Add a star that saturates in both images, clips, and bleeds (plane SAT).
    saturation
        Level at which pixels clip [image unit].
    cosmic_rays
        Number of tracks in the science image, half as many in the template (plane CR);
        6 by default.
    bad_column
        A hot column in the science image (plane BAD).
    nan_patch
        Missing pixels in the science image (plane NO_DATA).
    edge
        Mark the outermost 2 pixels of both images (plane EDGE).
    pixel_scale
        Of the TAN WCS [arcsec].
    dtype
        Of image and variance: float32 or float64.

    Returns
    -------
    science, template
        With variance, mask, PSF, WCS and calibration.
    truth
        One row a transient: id, kind, sign of D, x, y [px, 0-based, science image], ra, dec
        [deg], x_template, y_template [px], flux (science minus template), flux_science,
        flux_template [calibrated unit], snr [σ].

    Raises
    ------
    InputError
        If a value makes no image.
    """
    _check(shape, psf_size, (sigma_science, sigma_template), flux_ratio, gain)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(6)]
    for_sources, for_transients, noise_science, noise_template, hits_science, hits_template = (
        streams
    )
    flawed_science, flawed_template = _place_defects(
        shape,
        saturation=saturation if _or(saturated, defects) else None,
        cosmic_rays=(6 if defects else 0) if cosmic_rays is None else cosmic_rays,
        bad_column=_or(bad_column, defects),
        nan_patch=_or(nan_patch, defects),
        edge=_or(edge, defects),
    )
    radius = (psf_size - 1) // 2 + 0.5 - abs(centroid_offset)
    science = Camera(
        name="science",
        psf=varying_psf(
            shape,
            Moffat(fwhm_science, beta, ellipticity_science, 0.6, radius),
            psf_size,
            variation=psf_variation,
            slope=(1.0, 0.5),
            corner_offset=centroid_offset,
        ),
        sigma=sigma_science,
        flux_scale=flux_ratio,
        gain=gain,
        sky=sky_science,
        shift=(0.0, 0.0),
        defects=flawed_science,
    )
    template = Camera(
        name="template",
        psf=varying_psf(
            shape,
            Moffat(fwhm_template, beta, ellipticity_template, 2.0, radius),
            psf_size,
            variation=psf_variation,
            slope=(-0.3, 0.7),
            corner_offset=0.0,
        ),
        sigma=sigma_template,
        flux_scale=1.0,
        gain=gain,
        sky=sky_template,
        shift=(-shift[0], -shift[1]),
        defects=flawed_template,
    )
    stars = draw_stars(for_sources, n_stars, shape, star_flux)
    galaxies = draw_galaxies(for_sources, n_galaxies, shape, galaxy_flux)
    if flawed_science.bleeding is not None:
        stars.append(_saturating_star(flawed_science.bleeding, science, template, saturation))
    transients = draw_transients(
        for_transients,
        n_transients,
        transient_snr,
        _room_for_transients(flawed_science, shape, psf_size),
        (science.psf, template.psf),
        (sigma_science, sigma_template),
        (flux_ratio, 1.0),
        gain,
        shift,
    )
    wcs = _wcs(shape, pixel_scale)
    meta = {"SIMSEED": seed, "PIXSCALE": pixel_scale, "BUNIT": "adu", "FILTER": "simulated"}

    def take(
        camera: Camera, changed: list[Star], noise: np.random.Generator, hits: np.random.Generator
    ) -> Exposure:
        light = camera.model(shape, stars + changed, galaxies)
        return camera.expose(light, noise, hits, wcs=wcs, meta=meta, dtype=dtype)

    return (
        take(science, _in_science(transients), noise_science, hits_science),
        take(template, _in_template(transients, shift), noise_template, hits_template),
        truth_table(transients, wcs),
    )


def _or(value: bool | None, default: bool) -> bool:
    return default if value is None else value


def _check(
    shape: tuple[int, int],
    psf_size: int,
    sigmas: tuple[float, float],
    flux_ratio: float,
    gain: float | None,
) -> None:
    if min(shape) < psf_size:
        raise InputError(
            f"image of shape {shape} is too small for PSF stamps of {psf_size} px: no side "
            "may be shorter than the stamp's"
        )
    if not (min(sigmas) > 0 and flux_ratio > 0 and (gain is None or gain > 0)):
        raise InputError(
            f"sigma {sigmas}, flux_ratio {flux_ratio} and gain {gain} must be positive "
            "(gain=None: no Poisson noise)"
        )


def _place_defects(
    shape: tuple[int, int],
    *,
    saturation: float | None,
    cosmic_rays: int,
    bad_column: bool,
    nan_patch: bool,
    edge: bool,
) -> tuple[Defects, Defects]:
    """Defects of science and template, at fixed fractions of the field."""
    ny, nx = shape
    star = None if saturation is None else (round(0.3 * nx), round(0.72 * ny))
    science = Defects(
        cosmic_rays=cosmic_rays,
        bad_column=round(0.62 * nx) if bad_column else None,
        nan_patch=(round(0.12 * nx), round(0.2 * ny), 14, 10) if nan_patch else None,
        edge=edge,
        saturation=saturation,
        bleeding=star,
    )
    template = Defects(
        cosmic_rays=cosmic_rays // 2, edge=edge, saturation=saturation, bleeding=star
    )
    return science, template


def _room_for_transients(
    defects: Defects, shape: tuple[int, int], distance: int
) -> NDArray[np.bool_]:
    """Pixels away from defects and borders, as far as the image is large enough."""
    while distance > 0:
        allowed = defects.away(shape, distance)
        if allowed.mean() > _ROOM:
            return allowed
        distance //= 2
    return np.ones(shape, dtype=bool)


def _saturating_star(
    place: tuple[int, int], science: Camera, template: Camera, saturation: float
) -> Star:
    """A star whose peak would reach four times the saturation level in the fainter image."""
    x, y = (float(v) for v in place)
    peak = min(c.flux_scale * c.psf.stamp_at(x, y).max() for c in (science, template))
    return Star(x + 0.2, y - 0.3, _SATURATED_PEAK * saturation / peak)


def _in_science(transients: list[Transient]) -> list[Star]:
    return [Star(t.x, t.y, t.flux_science) for t in transients if t.flux_science]


def _in_template(transients: list[Transient], shift: tuple[float, float]) -> list[Star]:
    # The template's camera shifts everything; its own positions have that in them already.
    return [
        Star(t.x_template + shift[0], t.y_template + shift[1], t.flux_template)
        for t in transients
        if t.flux_template
    ]


def _wcs(shape: tuple[int, int], pixel_scale: float) -> WCS:
    """North up, east left, reference at the centre of the image."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = _SKY_POSITION
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    wcs.wcs.cdelt = [-pixel_scale / 3600, pixel_scale / 3600]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.set()
    wcs.array_shape = shape
    return wcs
