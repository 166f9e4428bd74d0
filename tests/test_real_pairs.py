"""Real pairs with known answers, through the public names only and through the page's session.

The numbers are those of an independent float64 computation, kept with the data.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import maximum_filter

from zogy_explorer import CellResult, Exposure, ZogyConfig, ZogyTask, plan
from zogy_explorer.diagnostics import error_budget, flux_image, measure_registration
from zogy_explorer.prepare import shift_exposure

pytestmark = pytest.mark.shared_data

PAIRS = ("decam_sn", "jwst_a2744", "goto_m88", "eso085_null", "ztf17aaacxxf")
SETTINGS: dict[str, dict[str, Any]] = {
    # Its empirical PSFs are 0.32 px apart.
    "decam_sn": {"maxPsfCentroidDist": 0.5},
    "goto_m88": {"doSpatialGrid": True},
}


class RealPairs:
    """Pairs and their subtractions, each made once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._results = folder, {}

    def paths(self, name: str) -> tuple[str, str]:
        return tuple(str(self.folder / name / f"{role}.fits") for role in ("science", "template"))

    def read(self, name: str) -> tuple[Exposure, Exposure]:
        return tuple(Exposure.read(path) for path in self.paths(name))

    def truth(self, name: str) -> list[dict[str, Any]]:
        return json.loads((self.folder / name / "truth.json").read_text())["transients"]

    def subtracted(self, name: str) -> Any:
        if name not in self._results:
            config = ZogyConfig(**SETTINGS.get(name, {}))
            self._results[name] = ZogyTask(config=config).run(*self.read(name))
        return self._results[name]


@pytest.fixture(scope="module")
def pairs(shared_data: Path) -> RealPairs:
    return RealPairs(shared_data / "data" / "pairs")


def peak(scorr: np.ndarray, source: dict[str, Any], radius: int = 3) -> tuple[float, float]:
    """Scorr of the source's sign that is highest around it, and its distance [px]."""
    x, y, sign = source["x"], source["y"], source["sign"]
    rows, columns = np.indices(scorr.shape)
    near = (abs(rows - y) <= radius) & (abs(columns - x) <= radius)
    best = np.argmax(np.where(near, sign * scorr, -np.inf))
    row, column = np.unravel_index(best, scorr.shape)
    return float(scorr[row, column]), float(np.hypot(column - x, row - y))


def flags(cells: list[CellResult]) -> list[set[str]]:
    return [{flag.name for flag in cell.flags} for cell in cells]


# --- all -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAIRS)
def test_every_plane_is_finite_and_every_variance_positive(pairs: RealPairs, name: str) -> None:
    result = pairs.subtracted(name)
    shape = pairs.read(name)[0].image.shape
    for plane in (
        result.diffExp.image,
        result.diffExp.variance,
        result.scoreExp.image,
        result.scoreExp.variance,
        result.scorr,
    ):
        assert plane.shape == shape
        assert np.isfinite(plane).all()
    assert (result.diffExp.variance > 0).all()
    assert (result.scoreExp.variance > 0).all()
    np.testing.assert_allclose(
        result.scorr, result.scoreExp.image / np.sqrt(result.scoreExp.variance), rtol=1e-4
    )
    assert all(cell.ok for cell in result.cells)


@pytest.mark.parametrize("name", PAIRS)
def test_masks_keep_every_bit_of_the_inputs_and_one_set_of_planes(
    pairs: RealPairs, name: str
) -> None:
    result = pairs.subtracted(name)
    mask, planes = result.diffExp.mask, result.diffExp.mask_planes
    np.testing.assert_array_equal(mask, result.scoreExp.mask)
    assert planes == result.scoreExp.mask_planes
    assert len(set(planes.values())) == len(planes)
    known = np.bitwise_or.reduce([1 << bit for bit in planes.values()])
    assert not (mask & ~known).any()
    for exposure in pairs.read(name):
        for plane, bit in exposure.mask_planes.items():
            marked = (exposure.mask >> bit) & 1 == 1
            assert (mask[marked] >> planes[plane] & 1).all(), plane
        assert (mask[~np.isfinite(exposure.image)] >> planes["NO_DATA"] & 1).all()


# --- each ------------------------------------------------------------------------------------


def test_decam_shows_its_supernova_with_the_flux_ratio_of_the_file(pairs: RealPairs) -> None:
    science, template = pairs.read("decam_sn")
    assert template.photo_calib == 1.0
    assert science.photo_calib == pytest.approx(1 / 1.03, rel=0.01)
    (source,) = pairs.truth("decam_sn")
    assert (source["x"], source["y"]) == (128.6, 127.9)
    significance, distance = peak(pairs.subtracted("decam_sn").scorr, source)
    assert significance == pytest.approx(10.9, abs=0.6)
    assert distance < 1.5


