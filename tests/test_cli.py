"""The command line: what it understands, and one sentence where it does not."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from zogy_explorer import Exposure, KernelPsf, ZogyConfig
from zogy_explorer.cli import main
from zogy_explorer.cli.serving import DEFAULT_PORT, choose_port
from zogy_explorer.cli.settings import describe_fields, make_config, parse_value
from zogy_explorer.errors import InputError


def refused(capsys, *words):
    """Run with ``words``; the one line that went to stderr."""
    try:
        code = main(list(words))
    except SystemExit as stop:
        code = stop.code
    out = capsys.readouterr()
    assert code == 2
    assert out.out == ""
    assert out.err.count("\n") == 1
    assert "Traceback" not in out.err
    return out.err


def test_a_path_that_is_not_there_is_one_sentence_and_code_2(capsys, tmp_path):
    path = str(tmp_path / "missing.fits")
    assert path in refused(capsys, path, path)


def test_a_file_without_an_image_is_one_sentence(capsys, tmp_path):
    path = tmp_path / "text.fits"
    path.write_text("this is not FITS")
    assert "text.fits" in refused(capsys, str(path), str(path))


def make_exposure(**changes):
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:9, :9] - 4
    fields = {
        "image": rng.normal(0, 1, (48, 64)).astype(np.float32),
        "variance": np.ones((48, 64), dtype=np.float32),
        "psf": KernelPsf(np.exp(-(x**2 + y**2) / 4.0)),
    }
    return Exposure(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image": np.ones((48, 60), "f4"), "variance": np.ones((48, 60), "f4")}, "60"),
        ({"image": np.full((48, 64), np.nan, "f4")}, "no finite pixel"),
        ({"psf": KernelPsf(np.ones((99, 99)))}, "99×99"),
        ({"psf": None}, "no PSF"),
        ({"variance": None}, "no variance"),
        ({"photo_calib": None}, "calib"),
    ],
    ids=["shapes", "all NaN", "PSF too large", "no PSF", "no variance", "no calibration"],
)
def test_a_pair_that_cannot_be_subtracted_is_one_sentence(capsys, tmp_path, changes, words):
    science, template = tmp_path / "science.fits", tmp_path / "template.fits"
    make_exposure(**changes).write(science)
    make_exposure().write(template)
    assert words in refused(capsys, str(science), str(template))


def test_a_psf_of_zeros_is_one_sentence(capsys, tmp_path):
    paths = [tmp_path / "science.fits", tmp_path / "template.fits"]
    for path in paths:
        make_exposure().write(path)
    with fits.open(paths[0], mode="update") as hdus:
        hdus["PSF"].data[:] = 0
    assert "sums to 0" in refused(capsys, *map(str, paths))


def test_a_file_of_tables_only_has_no_image(capsys, tmp_path):
    path = tmp_path / "table.fits"
    Table({"a": [1, 2]}).write(path)
    assert "image" in refused(capsys, str(path), str(path))


def test_it_serves_and_tells_where():
    command = [sys.executable, "-m", "zogy_explorer", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("ZOGY Explorer: http://127.0.0.1:")
            url = line.split()[2]
            with urllib.request.urlopen(url, timeout=30) as page:
                assert "<title>ZOGY Explorer</title>" in page.read().decode()
        finally:
            process.terminate()


def test_the_lessons_are_served_with_the_chapter_asked_for():
    command = [sys.executable, "-m", "zogy_explorer", "teach", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        [*command, "--chapter", "5"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
        finally:
            process.terminate()
            process.communicate()
    assert re.search(r"step by step: http://127.0.0.1:\d+/\?chapter=5", line)


def test_a_sample_that_is_not_there_is_answered_with_those_that_are(capsys):
    assert "cosmic-ray" in refused(capsys, "--sample", "nonsense")


def test_a_sample_beside_files_is_refused(capsys):
    assert "leave out a.fits" in refused(capsys, "a.fits", "b.fits", "--sample", "shifted")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "99999"], "99999 is no port: give a number from 0 to 65535"),
        (["teach", "--port", "-1"], "-1"),
        (["--root", "/nonexist"], "--root /nonexist: there is no such folder"),
        (["teach", "--chapter", "99"], "--chapter 99: there is no such chapter"),
        (["teach", "--chapter", "0"], "give 1 to 13"),
        (["prepare", "a", "b", "-o", "c", "--psf-size", "4"], "give an odd number"),
        (["prepare", "a", "b", "-o", "c", "--psf-size", "-3"], "--psf-size -3"),
    ],
)
def test_a_number_or_folder_that_cannot_be_is_one_sentence(capsys, words, sentence):
    assert sentence in refused(capsys, *words)


def test_one_file_alone_is_refused(capsys):
    assert "only one file was given (a.fits)" in refused(capsys, "a.fits")


def test_unknown_options_and_fields_are_refused_with_a_hint(capsys):
    assert "--help" in refused(capsys, "--what")
    assert "did you mean maxPsfCentroidDist?" in refused(capsys, "--set", "maxPsfCentroid=1")
    assert "write FIELD=VALUE" in refused(capsys, "--set", "strict")
    assert "maxPsfCentroidDist" in refused(capsys, "--set", "maxPsfCentroidDist=-1")


def test_a_config_file_that_is_no_json_is_one_sentence(capsys, tmp_path):
    path = tmp_path / "c.json"
    path.write_text("{")
    assert "not JSON" in refused(capsys, "--config", str(path))
    path.write_text("[1]")
    assert "JSON object" in refused(capsys, "--config", str(path))
    assert "no such file" in refused(capsys, "--config", str(tmp_path / "no.json"))


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("maxPsfCentroidDist", "0.5", 0.5),
        ("doSpatialGrid", "no", False),
        ("fftSizing", "exact", "exact"),
        ("borderSize", "40", 40),
        ("borderSize", "none", None),
        ("ignoreMaskPlanes", "SAT,CR", ["SAT", "CR"]),
        ("ignoreMaskPlanes", '["SAT"]', ["SAT"]),
    ],
)
def test_settings_are_read_from_their_text(field, text, value):
    assert parse_value(field, text) == value


def test_a_switch_that_is_neither_true_nor_false_is_refused():
    with pytest.raises(InputError, match="must be true or false"):
        parse_value("strict", "maybe")


def test_set_wins_over_the_config_file(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"minBorder": 12, "fftSizing": "exact"}))
    config = make_config(str(path), ["fftSizing=powerOfTwo"])
    assert (config.minBorder, config.fftSizing, config.doSpatialGrid) == (12, "powerOfTwo", True)


def test_every_field_is_described():
    text = describe_fields()
    assert all(field in text for field in ZogyConfig.field_names())


def test_version_and_help_come_without_panel():
    code = (
        "import sys; from zogy_explorer.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "assert 'panel' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("zogy-explorer ")


def test_a_free_port_is_chosen_for_zero_and_when_the_usual_one_is_taken() -> None:
    assert choose_port("127.0.0.1", 4321) == 4321
    assert choose_port("127.0.0.1", 0) > 0
    with socket.socket() as taken, contextlib.suppress(OSError):  # somebody else's serves as well
        taken.bind(("127.0.0.1", DEFAULT_PORT))
        assert choose_port("127.0.0.1", None) not in (0, DEFAULT_PORT)


# A shell has what it runs in the background ignore them.
HEAR_INTERRUPTS = "signal.signal(signal.SIGINT, signal.default_int_handler)"


@pytest.mark.parametrize("module", ["numpy", "scipy.fft", "zogy_explorer.cli.batch"])
@pytest.mark.parametrize("begin", ["from zogy_explorer.cli import main", "module"])
def test_an_interrupt_while_modules_are_imported_is_one_line(module, begin):
    if begin == "module":
        begin = "import runpy; runpy.run_module('zogy_explorer', run_name='__main__')"
    program = f"""
