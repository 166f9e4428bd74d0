"""The page's address: pair, settings and view in the query of the URL, both ways.

`?science=…&template=…` (or ``pair=sample``, ``sample=shifted``), ``set.FIELD=VALUE`` for settings
that differ from the defaults, ``cell.NAME.FIELD=VALUE`` for those of single cells,
``display.FIELD=VALUE``, ``view=left,bottom,right,top``, ``cell=NAME`` and ``threshold=SIGMA`` of
the detections. Values are JSON, plain words without quotes.
Nothing here needs Panel but `Address`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import panel as pn
import param

from zogy_explorer.engine import ZogyConfig
from zogy_explorer.errors import InputError
from zogy_explorer.ui.samples import FIELD, check_name, title_of
from zogy_explorer.ui.serving import served_document
from zogy_explorer.ui.session import Session
from zogy_explorer.ui.session_file import SessionSpec, check_names, spec_from_dict, spec_of
from zogy_explorer.ui.state import Pair

_VIEW_DIGITS = 2  # of a pixel, in the address
_KEYS = ("pair", "sample", "science", "template", "view", "cell", "shift", "threshold")
_PAGE_SETTINGS = MappingProxyType({"doSpatialGrid": True})
"""Where the page's defaults are not those of `ZogyConfig`; an address need not say them."""
_SHARED = ("sample", "files")
"""Origins of pairs that somebody else's browser can open, too."""


def query_of(spec: SessionSpec) -> dict[str, str]:
    """The query that describes a session; without a pair if it cannot be opened by an address."""
    query: dict[str, str] = {}
    if spec.origin == "files":
        query |= {"science": spec.science, "template": spec.template}
    elif spec.origin == "sample" and title_of(spec.science) != FIELD:
        query["sample"] = title_of(spec.science)
    else:
        query["pair"] = spec.origin
    if spec.shift is not None:
        query["shift"] = ",".join(repr(step) for step in spec.shift)
    config = {name: ZogyConfig.param[name].default for name in _PAGE_SETTINGS} | dict(spec.config)
    for name, value in config.items():
        if name not in _PAGE_SETTINGS or value != _PAGE_SETTINGS[name]:
            query[f"set.{name}"] = _text(value)
    for cell, values in spec.overrides.items():
        query |= {f"cell.{cell}.{name}": _text(value) for name, value in values.items()}
    query |= {f"display.{name}": _text(value) for name, value in spec.display.items()}
    if spec.view is not None:
        query["view"] = ",".join(f"{round(x, _VIEW_DIGITS):g}" for x in spec.view)
    if spec.threshold != SessionSpec.threshold:
        query["threshold"] = _text(spec.threshold)
    if spec.cell:
        query["cell"] = spec.cell
    return query


def search_of(spec: SessionSpec) -> str:
    """`query_of` as it stands in an address, with its question mark."""
    return "?" + urlencode(query_of(spec), quote_via=quote, safe="/,:~")


def spec_of_query(query: Mapping[str, str], own: Pair | None = None) -> SessionSpec:
    """The session that a query describes.

    Parameters
    ----------
    query
        Of an address.
    own
        The pair in memory that a query means by ``pair=python``, if there is one.

    Raises
    ------
    InputError
        If a name is unknown or a value not allowed.
    """
    plain: dict[str, Any] = {"config": dict(_PAGE_SETTINGS), "cells": {}, "display": {}}
    for key, text in query.items():
        head, dot, name = key.partition(".")
        if not dot:
            check_names([key], _KEYS, "the address")
        elif head == "set":
            plain["config"][name] = _config_value(name, text)
        elif head == "display":
            plain["display"][name] = _value(text)
        elif head == "cell" and "." in name:
            cell, _, field = name.partition(".")
            plain["cells"].setdefault(cell, {})[field] = _config_value(field, text)
        else:
            raise InputError(
                f"the address has no field {key}: it has {', '.join(_KEYS)}, set.FIELD, "
                "cell.NAME.FIELD and display.FIELD"
            )
    return spec_from_dict(
        {
            "zogyExplorerSession": 1,
            "pair": _pair(query, own)
            | ({"shift": _view(query["shift"])} if "shift" in query else {}),
            "view": _view(query["view"]) if "view" in query else None,
            "cell": query.get("cell", ""),
            **({"threshold": _value(query["threshold"])} if "threshold" in query else {}),
            **plain,
        }
    )


