"""`Task`: names, subtasks, timers and metadata of LSST's tasks, without the stack.

A re-implementation from the documentation of ``lsst.pipe.base.Task`` of what users of
``ZogyTask`` see; configs are param-based.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import param

from zogy_explorer.engine.lsst_task.field import TaskField
from zogy_explorer.engine.lsst_task.metadata import TaskMetadata
from zogy_explorer.errors import InputError


class Task:
    """A unit of work with a config, a name, a log, metadata and perhaps subtasks.

    Parameters
    ----------
    config
        Settings, an instance of ``ConfigClass``. None: those that the parent's config has under
        ``name``, or the defaults.
    name
        Brief name; needed for a subtask. None: the default of the class.
    parentTask
        The task that this one is part of.
    log
        Logger whose name prefixes this task's; a subtask logs below its parent.

    Raises
    ------
    InputError
        If a subtask has no name, or the config is of another class.
    """

    ConfigClass: ClassVar[type[param.Parameterized]] = param.Parameterized
    _DefaultName: ClassVar[str] = "task"

    def __init__(
        self,
        config: Any = None,
        *,
        name: str | None = None,
        parentTask: Task | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        if parentTask is not None and name is None:
            raise InputError("a subtask has no name: give name=… along with parentTask")
        self._name = self._DefaultName if name is None else name
        self._parentTask = parentTask
        above = "" if parentTask is None else parentTask.getFullName() + "."
        self._fullName = above + self._name
        self.config: Any = self._usable_config(config)
        self.metadata = TaskMetadata()
        self.log: logging.Logger
        if parentTask is not None:
            self.log = parentTask.log.getChild(self._name)
        elif log is not None:
            self.log = log.getChild(self._name)
        else:
            self.log = logging.getLogger(f"zogy_explorer.{self._fullName}")
        self._taskDict: dict[str, Task] = {} if parentTask is None else parentTask._taskDict
        self._taskDict[self._fullName] = self

    @property
    def name(self) -> str:
        """Brief name, as `getName`."""
        return self._name

    def getName(self) -> str:
        """Brief name of this task."""
        return self._name

    def getFullName(self) -> str:
        """Name with those of all parents, such as ``"parent.sub"``."""
        return self._fullName

    def getTaskDict(self) -> dict[str, Task]:
        """The top-level task, its subtasks and theirs, by full name; a copy."""
        return dict(self._taskDict)

    def getFullMetadata(self) -> TaskMetadata:
        """Metadata of the top-level task, its subtasks and theirs.

        Returns
        -------
        metadata
            Keys are full names with ``:`` for ``.``, so that an item's is
            ``"parent:sub.itemName"``.
        """
        full = TaskMetadata()
        for fullName, task in self._taskDict.items():
            full[fullName.replace(".", ":")] = task.metadata
        return full

    def emptyMetadata(self) -> None:
        """Forget the metadata of this task, and of its subtasks and theirs."""
        for fullName, task in self._taskDict.items():
            if task is self or fullName.startswith(self._fullName + "."):
                task.metadata = TaskMetadata()

    def makeSubtask(self, name: str, **keyArgs: Any) -> None:
        """Make a subtask and keep it as the attribute ``name``.

        Parameters
        ----------
        name
            Name of the subtask and of the config's field that describes it (see `makeField`).
        **keyArgs
            Further arguments of the subtask's constructor.

        Raises
        ------
        KeyError
            If the config has no such field.
        """
        configured: Any = getattr(self.config, name, None)
        if not callable(getattr(configured, "apply", None)):
            raise KeyError(
                f"the config of {self._fullName} has no subtask {name!r}: declare it there with "
                f"{name} = SomeTask.makeField(doc)"
            )
        setattr(self, name, configured.apply(name=name, parentTask=self, **keyArgs))

    @classmethod
    def makeField(cls, doc: str) -> TaskField:
        """Field for the config of a parent task that makes this class its subtask.

        Parameters
        ----------
        doc
            What the subtask does there.
        """
        return TaskField(cls, doc)

    @contextlib.contextmanager
    def timer(self, name: str, logLevel: int = logging.DEBUG) -> Iterator[None]:
        """Record in `metadata` and the log when a block starts and ends, and what it uses.

        Adds ``<name>StartUtc``, ``<name>StartCpuTime`` and so on, ``<name>EndUtc``,
        ``<name>EndCpuTime`` and so on; the end also if the block raises.

        Parameters
        ----------
        name
            Name of the block.
        logLevel
            Level of the log messages.
        """
        self._record_usage(f"{name}Start", logLevel)
        try:
            yield
        finally:
            self._record_usage(f"{name}End", logLevel)

    def _record_usage(self, prefix: str, level: int) -> None:
        usage = resource_usage()
        for item, value in usage.items():
            self.metadata.add(prefix + item, value)
        self.log.log(level, "%s: %s", prefix, usage)

    def _usable_config(self, config: Any) -> Any:
        if config is None and self._parentTask is not None:
            configured = getattr(self._parentTask.config, self._name, None)
            config = getattr(configured, "value", configured)
        if config is None:
            return self.ConfigClass()
        if not isinstance(config, self.ConfigClass):
            raise InputError(
                f"config of {self._fullName} is a {type(config).__name__}: "
                f"give a {self.ConfigClass.__name__}"
            )
        return config

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[Any, ...]]:
        # What a worker needs is a task of the same settings, not the state of this one.
        return _remade, (type(self), self.config, self._name)


def resource_usage() -> dict[str, float | int | str]:
    """Time now and what the process has used so far, by LSST's item names."""
    items: dict[str, float | int | str] = {
        "Utc": datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat(),
        "CpuTime": time.process_time(),
    }
    try:
        import resource
    except ImportError:  # not on Windows
        return items
    used = resource.getrusage(resource.RUSAGE_SELF)
    return items | {
        "UserTime": used.ru_utime,
        "SystemTime": used.ru_stime,
        "MaxResidentSetSize": int(used.ru_maxrss),
        "MinorPageFaults": int(used.ru_minflt),
        "MajorPageFaults": int(used.ru_majflt),
        "BlockInputs": int(used.ru_inblock),
        "BlockOutputs": int(used.ru_oublock),
        "VoluntaryContextSwitches": int(used.ru_nvcsw),
        "InvoluntaryContextSwitches": int(used.ru_nivcsw),
    }


def _remade(cls: type[Task], config: Any, name: str) -> Any:
    return cls(config=config, name=name)
