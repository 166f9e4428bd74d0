"""Formulas as MathML, made when the pages are built: browsers show it without any script."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import SphinxError


def _mathml(latex: str, display: str) -> str:
    try:
        return convert(latex.strip(), display=display)
    except Exception as error:  # the converter has no error of its own
        raise SphinxError(f"the formula {latex!r} cannot be converted: {error}") from error


def visit_math(self: Any, node: nodes.math) -> None:
    """A formula within a line."""
    self.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def visit_displaymath(self: Any, node: nodes.math_block) -> None:
    """A formula of its own; its label, if any, is the number that the paper gives it."""
    number = node["label"] if node.get("label") else ""
    target = f' id="equation-{number}"' if number else ""
    # Sphinx joins what stands between commas, as it does in names of targets.
    words = number.replace(",-", ", ")
    shown = f'<span class="number">({words})</span>' if number else ""
    self.body.append(
        f'<div class="equation"{target}>{_mathml(node.astext(), "block")}{shown}</div>\n'
    )
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Make MathML the renderer of formulas."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
