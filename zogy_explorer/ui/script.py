"""The Code tab: a script without Panel that gives the same result as the page, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zogy_explorer.engine.config import ZogyConfig
from zogy_explorer.ui.state import Frame, Pair
from zogy_explorer.ui.work import plain_settings


def script(frame: Frame) -> str:
    """Python source that makes ``frame`` again, with the settings that differ from the defaults."""
    plan = frame.plan
    config = ZogyConfig.from_dict(plain_settings(plan))
    parts = [
        _imports(frame.pair, bool(plan.overrides)),
        _loading(frame.pair),
        _settings(config),
        _cells(plan.overrides),
        _run(bool(plan.overrides)),
        _output(frame.pair),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _imports(pair: Pair, by_cell: bool) -> list[str]:
    names = ["ZogyConfig"] if pair.recipe is not None else ["Exposure", "ZogyConfig"]
    if not by_cell:
        names.append("ZogyTask")
    lines = [f"from zogy_explorer import {', '.join(names)}"]
    if by_cell:
        lines.append("from zogy_explorer.engine import plan, run")
    lines.append("from zogy_explorer.io.difference import write_difference")
    if pair.recipe is not None:
        lines.append(pair.recipe[0])
    if pair.registered is not None:
        lines.append("from zogy_explorer.prepare import moved_template")
    return lines


def _loading(pair: Pair) -> list[str]:
    lines = _reading(pair)
    if pair.registered is not None:
        moved = pair.registered
        # Not shift_exposure: the file that is written is to say that the template was moved.
        lines.append(f"template = moved_template(template, {moved.dx!r}, {moved.dy!r})")
    return lines


def _reading(pair: Pair) -> list[str]:
    if pair.recipe is not None:
        return [pair.recipe[1]]
    if pair.paths is not None:
        science, template = (str(path) for path in pair.paths)
        remark = []
    elif pair.origin == "upload":
        science, template = pair.science_name, pair.template_name
        remark = ["# Both files were uploaded: put them here, beside this script."]
    else:
        science, template = "science.fits", "template.fits"
        remark = [
            "# The pair came from memory; keep it where you made it, so that it can be read here:",
            f'#     science.write("{science}"); template.write("{template}")',
        ]
    return [
        *remark,
        f"science = Exposure.read({science!r})",
        f"template = Exposure.read({template!r})",
    ]


def _settings(config: ZogyConfig) -> list[str]:
    changed = config.changed()
    if not changed:
        return ["config = ZogyConfig()"]
    return ["config = ZogyConfig(", *(f"    {k}={v!r}," for k, v in changed.items()), ")"]


def _cells(overrides: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not overrides:
        return []
    return [
        "cells = {  # settings of single cells",
        *(f"    {name!r}: {dict(values)!r}," for name, values in overrides.items()),
        "}",
    ]


def _run(by_cell: bool) -> list[str]:
    if by_cell:
        return ["difference = run(plan(science, template, config, overrides=cells))"]
    return ["difference = ZogyTask(config=config).run(science, template).difference"]


def _output(pair: Pair) -> list[str]:
    return [
        "write_difference(  # D, S, Scorr, cells, settings",
        f'    difference, "difference.fits", files={header_files(pair)!r}',
        ")",
        "for cell in difference.cells:",
        "    print(cell.cell.name, cell.worst, cell.noise.scorr_measured, *cell.flags)",
    ]


def header_files(pair: Pair) -> tuple[str, str]:
    """What the header of a product calls science and template."""
    science, template = pair.paths or (pair.science_name, pair.template_name)
    return str(science), str(template)
