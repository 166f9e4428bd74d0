"""Registration measured from stars: right numbers, and an answer for every frame without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from zogy_explorer import CallablePsf, Exposure, KernelPsf, ZogyConfig, plan, run
from zogy_explorer.engine.prepare import prepare_pair
from zogy_explorer.engine.registration import StarRegistration, mean_and_scatter
from zogy_explorer.engine.star_fit import fit_star, measure_stars, psf_spline

SETTINGS: dict[str, Any] = {"maxPsfCentroidDist": 1.0, "fillMasked": True}
Pair = tuple[Exposure, Exposure]


def gaussian(shape: tuple[int, int], x: float, y: float, width: float) -> np.ndarray:
    rows, columns = np.indices(shape)
    r2 = (rows - y) ** 2 + (columns - x) ** 2
    return np.exp(-r2 / (2 * width**2)) / (2 * np.pi * width**2)


def star_field(
    seed: int = 1,
    *,
    n: int = 5,
    shift: tuple[float, float] = (0.0, 0.0),
    jitter: tuple[float, float] = (0.0, 0.0),
    ratio: float = 1.0,
    flux: float = 3e4,
    widths: tuple[float, float] = (1.9, 1.5),
    sides: tuple[int, int] = (25, 21),
    centre: tuple[float, float] = (0.0, 0.0),
    sky: float = 0.0,
    dtype: type = np.float64,
) -> Pair:
    """n² stars on a loose grid; ``centre`` is how far the science PSF lies off its origin."""
    rng = np.random.default_rng(seed)
    shape = (44 * n, 44 * n)
    images = [rng.normal(sky, 3.0, shape), rng.normal(sky, 2.0, shape)]
    for y in range(22, shape[0], 44):
        for x in range(22, shape[1], 44):
            at = np.array([22, 22]) + rng.uniform(-4, 4, 2)
            moved = at + np.array(shift) + rng.normal(0, 1, 2) * jitter
            cut = (slice(y - 22, y + 22), slice(x - 22, x + 22))
            light = (moved + np.array(centre), at)
            for image, place, width, f in zip(
                images, light, widths, (flux * ratio, flux), strict=True
            ):
                image[cut] += f * gaussian((44, 44), *place, width)
    offsets = (centre, (0.0, 0.0))
    return tuple(
        Exposure(
            image.astype(dtype),
            variance=np.full(shape, sigma**2, dtype),
            psf=KernelPsf(gaussian((side, side), side // 2 + dx, side // 2 + dy, width)),
            name=name,
        )
        for image, sigma, side, (dx, dy), width, name in zip(
            images, (3.0, 2.0), sides, offsets, widths, ("science", "template"), strict=True
        )
    )


def registered(pair: Pair, **config: Any) -> StarRegistration:
    return prepare_pair(*pair, ZogyConfig(**SETTINGS, **config)).registration


# --- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sides", [(25, 21), (24, 20), (25, 20)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shift_and_flux_ratio_of_a_pair_are_found(sides: tuple[int, int], dtype: type) -> None:
    stars = registered(star_field(2, shift=(0.31, -0.17), ratio=1.2, sides=sides, dtype=dtype))
    assert stars.count == 25
    np.testing.assert_allclose(stars.shift, (0.31, -0.17), atol=4 * max(stars.shift_error) + 1e-3)
    assert max(stars.shift_error) < 0.002
    assert max(stars.scatter) < 0.004
    assert stars.flux_ratio == pytest.approx(1.2, abs=4 * stars.flux_ratio_error + 1e-3)
    assert stars.displaced


def test_a_shift_of_several_pixels_is_found() -> None:
    stars = registered(star_field(3, shift=(3.6, -2.2)))
    np.testing.assert_allclose(stars.shift, (3.6, -2.2), atol=0.01)


@pytest.mark.parametrize(("dx", "dy"), [(17, -6), (-40, 31), (0, 9)])
def test_a_shift_of_many_pixels_is_found(dx: int, dy: int) -> None:
    science, template = star_field(8, shift=(0.3, -0.2), n=7)
    moved = science.replace(image=np.roll(science.image, (dy, dx), (0, 1)))
    np.testing.assert_allclose(registered((moved, template)).shift, (dx + 0.3, dy - 0.2), atol=0.01)


def test_two_fields_without_common_stars_agree_on_no_shift() -> None:
    for seed in range(4):
        other = star_field(100 + seed, n=7, jitter=(12, 12))[0]
        assert registered((other, star_field(seed, n=7)[1])).count < 15


def test_a_psf_off_its_origin_is_no_shift() -> None:
    stars = registered(star_field(4, centre=(0.3, -0.2)))
    np.testing.assert_allclose(stars.shift, (0, 0), atol=0.005)
    assert not stars.displaced


def test_a_sky_does_not_matter() -> None:
    stars = registered(star_field(5, shift=(0.2, 0.0), sky=400.0), background="none")
    np.testing.assert_allclose(stars.shift, (0.2, 0.0), atol=0.005)


def test_the_scatter_of_the_stars_is_that_of_their_places() -> None:
    scatters = [registered(star_field(s, jitter=(0.15, 0.05))).scatter for s in range(6)]
    # 6 × 24 degrees of freedom: 6 % each.
    mean = np.sqrt(np.mean(np.square(scatters), axis=0))
    np.testing.assert_allclose(mean, (0.15, 0.05), rtol=0.2)


def test_faint_stars_do_not_lend_their_noise_to_the_scatter() -> None:
    """At 20σ a position is uncertain by 0.1 px: none of it is scatter of registration."""
    stars = [registered(star_field(s, flux=600.0)) for s in range(4)]
    assert all(s.count > 10 for s in stars)
    errors = [np.median(np.hypot(s.science.x_error, s.template.x_error)) for s in stars]
    assert np.mean(errors) > 0.07
    assert np.mean([s.scatter for s in stars]) < 0.04


def test_pulls_of_fitted_positions_and_fluxes_have_unit_sigma() -> None:
    rng = np.random.default_rng(7)
    width, half = 1.6, 5
    spline = psf_spline(gaussian((23, 23), 11, 11, width))
    pulls = []
    for _ in range(300):
        x, y = 15 + rng.uniform(-0.5, 0.5, 2)
        data = 800 * gaussian((31, 31), x, y, width) + rng.normal(0, 2, (31, 31))
        fit = fit_star(data, np.full((31, 31), 4.0), spline, 15.0, 15.0, half)
        assert fit is not None
        values, errors = fit
        pulls.append((values - (800, x, y, 0)) / errors)
    assert np.abs(np.mean(pulls, axis=0)).max() < 4 / np.sqrt(300)
    np.testing.assert_allclose(np.std(pulls, axis=0), 1, atol=4 / np.sqrt(600))


def test_fits_are_those_of_photutils() -> None:
    from astropy.table import Table
    from photutils.psf import ImagePSF, PSFPhotometry

    science, _ = star_field(8)
    prepared = prepare_pair(*star_field(8), ZogyConfig(background="none")).science
    (ours,) = measure_stars(prepared)
    model = ImagePSF(np.asarray(science.psf.kernel_image(x=0, y=0)), origin=(12, 12))
    theirs = PSFPhotometry(model, (11, 11), aperture_radius=5)(
        np.asarray(science.image),
        error=np.sqrt(science.variance),
        init_params=Table({"x_init": ours.x, "y_init": ours.y}),
    )
    np.testing.assert_allclose(ours.x, theirs["x_fit"], atol=0.005)
    np.testing.assert_allclose(ours.y, theirs["y_fit"], atol=0.005)
    np.testing.assert_allclose(ours.flux, theirs["flux_fit"], rtol=0.005)
    np.testing.assert_allclose(ours.x_error, theirs["x_err"], rtol=0.05)


def test_mean_and_scatter_weigh_by_error() -> None:
    rng = np.random.default_rng(9)
    errors = rng.uniform(0.01, 0.4, 4000)
    values = 2 + rng.normal(0, 0.1, 4000) + rng.normal(0, errors)
    mean, error, scatter = mean_and_scatter(values, errors)
    assert scatter == pytest.approx(0.1, rel=0.05)
    assert mean == pytest.approx(2, abs=4 * error)
    assert mean_and_scatter(np.array([1.0, 1.0, 1.0]), np.full(3, 0.1))[2] == 0


# --- what is no star ---------------------------------------------------------------------------


def test_new_sources_neighbours_masked_and_wide_ones_are_left_out() -> None:
    science, template = star_field(10, shift=(0.1, 0.1))
    image, mask = science.image.copy(), science.mask.copy()
    image += 5e4 * gaussian(image.shape, 44, 44, 1.9)  # between four stars: only in science
    mask[15:30, 15:30] |= 1 << science.mask_planes["SAT"]
    image += 4e5 * gaussian(image.shape, 200, 200, 7.0)  # a galaxy in the last cell
    stars = registered((science.replace(image=image, mask=mask), template))
    assert 22 <= stars.count <= 23
    np.testing.assert_allclose(stars.shift, (0.1, 0.1), atol=0.01)
    assert max(stars.scatter) < 0.005


def test_a_variable_star_does_not_change_the_flux_ratio() -> None:
    science, template = star_field(11, ratio=1.1)
    image = science.image + 3e4 * gaussian(science.shape, 22, 22, 1.9)
    stars = registered((science.replace(image=image), template))
    assert stars.flux_ratio == pytest.approx(1.1, abs=0.005)


def test_a_varying_psf_is_taken_at_each_star() -> None:
    """Its centre moves by half a pixel over the frame, and its stars with it: no registration."""

    def off_centre(x: float) -> float:
        return 0.5 * x / 220

    def stamp(x: float, y: float) -> np.ndarray:
        return gaussian((25, 25), 12 + off_centre(x), 12, 1.7)

    _, template = star_field(12, n=5)
    rng = np.random.default_rng(12)
    images = [rng.normal(0, sigma, (220, 220)) for sigma in (3.0, 2.0)]
    for x, y in np.array(np.meshgrid(range(22, 220, 44), range(22, 220, 44))).reshape(2, -1).T:
        images[0] += 3e4 * gaussian((220, 220), x + off_centre(x), y, 1.7)
        images[1] += 3e4 * gaussian((220, 220), x, y, 1.5)
    variances = [np.full((220, 220), sigma**2) for sigma in (3.0, 2.0)]
    psfs = (CallablePsf(stamp), template.psf)
    pair = tuple(
        Exposure(i, variance=v, psf=p) for i, v, p in zip(images, variances, psfs, strict=True)
    )
    stars = registered(pair)
    assert stars.count == 25
    np.testing.assert_allclose(stars.shift, (0, 0), atol=0.005)
    assert max(stars.scatter) < 0.005


# --- "measured" --------------------------------------------------------------------------------


def flags_of(pair: Pair, **config: Any) -> dict[str, str]:
    steps = plan(*pair, ZogyConfig(**SETTINGS, astrometricNoise="measured", **config))
    return {flag.name: flag.cause for flag in steps.flags}


def test_each_image_gets_half_of_the_measured_variance() -> None:
    pair = star_field(13, jitter=(0.2, 0.1))
    steps = plan(*pair, ZogyConfig(**SETTINGS, astrometricNoise="measured"))
    stars = steps.prepared.registration
    assert steps.astrometric is not None
    assert steps.astrometric.science == steps.astrometric.template
    np.testing.assert_allclose(np.array(steps.astrometric.science) * np.sqrt(2), stars.scatter)
    result = run(steps)
    assert {"ASTROMETRIC_NOISE_MEASURED"} <= {flag.name for flag in result.cells[0].flags}
    columns, rows = np.round(stars.science.x).astype(int), np.round(stars.science.y).astype(int)
    flanks = np.concatenate([result.scorr[rows, columns + 2], result.scorr[rows + 2, columns]])
    without = result.scorr_source_noise()[rows, columns + 2]
    assert without.std() > 10
    assert flanks.std() == pytest.approx(1, abs=0.35)


def test_measuring_is_done_once_for_one_pair() -> None:
    pair = star_field(14, n=3)
    config = ZogyConfig(**SETTINGS, astrometricNoise="measured")
    first = plan(*pair, config)
    again = plan(*pair, config.copy(borderScale=5.0), prepared=first.prepared)
    assert again.prepared.registration is first.prepared.registration
    assert "registration" not in vars(plan(*pair, ZogyConfig(**SETTINGS)).prepared)


def test_displaced_frames_are_flagged_with_their_shift() -> None:
    flags = flags_of(star_field(15, shift=(0.4, 0.0)))
    assert "+0.40" in flags["MISREGISTERED"]
    assert "MISREGISTERED" not in flags_of(star_field(15))


def dark(pair: Pair) -> Pair:
    rng = np.random.default_rng(0)
    return tuple(e.replace(image=rng.normal(0, 2, e.shape)) for e in pair)


def crowded(pair: Pair) -> Pair:
    rng = np.random.default_rng(1)
    shape = pair[0].shape
    field = np.zeros(shape)
    for x, y, flux in zip(
        *rng.uniform(0, shape[0], (2, 2500)), rng.uniform(200, 4000, 2500), strict=True
    ):
        ys = slice(max(int(y) - 8, 0), int(y) + 9)
        xs = slice(max(int(x) - 8, 0), int(x) + 9)
        part = field[ys, xs]
        part += flux * gaussian(part.shape, x - xs.start, y - ys.start, 1.9)
    return tuple(e.replace(image=e.image + field) for e in pair)


def constant(pair: Pair) -> Pair:
    return tuple(e.replace(image=np.full(e.shape, 7.0)) for e in pair)


def masked(pair: Pair) -> Pair:
    return tuple(
        e.replace(mask=np.full(e.shape, 1 << e.mask_planes["SAT"], np.int32)) for e in pair
    )


def unlike(pair: Pair) -> Pair:
    return (pair[0], dark(pair)[1])


@pytest.mark.parametrize("change", [dark, constant, masked, unlike])
def test_frames_without_common_stars_have_no_term_and_say_why(change: Any) -> None:
    pair = change(star_field(16, n=3))
    steps = plan(*pair, ZogyConfig(**SETTINGS, astrometricNoise="measured"))
    assert steps.astrometric is None
    (flag,) = (flag for flag in steps.flags if flag.name == "ASTROMETRIC_NOISE_UNKNOWN")
    assert "3 are needed" in flag.cause
    result = run(steps)
    assert result.astrometric_variance is None
    assert all("ASTROMETRIC_NOISE_UNKNOWN" in {f.name for f in c.flags} for c in result.cells)


def test_crowded_frames_give_an_answer() -> None:
    steps = plan(*crowded(star_field(17, n=5)), ZogyConfig(**SETTINGS, astrometricNoise="measured"))
    assert steps.flags
    if steps.astrometric is not None:
        assert max(steps.astrometric.science) < 0.3


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_a_psf_of_a_few_pixels_gives_an_answer(side: int) -> None:
    stamp = np.zeros((side, side))
    stamp[side // 2, side // 2] = 1
    pair = tuple(e.replace(psf=KernelPsf(stamp)) for e in star_field(19, n=2))
    steps = plan(*pair, ZogyConfig(**SETTINGS, astrometricNoise="measured"))
    assert [flag.name for flag in steps.flags] == ["ASTROMETRIC_NOISE_UNKNOWN"]


@pytest.mark.parametrize("side", [21, 25, 40])
def test_tiny_frames_give_an_answer(side: int) -> None:
    pair = tuple(
        e.replace(
            image=e.image[:side, :side],
            variance=e.variance[:side, :side],
            mask=e.mask[:side, :side],
            psf=KernelPsf(gaussian((15, 15), 7, 7, 1.7)),
        )
        for e in star_field(18, n=2)
    )
    steps = plan(*pair, ZogyConfig(**SETTINGS, astrometricNoise="measured"))
    assert steps.astrometric is None
    assert [flag.name for flag in steps.flags] == ["ASTROMETRIC_NOISE_UNKNOWN"]
