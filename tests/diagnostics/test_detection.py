"""`detect` on scenes with known answers: positions, fluxes, errors, flags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from astropy import units as u

from zogy_explorer import Exposure, KernelPsf, ZogyConfig, ZogyTask, make_pair, plan, run
from zogy_explorer.diagnostics import COLUMNS, DETECTION_FLAGS, detect
from zogy_explorer.engine import Difference
from zogy_explorer.errors import InputError, MissingDataError
from zogy_explorer.masks import MASK_PLANES
from zogy_explorer.simulate import FlawedPair, Moffat, PsfField
from zogy_explorer.simulate.psf_field import render_star

WIDE, NARROW = Moffat(3.2, 3.5, 0.1, 0.6, 15), Moffat(2.6, 3.5, 0.03, 2.0, 15)
Star = tuple[float, float, float]


def sky(
    stars: Sequence[Star] = (),
    profile: Moffat = WIDE,
    *,
    sigma: float = 10.0,
    scale: float = 1.0,
    gain: float | None = None,
    shape: tuple[int, int] = (201, 240),
    seed: int = 0,
    size: int = 31,
    mask: np.ndarray | None = None,
    hits: Sequence[Star] = (),
    xy0: tuple[int, int] = (0, 0),
) -> Exposure:
    """Noise with stars of (x, y, calibrated flux); ``hits`` are counts on single pixels."""
    field = PsfField.constant(profile, size)
    light = np.zeros(shape)
    for x, y, flux in stars:
        field.add_star(light, x - xy0[0], y - xy0[1], flux * scale)
    variance = np.full(shape, sigma**2) + (0 if gain is None else light / gain)
    image = light + np.random.default_rng(seed).normal(0, np.sqrt(variance))
    for x, y, counts in hits:
        image[int(y), int(x)] += counts
    return Exposure(
        image, variance=variance, mask=mask, psf=field.psf(), photo_calib=1 / scale, xy0=xy0
    )


def empty(stars: Sequence[Star] = (), **changes: object) -> Exposure:
    return sky(stars, NARROW, sigma=6.0, seed=99, **changes)


def subtracted(science: Exposure, template: Exposure, **config: object) -> Difference:
    settings = ZogyConfig(**({"background": "none"} | config))
    return ZogyTask(config=settings).run(science, template).difference


def lattice(rng: np.random.Generator, flux: float, shape: tuple[int, int]) -> list[Star]:
    return [
        (x + rng.uniform(-0.5, 0.5), y + rng.uniform(-0.5, 0.5), flux)
        for y in range(24, shape[0] - 23, 32)
        for x in range(24, shape[1] - 23, 32)
    ]


def nearest(table, x: float, y: float):
    distance = np.hypot(table["x"].value - x, table["y"].value - y)
    index = int(np.argmin(distance))
    return table[index], float(distance[index])


# --- the table --------------------------------------------------------------------------------


def test_a_new_source_is_found_where_it_is_with_its_flux() -> None:
    (row,) = detect(subtracted(sky([(120.3, 80.7, 3000.0)]), empty()))
    assert row["x"].value == pytest.approx(120.3, abs=4 * row["x_error"].value)
    assert row["y"].value == pytest.approx(80.7, abs=4 * row["y_error"].value)
    assert row["flux"] == pytest.approx(3000, abs=4 * row["flux_error"])
    assert row["scorr"] == pytest.approx(row["flux"] / row["flux_error"])
    assert (row["sign"], row["cell"], row["flags"], row["reasons"]) == (1, "r0c0", "", "")


def test_swapping_science_and_template_negates_flux_and_sign_and_keeps_the_place() -> None:
    science, template = sky([(120.3, 80.7, 3000.0)]), empty()
    (one,), (other,) = (
        detect(subtracted(*pair)) for pair in ((science, template), (template, science))
    )
    assert other["sign"] == -1
    for name in ("flux", "scorr"):
        assert other[name] == pytest.approx(-one[name], rel=1e-6)
    for name in ("x", "y", "x_error", "y_error"):
        assert other[name].value == pytest.approx(one[name].value, rel=1e-6)


def test_no_detections_give_the_same_columns_and_units_without_rows() -> None:
    with_rows = detect(subtracted(sky([(120.0, 80.0, 3000.0)]), empty()))
    table = detect(subtracted(sky(), empty()), threshold=9)
    assert len(table) == 0
    assert table.colnames == with_rows.colnames
    for name in table.colnames:
        assert table[name].unit == with_rows[name].unit
        assert table[name].dtype.kind == with_rows[name].dtype.kind
    assert table.meta["n_detections"] == 0


def test_columns_are_described_and_the_header_counts() -> None:
    table = detect(subtracted(sky([(60, 60, 3000.0)]), empty([(150, 90, 4000.0)])), threshold=6)
    assert set(table.colnames) <= set(COLUMNS)
    assert all(table[name].info.description for name in table.colnames)
    assert table["x"].unit == u.pix
    meta = table.meta
    assert (meta["threshold"], meta["n_positive"], meta["n_negative"]) == (6.0, 1, 1)
    assert meta["config_hash"]


def test_sky_positions_come_with_a_wcs_and_only_then() -> None:
    science, template, truth = make_pair(seed=3, shape=(256, 300), defects=False, n_transients=2)
    table = detect(subtracted(science, template))
    row, distance = nearest(table, truth["x"][0], truth["y"][0])
    assert distance < 1
    ra, dec = science.wcs.wcs_pix2world(row["x"].value, row["y"].value, 0)
    assert row["ra"].to_value(u.deg) == pytest.approx(float(ra))
    assert row["dec"].to_value(u.deg) == pytest.approx(float(dec))
    without = detect(subtracted(science.replace(wcs=None), template))
    assert "ra" not in without.colnames


def test_positions_are_on_the_grid_of_the_science_image() -> None:
    star = (1120.3, 580.7, 3000.0)
    (row,) = detect(subtracted(sky([star], xy0=(1000, 500)), empty(xy0=(1000, 500))))
    assert row["x"].value == pytest.approx(1120.3, abs=0.3)
    assert row["y"].value == pytest.approx(580.7, abs=0.3)


def test_flux_is_in_the_calibrated_unit() -> None:
    (row,) = detect(subtracted(sky([(120.3, 80.7, 3000.0)], scale=1.7), empty(scale=0.6)))
    assert row["flux"] == pytest.approx(3000, abs=4 * row["flux_error"])


def test_each_cell_of_a_grid_names_itself_and_measures_with_its_own_psf() -> None:
    science, template, truth = make_pair(
        seed=11, shape=(420, 380), defects=False, psf_variation=1.0, n_stars=0, n_galaxies=0
    )
    difference = subtracted(science, template, doSpatialGrid=True, gridInnerSize=4)
    table = detect(difference)
    assert len(difference.cells) > 4
    for source in truth:
        row, distance = nearest(table, source["x"], source["y"])
        assert distance < 5 * np.hypot(row["x_error"].value, row["y_error"].value)
        assert row["flux"] == pytest.approx(source["flux"], abs=4.5 * row["flux_error"])
        cell = difference.plan.cell_at(row["x"].value, row["y"].value)
        assert row["cell"] == cell.name


# --- statistics -------------------------------------------------------------------------------

CASES = {
    "unequal PSFs": ((WIDE, NARROW), (10.0, 6.0), (1.25, 1.0), None, 31),
    "wide template": ((NARROW, Moffat(3.8, 2.8, 0.2, 1.0, 15)), (4.0, 9.0), (0.6, 1.7), None, 31),
    "undersampled, even stamps": ((Moffat(2.1, 3.5, 0.0, 0.0, 14),) * 2, (5, 5), (1, 1), None, 30),
    "noise of its own light": ((WIDE, NARROW), (10.0, 6.0), (1.0, 1.0), 0.3, 31),
}


@pytest.mark.parametrize("case", CASES)
def test_pulls_of_position_and_flux_are_one(case: str) -> None:
    profiles, sigmas, scales, gain, size = CASES[case]
    shape, flux = (504, 633), 3000.0 if gain else 1000.0
    pulls = []
    for seed in range(3):
        stars = lattice(np.random.default_rng(seed), flux, shape)
        science = sky(
            stars, profiles[0], sigma=sigmas[0], scale=scales[0], gain=gain, shape=shape,
            seed=100 + seed, size=size,
        )  # fmt: skip
        template = sky(
            (), profiles[1], sigma=sigmas[1], scale=scales[1], shape=shape, seed=200 + seed,
            size=size,
        )  # fmt: skip
        table = detect(subtracted(science, template))
        for x, y, _ in stars:
            row, distance = nearest(table, x, y)
            assert distance < 1
            assert set(row["flags"].split()) <= {"noise_excess"}  # 285 sources are not empty sky
            pulls.append(
                (
                    (row["x"].value - x) / row["x_error"].value,
                    (row["y"].value - y) / row["y_error"].value,
                    (row["flux"] - flux) / row["flux_error"],
                )
            )
    spread = np.std(pulls, axis=0)
    sampling = 1 / np.sqrt(2 * len(pulls))
    assert sampling < 0.025
    assert np.sqrt(np.mean(spread[:2] ** 2)) == pytest.approx(1.0, abs=0.05)
    assert spread[2] == pytest.approx(1.0, abs=4 * sampling)
    # The highest of nearby pixels was chosen: its flux is high by σ²/flux, no more.
    assert np.mean(pulls, axis=0) == pytest.approx([0, 0, 0], abs=4 / np.sqrt(len(pulls)) + 0.08)


def test_an_empty_sky_has_no_more_peaks_than_noise_has() -> None:
    """Peaks of a Gaussian field over u: area · √det Λ/(2π)^1.5 · u·exp(−u²/2)."""
    tables, area = [], 0
    for seed in range(4):
        difference = subtracted(
            sky(shape=(512, 512), seed=seed), sky((), NARROW, shape=(512, 512), seed=50 + seed)
        )
        tables.append(detect(difference, threshold=4.0))
        area += 512**2
    from zogy_explorer.diagnostics.point_response import PointResponse

    curvature = PointResponse.of(difference.cells[0]).curvature
    density = np.sqrt(np.linalg.det(curvature)) / (2 * np.pi) ** 1.5 * 4 * np.exp(-8)
    expected = 2 * area * density
    found = sum(len(t) for t in tables)
    # Sampled at whole pixels a peak is a little lower than between them.
    assert 0.6 * expected - 4 * np.sqrt(expected) < found < expected + 4 * np.sqrt(expected)


def test_close_sources_are_told_apart_and_noise_on_a_flank_is_not_a_source() -> None:
    stars = [(60.0, 60.0, 9000.0), (67.0, 61.0, 6000.0), (150.0, 100.0, 5e5)]
    table = detect(subtracted(sky(stars), empty()))
    for x, y, flux in stars:
        row, distance = nearest(table, x, y)
        assert distance < 0.5
        assert row["flux"] == pytest.approx(flux, rel=0.15)
    unflagged = table[table["flags"] == ""]
    assert len(unflagged) == 3


# --- flags ------------------------------------------------------------------------------------


def test_a_source_at_the_edge_says_so_and_one_beyond_the_psf_does_not() -> None:
    stars = [(1.0, 100.0, 5000.0), (120.0, 199.0, 5000.0), (120.0, 100.0, 5000.0)]
    table = detect(subtracted(sky(stars), empty()))
    flags = [nearest(table, x, y)[0]["flags"] for x, y, _ in stars]
    assert flags == ["edge", "edge", ""]


def masked_at(x: int, y: int, plane: str, radius: int = 0) -> np.ndarray:
    mask = np.zeros((201, 240), dtype=np.int32)
    mask[y - radius : y + radius + 1, x - radius : x + radius + 1] = 1 << MASK_PLANES[plane]
    return mask


def test_a_masked_pixel_under_a_source_is_named() -> None:
    science = sky([(120.0, 100.0, 5000.0)], mask=masked_at(121, 100, "BAD"))
    row, _ = nearest(detect(subtracted(science, empty())), 120, 100)
    assert "masked" in row["flags"].split()
    assert "BAD" in row["mask_planes"].split()
    assert "BAD at the peak" in row["reasons"]


def test_saturation_beside_a_source_says_how_far() -> None:
    science = sky([(120.0, 100.0, 5000.0)], mask=masked_at(128, 100, "SAT"))
    row, _ = nearest(detect(subtracted(science, empty())), 120, 100)
    assert "saturated_nearby" in row["flags"].split()
    assert "a saturated pixel 8" in row["reasons"] or "a saturated pixel 7.9" in row["reasons"]


def test_a_shifted_star_is_a_dipole_whose_lobes_name_each_other() -> None:
    stars = [(120.0, 100.0, 60000.0), (60.0, 60.0, 5000.0)]
    table = detect(subtracted(sky(stars), empty([(120.6, 100.0, 60000.0)])))
    lobes = table[["dipole" in flags for flags in table["flags"]]]
    assert len(lobes) == 2
    assert set(lobes["sign"]) == {1, -1}
    assert list(lobes["partner"]) == list(lobes["id"][::-1])
    assert f"detection {lobes['partner'][0]}" in lobes["reasons"][0]
    assert nearest(table, 60, 60)[0]["flags"] == ""


def test_new_sources_beside_stars_in_place_are_no_dipoles() -> None:
    """At any distance from a star that does not vary, its photon noise included."""
    rng = np.random.default_rng(31)
    places = [(x, y) for x in range(35, 300, 50) for y in range(35, 300, 50)]
    stars = tuple((*place, 10 ** rng.uniform(3.5, 4.8)) for place in places)
    flawed = FlawedPair(stars=stars, shape=(320, 330), gain=2.0)
    science, template = flawed.draw(8)
    light, new = np.zeros(science.shape), []
    for x, y in places:
        distance, angle = rng.uniform(0, 10), rng.uniform(0, 2 * np.pi)
        new.append((x + distance * np.cos(angle), y + distance * np.sin(angle)))
        light += render_star(science.shape, *new[-1], 3000.0, flawed.psfs[0])
    difference = run(plan(science.replace(image=science.image + light), template, ZogyConfig()))
    table = detect(difference)
    for x, y in new:
        near = np.hypot(table["x"].value - x, table["y"].value - y) < 1.5
        assert near.sum() == 1
        assert "dipole" not in table["flags"][near][0].split()


def test_the_flank_of_a_muted_dipole_is_no_source_and_a_faint_one_beside_it_is_found() -> None:
    stars = [(120.0, 100.0, 60000.0)]
    science = sky([*stars, (60.0, 60.0, 3000.0)])
    difference = subtracted(science, empty([(120.5, 100.0, 60000.0)]), astrometricNoise=0.25)
    table = detect(difference)
    assert nearest(table, 60, 60)[0]["flags"] == ""
    assert len(table[table["flags"] == ""]) == 1


def test_a_source_whose_own_flanks_stand_out_is_reported_at_its_centre() -> None:
    # Registration errors along x only: Scorr is highest above and below the centre.
    science = sky([(120.4, 100.4, 2e5)])
    table = detect(subtracted(science, empty(), astrometricNoise=(0.2, 0.0)))
    row, distance = nearest(table, 120.4, 100.4)
    assert distance < 0.1
    assert row["flux"] == pytest.approx(2e5, rel=0.02)


def test_side_lobes_of_a_bright_source_are_ringing() -> None:
    # A broad template and a sharp science image make P_D ring.
    science = sky([(120.0, 100.0, 2e6)], Moffat(2.2, 6.0, 0.0, 0.0, 15), sigma=3.0)
    template = sky((), Moffat(6.0, 6.0, 0.0, 0.0, 15), sigma=3.0, seed=5)
    table = detect(subtracted(science, template))
    assert nearest(table, 120, 100)[0]["flags"] == ""
    others = table[1:]
    assert len(others) > 0
    assert all("ringing" in flags.split() for flags in others["flags"])
    assert all("leaves up" in text for text in others["reasons"])


@pytest.mark.parametrize("counts", [300.0, 1500.0])
@pytest.mark.parametrize("image", ["science image", "template"])
def test_hits_of_single_pixels_are_cosmic_rays_in_the_right_image(
    counts: float, image: str
) -> None:
    hits = [(x, y, counts) for x in range(30, 220, 30) for y in range(30, 180, 30)]
    pair = [sky(hits=hits), empty()] if image == "science image" else [sky(), empty(hits=hits)]
    table = detect(subtracted(*pair))
    rows = [nearest(table, x, y) for x, y, _ in hits]
    found = [row for row, distance in rows if distance < 1.5]
    assert len(found) > 0.9 * len(hits)
    told = [row for row in found if "cosmic_ray" in row["flags"].split()]
    assert len(told) >= 0.95 * len(found)
    assert all(f"one pixel of the {image}" in row["reasons"] for row in told)


@pytest.mark.parametrize("fwhm", [2.1, 3.2, 4.5])
def test_tracks_of_a_few_pixels_are_cosmic_rays_too(fwhm: float) -> None:
    rng, hits, places = np.random.default_rng(2), [], []
    for x, y, _ in lattice(rng, 1.0, (504, 633)):
        places.append((round(x), round(y)))
        dx = dy = 0
        for _ in range(rng.integers(2, 5)):
            hits.append((round(x) + dx, round(y) + dy, 400 * rng.uniform(0.3, 1)))
            dx, dy = (dx + 1, dy) if rng.random() < 0.5 else (dx, dy + 1)
    science = sky((), Moffat(fwhm, 3.5, 0.1, 0.6, 15), shape=(504, 633), hits=hits)
    table = detect(subtracted(science, empty(shape=(504, 633))))
    rows = [nearest(table, *place) for place in places]
    told = ["cosmic_ray" in row["flags"].split() for row, distance in rows if distance < 2.5]
    assert len(told) > 0.9 * len(places)
    assert np.mean(told) > 0.95


@pytest.mark.parametrize("flux", [500.0, 5000.0, 50000.0])
@pytest.mark.parametrize("width", [0.95, 1.0, 1.05])
def test_sources_are_not_taken_for_cosmic_rays_even_if_the_psf_is_wrong(
    flux: float, width: float
) -> None:
    stars = lattice(np.random.default_rng(5), flux, (504, 633))
    science = sky(stars, Moffat(width * 3.2, 3.5, 0.1, 0.6, 15), shape=(504, 633))
    science = science.replace(psf=KernelPsf(WIDE.stamp(31)))
    table = detect(subtracted(science, empty(shape=(504, 633))))
    rows = [nearest(table, x, y)[0] for x, y, _ in stars]
    assert sum("cosmic_ray" in row["flags"] for row in rows) <= 0.01 * len(stars)


@pytest.mark.parametrize(("factor", "flag"), [(0.4, "noise_excess"), (2.5, "noise_deficit")])
def test_a_wrong_noise_level_is_said_and_nothing_is_rescaled(factor: float, flag: str) -> None:
    science, template = sky([(120.0, 100.0, 9000.0)]), empty()
    honest, _ = nearest(detect(subtracted(science, template)), 120, 100)
    wrong = [e.replace(variance=e.variance * factor) for e in (science, template)]
    row, _ = nearest(detect(subtracted(*wrong)), 120, 100)
    assert flag in row["flags"].split()
    assert row["scorr"] == pytest.approx(honest["scorr"] / np.sqrt(factor), rel=0.02)
    assert row["scorr_normalised"] == pytest.approx(honest["scorr_normalised"], rel=0.03)


def test_flags_are_of_the_registry() -> None:
    science, template, _ = make_pair(seed=4, shape=(300, 300))
    table = detect(subtracted(science, template, background="auto"), threshold=4)
    for flags, reasons in zip(table["flags"], table["reasons"], strict=True):
        names = flags.split()
        assert set(names) <= set(DETECTION_FLAGS)
        assert [part.split(":")[0] for part in reasons.split("; ") if part] == names


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0, -5, np.nan, np.inf])
def test_a_threshold_that_is_no_positive_number_is_refused(threshold: float) -> None:
    difference = subtracted(sky(), empty())
    with pytest.raises(InputError, match=r"threshold is .*: it must be a positive number of σ"):
        detect(difference, threshold=threshold)


def test_a_difference_without_score_is_refused_with_the_remedy() -> None:
    result = ZogyTask(config=ZogyConfig()).run(sky(), empty(), calculateScore=False)
    with pytest.raises(MissingDataError, match="has no S: subtract with calculateScore=True"):
        detect(result.difference)


def test_images_that_are_masked_all_over_have_no_detections() -> None:
    whole = np.full((201, 240), 1 << MASK_PLANES["NO_DATA"], dtype=np.int32)
    made = plan(sky([(120, 100, 5000.0)], mask=whole), empty(mask=whole), ZogyConfig())
    table = detect(run(made))
    assert len(table) == 0
    assert table.colnames == detect(subtracted(sky(), empty())).colnames


def test_missing_pixels_do_not_hide_a_source_nor_make_one() -> None:
    science = sky([(120.0, 100.0, 5000.0)])
    science.image[40:60, 40:60] = np.nan
    table = detect(subtracted(science, empty()))
    assert nearest(table, 120, 100)[1] < 0.5
    assert len(table[table["flags"] == ""]) == 1


def test_a_stamp_of_one_pixel_can_be_searched() -> None:
    point = KernelPsf(np.ones((1, 1)))
    image = np.random.default_rng(0).normal(0, 1, (64, 64))
    image[30, 20] += 50
    pair = (Exposure(image, 1.0, psf=point), Exposure(np.zeros((64, 64)), 1.0, psf=point))
    row = detect(subtracted(*pair))[0]
    assert (round(row["x"].value), round(row["y"].value)) == (20, 30)


def test_no_callable_is_left_in_the_table(tmp_path) -> None:
    table = detect(subtracted(sky([(60, 60, 3000.0)]), empty()))
    table.write(tmp_path / "t.ecsv")
    assert isinstance(table.meta["threshold"], float)
