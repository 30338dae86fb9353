from __future__ import annotations

import argparse
import copy
import json
import math
import pickle
import threading
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from journals import a_run, in_memory
from trackbook.store.memory import MemoryStore
from trackbook.tracking.config import Config, Summary, _said
from trackbook.types import MetricSummary, RunRecord
from trackbook.user_warnings import TrackbookWarning


@dataclass
class Model:
    depth: int = 3


@dataclass
class Settings:
    lr: float = 0.1
    model: Model = field(default_factory=Model)
    lock: Any = field(default_factory=threading.Lock)


class Pydantic:
    def model_dump(self) -> dict[str, Any]:
        return {"lr": 0.1}


class Key(str, Enum):  # noqa: UP042  # the kind whose str() is not its value
    LR = "lr"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text today")


@pytest.mark.parametrize(
    "items",
    [
        {"lr": 0.1},
        [("lr", 0.1)],
        argparse.Namespace(lr=0.1),
        SimpleNamespace(lr=0.1),
        Pydantic(),
        Config({"lr": 0.1}),
        {Key.LR: 0.1},
    ],
)
def test_config_accepts_any_holder_of_names_and_values(items: Any) -> None:
    assert Config(items).to_json() == {"lr": 0.1}


def test_dataclass_values_are_not_copied() -> None:
    settings = Settings()
    _said.discard(type(settings.lock))
    with pytest.warns(TrackbookWarning, match=r"config 'lock' is an object of type .*lock, and recorded as its text"):
        config = Config(settings)
    assert config.lock is settings.lock
    assert config.to_json() == {"lr": 0.1, "model": {"depth": 3}, "lock": str(settings.lock)}


def test_missing_config_is_empty() -> None:
    assert dict(Config(None)) == {}


@pytest.mark.parametrize("items", [5, "lr=0.1", ["depth"], 0.1, b"lr"])
def test_config_without_names_is_recorded_with_a_warning(items: Any) -> None:
    with pytest.warns(TrackbookWarning, match=r"give a dict, such as config=\{'lr': 0.1\}, a dataclass or a namespace"):
        config = Config(items)
    assert config["config"] is items


def test_items_and_attributes_are_the_same() -> None:
    config = Config({"lr": 0.1})
    config.depth = 3
    config["width"] = 4
    assert (config.lr, config["depth"], config.width) == (0.1, 3, 4)
    del config.lr
    assert dict(config) == {"depth": 3, "width": 4}


def test_missing_attribute_error_lists_the_names() -> None:
    with pytest.raises(AttributeError, match="config has no 'rl'; it has 'lr', 'depth'"):
        _ = Config({"lr": 0.1, "depth": 3}).rl


def test_setting_a_method_name_is_an_error_with_the_remedy() -> None:
    config = Config()
    with pytest.raises(AttributeError, match=r"config\.update is a method; set the value as config\['update'\]"):
        config.update = 5
    config["update"] = 5
    assert config["update"] == 5


def test_names_are_text() -> None:
    config = Config({1: "one"})
    config[Key.LR] = 0.1
    assert list(config) == ["1", "lr"]
    assert [type(name) for name in config] == [str, str]


def test_update_takes_what_init_takes_and_keywords() -> None:
    config = Config({"lr": 0.1})
    config.update(argparse.Namespace(lr=0.2, depth=3), width=4)
    config.update({"lr": 0.3}, allow_val_change=True)
    assert dict(config) == {"lr": 0.3, "depth": 3, "width": 4}


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.update(lr=1),
        lambda config: config.__setitem__("lr", 1),
        lambda config: setattr(config, "lr", 1),
        lambda config: config.pop("lr"),
        lambda config: config.setdefault("depth", 1),
        lambda config: config.clear(),
    ],
)
def test_every_change_calls_back(change: Any) -> None:
    told: list[bool] = []
    change(Config({"lr": 0.1}, lambda: told.append(True)))
    assert told


def test_completion_offers_the_names() -> None:
    assert {"lr", "update"} <= set(dir(Config({"lr": 0.1})))


def test_repr_is_that_of_a_dict() -> None:
    assert repr(Config({"lr": 0.1})) == "{'lr': 0.1}"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda config: pickle.loads(pickle.dumps(config))])
