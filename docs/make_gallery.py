"""Write the gallery of residuals: a picture and a page made from the simulated pathologies.

``python docs/make_gallery.py`` writes ``docs/residuals.md`` and ``docs/images/residual-*.png``;
needs matplotlib. Every number on the page is computed here; ``tests/test_gallery.py`` fails if
the page is out of date.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zogy_explorer.engine import Difference, plan, run
from zogy_explorer.exposure import Exposure
from zogy_explorer.simulate.pathologies import PATHOLOGIES, Pathology

FOLDER = Path(__file__).parent
SEED = 1

_MADE = "<!-- Made by docs/make_gallery.py: do not edit. -->"
_INTRODUCTION = """\
# What residuals look like, and why

Eight small simulated pairs, each with one thing wrong. Open any of them in the explorer (*Data ▸ Samples*, or
`zogy-explorer --sample NAME`), tap the residual and ask *Explain*. The pictures show the science image, the template, D / σ and
Scorr as they come; the last picture is Scorr after the cure.
"""  # noqa: E501


def page() -> str:
    """The text of the page."""
    parts = [_MADE, _INTRODUCTION]
    parts += [_section(PATHOLOGIES[name]) for name in PATHOLOGIES]
    return "\n".join(parts)


def subtracted(case: Pathology) -> tuple[tuple[Exposure, Exposure], Difference, Difference]:
    """The pair, its difference, and its difference after the cure."""
    pair = case.draw(SEED)
    ill = run(plan(*pair, case.config()))
    cured = run(plan(*case.cured(*pair), case.cured_config()))
    return pair, ill, cured


def _section(case: Pathology) -> str:
    _, ill, cured = subtracted(case)
    before, after = case.signature(ill), case.signature(cured)
    healthy = case.name == next(iter(PATHOLOGIES))
    measured = f"{before:.1f} {case.measure}"
    cure = case.cure if healthy else f"{case.cure} It is then {after:.1f}."
    return f"""
## {case.title}

`zogy-explorer --sample {case.name}`

![{case.title}](images/residual-{case.name}.png)

**What is wrong.** {case.cause}

**What you see.** {case.picture} {_sentence(measured)}

**The cure.** {cure}
"""


def _sentence(text: str) -> str:
    return f"Here {text}." if text[0].isdigit() else f"{text}."


def draw(case: Pathology, path: Path) -> None:
    """Five panels: N, R, D / σ, Scorr, and Scorr after the cure."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from PIL import Image

    (science, template), ill, cured = subtracted(case)
    assert ill.diff.variance is not None
    sky = 12 * float(np.median(np.sqrt(science.variance)))
    panels = [
        ("science", science.image, "cividis", (-0.3 * sky, sky)),
        ("template", template.image, "cividis", (-0.3 * sky, sky)),
        ("D / σ", ill.diff.image / np.sqrt(ill.diff.variance), "RdBu_r", (-6, 6)),
        ("Scorr", ill.scorr, "RdBu_r", (-8, 8)),
        ("Scorr, cured", cured.scorr, "RdBu_r", (-8, 8)),
    ]
    figure, axes = plt.subplots(1, len(panels), figsize=(11, 2.45), layout="constrained")
    for axis, (title, image, colours, (low, high)) in zip(axes, panels, strict=True):
        axis.imshow(image, origin="lower", cmap=colours, vmin=low, vmax=high)
        axis.set_title(title, fontsize=10)
        axis.set_axis_off()
    figure.savefig(path, dpi=100)
    plt.close(figure)
    with Image.open(path) as picture:  # noise compresses badly: a palette halves it
        small = picture.convert("RGB").quantize(200, method=Image.Quantize.MAXCOVERAGE)
    small.save(path, optimize=True)


def main() -> None:
    """Write the page and its pictures."""
    (FOLDER / "images").mkdir(exist_ok=True)
    for name, case in PATHOLOGIES.items():
        draw(case, FOLDER / "images" / f"residual-{name}.png")
    (FOLDER / "residuals.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
