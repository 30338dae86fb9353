from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import json
import re
import warnings
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, NamedTuple

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import trackbook as tb
from trackbook.store.text_gate import MOST_ITEMS, MOST_VALUES, recorded_run
from trackbook.tracking.config import Config, _said
from trackbook.tracking.config_values import Converter
from trackbook.types import RunRecord
from trackbook.user_warnings import TrackbookWarning

attrs = pytest.importorskip("attrs")
ml_collections = pytest.importorskip("ml_collections")
msgspec = pytest.importorskip("msgspec")
omegaconf = pytest.importorskip("omegaconf")
pydantic = pytest.importorskip("pydantic")


@dataclasses.dataclass
class OfDataclass:
    lr: float = 0.1


@attrs.define
class OfAttrs:  # with slots: no `__dict__`
    lr: float = 0.1


@attrs.define(slots=False)
class OfOpenAttrs:
    lr: float = 0.1


class OfPydantic(pydantic.BaseModel):
    lr: float = 0.1


class OfOpenPydantic(pydantic.BaseModel, extra="allow"):
    lr: float = 0.1


class OfMsgspec(msgspec.Struct):
    lr: float = 0.1


class OfNamedTuple(NamedTuple):
    lr: float = 0.1


class OfClassAttributes:
    lr = 0.1


class OfInheritedAttributes(OfClassAttributes):
    pass


class OfAttributes:
    def __init__(self) -> None:
        self.lr = 0.1

    def method(self) -> None: ...


class Optimizer(enum.Enum):
    ADAM = enum.auto()
    SGD = "sgd"


class Level(enum.IntEnum):
    HIGH = 3


HOLDERS = [
    {"lr": 0.1},
    OfDataclass(),
    OfAttrs(),
    OfOpenAttrs(),
    OfPydantic(),
    OfOpenPydantic(),
    OfMsgspec(),
    OfNamedTuple(),
    OfClassAttributes(),
    OfClassAttributes,
    OfInheritedAttributes(),
    OfAttributes(),
    argparse.Namespace(lr=0.1),
    SimpleNamespace(lr=0.1),
    collections.OrderedDict(lr=0.1),
    collections.UserDict(lr=0.1),
    omegaconf.OmegaConf.create({"lr": 0.1}),
    ml_collections.ConfigDict({"lr": 0.1}),
    ml_collections.FrozenConfigDict({"lr": 0.1}),
    Config({"lr": 0.1}),
]


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: getattr(holder, "__name__", type(holder).__name__))
@pytest.mark.parametrize(
    "place",
    [
        lambda holder: (holder, {"lr": 0.1}),
        lambda holder: ({"a": holder}, {"a": {"lr": 0.1}}),
        lambda holder: ({"a": [holder]}, {"a": [{"lr": 0.1}]}),
        lambda holder: (argparse.Namespace(a=(1, {"b": holder})), {"a": [1, {"b": {"lr": 0.1}}]}),
        lambda holder: (SimpleNamespace(a=OfOpenPydantic(b=holder)), {"a": {"lr": 0.1, "b": {"lr": 0.1}}}),
    ],
    ids=["top", "dict", "list", "deep", "mixed"],
)
def test_holder_of_names_is_a_dict_at_every_depth(holder: Any, place: Any) -> None:
    given, kept = place(holder)
    assert Config(given).to_json() == kept


MISSING = ml_collections.ConfigDict({"lr": 0.1})
MISSING.data = ml_collections.config_dict.required_placeholder(str)


class Fails:
    lr = 0.1

    @property
    def data(self) -> str:
        raise RuntimeError


