"""The setting `astrometricNoise`: its forms, its check, and the one form that is kept.

What people write: nothing or 0 (off), one σ, (σ_x, σ_y), a pair of these for science and template,
"measured", or any of that as text (``0.13,0.06; 0.02,0.02``). What is kept is the shortest form
of the same meaning, so that equal settings have equal digests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import param

from zogy_explorer.engine.noise_terms import AstrometricNoise

MEASURED = "measured"
"""The value that has the noise measured from the stars of both images."""

LARGEST = 10.0
"""[px] A registration error beyond this is no noise."""

_FORMS = (
    "give nothing or 0 (off), one σ in px, (σx, σy), ((σx, σy) of science, (σx, σy) of template), "
    'or "measured"'
)

Setting = None | str | float | tuple[float, float] | tuple[tuple[float, float], ...]


class AstrometricNoiseSetting(param.Parameter):
    """A parameter that keeps the shortest form of what it is given; see `shortest_form`."""

    def __init__(self, default: Any = None, **kwargs: Any) -> None:
        super().__init__(default=shortest_form(default), **kwargs)

    def __set__(self, obj: Any, value: Any) -> None:
        """Check and keep."""
        super().__set__(obj, shortest_form(value))


def shortest_form(value: Any) -> Setting:
    """The shortest setting that means the same: None, "measured", σ, (σx, σy) or a pair of these.

    Raises
    ------
    ValueError
        If ``value`` is none of the allowed forms.
    """
    if isinstance(value, str):
        if value.strip().lower() == MEASURED:
            return MEASURED
        pairs = _from_text(value)
    else:
        pairs = _pairs(value, value)
    if not any(sigma for pair in pairs for sigma in pair):
        return None
    if pairs[0] != pairs[1]:
        return pairs
    return pairs[0][0] if pairs[0][0] == pairs[0][1] else pairs[0]


def given_noise(setting: Any) -> AstrometricNoise | None:
    """Registration errors of a setting in figures; None if it is off or to be measured."""
    if setting is None or setting == MEASURED:
        return None
    return AstrometricNoise(*_pairs(setting, setting))


def plain_form(setting: Any) -> Any:
    """The setting with lists for tuples, as JSON gives it back."""
    if isinstance(setting, Sequence) and not isinstance(setting, str):
        return [plain_form(part) for part in setting]
    return setting


def setting_text(setting: Any) -> str:
    """The setting as text that `shortest_form` reads; empty if it is off."""
    if setting is None or isinstance(setting, str):
        return setting or ""
    if not isinstance(setting, Sequence):
        return f"{setting:g}"
    separator = "; " if isinstance(setting[0], Sequence) else ", "
    return separator.join(setting_text(part) for part in setting)


def _pairs(value: Any, given: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """(σx, σy) of science and template."""
    if value is None:
        return ((0.0, 0.0), (0.0, 0.0))
    parts = _parts(value)
    if parts is None:
        pair = _pair(value, given)
        return (pair, pair)
    if len(parts) != 2:
        raise _refusal(given)
    if any(_parts(part) is not None for part in parts):
        return (_pair(parts[0], given), _pair(parts[1], given))
    pair = _pair(parts, given)
    return (pair, pair)


def _pair(value: Any, given: Any) -> tuple[float, float]:
    parts = _parts(value)
    if parts is None:
        parts = [value, value]
    if len(parts) != 2:
        raise _refusal(given)
    return (_sigma(parts[0], given), _sigma(parts[1], given))


def _parts(value: Any) -> list[Any] | None:
    """The elements of a sequence or array; None for anything else."""
    if isinstance(value, (str, bytes)):
        return None
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        value = value.tolist()
    return list(value) if isinstance(value, Sequence) else None


def _sigma(value: Any, given: Any) -> float:
    if isinstance(value, bool):
        raise _refusal(given)
    try:
        sigma = float(value)
    except (TypeError, ValueError):
        raise _refusal(given) from None
    if not (math.isfinite(sigma) and 0 <= sigma <= LARGEST):
        raise ValueError(
            f"astrometricNoise is {given!r}: a registration error must lie between 0 and "
            f"{LARGEST:g} px; register the images if they are off by more"
        )
    return sigma


def _from_text(text: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """``0.1``, ``0.13, 0.06`` or ``0.13, 0.06; 0.02, 0.02``."""
    bare = text.strip().strip("()[]").strip()
    if bare.lower() in ("", "off", "none"):
        return ((0.0, 0.0), (0.0, 0.0))
    images = [part.replace(",", " ").split() for part in bare.split(";")]
    if len(images) > 2 or any(not 1 <= len(words) <= 2 for words in images):
        raise _refusal(text)
    pairs = [_pair(words[0] if len(words) == 1 else words, text) for words in images]
    return (pairs[0], pairs[-1])


def _refusal(given: Any) -> ValueError:
    return ValueError(f"astrometricNoise is {given!r}: {_FORMS}")
