"""The validation's own trials, a few of them: its promises within wider sampling errors.

`benchmarks/validate.py` runs hundreds; the same functions run here on smaller frames.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SAMPLING = 4.5
N_SCENES = 8


@pytest.fixture(scope="module")
def validation() -> Iterator[ModuleType]:
    sys.path.insert(0, str(BENCHMARKS))
    import validation

    yield validation
    sys.path.remove(str(BENCHMARKS))


@cache
def judged(module: ModuleType, number: int) -> object:
    """A scene on frames of a quarter of a million pixels, with sources enough for 0.3 %."""
    small = module.SCENES[number].shrunk(2)
    return module.Judged(
        module.noise_trial(small, number, 0, 5), module.source_trial(small, number, 0, 5)
    )


scenes = pytest.mark.parametrize("number", range(N_SCENES))


def test_all_scenes_are_tried(validation: ModuleType) -> None:
    assert len(validation.SCENES) == N_SCENES
    for scene in validation.SCENES:
        assert scene.profiles[0] != scene.profiles[1]
        assert scene.sigmas[0] != scene.sigmas[1]


@scenes
def test_scorr_has_unit_sigma_zero_mean_and_gaussian_tails(
    validation: ModuleType, number: int
) -> None:
    it = judged(validation, number)
    sigma, error = it.sigma
    assert error < 0.008
    assert abs(sigma - 1) < SAMPLING * error
    mean, error = it.mean
    assert abs(mean) < SAMPLING * error
    for tail in it.tails:
        assert abs(tail.observed - tail.expected) < max(SAMPLING * tail.error, 5)


@scenes
def test_d_is_white(validation: ModuleType, number: int) -> None:
    assert abs(judged(validation, number).whiteness.pull) < SAMPLING


@scenes
def test_fluxes_are_unbiased_and_as_significant_as_can_be(
    validation: ModuleType, number: int
) -> None:
    it = judged(validation, number)
    assert it.sources["sources"] > 100
    bias, error, _, _ = it.moments("ratio")
    assert error < 0.003
    assert abs(bias - 1) < SAMPLING * error
    _, _, pull, error = it.moments("pull")
    assert abs(pull - 1) < SAMPLING * error
    share, error, _, _ = it.moments("significance")
    assert share > 0.995 - SAMPLING * error


@scenes
def test_every_source_is_found_where_it_is(validation: ModuleType, number: int) -> None:
    it = judged(validation, number)
    assert it.sources["found"] == it.sources["sources"]
    for axis in "xy":
        offset, error, pull, pull_error = it.moments(f"pull_{axis}")
        assert abs(offset) < SAMPLING * error
        assert abs(pull - 1) < SAMPLING * pull_error


def test_promises_that_are_broken_are_not_met(validation: ModuleType) -> None:
    it = judged(validation, 0)
    wide = dict(it.noise, sum2=it.noise["sum2"] * 1.1)
    faint = dict(
        it.sources, ratio=[n * f for n, f in zip(it.sources["ratio"], (1, 0.9, 0.81), strict=True)]
    )
    claims = {c.what: c.met for c in validation.judge(validation.Judged(wide, faint))}
    assert not claims["σ(Scorr)"]
    assert not claims["flux of injected sources"]
    assert claims["whiteness of D"]


def test_an_interrupted_run_goes_on_and_gives_the_same_page(tmp_path: Path) -> None:
    script = [sys.executable, str(BENCHMARKS / "validate.py"), "--noise", "1", "--sources", "1"]
    script += ["--shrink", "4"]
    pages = [tmp_path / "first.md", tmp_path / "second.md"]
    checkpoint = tmp_path / "checkpoint.jsonl"

    def validate(page: Path) -> str:
        places = ["--checkpoint", str(checkpoint), "--out", str(page)]
        done = subprocess.run([*script, *places], capture_output=True, text=True, check=False)
        assert "written to" in done.stdout, done.stderr
        return done.stdout

    assert "0 done before" in validate(pages[0])
    lines = checkpoint.read_text().splitlines()
    assert len(lines) == 1 + 2 * N_SCENES
    # Cut within a line, as by a crash
    checkpoint.write_text("\n".join(lines[:-2]) + "\n" + lines[-2][:50])
    assert f"{2 * N_SCENES - 2} done before" in validate(pages[1])
    assert pages[0].read_text() == pages[1].read_text()
    assert "| σ(Scorr) |" in pages[0].read_text()
    assert json.loads(lines[0])["seed"] == 1
    assert len(json.loads(lines[0])["scenes"]) == N_SCENES


def test_trials_of_other_code_are_done_again(
    validation: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import validate

    path, key = tmp_path / "checkpoint.jsonl", ("noise", 0, 0)
    validate.Checkpoint(path, 1, 4).add(key, {"n": 1})
    assert key in validate.Checkpoint(path, 1, 4).done
    monkeypatch.setattr(validate, "code_digest", lambda: "of other code")
    assert not validate.Checkpoint(path, 1, 4).done
