"""Equations as MathML, which browsers typeset themselves: nothing is fetched, nothing scripted."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Equation:
    """A formula.

    Parameters
    ----------
    body
        MathML inside of ``<math>``.
    spoken
        The same for those who listen.
    number
        As in the paper; empty if it has none there.
    """

    body: str
    spoken: str
    number: str = ""

    def html(self) -> str:
        """A line of its own with its number at the right."""
        number = f'<span class="number">({escape(self.number)})</span>' if self.number else ""
        return (
            f'<div class="equation"><math display="block" aria-label="{escape(self.spoken)}">'
            f"<mrow>{self.body}</mrow></math>{number}</div>"
        )


def sym(name: str, sub: str = "") -> str:
    """A symbol, such as F with index n."""
    letter = f"<mi>{escape(name)}</mi>"
    return f"<msub>{letter}<mi>{escape(sub)}</mi></msub>" if sub else letter


def hat(name: str, sub: str = "", star: bool = False) -> str:
    """A Fourier transform, its complex conjugate if ``star``."""
    over = f'<mover accent="true"><mi>{escape(name)}</mi><mo stretchy="false">^</mo></mover>'
    symbol = f"<msub>{over}<mi>{escape(sub)}</mi></msub>" if sub else over
    # On an empty base: on the symbol itself it would float above the accent.
    return f"{symbol}<msup><mrow></mrow><mo>*</mo></msup>" if star else symbol


def op(sign: str) -> str:
    """An operator."""
    still = ' stretchy="false"' if sign in "()|" else ""
    return f"<mo{still}>{escape(sign)}</mo>"


def num(value: str) -> str:
    """A number."""
    return f"<mn>{escape(value)}</mn>"


def row(*parts: str) -> str:
    """Parts side by side."""
    return f"<mrow>{''.join(parts)}</mrow>"


def frac(above: str, below: str) -> str:
    """A fraction."""
    return f"<mfrac>{row(above)}{row(below)}</mfrac>"


def sqrt(inside: str) -> str:
    """A square root."""
    return f"<msqrt>{inside}</msqrt>"


def squared(base: str) -> str:
    """A square."""
    return f"<msup>{row(base)}{num('2')}</msup>"


def parens2(inside: str) -> str:
    """The square of what stands in parentheses."""
    return row(op("("), inside, squared(op(")")))


def sym2(name: str, sub: str) -> str:
    """The square of a symbol with an index."""
    return f"<msubsup><mi>{escape(name)}</mi><mi>{escape(sub)}</mi>{num('2')}</msubsup>"


def abs2(inside: str) -> str:
    """Squared modulus."""
    # On the closing bar: on all of it, the exponent would float above an accent.
    return row(op("|"), inside, squared(op("|")))


DENOMINATOR = row(
    sym2("σ", "n"), sym2("F", "r"), abs2(hat("P", "r")),
    op("+"), sym2("σ", "r"), sym2("F", "n"), abs2(hat("P", "n")),
)  # fmt: skip
"""σn² Fr² |Pr|² + σr² Fn² |Pn|²."""