class FailsToList(collections.UserDict[str, Any]):
    def __getitem__(self, name: str) -> Any:
        return {"lr": 0.1}[name]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (omegaconf.OmegaConf.create({"lr": 0.1, "data": "???"}), {"lr": 0.1, "data": "???"}),
        (omegaconf.OmegaConf.create({"a": {"data": "???"}, "b": "${a}"}), {"a": {"data": "???"}, "b": {"data": "???"}}),
        (omegaconf.OmegaConf.create({"lr": 0.1, "other": "${lr}"}), {"lr": 0.1, "other": 0.1}),
        (omegaconf.OmegaConf.create({"lr": 0.1, "other": "${nowhere}"}), {"lr": 0.1, "other": "${nowhere}"}),
        (omegaconf.OmegaConf.create({"b": [1, {"c": [2]}]}), {"b": [1, {"c": [2]}]}),
        (omegaconf.OmegaConf.structured(OfDataclass), {"lr": 0.1}),
        ({"cfg": omegaconf.OmegaConf.create([1, 2])}, {"cfg": [1, 2]}),
        (ml_collections.ConfigDict({"opt": {"lr": 0.1}, "n": (1, 2)}), {"opt": {"lr": 0.1}, "n": [1, 2]}),
        (MISSING, {"lr": 0.1, "data": "<not set: RequiredValueError>"}),
        (Fails(), {"lr": 0.1}),
        (FailsToList(lr=1, data=2), {"lr": 0.1, "data": "<not set: KeyError>"}),
        ({"lr": 0.1, "a": FailsToList(data=2)}, {"lr": 0.1, "a": {"data": "<not set: KeyError>"}}),
    ],
)
def test_missing_or_failing_value_keeps_the_rest(given: Any, kept: Any) -> None:
    assert Config(given).to_json() == kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Optimizer.SGD, "sgd"),
        (Optimizer.ADAM, "ADAM"),
        (Level.HIGH, 3),
        ({Optimizer.SGD: 1}, {"Optimizer.SGD": 1}),
        ({(1, 2): "a", None: "b", 3: "c"}, {"(1, 2)": "a", "None": "b", "3": "c"}),
        ({"b", "a"}, ["a", "b"]),
        (frozenset([2, "a", 1]), [1, 2, "a"]),
        (collections.deque([1, 2]), [1, 2]),
        (PurePosixPath("a/b"), "a/b"),
        (Path("a"), "a"),
        (dt.date(2024, 1, 2), "2024-01-02"),
        (decimal.Decimal("0.1"), "0.1"),
        (1 + 2j, "(1+2j)"),
        (range(3), "range(0, 3)"),
        (b"ab\xff", "ab\\xff"),
        (re.compile("a+"), "a+"),
        (json.dumps, "json.dumps"),
        (functools.partial(json.dumps, indent=1), "partial(json.dumps)"),
        ([].append, "builtins.list.append"),
        (np.dtype("float32"), "float32"),
        (np.float16(0.5), 0.5),
        (np.arange(3), "[0 1 2]"),
        (np.datetime64("2024-01-02"), "2024-01-02"),
        (pydantic.SecretStr("hunter2"), "**********"),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_conversion_is_the_same_at_every_depth(value: Any, kept: Any, depth: int) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Secret")
        for _ in range(depth):
            value, kept = {"a": [value]}, {"a": [kept]}
        found = Config({"it": value}).to_json()
    if "append" in str(kept):
        assert "append" in str(found)
    else:
        assert found == {"it": kept}


def test_unknown_type_is_warned_of_once_with_its_place() -> None:
    class Model:
        def __repr__(self) -> str:
            return "Model()"

    with pytest.warns(TrackbookWarning, match=r"config 'a\.b' is an object of type .*Model, and recorded as its text"):
        assert Config({"a": {"b": Model()}}).to_json() == {"a": {"b": "Model()"}}
    Config({"a": Model()}).update(b=[Model()])  # without a warning, which would be an error here
    assert Model in _said


def test_cycles_end() -> None:
    items: list[Any] = [1]
    items.append(items)
    namespace = SimpleNamespace(lr=0.1)
    namespace.me = namespace
    config = Config({"items": items, "n": namespace}).to_json()
    assert config == {"items": [1, "<contains itself>"], "n": {"lr": 0.1, "me": "<contains itself>"}}


def test_repeated_value_is_not_a_cycle() -> None:
    shared = {"lr": 0.1}
    assert Config({"a": shared, "b": [shared, shared]}).to_json() == {"a": shared, "b": [shared, shared]}


def test_endless_nesting_ends() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    assert json.dumps(Config({"deep": deep}).to_json())


def test_large_configs_are_kept_whole_for_the_program_and_bounded_in_the_store() -> None:
    text, names = "x" * 10_000_000, [f"class {i}" for i in range(5 * MOST_ITEMS)]
    config = {"text": text, "names": names, "grid": {f"k{i}": list(range(1000)) for i in range(1000)}}
    with tb.init("p", config=config, capture=False, mode="disabled") as run:
        assert (run.config.text, run.config.names[-1]) == (text, names[-1])
        stored = run.record.config
    assert len(stored["names"]) == MOST_ITEMS
    assert stored["names"][-1] == f"{4 * MOST_ITEMS + 1:,} left out"
    assert len(json.dumps(stored)) < 100 * MOST_VALUES
    assert recorded_run(RunRecord("r", "n", 1.0, config=stored)).config == stored


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.dates()
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.builds(SimpleNamespace, a=inner)
    ),
    max_leaves=20,
)


@hypothesis.given(VALUES)
def test_any_value_becomes_json(value: Any) -> None:
    kept = Converter().plain(value)
    text = json.dumps(kept, ensure_ascii=False)
    assert json.dumps(json.loads(text.encode()), ensure_ascii=False) == text
