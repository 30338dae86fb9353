from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import pytest

from trackbook.data.diff import ABSENT, Recorded, changed, code_diff, differences


def recorded(label: str = "a", **known: Any) -> Recorded:
    return Recorded(**{"label": label, "config": {}, "metrics": {}, **known})


def test_what_is_nested_has_joined_names_and_what_is_equal_is_left_out() -> None:
    first = {"lr": 0.1, "opt": {"name": "adam", "betas": [0.9, 0.99], "more": {}}, "seed": 1}
    second = {"lr": 0.2, "opt": {"name": "adam", "betas": [0.9, 0.95], "more": {}}, "epochs": 5}
    assert changed(first, second) == {
        "lr": (0.1, 0.2),
        "opt.betas": ([0.9, 0.99], [0.9, 0.95]),
        "seed": (1, ABSENT),
        "epochs": (ABSENT, 5),
    }


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (math.nan, math.nan), ([math.nan], [math.nan]), (None, None)])
def test_values_that_read_the_same_are_equal(one: Any, other: Any) -> None:
    assert changed({"x": one}, {"x": other}) == {}


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (None, ABSENT), (None, 0), ("1", 1), ({}, []), ([1], [1, 2])]
)
def test_and_others_are_not(one: Any, other: Any) -> None:
    first, second = ({} if value is ABSENT else {"x": value} for value in (one, other))
    assert list(changed(first, second)) == ["x"]


def test_items_of_a_list_are_compared_one_by_one() -> None:
    first, second = {"gpus": [{"name": "A"}, {"name": "B"}]}, {"gpus": [{"name": "A"}, {"name": "C"}, {"name": "D"}]}
    assert changed(first, second) == {"gpus.1.name": ("B", "C"), "gpus.2.name": (ABSENT, "D")}


def test_a_value_in_place_of_an_object_is_a_difference() -> None:
    assert changed({"x": {"y": 1}}, {"x": 1}) == {"x.y": (1, ABSENT), "x": (ABSENT, 1)}


def test_code_is_compared_cell_by_cell_in_the_order_of_execution() -> None:
    first = recorded("one", sources=["import this\nx = 1", "train(x)"])
    second = recorded("two", sources=["import this\nx = 2", "train(x)"])
    assert code_diff(first, second).splitlines() == [
        "--- one",
        "+++ two",
        "@@ -1,5 +1,5 @@",
        " # %%",
        " import this",
        "-x = 1",
        "+x = 2",
        " # %%",
        " train(x)",
    ]
    assert code_diff(first, first) == ""


def test_a_cell_that_was_executed_once_more_stands_out() -> None:
    found = code_diff(recorded(sources=["a()"]), recorded(sources=["a()", "b()"]))
    assert [line for line in found.splitlines()[2:] if line[0] in "+-"] == ["+# %%", "+b()"]


def test_of_the_environment_by_name_what_is_the_runs() -> None:
    first = {"process": {"pid": 1, "command": "x"}, "packages": {"b": "1"}, "disk": {"free_gb": 3.0}}
    second = {"process": {"pid": 2, "command": "y"}, "packages": {"b": "2", "a": "1"}, "disk": {"free_gb": 4.0}}
    found = differences(recorded(environment=first), recorded(environment=second)).environment
    assert list(found.items()) == [
        ("packages.a", (ABSENT, "1")),
        ("packages.b", ("1", "2")),
        ("process.command", ("x", "y")),
    ]


def test_what_was_not_recorded_of_one_run_is_no_difference_but_is_named() -> None:
    found = differences(recorded("a", environment={"x": 1}), recorded("b", environment={}, sources=["x"]))
    assert (found.environment, found.code, found.unknown) == ({"x": (1, ABSENT)}, "", {"code": ["a"]})
    found = differences(recorded("a"), recorded("b"))
    assert found.unknown == {"environment": ["a", "b"], "code": ["a", "b"]}


def test_metrics_are_all_there_equal_ones_too() -> None:
    found = differences(recorded(metrics={"loss": 1.0, "acc": 0.5}), recorded(metrics={"loss": 1.0, "f1": 0.1}))
    assert found.metrics == {"loss": (1.0, 1.0), "acc": (0.5, ABSENT), "f1": (ABSENT, 0.1)}


def test_absent_is_one_and_says_so() -> None:
    assert repr(ABSENT) == "absent"
    assert copy.deepcopy(ABSENT) is ABSENT
    assert pickle.loads(pickle.dumps(ABSENT)) is ABSENT
