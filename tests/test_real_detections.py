"""Detections on real pairs with known answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import QTable

from zogy_explorer import Exposure, ZogyConfig, ZogyTask
from zogy_explorer.diagnostics import detect

pytestmark = pytest.mark.shared_data

SETTINGS: dict[str, dict[str, Any]] = {
    "decam_sn": {"maxPsfCentroidDist": 0.5},  # its empirical PSFs are 0.32 px apart
    "goto_m88": {"doSpatialGrid": True},
}


class RealDetections:
    """Tables of the pairs, each made once."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._tables = folder, {}

    def truth(self, name: str) -> list[dict[str, Any]]:
        return json.loads((self.folder / name / "truth.json").read_text())["transients"]

    def table(self, name: str, **config: Any) -> QTable:
        key = (name, json.dumps(config, sort_keys=True))
        if key not in self._tables:
            roles = ("science", "template")
            pair = [Exposure.read(self.folder / name / f"{role}.fits") for role in roles]
            task = ZogyTask(config=ZogyConfig(**SETTINGS.get(name, {}), **config))
            self._tables[key] = detect(task.run(*pair).difference)
        return self._tables[key]

    def found(self, name: str, within: float = 1.5, **config: Any) -> list[Any]:
        """The row of each known source, of its sign and nearest to it; None if there is none."""
        table = self.table(name, **config)
        rows = []
        for source in self.truth(name):
            distance = np.hypot(table["x"].value - source["x"], table["y"].value - source["y"])
            distance[table["sign"] != source["sign"]] = np.inf
            best = int(np.argmin(distance)) if len(table) else 0
            rows.append(table[best] if len(table) and distance[best] < within else None)
        return rows


@pytest.fixture(scope="module")
def real(shared_data: Path) -> RealDetections:
    return RealDetections(shared_data / "data" / "pairs")


def test_decam_finds_its_supernova_without_a_flag(real: RealDetections) -> None:
    (row,) = real.found("decam_sn")
    assert row is not None
    assert row["flags"] == ""
    assert row["scorr"] > 10
    assert row["flux"] == pytest.approx(5900, rel=0.15)


def test_decam_calls_the_misregistered_stars_dipoles(real: RealDetections) -> None:
    table = real.table("decam_sn")
    strong = table[np.abs(table["scorr"]) > 12]
    assert len(strong) >= 4
    assert all("dipole" in flags.split() for flags in strong["flags"])


def test_goto_finds_its_sources_at_the_right_sign(real: RealDetections) -> None:
    rows = real.found("goto_m88")
    found = [row for row in rows if row is not None]
    assert len(rows) == 26
    assert len(found) >= 25
    # Their frames share noise: that is all there is to say against them.
    clean = [row for row in found if set(row["flags"].split()) <= {"noise_deficit"}]
    assert len(clean) >= 24
    ratios = [
        row["flux"] / source["flux"]
        for row, source in zip(rows, real.truth("goto_m88"), strict=True)
        if row is not None
    ]
    assert np.median(ratios) == pytest.approx(1.0, abs=0.03)


def test_jwst_finds_its_sources_over_the_measured_noise(real: RealDetections) -> None:
    rows = real.found("jwst_a2744", within=2.5)
    assert all(row is not None for row in rows)
    for row in rows:
        assert "noise_excess" in row["flags"].split()
        assert abs(row["scorr_normalised"]) > 5
        assert row["scorr"] / row["scorr_normalised"] == pytest.approx(1.7, abs=0.1)


def test_jwst_calls_its_misregistered_galaxies_dipoles_and_their_lobes_no_hits(
    real: RealDetections,
) -> None:
    table = real.table("jwst_a2744")
    for x, y in ((310.1, 606.2), (754.1, 491.7)):  # their lobes are farther apart than stars' are
        (row,) = table[np.hypot(table["x"].value - x, table["y"].value - y) < 1]
        assert "dipole" in row["flags"].split()
    assert sum("cosmic_ray" in flags for flags in table["flags"]) < 5


def test_goto_stars_of_a_wrong_psf_are_no_particle_hits(real: RealDetections) -> None:
    table = real.table("goto_m88")
    assert sum("cosmic_ray" in flags for flags in table["flags"]) < 0.12 * len(table)


@pytest.mark.parametrize("noise", ["measured", [0.0168, 0.052]])
def test_goto_ringing_of_a_star_stays_ringing_with_registration_errors(
    real: RealDetections, noise: Any
) -> None:
    plain = real.table("goto_m88")
    table = real.table("goto_m88", astrometricNoise=noise)
    for row in plain[["ringing" in flags for flags in plain["flags"]]]:
        same = np.hypot(table["x"] - row["x"], table["y"] - row["y"]).value < 0.3
        same &= table["sign"] == row["sign"]
        assert all("ringing" in flags.split() for flags in table["flags"][same])


def test_ztf_recovers_the_fading_star(real: RealDetections) -> None:
    (row,) = real.found("ztf17aaacxxf")
    assert row is not None
    assert row["sign"] == -1
    assert row["flux"] == pytest.approx(-16700, rel=0.1)


@pytest.mark.parametrize("noise", ["measured", [0.0371, 0.0398]])
def test_two_frames_of_one_minute_apart_hold_nothing_unflagged_above_six_sigma(
    real: RealDetections, noise: Any
) -> None:
    table = real.table("eso085_null", astrometricNoise=noise)
    unflagged = table[table["flags"] == ""]
    assert (np.abs(unflagged["scorr"]) < 6).all()
    for x, y in ((830, 605), (192, 90), (547, 588), (556, 576)):  # of one frame only
        near = np.hypot(table["x"].value - x, table["y"].value - y) < 3
        assert near.any()
        assert all("cosmic_ray" in flags for flags in table["flags"][near])


@pytest.mark.parametrize("name", ["decam_sn", "goto_m88", "jwst_a2744", "eso085_null"])
def test_positions_errors_and_fluxes_are_finite(real: RealDetections, name: str) -> None:
    table = real.table(name)
    for column in ("x", "y", "x_error", "y_error", "flux", "flux_error", "scorr"):
        assert np.isfinite(table[column]).all(), column
    assert (table["x_error"].value > 0).all()
    assert (np.abs(table["scorr"]) >= 5).all()
