"""What `ZogyTask` is made of: LSST's task framework in small, and its documented steps.

A face only: the numbers come from the functions of `zogy_explorer.engine`.
"""

from zogy_explorer.engine.lsst_task.base import Task
from zogy_explorer.engine.lsst_task.field import ConfiguredTask, TaskField
from zogy_explorer.engine.lsst_task.metadata import TaskMetadata
from zogy_explorer.engine.lsst_task.spectra import FullSpectrum
from zogy_explorer.engine.lsst_task.struct import Struct

__all__ = [
    "ConfiguredTask",
    "FullSpectrum",
    "Struct",
    "Task",
    "TaskField",
    "TaskMetadata",
]
