"""What a set of settings is in Python beside its fields: a short repr, and no misspelt ones."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import param

from zogy_explorer.errors import InputError


class NamedSettings(param.Parameterized):
    """Settings of which only those that exist can be set, and whose repr makes them again."""

    def __setattr__(self, field: str, value: object) -> None:
        # Private names are those of param itself, which also keeps its ``name`` as a parameter.
        if not field.startswith("_") and field not in type(self).param.objects(instance=False):
            raise InputError(unknown_field(field, self.field_names()))
        super().__setattr__(field, value)

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Names of all fields."""
        return tuple(name for name in cls.param.objects(instance=False) if name != "name")

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values."""
        return {name: getattr(self, name) for name in self.field_names()}

    def changed(self) -> dict[str, Any]:
        """Fields that differ from the default."""
        return {k: v for k, v in self.to_dict().items() if v != type(self).param[k].default}

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.changed().items())
        return f"{type(self).__name__}({fields})"

    __str__ = __repr__  # param's would say its running number


def unknown_field(name: str, known: Sequence[str]) -> str:
    """What to say of a setting that does not exist."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]}?" if close else f"the fields are {', '.join(known)}"
    return f"ZogyConfig has no field {name}: {hint}"