import sys
class Interrupted:
    def find_spec(self, name, *args):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupted())
{begin}
"""
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr == "zogy-explorer: interrupted before it began\n"


def test_an_interrupt_that_a_library_makes_another_error_of_is_one_line_too():
    program = f"""
import os, signal, sys
{HEAR_INTERRUPTS}
class Interrupted:
    def find_spec(self, name, *args):
        if name == "scipy":
            try:
                os.kill(os.getpid(), signal.SIGINT)
                signal.pause()
            except KeyboardInterrupt:
                raise ImportError("as numpy does") from None
sys.meta_path.insert(0, Interrupted())
import zogy_explorer.cli
"""
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 130
    assert done.stderr == "zogy-explorer: interrupted before it began\n"


def test_a_library_that_is_missing_is_no_interrupt_and_the_signal_is_pythons_again():
    program = f"""
import signal, sys
{HEAR_INTERRUPTS}
sys.modules["zogy_explorer.cli.batch"] = None
try:
    import zogy_explorer.cli
except ImportError as error:
    assert "batch" in str(error)
del sys.modules["zogy_explorer.cli.batch"]
from zogy_explorer.cli import main
assert callable(main)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_names_of_the_package_are_there_without_further_imports():
    program = """
import sys, zogy_explorer
assert "numpy" not in sys.modules
assert zogy_explorer.engine.ZogyConfig is zogy_explorer.ZogyConfig
assert zogy_explorer.geometry.Box is zogy_explorer.Box
assert callable(zogy_explorer.plan) and callable(zogy_explorer.run)
missing = [name for name in zogy_explorer.__all__ if not hasattr(zogy_explorer, name)]
assert not missing, missing
from zogy_explorer import *
assert Exposure is zogy_explorer.Exposure and set(dir(zogy_explorer)) == set(zogy_explorer.__all__)
try:
    zogy_explorer.nothing
except AttributeError as error:
    assert "nothing" in str(error)
else:
    raise SystemExit("a name that is not there was found")
"""
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
