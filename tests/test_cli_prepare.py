"""``zogy-explorer prepare``: raw files become a pair that subtracts."""

from __future__ import annotations

import re

import numpy as np
import pytest
from astropy.io import fits

from zogy_explorer import Exposure, ZogyConfig, plan, run
from zogy_explorer.cli import main

SIDE, GAIN = 320, 2.0


def moffat(side: int, fwhm: float, dx: float = 0.0, dy: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - side // 2
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / 3.0) - 1)
    profile = (1 + ((x - dx) ** 2 + (y - dy) ** 2) / alpha**2) ** -3.0
    return profile / profile.sum()


def write_raw(path, seed: int, fwhm: float, *, scale: float, shift=(0.0, 0.0), new: bool = False):
    rng, places = np.random.default_rng(seed), np.random.default_rng(7)
    image = np.zeros((SIDE, SIDE))
    for x, y in places.integers(20, SIDE - 20, (45, 2)):
        stamp = moffat(31, fwhm, *shift)
        image[y - 15 : y + 16, x - 15 : x + 16] += scale * places.uniform(1e4, 1e5) * stamp
    if new:
        image[145:176, 145:176] += scale * 3000 * moffat(31, fwhm, *shift)
    noisy = image + 250 + rng.normal(0, np.sqrt(49 + image / GAIN))
    fits.writeto(path, noisy.astype(np.float32), fits.Header({"GAIN": GAIN, "SATURATE": 6e4}))
    return str(path)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    return (
        write_raw(folder / "new.fits", 1, 3.6, scale=1.2, shift=(0.4, -0.3), new=True),
        write_raw(folder / "ref.fits", 2, 3.0, scale=1.0),
    )


def test_a_raw_pair_becomes_one_that_finds_the_new_source(raw, tmp_path, capsys):
    assert main(["prepare", *raw, "-o", str(tmp_path / "pair")]) == 0
    said = capsys.readouterr().out
    assert re.search(r"template shifted by \(\+0\.(39|40)\d, -0\.(29|30)\d\) px", said)
    assert "times the counts of template" in said
    science, template = (
        Exposure.read(tmp_path / "pair" / f"{role}.fits") for role in ("science", "template")
    )
    assert 1 / science.photo_calib == pytest.approx(1.2, rel=0.02)
    assert template.photo_calib == 1
    result = run(plan(science, template, ZogyConfig()))
    y, x = np.unravel_index(np.argmax(np.where(result.diff.mask, 0, result.scorr)), (SIDE, SIDE))
    assert (x, y) == (pytest.approx(160, abs=1), pytest.approx(160, abs=1))
    assert result.scorr_sigma() == pytest.approx(1, abs=0.08)


def test_steps_can_be_left_out(raw, tmp_path, capsys):
    words = ["prepare", *raw, "-o", str(tmp_path), "--no-register", "--no-flux", "--keep-sky"]
    assert main(words) == 0
    assert "shifted" not in capsys.readouterr().out
    science = Exposure.read(tmp_path / "science.fits")
    assert science.photo_calib == 1
    assert np.median(science.image) == pytest.approx(250, abs=3)


def test_faults_are_one_sentence_and_exit_code_2(raw, tmp_path, capsys):
    assert main(["prepare", raw[0], "missing.fits", "-o", str(tmp_path)]) == 2
    assert "cannot read" in capsys.readouterr().err
    assert main(["prepare", *raw, "--align", "-o", str(tmp_path)]) == 2
    assert "has no WCS" in capsys.readouterr().err
    assert main(["prepare", *raw, "--gain", "-2", "-o", str(tmp_path)]) == 2
    assert "gain is -2" in capsys.readouterr().err
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert main(["prepare", *raw, "-o", str(blocked)]) == 2
    assert "choose another folder" in capsys.readouterr().err
