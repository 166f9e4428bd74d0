"""Header cards to ``Exposure.meta`` and back, with a JSON table for what cards cannot hold."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from astropy.io import fits

_STRUCTURE = re.compile(
    r"^(SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|PCOUNT|GCOUNT|GROUPS|BZERO|BSCALE|BLANK|END"
    r"|EXTNAME|EXTVER|EXTLEVEL|EXTTYPE|INHERIT|CHECKSUM|DATASUM|CONTINUE|TFIELDS|THEAP"
    r"|Z(IMAGE|TENSION|SIMPLE|EXTEND|BITPIX|NAXIS\d*|TILE\d+|CMPTYPE|NAME\d+|VAL\d+|QUANTIZ"
    r"|DITHER0|BLANK|ZERO|SCALE|PCOUNT|GCOUNT|HECKSUM|DATASUM|MASKCMP)"
    r"|T(TYPE|FORM|UNIT|NULL|SCAL|ZERO|DISP|DIM)\d+)$"
)
_WCS = re.compile(
    r"^(WCSAXES|WCSNAME|CTYPE\d|CRVAL\d|CRPIX\d|CDELT\d|CUNIT\d|CROTA\d|CD\d_\d|PC\d_\d"
    r"|PV\d_\d+|PS\d_\d+|LONPOLE|LATPOLE|RADESYS|EQUINOX|(A|B|AP|BP)_ORDER"
    r"|(A|B|AP|BP)_\d+_\d+|(A|B)_DMAX|LTV\d|LTM\d_\d)$"
)
_COMMENTARY = ("COMMENT", "HISTORY")
_OWN = re.compile(r"^(ZEXP\w*|PHOTCAL|MP_.*)$")

LAYOUT_VERSION = 1


def meta_from(*headers: fits.Header, keep_wcs: bool = False) -> dict[str, Any]:
    """Cards of the headers as plain values, without those that describe the file itself.

    Commentary cards become one text of several lines; an empty value becomes None; the last of
    a repeated keyword wins.

    Parameters
    ----------
    *headers
        Later headers override earlier ones.
    keep_wcs
        Keep the cards of the WCS, for headers whose WCS could not be used.
    """
    meta: dict[str, Any] = {}
    for header in headers:
        comments: dict[str, list[str]] = {}
        for card in header.cards:
            key = card.keyword
            if key in _COMMENTARY:
                comments.setdefault(key, []).append(str(card.value))
            elif key and not _hidden(key, keep_wcs):
                meta[key] = _plain(card)
        meta |= {key: "\n".join(lines) for key, lines in comments.items()}
    return meta


def _hidden(key: str, keep_wcs: bool) -> bool:
    return bool(_STRUCTURE.match(key) or _OWN.match(key) or (_WCS.match(key) and not keep_wcs))


def _plain(card: fits.Card) -> Any:
    try:
        value = card.value
    except fits.VerifyError:  # not FITS syntax: the characters are still worth having
        return str(card.image)[10:].strip()
    if value is None or isinstance(value, fits.card.Undefined):
        return None
    return value.item() if isinstance(value, np.generic) else value


def add_meta(header: fits.Header, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Add the entries that a card gives back unchanged; return the others."""
    left: dict[str, Any] = {}
    for key, value in meta.items():
        if isinstance(value, np.generic):
            value = value.item()
        if key in _COMMENTARY and _is_commentary(value):
            for line in value.split("\n"):
                header.add_comment(line) if key == "COMMENT" else header.add_history(line)
        elif key in header or _hidden(str(key), False) or not _card_keeps(key, value):
            left[key] = value
        else:
            header[key] = value
    return left


def _is_commentary(value: object) -> bool:
    return isinstance(value, str) and all(
        0 < len(line) <= 72 and line.isascii() and line.isprintable() and line == line.rstrip()
        for line in value.split("\n")
    )


def _card_keeps(key: object, value: object) -> bool:
    """Whether a header card gives back this keyword and value, to the bit."""
    if not isinstance(key, str) or not isinstance(value, str | bool | int | float | None):
        return False
    try:
        card = fits.Card(key, value)
        again = fits.Card.fromstring(str(card))
        return again.keyword == key and _same(_plain(again), value)
    except (ValueError, TypeError, fits.VerifyError):
        return False


def _same(first: Any, second: Any) -> bool:
    """Equal and of one type; NaN equals NaN."""
    if isinstance(first, float) and isinstance(second, float) and math.isnan(first):
        return math.isnan(second)
    return type(first) is type(second) and bool(first == second)


def json_hdu(values: Mapping[str, Any], name: str) -> fits.BinTableHDU:
    """A table with one string that holds ``values`` as JSON."""
    text = json.dumps(dict(values))
    column = fits.Column(name="JSON", format=f"{len(text)}A", array=np.array([text]))
    return fits.BinTableHDU.from_columns([column], name=name)


def read_json(hdu: fits.BinTableHDU) -> dict[str, Any]:
    """What `json_hdu` wrote."""
    values: dict[str, Any] = json.loads(str(hdu.data["JSON"][0]))
    return values


def split_json(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Entries that JSON can hold, and the names of those that it cannot."""
    fit: dict[str, Any] = {}
    lost: list[str] = []
    for key, value in values.items():
        plain = value.tolist() if isinstance(value, np.ndarray) else value
        try:
            json.dumps({key: plain})
        except (TypeError, ValueError):
            lost.append(str(key))
        else:
            fit[key] = plain
    return fit, lost


def drop_note(lost: Iterable[str]) -> str:
    """Names of dropped entries as ASCII text for a card."""
    return ", ".join(lost).encode("ascii", "replace").decode()
