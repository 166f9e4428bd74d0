"""Write the reference pages that are made from the code: settings, flags, options.

``python docs/make_reference.py`` writes them to ``docs/reference``;
``tests/test_reference_docs.py`` fails if they are out of date.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import param

from zogy_explorer import ZogyConfig
from zogy_explorer.cli.main import COMMANDS, make_parser
from zogy_explorer.diagnostics.detecting.detection import COLUMNS
from zogy_explorer.diagnostics.detecting.detection_flags import DETECTION_FLAGS
from zogy_explorer.engine.config import GROUPS, UNITS
from zogy_explorer.engine.flags import REGISTRY, SEVERITIES
from zogy_explorer.engine.noise_setting import AstrometricNoiseSetting

FOLDER = Path(__file__).parent / "reference"

_MADE = "<!-- Made from the code by docs/make_reference.py: do not edit. -->"


def config_page() -> str:
    """Table of every setting, one for each group."""
    plain, lsst = ZogyConfig().to_dict(), ZogyConfig.lsst().to_dict()
    parts = [
        _MADE,
        "# Settings: `ZogyConfig`",
        "Every setting of a subtraction, in the groups of the side bar. The command line has the "
        "same names. **LSST** is the value in `ZogyConfig.lsst()`, where it differs from the "
        "default: that preset reproduces LSST's `ZogyTask` of 2023, and "
        "[what it differs in](differences-from-lsst.md) says why our default is another. "
        "Equation numbers are those of [the ZOGY paper](https://arxiv.org/abs/1601.02655).",
    ]
    for title, fields in GROUPS.items():
        rows = [
            (
                f"`{name}`",
                _value(plain[name]),
                _value(lsst[name]) if lsst[name] != plain[name] else "",
                _allowed(ZogyConfig.param[name]),
                UNITS.get(name, ""),
                ZogyConfig.param[name].doc,
            )
            for name in fields
        ]
        parts += [
            f"## {title}",
            _table(("setting", "default", "LSST", "allowed", "unit", "meaning"), rows),
        ]
    return "\n\n".join(parts) + "\n"


def flags_page() -> str:
    """Table of every flag, gravest first."""
    parts = [
        _MADE,
        "# Flags",
        "What can be noteworthy about a cell. The page, the `CELLS` table of a written result and "
        "`CellResult.flags` use these names; each occurrence also says its cause in numbers. A "
        "cell is as grave as its gravest flag.",
    ]
    meanings = {
        "failed": "The cell has no result; the others are not affected.",
        "warning": "The cell has a result that needs a look.",
        "info": "Something was done to the data that is good to know.",
    }
    for severity in reversed(SEVERITIES[1:]):
        kinds = [kind for kind in REGISTRY.values() if kind.severity == severity]
        rows = [(f"`{kind.name}`", kind.meaning, kind.advice) for kind in kinds]
        parts += [
            f"## {severity.capitalize()}",
            meanings[severity],
            _table(("flag", "meaning", "what to do"), rows),
        ]
    return "\n\n".join(parts) + "\n"


def detections_page() -> str:
    """Columns of a table of detections, and its flags."""
    flags = [(f"`{kind.name}`", kind.meaning, kind.advice) for kind in DETECTION_FLAGS.values()]
    columns = [(f"`{name}`", meaning) for name, meaning in COLUMNS.items()]
    parts = [
        _MADE,
        "# Detections",
        "What `zogy_explorer.diagnostics.detect` gives: one row for each local maximum of |Scorr| "
        "above the threshold. Equation numbers are those of "
        "[the ZOGY paper](https://arxiv.org/abs/1601.02655).",
        "## Columns",
        _table(("column", "meaning"), columns),
        "## Flags",
        "What speaks against a new point source. A flag neither removes a row nor changes its "
        "numbers; `reasons` says the cause of each in numbers.",
        _table(("flag", "meaning", "what to do"), flags),
    ]
    return "\n\n".join(parts) + "\n"


def command_line_page() -> str:
    """Options of every command; settings of a subtraction have a page of their own."""
    parts = [
        _MADE,
        "# Commands and options",
        "`zogy-explorer COMMAND --help` says the same. `subtract` and `batch` also take every "
        "[setting](config.md) as an option of its name, as in `--gridInnerSize 4` or "
        "`--grid-inner-size 4`. [The command line](../howto/command-line.md) shows them in use.",
    ]
    for command in COMMANDS:
        parser = make_parser(command, named=True)
        parts += [f"## {command}", _table(("option", "meaning"), list(_options(parser)))]
    return "\n\n".join(parts) + "\n"


def _options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Options with their meanings, without help and the settings of a subtraction."""
    settings = {f"--{name}" for name in ZogyConfig.field_names()}
    formatter = parser._get_formatter()
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction) or settings & set(action.option_strings):
            continue
        words = formatter._format_action_invocation(action)
        meaning = re.sub(r"(?<!\w)(--[a-z][\w-]*)", r"`\1`", formatter._expand_help(action))
        yield f"`{words}`", meaning


PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "config.md": config_page,
        "flags.md": flags_page,
        "detections.md": detections_page,
        "command-line.md": command_line_page,
    }
)
"""File name to the function that makes its text."""


def _value(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _allowed(field: param.Parameter) -> str:
    """Values that a field takes, in words."""
    if isinstance(field, param.Selector):
        return ", ".join(_value(choice) for choice in field.objects)
    if isinstance(field, param.Boolean):
        return "on, off"
    if isinstance(field, AstrometricNoiseSetting):
        return "number, two, or two pairs, each ≥ 0; measured; or empty"
    if isinstance(field, param.List):
        return "names of mask planes"
    text = "whole number" if isinstance(field, param.Integer) else "number"
    low, high = field.bounds or (None, None)
    at_low, at_high = field.inclusive_bounds
    if low is not None:
        text += f" {'≥' if at_low else '>'} {low:g}"
    if high is not None:
        text += f"{' and' if low is not None else ''} {'≤' if at_high else '<'} {high:g}"
    return text + (", or empty" if field.allow_None else "")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write all pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
