"""σ, quantiles and tails of Scorr, with errors that know how its pixels correlate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from zogy_explorer import make_pair
from zogy_explorer.diagnostics import noise_table, scorr_statistics
from zogy_explorer.diagnostics.field import source_free
from zogy_explorer.diagnostics.gaussian_field import both_above, clump
from zogy_explorer.masks import MASK_PLANES

SAMPLING = 4.5  # standard errors: 1 in 150 000 by chance


@pytest.mark.parametrize("t", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.4, 0.9, 0.999])
def test_chance_that_two_pixels_lie_beyond_a_threshold(t: float, rho: float) -> None:
    exact = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([-t, -t])
    assert both_above(t, rho) == pytest.approx(exact, rel=1e-3, abs=2e-8)


def test_independent_pixels_make_no_clumps_and_equal_ones_one() -> None:
    lone = np.zeros((5, 5))
    lone[2, 2] = 1
    assert clump(3.0, lone) == pytest.approx(1.0, abs=1e-6)
    assert clump(3.0, np.ones((1, 7))) == pytest.approx(7.0, rel=1e-4)


@pytest.mark.parametrize("sides", [(25, 21), (24, 21), ((25, 20), (18, 23))])
@pytest.mark.parametrize("shape", [(400, 420), (401, 397)])
def test_white_pairs_have_the_sigma_tails_and_quantiles_of_a_gaussian(
    sky_pair: Callable, subtracted: Callable, sides: tuple, shape: tuple[int, int]
) -> None:
    found = scorr_statistics(subtracted(sky_pair(shape, sides=sides)), sources=True)
    assert found.n_pixels == shape[0] * shape[1]
    assert found.sigma == pytest.approx(1, abs=SAMPLING * found.sigma_error)
    assert found.mean == pytest.approx(0, abs=SAMPLING * found.mean_error)
    assert found.sigma_error < 0.01
    for tail in (*found.tails, *found.tails_over_sigma):
        assert tail.expected == pytest.approx(2 * ndtr(-tail.threshold) * found.n_pixels)
        assert abs(tail.excess) < SAMPLING
    assert np.all(np.abs(found.qq.measured - found.qq.theoretical) < SAMPLING * found.qq.error)
    assert found.qq.theoretical[-1] > 3.5


def test_bands_are_as_wide_as_counts_scatter(sky_pair: Callable, subtracted: Callable) -> None:
    counts = [
        scorr_statistics(subtracted(sky_pair((200, 200), seed=s)), sources=True).tails[0]
        for s in range(40)
    ]
    scatter = np.std([tail.observed for tail in counts])
    assert scatter == pytest.approx(counts[0].error, rel=4 / np.sqrt(2 * 40))
    assert counts[0].clump > 3  # independent pixels would scatter far less


def test_wrong_variances_show_in_sigma_and_all_tails_but_not_over_sigma(
    sky_pair: Callable, subtracted: Callable
) -> None:
    pair = [e.replace(variance=e.variance / 1.44) for e in sky_pair()]
    found = scorr_statistics(subtracted(pair), sources=True)
    assert found.sigma == pytest.approx(1.2, abs=SAMPLING * found.sigma_error)
    assert not found.tails[0].consistent
    assert found.tails[0].excess > 10
    assert abs(found.tails_over_sigma[0].excess) < SAMPLING


def test_leaving_out_sources_does_not_cut_the_tails(
    sky_pair: Callable, subtracted: Callable
) -> None:
    """Pixels bright in both images say nothing of Scorr, for any σ, PSF or flux scale."""
    for seed in range(3):
        pair = sky_pair((500, 500), seed=seed, sigmas=(2.0, 5.0), widths=(1.2, 2.2))
        settings = {
            "scaleByCalibration": False,
            "scienceFluxScaling": 0.7,
            "templateFluxScaling": 1.8,
        }
        difference = subtracted(pair, **settings)
        (cell,) = difference.cells
        away = scorr_statistics(difference)
        assert 0.9 < away.n_pixels / (500 * 500) < 1
        assert away.sigma == pytest.approx(1, abs=SAMPLING * away.sigma_error)
        chosen = ~source_free(difference.plan, cell)
        n = np.count_nonzero(chosen) / (cell.psf_score**2).sum() * cell.psf_score.max() ** 2
        assert difference.scorr[chosen].std() == pytest.approx(1, abs=SAMPLING / np.sqrt(2 * n))


def test_stars_are_found_and_left_out() -> None:
    from zogy_explorer import ZogyConfig, plan, run

    science, template, _ = make_pair(
        seed=4, shape=(300, 300), n_transients=0, defects=False, shift=(0.4, 0.0), n_stars=60
    )
    difference = run(plan(science, template, ZogyConfig()))
    away, everywhere = (scorr_statistics(difference, sources=s) for s in (False, True))
    assert everywhere.tails[2].observed > 100  # dipoles
    assert everywhere.n_pixels > away.n_pixels > 0.4 * everywhere.n_pixels
    assert away.tails[2].observed < 0.02 * everywhere.tails[2].observed
    assert away.sigma == pytest.approx(1, abs=0.05)


def test_masked_and_missing_pixels_do_not_count(sky_pair: Callable, subtracted: Callable) -> None:
    science, template = sky_pair()
    image, mask = science.image.copy(), np.zeros(science.shape, np.int32)
    image[50:80, 60:90] = np.nan
    image[200:210, 100:110] = 1e5
    mask[200:210, 100:110] = 1 << MASK_PLANES["CR"]
    found = scorr_statistics(subtracted((science.replace(image=image, mask=mask), template)))
    assert found.n_pixels < science.image.size - 1000
    assert found.sigma == pytest.approx(1, abs=SAMPLING * found.sigma_error)
    assert found.tails[2].observed == 0


def test_a_cell_and_a_frame_of_one_cell_say_the_same(
    sky_pair: Callable, subtracted: Callable
) -> None:
    difference = subtracted(sky_pair((150, 160)))
    frame, cell = (
        scorr_statistics(difference),
        scorr_statistics(difference.cells[0], difference.plan),
    )
    assert (frame.sigma, frame.n_pixels, frame.tails) == (cell.sigma, cell.n_pixels, cell.tails)
    alone = scorr_statistics(difference.cells[0])  # without the plan: no mask, no sources
    assert alone.n_pixels == 150 * 160


def test_no_usable_pixel_gives_an_empty_answer(sky_pair: Callable, subtracted: Callable) -> None:
    science, template = sky_pair((100, 100))
    masked = science.replace(mask=np.full((100, 100), 1 << MASK_PLANES["BAD"], np.int32))
    found = scorr_statistics(subtracted((masked, template)))
    assert found.n_pixels == 0
    assert np.isnan(found.sigma)
    assert found.tails == ()
    assert found.qq.measured.size == 0


def test_results_are_frozen(sky_pair: Callable, subtracted: Callable) -> None:
    found = scorr_statistics(subtracted(sky_pair((100, 100))))
    with pytest.raises(FrozenInstanceError):
        found.sigma = 1.0


def test_the_table_has_a_row_for_each_cell_also_for_failed_ones(
    sky_pair: Callable, subtracted: Callable
) -> None:
    science, template = sky_pair((300, 310))
    image = science.image.copy()
    image[:90, :90] = np.nan
    difference = subtracted(
        (science.replace(image=image), template), doSpatialGrid=True, gridInnerSize=3.0
    )
    table = noise_table(difference)
    assert len(table) == len(difference.cells) > 4
    assert "NO_GOOD_PIXELS" in table["flags"][0]
    assert np.isnan(table["scorr_measured"][0])
    last = table[-1]
    assert last["scorr_measured"] == pytest.approx(1, abs=SAMPLING * last["scorr_error"])
    assert last["diff_measured"] == pytest.approx(last["diff_predicted"], rel=0.05)


def test_the_table_explains_itself_on_request(sky_pair: Callable, subtracted: Callable) -> None:
    science, template = sky_pair((300, 310), smooth=0.6)
    image = science.image.copy()
    image[:90, :90] = np.nan
    difference = subtracted(
        (science.replace(image=image), template), doSpatialGrid=True, gridInnerSize=3.0
    )
    table = noise_table(difference, explained=True)
    assert np.isnan(table["scorr_expected"][0])
    assert "missing or masked" in table["explanation"][0]
    np.testing.assert_allclose(table["scorr_expected"][1:], table["scorr_measured"][1:], rtol=0.1)
    assert all("neighbouring pixels" in sentence for sentence in table["explanation"][1:])
