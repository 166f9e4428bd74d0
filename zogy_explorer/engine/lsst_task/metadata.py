"""`TaskMetadata`: what a task records of its runs, times and counts above all."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any


class TaskMetadata(MutableMapping[str, Any]):
    """Values by name, in the order of recording; a name may hold several values.

    An item is looked up by its name, ``"runEndUtc"``, or through the metadata that it is nested
    in, ``"top:sub.runEndUtc"``. Where a name holds several values, an item access gives the last
    one and `getArray` all of them.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[Any]] = {}

    def add(self, name: str, value: Any) -> None:
        """Append ``value`` to what ``name`` holds."""
        self._values.setdefault(name, []).append(value)

    def getArray(self, name: str) -> list[Any]:
        """All values of ``name``, oldest first.

        Raises
        ------
        KeyError
            If there is none.
        """
        holder, key = self._find(name)
        return list(holder._values[key])

    def getScalar(self, name: str) -> Any:
        """Latest value of ``name``.

        Raises
        ------
        KeyError
            If there is none.
        """
        return self[name]

    def names(self) -> set[str]:
        """Names of all values, those of nested metadata as ``outer.inner``."""
        found = set()
        for name, values in self._values.items():
            inner = values[-1]
            if isinstance(inner, TaskMetadata):
                found |= {f"{name}.{below}" for below in inner.names()}
            else:
                found.add(name)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values: a single one as it is, several as a list, nested metadata as a dict."""
        plain = {
            name: [v.to_dict() if isinstance(v, TaskMetadata) else v for v in values]
            for name, values in self._values.items()
        }
        return {name: values[0] if len(values) == 1 else values for name, values in plain.items()}

    def _find(self, name: str) -> tuple[TaskMetadata, str]:
        if name in self._values:
            return self, name
        outer, dot, inner = name.partition(".")
        nested = self._values.get(outer, [None])[-1]
        if not dot or not isinstance(nested, TaskMetadata):
            raise KeyError(name)
        return nested._find(inner)

    def __getitem__(self, name: str) -> Any:
        holder, key = self._find(name)
        return holder._values[key][-1]

    def __setitem__(self, name: str, value: Any) -> None:
        self._values[name] = [value]

    def __delitem__(self, name: str) -> None:
        holder, key = self._find(name)
        del holder._values[key]

    def __contains__(self, name: object) -> bool:
        try:
            self._find(str(name))
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"TaskMetadata({self.to_dict()!r})"
