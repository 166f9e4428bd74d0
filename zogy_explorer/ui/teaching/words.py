"""Words of the lessons as HTML, and their style: large type, high contrast, nothing that moves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from zogy_explorer.ui.teaching.chapter import Chapter, Fact, Shown

TEXT_CSS = """
:host { font-size: 16px; line-height: 1.45; color: var(--zx-text); }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 8px; font-weight: 650; }
p { margin: 0 0 8px; }
sub, sup { line-height: 0; font-size: 0.72em; }
.sentence { font-size: 17px; }
.equation { display: flex; align-items: center; font-size: 18px; margin: 6px 0;
  padding: 8px 8px; background: var(--zx-surface); border-left: 3px solid var(--zx-accent); }
/* The page's font has no table of mathematical distances: indices would not be lowered. */
.equation math { flex: 1 1 auto; min-width: 0; font-size: 1em;
  font-family: "STIX Two Math", "Latin Modern Math", "Cambria Math", math; }
.equation .number { flex: none; color: var(--zx-muted); font-size: 15px; padding-left: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 14px;
  font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 8px 4px 0; font-weight: 400; vertical-align: baseline; }
th { color: var(--zx-muted); }
td.n, th.n { text-align: right; white-space: nowrap; }
tr + tr td { border-top: 1px solid var(--zx-border); }
.muted { color: var(--zx-muted); font-size: 14px; }
.question { font-size: 17px; font-weight: 600; margin: 0; }
.verdict { font-weight: 650; }
.right { color: var(--zx-info); } .wrong { color: var(--zx-failed); }
.answer { border-left: 3px solid var(--zx-info); padding: 2px 0 2px 12px; margin: 0; }
.shortcuts { color: var(--zx-muted); font-size: 13px; line-height: 18px; white-space: nowrap; }
kbd { font: inherit; color: var(--zx-text); background: var(--zx-raised); border-radius: 3px;
  padding: 0 5px; }
.alert { color: var(--zx-failed); }
a { color: var(--zx-accent); } a:focus-visible { outline: 2px solid var(--zx-accent); }
pre { margin: 0; padding: 8px 12px; font: 14px/1.35 ui-monospace, "DejaVu Sans Mono", monospace;
  background: var(--zx-surface); border: 1px solid var(--zx-border); white-space: pre-wrap; }
.bar { height: 4px; background: var(--zx-raised); } .bar i { display: block; height: 4px;
  background: var(--zx-accent); }
"""


_LOWERED = str.maketrans({"n": "ₙ", "r": "ᵣ"})
_PLAIN = re.compile(r"_([nr])\b")
_INDEXED = re.compile(r"(?<![\w=])([A-Zkσ]̂?)_(\w)\b")
_ALONE = re.compile(r"(?<=\d) (?=σ)")
_MINUS = re.compile(r"(?<![\w\-.])-(?=\d)")


def typeset(html: str) -> str:
    """F_n as F with an index, minus signs where a number is negative, and no σ left alone."""
    html = _ALONE.sub("\u00a0", html)
    return _MINUS.sub("−", _INDEXED.sub(r"<i>\1</i><sub>\2</sub>", html))


def plain(text: str) -> str:
    """The same where there is no HTML: in labels, choices, legends and titles of pictures.

    Unicode has no capital indices: such texts speak of the PSF of D instead of P_D.
    """
    return _PLAIN.sub(lambda found: found[1].translate(_LOWERED), text)


def heading(chapter: Chapter) -> str:
    """Title, sentence and formulas."""
    equations = "".join(equation.html() for equation in chapter.equations)
    return (
        f'<h1>{typeset(chapter.title)}</h1><p class="sentence">{typeset(chapter.sentence)}</p>'
        f"{equations}"
    )


def facts_table(facts: tuple[Fact, ...]) -> str:
    """Measured beside theory."""
    if not facts:
        return ""
    rows = "".join(
        f"<tr><td>{typeset(escape(fact.name))}</td><td class='n'>{_pair(fact)}</td>"
        f"<td class='n'>{_number(fact.expected, fact.error)}</td></tr>"
        for fact in facts
    )
    return (
        "<table><tr><th>In these pixels</th><th class='n'>measured</th>"
        f"<th class='n'>theory</th></tr>{rows}</table>"
    )


def answer(chapter: Chapter, shown: Shown, choice: int) -> str:
    """The truth, and whether the reader had foreseen it."""
    verdict = ""
    if chapter.choices and choice >= 0:
        right = choice == shown.right
        verdict = (
            f'<span class="verdict {"right" if right else "wrong"}">'
            f"{'✓ As you said.' if right else '✕ Not quite.'}</span> "
        )
    elif chapter.choices:
        truth = typeset(escape(chapter.choices[shown.right]))
        verdict = f'<span class="verdict">{truth}.</span> '
    return f'<p class="answer">{verdict}{typeset(shown.answer)}</p>'


def progress(number: int, count: int) -> str:
    """How far the reader has come."""
    return f'<div class="bar"><i style="width:{100 * number / count:.1f}%"></i></div>'


def shortcuts(keys: Iterable[tuple[str, str]]) -> str:
    """Keys and what they do, in one line."""
    each = (f"<kbd>{escape(key)}</kbd> {escape(use)}" for key, use in keys)
    return f'<div class="shortcuts">{" &ensp; ".join(each)}</div>'


def _pair(fact: Fact) -> str:
    error = _number(fact.error, fact.error)
    return f"{_number(fact.measured, fact.error)} ± {error}"


def _number(value: float, error: float) -> str:
    """With as many decimals as the error makes sense of."""
    decimals = 0 if error >= 10 else 1 if error >= 1 else 2 if error >= 0.1 else 3
    return f"{value:.{decimals}f}".replace("-", "−")
