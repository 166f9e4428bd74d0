"""`TaskField`: a subtask as a field of a param-based config."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import param

from zogy_explorer.errors import InputError

if TYPE_CHECKING:
    from zogy_explorer.engine.lsst_task.base import Task


class ConfiguredTask:
    """The value of a `TaskField`: a task class and the config to make it with.

    Fields of the config can be read and set on this object directly.

    Parameters
    ----------
    target
        The task class.
    config
        Its config; the target's default if None.
    """

    target: type[Task]
    value: Any

    def __init__(self, target: type[Task], config: Any = None) -> None:
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "value", target.ConfigClass() if config is None else config)

    def retarget(self, target: type[Task]) -> None:
        """Choose another task class; its default config replaces the present one."""
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "value", target.ConfigClass())

    def apply(self, **arguments: Any) -> Task:
        """Make the task; ``arguments`` go to its constructor."""
        return self.target(config=self.value, **arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # copy and pickle probe for those before there is a value
            raise AttributeError(name)
        return getattr(self.value, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.value, name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> ConfiguredTask:
        return ConfiguredTask(self.target, copy.deepcopy(self.value, memo))

    def __repr__(self) -> str:
        return f"ConfiguredTask({self.target.__name__}, {self.value!r})"


class TaskField(param.Parameter):
    """Field of a config that holds a subtask's class and config; see ``ZogyTask.makeField``.

    Each config instance has a copy of its own. Assigning a config keeps the class.

    Parameters
    ----------
    target
        The task class.
    doc
        What the subtask is for.
    """

    __slots__ = ("target",)

    def __init__(self, target: type[Task], doc: str = "", **options: Any) -> None:
        self.target = target
        options.setdefault("default", ConfiguredTask(target))
        super().__init__(doc=doc, instantiate=True, **options)

    def __set__(self, owner: Any, value: Any) -> None:
        if not isinstance(value, ConfiguredTask):
            if not isinstance(value, self.target.ConfigClass):
                wanted = self.target.ConfigClass.__name__
                raise InputError(
                    f"field {self.name} got a {type(value).__name__}: it takes the config of "
                    f"{self.target.__name__}; give a {wanted}"
                )
            value = ConfiguredTask(self.target, value)
        super().__set__(owner, value)
