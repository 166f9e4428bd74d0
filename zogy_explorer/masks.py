"""Mask planes: named bits of a 2-D int32 array, with LSST's names and bit numbers by default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from zogy_explorer.errors import InputError

MASK_PLANES: Mapping[str, int] = MappingProxyType(
    {
        "BAD": 0,
        "SAT": 1,
        "INTRP": 2,
        "CR": 3,
        "EDGE": 4,
        "DETECTED": 5,
        "DETECTED_NEGATIVE": 6,
        "SUSPECT": 7,
        "NO_DATA": 8,
    }
)
"""LSST's default planes: name to bit number."""


def check_planes(planes: Mapping[str, int]) -> dict[str, int]:
    """Validated copy of a name-to-bit mapping.

    Raises
    ------
    InputError
        If a bit lies outside 0…31 or two names share one.
    """
    checked = {str(name): int(bit) for name, bit in planes.items()}
    for name, bit in checked.items():
        if not 0 <= bit < 32:
            raise InputError(f"mask plane {name} has bit {bit}: an int32 mask holds bits 0 to 31")
    if len(set(checked.values())) != len(checked):
        raise InputError(f"mask planes {checked} share a bit: give each plane its own")
    return checked


def bit_mask(planes: Mapping[str, int], names: Iterable[str]) -> np.int32:
    """OR of the bits of ``names``; names that the mask does not have are left out."""
    value = 0
    for name in names:
        if name in planes:
            value |= 1 << planes[name]
    return np.int32(np.uint32(value).view(np.int32))


def has_any(
    mask: NDArray[np.int32], planes: Mapping[str, int], names: Iterable[str]
) -> NDArray[np.bool_]:
    """Pixels with at least one of the named planes set, shape of ``mask``."""
    return (mask & bit_mask(planes, names)) != 0


def names_of(value: int, planes: Mapping[str, int]) -> list[str]:
    """Names of the planes set in one pixel's ``value``, by bit; unnamed bits as ``bit N``."""
    by_bit = {bit: name for name, bit in planes.items()}
    bits = [bit for bit in range(32) if (int(value) >> bit) & 1]
    return [by_bit.get(bit, f"bit {bit}") for bit in bits]


def translate(
    mask: NDArray[np.int32], source: Mapping[str, int], target: Mapping[str, int]
) -> NDArray[np.int32]:
    """Mask with its bits moved from the numbers of ``source`` to those of ``target``.

    Raises
    ------
    InputError
        If a plane that is set has no bit in ``target``.
    """
    if all(target.get(name) == bit for name, bit in source.items()):
        return mask
    out = np.zeros_like(mask)
    for name, bit in source.items():
        pixels = (mask >> np.int32(bit)) & 1 == 1
        if name in target:
            out[pixels] |= bit_mask(target, [name])
        elif pixels.any():
            raise InputError(
                f"mask plane {name} is set but has no bit in {dict(target)}: merge the planes first"
            )
    return out


def merge_planes(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    """Planes of ``first`` plus those only ``second`` has, on free bits.

    Raises
    ------
    InputError
        If more than 32 planes would be needed.
    """
    merged = dict(first)
    for name, bit in second.items():
        if name in merged:
            continue
        used = set(merged.values())
        free = [bit, *range(32)]
        chosen = next((b for b in free if b not in used), None)
        if chosen is None:
            raise InputError(f"masks name more than 32 planes together: drop some ({name} is left)")
        merged[name] = chosen
    return merged
