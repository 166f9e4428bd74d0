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


def test_masks_of_their_own_are_laid_over_the_images(raw, tmp_path):
    plain, named = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.int32)
    plain[40, 50], named[60, 70] = 1, 4
    fits.writeto(tmp_path / "plain.fits", plain)
    fits.writeto(tmp_path / "named.fits", named, fits.Header({"MP_CR": 2}))
    words = ["--science-mask", str(tmp_path / "plain.fits"), "--no-register", "--quiet"]
    words += ["--template-mask", str(tmp_path / "named.fits"), "-o", str(tmp_path)]
    assert main(["prepare", *raw, *words]) == 0
    science, template = (Exposure.read(tmp_path / f"{r}.fits") for r in ("science", "template"))
    assert list(zip(*np.nonzero(science.masked(["BAD"])), strict=True)) == [(40, 50)]
    assert list(zip(*np.nonzero(template.masked(["CR"])), strict=True)) == [(60, 70)]
    assert not template.masked(["BAD"]).any()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (np.zeros((9, 9), np.int16), r"wrong.fits: the mask has shape \(9, 9\) but .*\(320, 320\)"),
        (np.full((SIDE, SIDE), 0.25), r"wrong.fits: the mask of .* no bits, such as 0.25"),
        (None, r"wrong.fits: it holds no mask"),
    ],
)
def test_a_file_that_is_no_mask_is_refused(raw, tmp_path, capsys, content, fault):
    fits.PrimaryHDU(content).writeto(tmp_path / "wrong.fits")
    words = ["--template-mask", str(tmp_path / "wrong.fits"), "-o", str(tmp_path)]
    assert main(["prepare", *raw, *words]) == 2
    assert re.search(fault, capsys.readouterr().err)


@pytest.mark.parametrize("fwhm", [(3.6, 2.8), (2.8, 3.6), (2.2, 4.5)])
def test_stars_leave_nothing_and_the_quoted_ratio_is_right(fwhm, tmp_path, capsys):
    """What a PSF that is too wide makes of a pair: rings, and a ratio off by many errors."""
    files = (
        write_raw(tmp_path / "n.fits", 1, fwhm[0], scale=1.3, shift=(2.3, -1.4), new=True),
        write_raw(tmp_path / "r.fits", 2, fwhm[1], scale=1.0),
    )
    assert main(["prepare", *files, "-o", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    ratio, error = map(float, re.search(r"has ([\d.]+) ± ([\d.]+) times", said).groups())
    assert abs(ratio - 1.3) < 3 * error < 0.03
    science, template = (Exposure.read(tmp_path / f"{r}.fits") for r in ("science", "template"))
    result = run(plan(science, template, ZogyConfig()))
    score = np.where(result.diff.mask, 0, result.scorr)
    row, column = np.unravel_index(np.argmax(score), score.shape)
    assert np.hypot(row - 158.6, column - 162.3) < 1.5
    score[150:168, 154:172] = 0
    assert np.abs(score).max() < 6
    # The frame's edge comes from beyond the template; it must not grow by the noise of the PSFs.
    assert np.mean(result.diff.mask != 0) < 0.08