def test_decam_fails_the_default_centroid_limit_and_says_why(pairs: RealPairs) -> None:
    with pytest.raises(
        ValueError, match=r"PSF centroids are 0\.3\d+ px apart, maxPsfCentroidDist allows 0\.2 px"
    ):
        ZogyTask(config=ZogyConfig()).run(*pairs.read("decam_sn"))


def test_jwst_says_that_its_noise_is_correlated_and_shows_its_sources(pairs: RealPairs) -> None:
    result = pairs.subtracted("jwst_a2744")
    assert 1.6 < result.difference.scorr_sigma() < 1.8
    assert all("SCORR_SIGMA_HIGH" in names for names in flags(result.cells))
    sources = pairs.truth("jwst_a2744")
    assert [source["sign"] for source in sources] == [-1, -1, 1]
    for source in sources:
        significance, distance = peak(result.scorr, source)
        assert source["sign"] * significance > 10  # over 5 after division by σ
        assert significance == pytest.approx(source["scorr_no_registration"], rel=0.1)
        assert distance < 2.5


def test_goto_says_that_its_frames_share_noise_and_finds_its_sources(pairs: RealPairs) -> None:
    result = pairs.subtracted("goto_m88")
    assert len(result.cells) > 10
    assert 0.7 < result.difference.scorr_sigma() < 0.9
    assert all("SCORR_SIGMA_LOW" in names for names in flags(result.cells))
    sources = pairs.truth("goto_m88")
    assert len(sources) == 26
    peaks = [(source, *peak(result.scorr, source)) for source in sources]
    found = [s for s, value, distance in peaks if s["sign"] * value > 5 and distance < 1.5]
    assert len(found) >= 25


def test_two_frames_of_one_minute_apart_have_the_noise_that_is_predicted(pairs: RealPairs) -> None:
    result = pairs.subtracted("eso085_null")
    assert 0.9 < result.difference.scorr_sigma() < 1.05
    assert not any("SCORR_SIGMA_HIGH" in names for names in flags(result.cells))


def test_ztf_shows_its_fading_star(pairs: RealPairs) -> None:
    (source,) = pairs.truth("ztf17aaacxxf")
    assert source["sign"] == -1
    significance, distance = peak(pairs.subtracted("ztf17aaacxxf").scorr, source)
    assert significance < -100
    assert distance < 1.5


# --- registration and noise terms ---------------------------------------------------------------


def registered(pairs: RealPairs, name: str, **config: Any) -> Any:
    """Subtracted after the template was shifted as the file of the science image says."""
    science, template = pairs.read(name)
    template = shift_exposure(template, science.meta["REGDX"], science.meta["REGDY"])
    settings = SETTINGS.get(name, {}) | config
    return ZogyTask(config=ZogyConfig(**settings)).run(science, template).difference


def extremes(scorr: np.ndarray, x: float, y: float, radius: int = 4) -> tuple[float, float]:
    """Highest and lowest Scorr around a position."""
    row, column = round(y), round(x)
    near = scorr[row - radius : row + radius + 1, column - radius : column + radius + 1]
    return float(near.max()), float(near.min())


def peaks(difference: Any, threshold: float = 5.0) -> tuple[int, int]:
    """Unmasked local extremes of Scorr beyond a threshold, of either sign."""
    counts = []
    for sign in (1, -1):
        scorr = sign * difference.scorr
        at_peak = (scorr == maximum_filter(scorr, 9)) & (scorr > threshold)
        counts.append(int((at_peak & (difference.diff.mask == 0)).sum()))
    return counts[0], counts[1]


def measured(pairs: RealPairs, name: str) -> dict[str, Any]:
    return json.loads((pairs.folder / name / "truth.json").read_text())["measured"]


def test_decam_after_registration_is_as_its_truth_says(pairs: RealPairs) -> None:
    (source,) = pairs.truth("decam_sn")
    plain = pairs.subtracted("decam_sn").difference
    moved = registered(pairs, "decam_sn")
    assert peak(plain.scorr, source)[0] == pytest.approx(source["scorr_no_registration"], abs=0.1)
    assert peak(moved.scorr, source)[0] == pytest.approx(source["scorr_registered"], abs=0.1)
    for x, y in ((58, 180.5), (101, 73), (5, 126)):  # every star was a dipole
        high, low = extremes(moved.scorr, x, y)
        high_before, low_before = extremes(plain.scorr, x, y)
        assert max(high, -low) < 0.45 * max(high_before, -low_before)
    (row,), (column,) = np.nonzero(moved.scorr == peak(moved.scorr, source)[0])
    flux = flux_image(moved)
    assert flux.flux[row, column] == pytest.approx(source["flux"], rel=0.03)


