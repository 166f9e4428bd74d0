"""Real pairs with known answers, through the public names only and through the page's session.

The numbers are those of an independent float64 computation, kept with the data.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zogy_explorer import CellResult, Exposure, ZogyConfig, ZogyTask

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
