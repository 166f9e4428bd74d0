"""What is drawn and what is reported are one thing."""

from __future__ import annotations

import numpy as np
import pytest

from zogy_explorer.errors import InputError
from zogy_explorer.simulate import Moffat, PsfField, make_pair, render_star


def centroid(image: np.ndarray) -> tuple[float, float]:
    y, x = np.indices(image.shape)
    return float((x * image).sum() / image.sum()), float((y * image).sum() / image.sum())


def fine_integral(profile: Moffat, dx: float, dy: float, size: int) -> np.ndarray:
    """Pixel integrals with 16 × 16 Gauss-Legendre points a pixel."""
    n = 16
    nodes, weights = np.polynomial.legendre.leggauss(n)
    grid = (np.arange(size)[:, None] - size // 2 + nodes / 2).ravel()
    values = profile._profile((grid - dx)[None, :], (grid - dy)[:, None])
    blocks = values.reshape(size, n, size, n)
    return profile._norm * np.einsum("iajb,a,b->ij", blocks, weights / 2, weights / 2)


@pytest.mark.parametrize("size", [30, 31])
def test_a_stamp_has_unit_flux_and_its_centre_at_half_its_size(size):
    stamp = Moffat(3.0, radius=14.0).stamp(size)
    assert stamp.sum() == pytest.approx(1.0, abs=1e-9)
    assert np.unravel_index(stamp.argmax(), stamp.shape) == (size // 2, size // 2)
    assert centroid(stamp) == pytest.approx((size // 2, size // 2), abs=1e-9)


def test_the_width_at_half_maximum_is_the_fwhm():
    profile = Moffat(4.0, beta=3.0)
    half = profile._profile(np.array([2.0]), np.array([0.0]))[0]
    assert half == pytest.approx(0.5 * profile._profile(np.array([0.0]), np.array([0.0]))[0])


@pytest.mark.parametrize("fwhm", [1.6, 2.5, 4.0])
@pytest.mark.parametrize(("dx", "dy"), [(0.0, 0.0), (0.5, -0.5), (0.31, 0.17)])
def test_pixels_hold_the_integral_of_the_profile(fwhm, dx, dy):
    profile = Moffat(fwhm, ellipticity=0.1, angle=0.4)
    star = render_star((33, 33), 16 + dx, 16 + dy, 1.0, profile)
    assert np.allclose(star, fine_integral(profile, dx, dy, 33), atol=1e-4 * star.max())


@pytest.mark.parametrize(("dx", "dy"), [(0.0, 0.0), (0.5, 0.5), (-0.37, 0.21)])
def test_flux_and_position_are_kept_between_pixels(dx, dy):
    star = render_star((61, 51), 25 + dx, 30 + dy, 7.0, Moffat(2.2, ellipticity=0.2))
    assert star.sum() == pytest.approx(7.0, rel=1e-4)
    assert centroid(star) == pytest.approx((25 + dx, 30 + dy), abs=2e-3)


def test_an_offset_profile_has_its_centroid_there():
    stamp = Moffat(2.5, radius=12.0, dx=0.2, dy=-0.1).stamp(27)
    assert centroid(stamp) == pytest.approx((13.2, 12.9), abs=1e-3)


def test_stars_at_the_edge_are_cut_and_stars_outside_are_not_drawn():
    whole = render_star((41, 41), 20, 20, 1.0, Moffat(3.0, radius=10.0))
    cut = render_star((41, 41), 0, 20, 1.0, Moffat(3.0, radius=10.0))
    assert np.allclose(cut[:, :15], whole[:, 20:35])
    assert not render_star((41, 41), -30, 20, 1.0, Moffat(3.0, radius=10.0)).any()


@pytest.mark.parametrize("psf_size", [21, 24, 31])
def test_reported_psfs_are_those_that_stars_are_drawn_with(psf_size):
    """A lone star on a pixel centre is the reported stamp, anywhere in the field."""
    field = PsfField.over(
        (200, 240),
        lambda u, v: Moffat(2.4 + u, ellipticity=0.1 * v, angle=0.5, radius=9.0, dx=0.2 * u),
        psf_size,
    )
    psf = field.psf()
    half = psf_size // 2
    for x, y in ((0, 0), (120, 100), (77, 143), (230, 12), (239, 199)):
        canvas = np.zeros((300, 300))
        # Drawn away from the edge, with the profile of the place that is asked for.
        for weight, profile in field._terms(x, y):
            canvas += weight * render_star((300, 300), 150, 150, 1.0, profile)
        stamp = psf.kernel_image(x=x, y=y)
        part = canvas[150 - half :, 150 - half :][:psf_size, :psf_size]
        assert np.allclose(part, stamp, atol=1e-6 * stamp.max())
        assert np.allclose(field.stamp_at(x, y), stamp, atol=1e-6 * stamp.max())


def test_a_star_in_the_image_fits_the_psf_of_its_place():
    options = {"n_stars": 0, "n_galaxies": 0, "defects": False, "gain": None}
    science, _, truth = make_pair(
        3, (300, 300), **options, n_transients=6, transient_snr=(1e6, 1e6), psf_variation=1.0
    )
    from scipy.ndimage import shift

    for row in truth:
        x, y = round(row["x"]), round(row["y"])
        stamp = science.psf.kernel_image(x=row["x"], y=row["y"])
        moved = shift(stamp, (row["y"] - y, row["x"] - x), order=5)
        cut = science.image[y - 15 : y + 16, x - 15 : x + 16] * science.photo_calib
        # Limited by the spline that moves the stamp, not by the PSF.
        assert np.abs(cut / row["flux_science"] - moved).max() < 3e-3 * stamp.max()


def test_psf_variation_zero_means_one_stamp():
    science = make_pair(1, (150, 150), psf_variation=0.0, defects=False)[0]
    assert science.psf.kernel_image(x=0, y=0) is science.psf.kernel_image(x=140, y=140)


def test_the_centroid_offset_is_largest_in_the_corner_and_zero_on_the_diagonal():
    science, template, _ = make_pair(1, (200, 200), centroid_offset=0.3, defects=False)

    def distance(x, y):
        first, second = (centroid(e.psf.kernel_image(x=x, y=y)) for e in (science, template))
        return np.hypot(first[0] - second[0], first[1] - second[1])

    assert distance(199, 199) == pytest.approx(0.3, abs=3e-3)
    assert distance(149, 149) == pytest.approx(0.15, abs=5e-3)
    assert distance(0, 0) == pytest.approx(0.0, abs=2e-3)


@pytest.mark.parametrize(
    "values", [{"fwhm": 0.0}, {"fwhm": 3.0, "beta": 1.0}, {"fwhm": 3.0, "ellipticity": 1.0}]
)
def test_impossible_profiles_are_refused(values):
    with pytest.raises(InputError, match="are needed"):
        Moffat(**values)