@pytest.mark.parametrize("noise", ["measured", (0.1296, 0.058)])
def test_the_astrometric_term_mutes_the_star_that_moved_and_keeps_the_supernova(
    pairs: RealPairs, noise: Any
) -> None:
    (source,) = pairs.truth("decam_sn")
    without = extremes(registered(pairs, "decam_sn").scorr, 58, 180.5)
    difference = registered(pairs, "decam_sn", astrometricNoise=noise)
    high, low = extremes(difference.scorr, 58, 180.5)
    assert max(without[0], -without[1]) > 30
    assert max(high, -low) < 5
    assert peak(difference.scorr, source)[0] > 10
    assert peaks(difference) == (2, 0)  # as its truth says: the supernova and a noise excursion
    budget = error_budget(difference, 61, 180.5)  # on the flank of the star
    assert budget.fractions["astrometric"] > 0.9


@pytest.mark.parametrize(
    ("name", "stars"), [("decam_sn", 4), ("eso085_null", 50), ("goto_m88", 15)]
)
def test_shift_and_scatter_are_those_of_the_truth(pairs: RealPairs, name: str, stars: int) -> None:
    registration = measure_registration(*pairs.read(name))
    known = measured(pairs, name)
    assert registration.stars["used"].sum() >= stars
    if name != "goto_m88":  # its shift varies over the frame
        np.testing.assert_allclose(
            registration.shift,
            known["shift_science_minus_template_pix"],
            atol=0.02 + 2 * max(registration.shift_error),
        )
        assert registration.displaced
    np.testing.assert_allclose(registration.scatter, known["astrometric_rms_pix"], rtol=0.35)


def test_null_pair_loses_its_false_peaks_as_its_truth_says(pairs: RealPairs) -> None:
    known = measured(pairs, "eso085_null")["n_peaks_gt5"]
    found = {
        "plain": peaks(pairs.subtracted("eso085_null").difference),
        "reg": peaks(registered(pairs, "eso085_null")),
        "regast": peaks(registered(pairs, "eso085_null", astrometricNoise="measured")),
    }
    for name, counts in found.items():
        np.testing.assert_allclose(counts, known[name], atol=2, err_msg=name)


@pytest.mark.parametrize("name", PAIRS)
def test_measured_noise_is_found_or_its_lack_explained_on_every_pair(
    pairs: RealPairs, name: str
) -> None:
    science, template = pairs.read(name)
    settings = {"maxPsfCentroidDist": 1.0, "astrometricNoise": "measured"}
    steps = plan(science, template, ZogyConfig(**settings))
    names = {flag.name for flag in steps.flags}
    if steps.astrometric is None:
        assert names == {"ASTROMETRIC_NOISE_UNKNOWN"}
    else:
        assert "ASTROMETRIC_NOISE_MEASURED" in names
        assert max(*steps.astrometric.science, *steps.astrometric.template) < 0.3


# --- through the page's session ----------------------------------------------------------------


@pytest.fixture
def opened(pairs: RealPairs) -> Any:
    """Opens a pair as the page does, without a browser."""
    from zogy_explorer.ui.session import Session

    def open_pair(name: str) -> Any:
        session = Session(live=False)
        session.open_paths(*pairs.paths(name))
        assert session.frame is not None, session.alert
        return session

    return open_pair


def test_the_page_opens_decam_with_a_raised_limit_and_says_so(opened: Any) -> None:
    session = opened("decam_sn")
    assert all(cell.ok for cell in session.frame.cells)
    assert 0.32 < session.config.maxPsfCentroidDist < 0.4
    texts = [remark.text for remark in session.frame.pair.remarks]
    assert any("0.32 px apart" in text and "it was raised to" in text for text in texts)


@pytest.mark.parametrize(
    ("name", "sigma", "word"), [("jwst_a2744", "1.7", "over"), ("goto_m88", "0.8", "under")]
)
def test_the_page_says_the_measured_noise(opened: Any, name: str, sigma: str, word: str) -> None:
    noise = opened(name).frame.noise
    assert f"{noise.sigma:.1f}" == sigma
    (notice,) = noise.notices
    assert notice.severity == "warning"
    assert f"σ(Scorr) is {noise.sigma:.2f}, not 1" in notice.text
    assert f"{word}stated" in notice.text
    assert notice.advice
