from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from trackbook._steps import Steps
from trackbook._values import LARGEST_STEP, to_step


def test_each_metric_counts_for_itself_from_0() -> None:
    """The worked example of SwanLab's documentation (reference/swanlab-log.zh.md)."""
    steps = Steps("metric", {})
    assert steps.assign(["loss", "acc"], None) == [0, 0]
    assert steps.assign(["loss", "iter"], None) == [1, 0]
    assert steps.assign(["loss", "iter", "acc"], None) == [2, 1, 1]


def test_the_next_step_is_the_metrics_largest_plus_1() -> None:
    steps = Steps("metric", {})
    steps.assign(["loss"], 10)
    steps.assign(["loss"], 3)
    assert steps.assign(["loss", "acc"], None) == [11, 0]


def test_a_given_step_holds_for_every_metric_of_the_call() -> None:
    steps = Steps("metric", {})
    steps.assign(["loss"], None)
    assert steps.assign(["loss", "acc"], 5) == [5, 5]


def test_counted_by_run_every_call_is_a_step_of_all_metrics() -> None:
    steps = Steps("run", {})
    assert steps.assign(["loss", "acc"], None) == [0, 0]
    assert steps.assign(["loss"], None) == [1]
    assert steps.assign(["acc"], None) == [2]


def test_counted_by_run_it_goes_on_after_the_largest_step_of_all() -> None:
    steps = Steps("run", {})
    steps.assign(["loss"], 10)
    steps.assign(["acc"], 3)
    assert steps.assign(["acc"], None) == [11]


@pytest.mark.parametrize(("by", "steps"), [("metric", [5, 3, 0]), ("run", [5, 5, 5])])
def test_a_resumed_run_goes_on_where_it_was(by: Any, steps: list[int]) -> None:
    assert Steps(by, {"loss": 4, "acc": 2}).assign(["loss", "acc", "lr"], None) == steps


@pytest.mark.parametrize("by", ["metric", "run"])
def test_after_the_largest_step_there_is_no_next_and_nothing_is_counted(by: Any) -> None:
    steps = Steps(by, {"loss": LARGEST_STEP})
    with pytest.raises(ValueError, match=r"the largest step, 2\*\*63 - 1, is taken"):
        steps.assign(["acc", "loss"], None)
    assert steps.assign(["acc"], 0) == [0]
    assert Steps("metric", {"loss": LARGEST_STEP}).assign(["acc"], None) == [0]


@pytest.mark.parametrize(
    "step",
    [
        7,
        np.int64(7),
        np.uint8(7),
        7.0,
        np.float32(7),
        np.array(7),
        np.array(7.0),
        Decimal(7),
        Decimal("7.0"),
        Fraction(7),
    ],
)
def test_a_whole_number_of_any_kind_is_a_step(step: Any) -> None:
    number = to_step(step)
    assert type(number) is int
    assert number == 7


@pytest.mark.parametrize("step", [0, LARGEST_STEP])
def test_steps_go_from_0_to_the_largest_int64(step: int) -> None:
    assert to_step(step) == step


@pytest.mark.parametrize("step", [2.5, np.float64(2.5), Decimal("2.5"), Fraction(5, 2), math.nan, math.inf])
def test_a_fraction_is_no_step(step: Any) -> None:
    with pytest.raises(ValueError, match=r"step=.* is not a whole number; give one, such as step="):
        to_step(step)


@pytest.mark.parametrize("step", [-1, np.int64(-1), -1.0, -(10**30), pytest.param(-(10**5000), id="-10**5000")])
def test_a_negative_number_is_no_step(step: Any) -> None:
    with pytest.raises(ValueError, match="is negative; steps start at 0"):
        to_step(step)


@pytest.mark.parametrize("step", [2**63, np.uint64(2**63), 1e300, pytest.param(10**5000, id="10**5000")])
def test_what_int64_cannot_hold_is_no_step(step: Any) -> None:
    with pytest.raises(ValueError, match=r"beyond 2\*\*63 - 1, the largest step"):
        to_step(step)


@pytest.mark.parametrize("step", ["7", None, [7], np.array([7]), np.array([7, 8]), 7j, object(), int, b"7"])
def test_what_is_no_number_is_no_step(step: Any) -> None:
    with pytest.raises(TypeError, match=r"step=.*give a whole number, such as step=7"):
        to_step(step)


@pytest.mark.parametrize("step", [True, False, np.bool_(True)])
def test_a_bool_is_no_step(step: Any) -> None:
    with pytest.raises(TypeError, match="is a bool; give a whole number"):
        to_step(step)