def parse_search(search: str) -> dict[str, str]:
    """Query of an address (``?a=b&c=d``)."""
    return dict(parse_qsl(search.removeprefix("?"), keep_blank_values=True))


def _pair(query: Mapping[str, str], own: Pair | None) -> dict[str, Any]:
    science, template = query.get("science", ""), query.get("template", "")
    if bool(science) != bool(template):
        missing = "template" if science else "science"
        raise InputError(f"the address names no {missing}: it needs science and template, or pair")
    if science:
        return {"origin": "files", "science": science, "template": template}
    if "sample" in query:
        return {"origin": "sample", "science": check_name(query["sample"]) + " science"}
    origin = query.get("pair", "sample")
    if own is not None and origin == own.origin == "python":
        return {"origin": origin, "science": own.science_name, "template": own.template_name}
    if origin not in _SHARED:
        how = "uploaded to" if origin == "upload" else "in the memory of"
        raise InputError(
            f"the pair of this address was {how} somebody's own page: ask for the files, and for "
            "the session (Export)"
        )
    return {"origin": origin}


def _shift(query: Mapping[str, str]) -> dict[str, Any]:
    return {"shift": _view(query["shift"])} if "shift" in query else {}


def _view(text: str) -> list[Any]:
    return [_value(part) for part in text.split(",")]


def _config_value(name: str, text: str) -> Any:
    """A text stays one where a text is meant: 'none' is a background, not nothing."""
    parameter = ZogyConfig.param[name] if name in ZogyConfig.field_names() else None
    return text if isinstance(parameter, param.Selector) else _value(text)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


class Address(param.Parameterized):
    """Keeps the browser's address and a session in step.

    Parameters
    ----------
    session
        Whose.
    ask
        Runs what writes to the page where that may be done.
    """

    def __init__(self, session: Session, ask: Callable[[Callable[[], object]], None]) -> None:
        super().__init__()
        self._session = session
        self._ask = ask
        self._location: Any = None
        self._written = ""

    def attach(self) -> str:
        """Begin to follow the session; what the address says. Empty where there is none."""
        self._location = pn.state.location if served_document() is not None else None
        if self._location is None:
            return ""
        self._written = self._location.search or ""
        self._location.param.watch(self._moved, "search")
        names = ["frame", "anchor", "busy", "display", "view", "overrides"]
        self._session.param.watch(lambda *events: self._ask(self._write), names)
        detections = self._session.studies.detections
        detections.param.watch(lambda event: self._ask(self._write), "threshold")
        # A browser that opens the page tells its own address: ours must not be there before.
        pn.state.onload(lambda: self._ask(self._write))
        return self._written.removeprefix("?")

    def _write(self) -> None:
        """The session has changed: so does the address, also while the frame is computed.

        Not while a control is being moved, which would be an address at every step.
        """
        session = self._session
        if session.frame is None or session.uncommitted or not pn.state.loaded:
            return
        search = search_of(spec_of(session))
        if search != self._location.search:
            self._written = search
            self._location.search = search

    def _moved(self, event: param.parameterized.Event) -> None:
        """The browser tells an address that is not ours: the session follows."""
        if event.new == self._written:
            return
        self._written = event.new
        open_search(self._session, event.new, own=self._session.pair)


def open_search(
    session: Session,
    search: str,
    otherwise: Callable[[], None] = lambda: None,
    own: Pair | None = None,
) -> None:
    """Show the page that an address describes.

    If it describes none, one sentence says why, and ``otherwise`` opens something else. ``own`` is
    as for `spec_of_query`.
    """

    def failed(error: Exception) -> None:
        session.say_when_open(InputError(f"this address cannot be opened: {error}"))
        otherwise()

    query = parse_search(search)
    # Written by a page, it says everything; typed by hand, it leaves the rest to what suits.
    exact = "cell" in query or any(key.startswith("set.") for key in query)
    try:
        spec = spec_of_query(query, own)
    except InputError as error:
        failed(error)
        return
    session.open_session(spec, exact=exact, otherwise=failed, own=own)
