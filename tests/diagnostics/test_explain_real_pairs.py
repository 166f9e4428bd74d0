"""What `explain` and its companions say of real residuals whose causes are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zogy_explorer import Exposure, ZogyConfig, plan, run
from zogy_explorer.diagnostics import (
    explain,
    field_errors,
    mover_or_misregistration,
    translient,
)
from zogy_explorer.engine import Difference
from zogy_explorer.prepare import shift_exposure

pytestmark = pytest.mark.shared_data

STAR = (58.0, 180.5)
SUPERNOVA = (128.6, 127.9)


def read(folder: Path, name: str) -> tuple[Exposure, Exposure]:
    path = folder / "data" / "pairs" / name
    return Exposure.read(path / "science.fits"), Exposure.read(path / "template.fits")


def subtract(pair: tuple[Exposure, Exposure]) -> Difference:
    return run(plan(*pair, ZogyConfig(maxPsfCentroidDist=0.5)))


@pytest.fixture(scope="module")
def decam(shared_data: Path) -> Difference:
    return subtract(read(shared_data, "decam_sn"))


@pytest.fixture(scope="module")
def decam_registered(shared_data: Path) -> Difference:
    science, template = read(shared_data, "decam_sn")
    moved = shift_exposure(template, science.meta["REGDX"], science.meta["REGDY"])
    return subtract((science, moved))


def test_decam_a_dipole_is_a_shift_larger_than_its_neighbours(decam: Difference) -> None:
    first = explain(decam, *STAR).first
    assert first.name == "shift"
    assert 0.5 < first.amplitude < 0.8
    assert "moved by itself" in first.sentence
    field = field_errors(decam, *STAR)
    assert field.dx.value == pytest.approx(0.47, abs=0.05)
    assert field.dy.value == pytest.approx(-0.02, abs=0.05)
    verdict = mover_or_misregistration(decam, *STAR)
    assert verdict.verdict == "mover"
    assert np.hypot(*verdict.own_motion) == pytest.approx(0.2, abs=0.06)


def test_decam_registered_the_star_keeps_its_own_motion(decam_registered: Difference) -> None:
    first = explain(decam_registered, *STAR).first
    assert first.name == "shift"
    assert first.amplitude == pytest.approx(0.2, abs=0.06)
    assert translient(decam_registered).moved(*STAR, 4.0)


def test_decam_registered_the_supernova_is_a_new_source(decam_registered: Difference) -> None:
    first = explain(decam_registered, *SUPERNOVA).first
    assert first.name == "new_source"
    assert first.amplitude == pytest.approx(5900, abs=2 * first.error)
    assert not translient(decam_registered).moved(*SUPERNOVA, 4.0)


def test_jwst_names_misregistration_or_psf_mismatch(shared_data: Path) -> None:
    difference = subtract(read(shared_data, "jwst_a2744"))
    found = explain(difference, 281, 641)
    assert found.first.name in ("shift", "psf_width")
    assert found.noise_excess == pytest.approx(1.69, abs=0.05)


def test_ztf_the_fading_star_has_changed_itself(shared_data: Path) -> None:
    first = explain(subtract(read(shared_data, "ztf17aaacxxf")), 31.3, 31.4).first
    assert first.name == "new_source"
    assert first.amplitude < 0


@pytest.mark.parametrize(
    ("place", "image"), [((830.1, 604.9), 0), ((191.7, 90.1), 1), ((547.3, 587.9), 1)]
)
def test_eso_hits_are_named_with_their_image(
    eso: Difference, place: tuple[float, float], image: int
) -> None:
    first = explain(eso, *place).first
    assert first.name == "cosmic_ray"
    assert first.values["image"] == image


@pytest.mark.parametrize("place", [(575.0, 121.0), (180.0, 487.0)])
def test_eso_saturated_stars_are_named(eso: Difference, place: tuple[float, float]) -> None:
    assert explain(eso, *place).first.name == "saturation"


@pytest.fixture(scope="module")
def eso(shared_data: Path) -> Difference:
    return subtract(read(shared_data, "eso085_null"))
