"""The Code tab: a script without Panel that gives the same result as the page."""

from __future__ import annotations

from zogy_explorer.engine.config import ZogyConfig
from zogy_explorer.ui.state import Pair


def script(pair: Pair, config: ZogyConfig) -> str:
    """Python source that subtracts ``pair`` with the settings that differ from the defaults."""
    return "\n".join([*_imports(pair), "", *_loading(pair), "", *_settings(config), *_RUN, ""])


def _imports(pair: Pair) -> list[str]:
    lines = ["from zogy_explorer import Exposure, ZogyConfig, ZogyTask"]
    if pair.origin == "sample":
        lines = [
            "from zogy_explorer import ZogyConfig, ZogyTask",
            "from zogy_explorer.simulate import sample_pair",
        ]
    return lines


def _loading(pair: Pair) -> list[str]:
    if pair.origin == "sample":
        return ["science, template, truth = sample_pair()"]
    if pair.paths is not None:
        science, template = (str(path) for path in pair.paths)
        remark = []
    else:
        science, template = f"{pair.science_name}", f"{pair.template_name}"
        remark = ["# The pair on the page came from memory or an upload: put your paths here."]
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


_RUN = (
    "result = ZogyTask(config=config).run(science, template, calculateScore=True)",
    "",
    'result.diffExp.write("difference.fits")',
    'result.scoreExp.write("score.fits")',
    "for cell in result.cells:",
    "    print(cell.cell.name, cell.worst, cell.noise.scorr_measured, *cell.flags)",
)