def test_copy_is_equal_and_independent(copied: Any) -> None:
    told: list[bool] = []
    config = Config({"lr": 0.1}, lambda: told.append(True))
    other = copied(config)
    other.lr = 0.5
    assert (config.lr, other.lr, told) == (0.1, 0.5, [])


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        ("text", "text"),
        (2**70, 2**70),
        ((1, 2), [1, 2]),
        ({"a": {1: "one"}}, {"a": {"1": "one"}}),
        ([Model()], [{"depth": 3}]),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.array(7), 7),
        (Path("data"), "data"),
        (Model, str(Model)),
        (np.array([1, 2]), "[1 2]"),
        ("\udcff.csv", "\\udcff.csv"),
        ({"\ud800": 1}, {"\\ud800": 1}),
        (Broken(), "<Broken whose str raises RuntimeError>"),
        ([1, Broken()], [1, "<Broken whose str raises RuntimeError>"]),
        pytest.param(10**5000, "<int whose str raises ValueError>", id="10**5000"),
    ],
)
@pytest.mark.filterwarnings("ignore:config 'it' is an object of type .*Broken")
def test_any_value_is_kept_as_json_or_as_text(value: Any, kept: Any) -> None:
    config = Config({"it": value})
    assert config.to_json() == {"it": kept}
    assert json.loads(json.dumps(config.to_json())) == {"it": kept}


def test_infinities_and_nan_are_kept() -> None:
    kept = Config({"high": math.inf, "none": math.nan}).to_json()
    assert kept["high"] == math.inf
    assert math.isnan(kept["none"])


def test_cyclic_value_is_marked_and_the_rest_kept() -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    assert Config({"lr": 0.1, "loop": loop}).to_json() == {"lr": 0.1, "loop": {"self": "<contains itself>"}}


def test_a_change_after_the_first_log_reaches_the_store() -> None:
    store = MemoryStore()
    run = a_run("digits", RunRecord("r1", "a", 0.0, config={"lr": 0.1}), store, in_memory())
    run.log({"loss": 1})
    run.config.lr = 0.2
    run.config.update(depth=3)
    assert stored(store).config == {"lr": 0.2, "depth": 3}


def test_a_change_within_a_value_reaches_the_store_when_the_run_ends() -> None:
    store = MemoryStore()
    run = a_run("digits", RunRecord("r1", "a", 0.0, config={"model": {}}), store, in_memory())
    run.config.model["depth"] = 3
    run.finish()
    assert stored(store).config == {"model": {"depth": 3}}


def test_a_change_after_the_end_reaches_the_store() -> None:
    store = MemoryStore()
    run = a_run("digits", RunRecord("r1", "a", 0.0), store, in_memory())
    run.finish()
    run.config["note"] = "late"
    run.summary["best"] = 1
    assert (stored(store).config, stored(store).summary) == ({"note": "late"}, {"best": 1})
    assert stored(store).state == "finished"


@pytest.mark.filterwarnings("ignore:config 'broken' is an object of type .*Broken")
def test_unprintable_value_does_not_keep_a_run_from_ending() -> None:
    store = MemoryStore()
    run = a_run("digits", RunRecord("r1", "a", 0.0), store, in_memory())
    run.config["broken"] = Broken()
    run.finish()
    assert stored(store).state == "finished"


def test_the_summary_is_the_last_value_of_each_metric_until_another_is_set() -> None:
    figures = {"loss": MetricSummary(last=0.5, min=0.1, max=0.9, count=3, step=2)}
    summary = Summary({}, lambda: figures, lambda: None)
    assert dict(summary) == {"loss": 0.5}
    summary["loss"] = 0.1
    summary.update(best=0.9)
    assert dict(summary) == {"loss": 0.1, "best": 0.9}
    assert summary.to_json() == {"loss": 0.1, "best": 0.9}
    del summary["loss"]
    assert summary["loss"] == 0.5


def test_the_summary_knows_the_extremes() -> None:
    figures = {"loss": MetricSummary(last=0.5, min=0.1, max=0.9, count=3, step=2)}
    summary = Summary({}, lambda: figures, lambda: None)
    assert (summary.min, summary.max) == ({"loss": 0.1}, {"loss": 0.9})
    assert len(summary) == 1
    assert repr(summary) == "{'loss': 0.5}"


def stored(store: MemoryStore) -> RunRecord:
    record = store.run("r1")
    assert record is not None
    return record
