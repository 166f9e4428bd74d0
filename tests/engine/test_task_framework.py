"""Names, subtasks, fields, timers and metadata of tasks."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import param
import pytest

from zogy_explorer import Exposure, ZogyConfig, ZogyTask
from zogy_explorer.engine.lsst_task import Task, TaskMetadata
from zogy_explorer.errors import InputError, NoUsableCellError


class NightConfig(param.Parameterized):
    """Config of a task with two subtasks."""

    subtract = ZogyTask.makeField("subtracts the template")
    again = ZogyTask.makeField("subtracts it once more")
    limit = param.Number(5.0)


class NightTask(Task):
    """A parent task."""

    ConfigClass = NightConfig
    _DefaultName = "night"

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.makeSubtask("subtract")


def test_names() -> None:
    assert ZogyTask().getName() == ZogyTask().getFullName() == "zogy"
    assert ZogyTask(name="mine").getName() == "mine"
    top = NightTask(name="top")
    assert isinstance(top.subtract, ZogyTask)
    assert top.subtract.getName() == "subtract"
    assert top.subtract.getFullName() == "top.subtract"


def test_the_task_dict_holds_the_whole_family() -> None:
    top = NightTask()
    expected = {"night": top, "night.subtract": top.subtract}
    assert top.getTaskDict() == expected
    assert top.subtract.getTaskDict() == expected
    top.getTaskDict().clear()
    assert top.getTaskDict() == expected


def test_a_subtask_takes_its_settings_from_the_parents_config() -> None:
    config = NightConfig()
    config.subtract.maxPsfCentroidDist = 0.7
    top = NightTask(config=config)
    assert top.subtract.config.maxPsfCentroidDist == 0.7
    assert top.subtract.config is config.subtract.value
    again = ZogyTask(name="again", parentTask=top)
    assert again.config is config.again.value
    assert ZogyTask(ZogyConfig.lsst(), name="again", parentTask=top).config.padSky is False


def test_each_config_has_a_subtask_config_of_its_own() -> None:
    first, second = NightConfig(), NightConfig()
    first.subtract.doSpatialGrid = True
    assert not second.subtract.doSpatialGrid
    assert not NightConfig().subtract.value.doSpatialGrid
    assert not first.again.doSpatialGrid


def test_a_subtask_field_takes_a_config_or_another_class() -> None:
    class OtherTask(ZogyTask):
        """Same settings, other class."""

    config = NightConfig(subtract=ZogyConfig(gridInnerSize=3.0))
    assert config.subtract.gridInnerSize == 3.0
    config.subtract = ZogyConfig(gridInnerSize=4.0)
    assert config.subtract.gridInnerSize == 4.0
    config.subtract.retarget(OtherTask)
    assert isinstance(NightTask(config=config).subtract, OtherTask)
    with pytest.raises(InputError, match="give a ZogyConfig"):
        config.subtract = {"gridInnerSize": 4.0}
    assert NightConfig.param["subtract"].doc == "subtracts the template"


def test_errors_of_making_tasks() -> None:
    top = NightTask()
    with pytest.raises(KeyError, match="no subtask 'missing'"):
        top.makeSubtask("missing")
    with pytest.raises(KeyError, match="no subtask 'limit'"):
        top.makeSubtask("limit")
    with pytest.raises(ValueError, match="subtask has no name"):
        ZogyTask(parentTask=top)
    with pytest.raises(ValueError, match="give a ZogyConfig"):
        ZogyTask(config=NightConfig())
    with pytest.raises(TypeError):
        ZogyTask(ZogyConfig(), "name by position")


def test_timer_records_start_and_end_even_of_a_block_that_fails() -> None:
    task = ZogyTask()
    with task.timer("first"):
        pass
    with pytest.raises(RuntimeError), task.timer("second"):
        raise RuntimeError
    for name in ("first", "second"):
        for item in ("Utc", "CpuTime"):
            assert task.metadata[f"{name}Start{item}"] <= task.metadata[f"{name}End{item}"]


def test_timer_logs_at_the_level_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    task = ZogyTask(log=logging.getLogger("mine"))
    with caplog.at_level(logging.INFO):
        with task.timer("quiet"):
            pass
        with task.timer("loud", logging.INFO):
            pass
    assert [record.name for record in caplog.records] == ["mine.zogy"] * 2
    assert [record.message.split(":")[0] for record in caplog.records] == ["loudStart", "loudEnd"]


def test_full_metadata_is_keyed_by_full_names_with_colons() -> None:
    top = NightTask(name="top")
    top.metadata["count"] = 1
    with top.subtract.timer("run"):
        pass
    full = top.getFullMetadata()
    assert list(full) == ["top", "top:subtract"]
    assert full["top.count"] == 1
    assert full["top:subtract.runEndUtc"] == top.subtract.metadata["runEndUtc"]
    assert "top:subtract.runEndCpuTime" in full.names()
    assert "top:subtract.nothing" not in full
    assert top.subtract.getFullMetadata().names() == full.names()


def test_empty_metadata_empties_this_task_and_those_below() -> None:
    top = NightTask()
    top.metadata["count"] = 1
    top.subtract.metadata["count"] = 2
    top.subtract.emptyMetadata()
    assert top.getFullMetadata().names() == {"night.count"}
    top.emptyMetadata()
    assert top.getFullMetadata().names() == set()


def test_metadata_keeps_every_value() -> None:
    metadata = TaskMetadata()
    metadata.add("n", 1)
    metadata.add("n", 2)
    assert metadata["n"] == metadata.getScalar("n") == 2
    assert metadata.getArray("n") == [1, 2]
    assert metadata.to_dict() == {"n": [1, 2]}
    metadata["n"] = 3
    assert metadata.getArray("n") == [3]
    del metadata["n"]
    assert len(metadata) == 0
    with pytest.raises(KeyError):
        metadata["n"]


def test_run_records_times_and_counts(noise_pair: Callable[..., tuple[Exposure, Exposure]]) -> None:
    top = NightTask()
    top.subtract.run(*noise_pair())
    full = top.getFullMetadata()
    assert full["night:subtract.nCells"] == 1
    assert full["night:subtract.nCellsFailed"] == 0
    assert full["night:subtract.nPixels"] == 96 * 90
    assert full["night:subtract.runStartUtc"] < full["night:subtract.runEndUtc"]
    top.subtract.run(*noise_pair())
    assert full["night:subtract"].getArray("nCells") == [1, 1]


def test_run_without_a_usable_cell_still_counts(
    noise_pair: Callable[..., tuple[Exposure, Exposure]],
) -> None:
    task = ZogyTask(config=ZogyConfig(maxPsfCentroidDist=0.1))
    science, template = noise_pair(sides=(25, 25))
    shifted = np.roll(template.psf.kernel_image(x=0, y=0), 2, axis=1)
    with pytest.raises(NoUsableCellError):
        task.run(science, template.replace(psf=task.makeKernelPsfFromArray(shifted)))
    assert task.metadata["nCellsFailed"] == 1


def test_one_task_can_run_in_several_threads(
    noise_pair: Callable[..., tuple[Exposure, Exposure]],
) -> None:
    task = ZogyTask()
    pairs = [noise_pair(seed=seed) for seed in range(4)]
    with ThreadPoolExecutor(2) as executor:
        results = list(executor.map(lambda pair: task.run(*pair), pairs))
    for pair, result in zip(pairs, results, strict=True):
        expected = ZogyTask().run(*pair)
        np.testing.assert_array_equal(result.diffExp.image, expected.diffExp.image)


def test_tasks_and_results_can_be_pickled(
    noise_pair: Callable[..., tuple[Exposure, Exposure]],
) -> None:
    task = pickle.loads(pickle.dumps(ZogyTask(config=ZogyConfig.lsst(), name="sent")))
    assert task.getName() == "sent"
    assert task.config.hash() == ZogyConfig.lsst().hash()
    found = task.run(*noise_pair()).ftDiff
    travelled = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(travelled.D, found.D)
    assert set(found.getDict()) >= {"Fd", "D", "S", "freqSpaceShape", "borderSize"}
