"""Settings on the command line: options made from `ZogyConfig`, ``--set`` and a JSON file."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import param

from zogy_explorer.engine import ZogyConfig
from zogy_explorer.engine.config import GROUPS, UNITS
from zogy_explorer.engine.noise_setting import AstrometricNoiseSetting
from zogy_explorer.errors import InputError, ReadError

_PREFIX = "field_"  # of what the options of fields are kept under


def make_config(path: str | None, assignments: Sequence[str]) -> ZogyConfig:
    """Settings from a JSON file and ``FIELD=VALUE`` words, over the page's defaults.

    Raises
    ------
    InputError
        If a file, field or value cannot be used.
    """
    values: dict[str, Any] = {"doSpatialGrid": True}
    if path is not None:
        values |= read_json(Path(path))
    for word in assignments:
        field, sign, text = word.partition("=")
        if not sign:
            raise InputError(f"--set {word}: write FIELD=VALUE, such as maxPsfCentroidDist=0.5")
        values[field.strip()] = parse_value(field.strip(), text.strip())
    return ZogyConfig.from_dict(values)


def parse_value(field: str, text: str) -> Any:
    """A setting from its text: JSON where it is that, commas for lists, else the word itself.

    Raises
    ------
    InputError
        If a number or a switch is wanted and the text is neither.
    """
    if field not in ZogyConfig.field_names():
        return text  # `ZogyConfig.from_dict` says which field was meant
    default = ZogyConfig.param[field].default
    if text.lower() in ("none", "null", ""):
        return [] if isinstance(default, list) else None
    if isinstance(default, bool):
        if text.lower() in ("true", "yes", "on", "1"):
            return True
        if text.lower() in ("false", "no", "off", "0"):
            return False
        raise InputError(f"{field} is {text!r}: it must be true or false")
    if isinstance(default, list) and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def describe_fields() -> str:
    """All settings with default, unit and meaning."""
    lines = []
    for field in ZogyConfig.field_names():
        parameter = ZogyConfig.param[field]
        unit = f" {UNITS[field]}" if field in UNITS else ""
        lines.append(f"{field} (default {parameter.default}{unit})")
        lines.append(f"    {parameter.doc}")
    return "\n".join(lines)


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """``--config`` and ``--set``."""
    parser.add_argument("--config", metavar="FILE", help="settings as JSON: {FIELD: VALUE, …}")
    parser.add_argument(
        "--set",
        metavar="FIELD=VALUE",
        action="append",
        help="one setting; may be repeated, wins over --config",
    )


def add_field_options(parser: argparse.ArgumentParser) -> None:
    """One option for each field of `ZogyConfig`, as ``--maxPsfCentroidDist`` and in kebab case."""
    for title, fields in GROUPS.items():
        group = parser.add_argument_group(title)
        for field in fields:
            _add_field(group, field)


def field_assignments(options: argparse.Namespace) -> list[str]:
    """What was given by options of fields, as ``FIELD=VALUE``."""
    given = ((name, getattr(options, _PREFIX + name, None)) for name in ZogyConfig.field_names())
    return [f"{name}={value}" for name, value in given if value is not None]


def config_of(options: argparse.Namespace) -> ZogyConfig:
    """Settings from ``--config``, ``--set`` and the options of fields, each over the former.

    Raises
    ------
    InputError
        If a file, field or value cannot be used.
    """
    return make_config(options.config, [*(options.set or []), *field_assignments(options)])


def kebab(field: str) -> str:
    """``maxPsfCentroidDist`` → ``max-psf-centroid-dist``."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"-\1", field).lower()


def _add_field(group: argparse._ArgumentGroup, field: str) -> None:
    parameter = ZogyConfig.param[field]
    names = list(dict.fromkeys((f"--{kebab(field)}", f"--{field}")))
    unit = f" {UNITS[field]}" if field in UNITS else ""
    sentence = re.split(r"(?<=[.;])(?<!eqs\.) ", " ".join(str(parameter.doc).split()))[0].rstrip(
        ".;"
    )
    default = "automatic" if parameter.default is None else parameter.default
    if isinstance(parameter, AstrometricNoiseSetting) and parameter.default is None:
        default, unit = "off", ""
    # The command line computes in a grid, as the page does.
    default = True if field == "doSpatialGrid" else default
    text = f"{sentence} (default: {_plain(default)}{unit})".replace("%", "%%")
    if isinstance(parameter, param.Boolean):
        group.add_argument(
            *names, action=argparse.BooleanOptionalAction, dest=_PREFIX + field, help=text
        )
        return
    metavar = "VALUE"
    if isinstance(parameter, param.Selector):
        metavar = "|".join(map(str, parameter.objects))
    elif isinstance(parameter, param.List):
        metavar = "PLANE,…"
    elif isinstance(parameter, param.Number):
        metavar = "N" if isinstance(parameter, param.Integer) else "X"
    group.add_argument(*names, dest=_PREFIX + field, metavar=metavar, help=text)


def _plain(default: Any) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    return ",".join(default) if isinstance(default, list) else str(default)


def read_json(path: Path) -> dict[str, Any]:
    """Settings from a JSON file.

    Raises
    ------
    ReadError
        If it cannot be read or holds no JSON object.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ReadError(path, "there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(path, f"{error}") from error
    except json.JSONDecodeError as error:
        raise ReadError(path, f"it is not JSON ({error}); write {{FIELD: VALUE, …}}") from error
    if not isinstance(values, dict):
        raise ReadError(path, "settings must be a JSON object, {FIELD: VALUE, …}")
    return values
