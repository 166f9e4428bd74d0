"""`ZogyConfig`: documented fields and defaults, help for each, stable identity, round trips."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from zogy_explorer import ZogyConfig
from zogy_explorer.engine import GROUPS, UNITS
from zogy_explorer.errors import InputError

DOCUMENTED = {
    "templateFluxScaling": 1.0,
    "scienceFluxScaling": 1.0,
    "scaleByCalibration": True,
    "correctBackground": False,
    "ignoreMaskPlanes": [
        "INTRP",
        "EDGE",
        "DETECTED",
        "SAT",
        "CR",
        "BAD",
        "NO_DATA",
        "DETECTED_NEGATIVE",
    ],
    "maxPsfCentroidDist": 0.2,
    "doSpatialGrid": False,
    "gridInnerSize": 8.0,
}

# One allowed value per field, different from the default.
OTHER_VALUES = {
    "templateFluxScaling": 1.5,
    "scienceFluxScaling": 0.5,
    "scaleByCalibration": False,
    "correctBackground": True,
    "ignoreMaskPlanes": ["BAD"],
    "maxPsfCentroidDist": 1.0,
    "doSpatialGrid": True,
    "gridInnerSize": 4.0,
    "frequencyFloor": 0.01,
    "centroidOrigin": "geometric",
    "psfShape": "science",
    "blendCells": 8,
    "borderScale": 5.0,
    "minBorder": 40,
    "borderSize": 20,
    "minTotalDims": 128,
    "fftSizing": "exact",
    "padFill": "mirror",
    "padSky": False,
    "noiseSeed": 7,
    "fillMasked": False,
    "fillMaskPlanes": ["CR"],
    "fillNonFinite": "mean",
    "growMask": 0.0,
    "background": "none",
    "strict": True,
    "workingPrecision": "double",
    "arithmetic": "numpy",
    "pieceSize": 0,
    "swapFluxScaling": True,
    "rawFallbackVariance": True,
    "astrometricNoise": ((0.13, 0.06), (0.05, 0.05)),
    "fluxScaleError": 0.02,
}
FIELDS = sorted(OTHER_VALUES)


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_documented_field_has_lsst_default(name: str) -> None:
    assert getattr(ZogyConfig(), name) == DOCUMENTED[name]


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_the_lsst_preset_keeps_documented_defaults(name: str) -> None:
    assert getattr(ZogyConfig.lsst(), name) == DOCUMENTED[name]


def test_the_lsst_preset_takes_changes() -> None:
    assert ZogyConfig.lsst(gridInnerSize=3.0, strict=False).to_dict() == (
        ZogyConfig.lsst().to_dict() | {"gridInnerSize": 3.0, "strict": False}
    )


def test_every_field_is_in_exactly_one_group() -> None:
    grouped = [field for fields in GROUPS.values() for field in fields]
    declared = [name for name in ZogyConfig.param if name != "name"]
    assert sorted(grouped) == sorted(declared)
    assert len(grouped) == len(set(grouped))


def test_this_file_knows_every_field() -> None:
    assert sorted(ZogyConfig.field_names()) == FIELDS


@pytest.mark.parametrize("name", FIELDS)
def test_field_has_help_that_is_a_sentence(name: str) -> None:
    doc = ZogyConfig.param[name].doc
    assert len(doc) > 20
    assert doc.rstrip().endswith(".")


def test_units_belong_to_fields() -> None:
    assert set(UNITS) <= set(ZogyConfig.field_names())


@pytest.mark.parametrize("name", FIELDS)
def test_hash_changes_with_field(name: str) -> None:
    default = ZogyConfig()
    assert default.copy(**{name: OTHER_VALUES[name]}).hash() != default.hash()


def test_hash_does_not_depend_on_the_object_name() -> None:
    assert ZogyConfig(name="a").hash() == ZogyConfig(name="b").hash()


def test_hash_is_the_same_in_another_process() -> None:
    code = "from zogy_explorer.engine import ZogyConfig; print(ZogyConfig(gridInnerSize=3).hash())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ZogyConfig(gridInnerSize=3).hash()


def test_equal_numbers_of_different_types_have_one_hash() -> None:
    """A slider gives 3, JSON from a browser 3, a script 3.0: one setting."""
    same = [3, 3.0, np.float64(3), np.float32(3), np.int64(3)]
    assert len({ZogyConfig(gridInnerSize=value).hash() for value in same}) == 1
    assert ZogyConfig(minBorder=np.int64(4)).hash() == ZogyConfig(minBorder=4).hash()


@pytest.mark.parametrize("name", FIELDS)
def test_round_trip_through_json_keeps_field(name: str) -> None:
    config = ZogyConfig(**{name: OTHER_VALUES[name]})
    back = ZogyConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert getattr(back, name) == OTHER_VALUES[name]
    assert back.hash() == config.hash()


def test_a_partial_dictionary_leaves_the_other_fields_at_their_defaults() -> None:
    config = ZogyConfig.from_dict({"borderScale": 4.0})
    assert config.changed() == {"borderScale": 4.0}


def test_a_copy_is_independent_of_its_original() -> None:
    original = ZogyConfig(gridInnerSize=3.0)
    copy = original.copy(doSpatialGrid=True)
    copy.ignoreMaskPlanes.append("SUSPECT")
    copy.gridInnerSize = 5.0
    assert original.changed() == {"gridInnerSize": 3.0}
    assert ZogyConfig().changed() == {}


def test_changed_lists_what_differs_from_the_default() -> None:
    assert ZogyConfig(strict=True, growMask=0.0).changed() == {"strict": True, "growMask": 0.0}


def test_an_unknown_name_suggests_the_closest_field() -> None:
    with pytest.raises(InputError, match=r"no field gridInerSize: did you mean gridInnerSize\?"):
        ZogyConfig.from_dict({"gridInerSize": 3})


def test_a_name_like_no_field_lists_the_fields() -> None:
    with pytest.raises(InputError, match="the fields are maxPsfCentroidDist, centroidOrigin"):
        ZogyConfig.from_dict({"zzz": 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scienceFluxScaling", 0.0),
        ("templateFluxScaling", -1.0),
        ("scienceFluxScaling", float("nan")),
        ("gridInnerSize", 0.0),
        ("maxPsfCentroidDist", -0.1),
        ("growMask", 1.5),
        ("padFill", "nothing"),
        ("fftSizing", "POWER"),
        ("minBorder", 2.5),
        ("strict", "yes"),
        ("ignoreMaskPlanes", "BAD"),
        ("ignoreMaskPlanes", [1]),
        ("frequencyFloor", "auto"),
    ],
)
def test_a_value_that_is_not_allowed_names_the_field(name: str, value: object) -> None:
    with pytest.raises(InputError, match=f"not allowed.*{name}"):
        ZogyConfig.from_dict({name: value})


# --- in Python ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["maxPsfCentroidDistance", "doSpatialgrid", "max_psf_centroid"])
def test_a_misspelt_field_is_refused_with_the_nearest(name: str) -> None:
    config = ZogyConfig()
    with pytest.raises(InputError, match=rf"no field {name}: (did you mean|the fields are)"):
        setattr(config, name, 0.9)
    assert not hasattr(config, name)


def test_the_nearest_field_is_named() -> None:
    with pytest.raises(InputError, match=r"did you mean maxPsfCentroidDist\?"):
        ZogyConfig().maxPsfCentroidDistance = 0.9


def test_a_method_is_not_overwritten() -> None:
    with pytest.raises(InputError, match="no field hash"):
        ZogyConfig().hash = 3


def test_private_names_watchers_copies_and_pickles_still_work() -> None:
    config = ZogyConfig(minBorder=3, name="mine")
    config._own = 1
    seen: list[object] = []
    config.param.watch(lambda event: seen.append(event.new), "minBorder")
    config.minBorder = 4
    config.param.update(minBorder=5)
    assert seen == [4, 5]
    fresh = ZogyConfig(minBorder=5)
    for again in (copy.copy(fresh), copy.deepcopy(fresh), pickle.loads(pickle.dumps(fresh))):
        assert again.to_dict() == fresh.to_dict()
        with pytest.raises(InputError, match="did you mean minBorder"):
            again.minBorders = 1


@pytest.mark.parametrize("name", FIELDS)
def test_the_repr_makes_the_settings_again(name: str) -> None:
    config = ZogyConfig(**{name: OTHER_VALUES[name]})
    assert repr(config).startswith(f"ZogyConfig({name}=")
    assert eval(repr(config), {"ZogyConfig": ZogyConfig}).to_dict() == config.to_dict()


def test_the_repr_holds_what_was_changed_and_no_more() -> None:
    assert repr(ZogyConfig()) == "ZogyConfig()"
    config = ZogyConfig(maxPsfCentroidDist=0.3, doSpatialGrid=True)
    assert str(config) == "ZogyConfig(maxPsfCentroidDist=0.3, doSpatialGrid=True)"
