"""`Struct`: named return values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any


class Struct(SimpleNamespace):
    """Named return values, as LSST's ``pipeBase.Struct``."""

    def getDict(self) -> dict[str, Any]:
        """The values by name."""
        return dict(vars(self))


class LateStruct(Struct):
    """A `Struct` some of whose values are computed when the first of them is asked for.

    Parameters
    ----------
    late
        Names of those values.
    compute
        Gives all of them; called at most once.
    **values
        The values known already.
    """

    __slots__ = ("_compute", "_late")  # out of the way of the values

    def __init__(
        self, late: tuple[str, ...], compute: Callable[[], Mapping[str, Any]], **values: Any
    ) -> None:
        super().__init__(**values)
        self._late = late
        self._compute = compute

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._late:
            raise AttributeError(f"Struct has no value {name}")
        late, self._late = self._late, ()
        try:
            values = self._compute()
        except BaseException:
            self._late = late
            raise
        vars(self).update({**values, **vars(self)})
        return vars(self)[name]

    def getDict(self) -> dict[str, Any]:
        """The values by name, the late ones computed."""
        if self._late:
            getattr(self, self._late[0])
        return super().getDict()

    def __reduce__(self) -> tuple[Any, ...]:
        return (Struct, (), self.getDict())
