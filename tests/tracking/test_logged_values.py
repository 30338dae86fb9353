from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from trackbook.tracking.logged_values import DEEPEST_NESTING, LARGEST_STEP, check_name, check_text, flatten, to_step


class Level(IntEnum):
    HIGH = 3


class Metric(str, Enum):  # noqa: UP042  # the kind whose str() is not its value
    LOSS = "loss"


class Tensor:
    """Like scalars of torch and jax: with a shape and `item`, but without numpy."""

    def __init__(self, item: Any, shape: Any = ()) -> None:
        self._item = item
        self.shape = shape

    def item(self) -> Any:
        return self._item


class EagerTensor:
    """Like tensorflow's tensors: with `numpy`, but without `item`."""

    shape = ()

    def numpy(self) -> Any:
        return np.float32(0.5)


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no repr today")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3.0),
        (0.25, 0.25),
        (True, 1.0),
        (Level.HIGH, 3.0),
        ("0.5", 0.5),
        (" 1e-3 ", 0.001),
        ("inf", math.inf),
        (Decimal("0.1"), 0.1),
        (Fraction(1, 4), 0.25),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.int64(7), 7.0),
        (np.uint8(255), 255.0),
        (np.bool_(True), 1.0),
        (np.str_("0.5"), 0.5),
        (np.array(0.5), 0.5),
        (np.array([0.5]), 0.5),
        (np.array([[[7]]]), 7.0),
        (np.array(["0.5"]), 0.5),
        (np.array([Decimal("0.5")]), 0.5),
        (np.ma.array([3], mask=[False]), 3.0),
        (Tensor(0.5), 0.5),
        (Tensor(7, (1, 1)), 7.0),
        (Tensor(True), 1.0),
        (EagerTensor(), 0.5),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
        (10**300, 1e300),
        (-0.0, -0.0),
    ],
)
def test_number_of_any_library_becomes_a_float(value: Any, number: float) -> None:
    (taken,) = flatten({"loss": value}).values()
    assert type(taken) is float
    assert taken == number
    assert math.copysign(1, taken) == math.copysign(1, number)


@pytest.mark.parametrize(
    "value", [math.nan, "nan", np.float32("nan"), Decimal("NaN"), np.array([np.nan]), Tensor(math.nan)]
)
def test_nan_is_a_value(value: Any) -> None:
    assert math.isnan(flatten({"loss": value})["loss"])


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("high", "put text into config"),
        ("", "put text into config"),
        (None, "leave it out of the call"),
        ([1.0, 2.0], "log its mean"),
        ((1.0,), "log its mean"),
        ({1.0}, "log its mean"),
        (object(), "log a number"),
        (float, "log a number"),
        (np.float64, "log a number"),
        (b"1", "log a number"),
        (1j, "log a number"),
        (datetime.now(UTC), "log a number"),
        (np.array([1.0, 2.0]), ".mean()"),
        (np.array([]), ".mean()"),
        (np.array(None), "log a number"),
        (np.complex128(1j), "log a number"),
        (np.array(b"1"), "log a number"),
        (np.array((1.0, 2.0), dtype=[("a", "f8"), ("b", "f8")]), "log a number"),
        (np.datetime64("2026-01-01", "ns"), "log a number"),
        (np.timedelta64(5, "ns"), "log a number"),
        (np.ma.masked, "leave it out of the call"),
        (np.ma.array([3], mask=[True]), "leave it out of the call"),
        (Tensor([1, 2], (2,)), ".mean()"),
        (Tensor(1, "square"), ".mean()"),
        (Tensor(1, 5), ".mean()"),
    ],
)
def test_non_number_is_a_type_error_with_metric_and_remedy(value: Any, remedy: str) -> None:
    with pytest.raises(TypeError) as raised:
        flatten({"train/loss": value})
    assert "'train/loss'" in str(raised.value)
    assert remedy in str(raised.value)


@pytest.mark.parametrize("value", ["high", object(), b"1", 1j, np.complex128(1j)])
def test_the_error_shows_the_value(value: Any) -> None:
    with pytest.raises(TypeError) as raised:
        flatten({"loss": value})
    assert repr(value) in str(raised.value)


@pytest.mark.parametrize("value", [10**400, Fraction(10**400), pytest.param(10**5000, id="10**5000")])
def test_a_number_too_large_for_a_float_is_a_value_error(value: Any) -> None:
    with pytest.raises(ValueError, match=r"metric 'loss'.*too large.*logarithm"):
        flatten({"loss": value})


def test_a_signaling_nan_is_a_value_error_that_names_the_metric() -> None:
    with pytest.raises(ValueError, match=r"metric 'loss'.*log float\('nan'\)"):
        flatten({"loss": Decimal("sNaN")})


def test_a_long_value_is_shown_short() -> None:
    with pytest.raises(TypeError) as raised:
        flatten({"loss": "x" * 10_000})
    assert len(str(raised.value)) < 300


def test_failing_repr_does_not_hide_the_metric() -> None:
    with pytest.raises(TypeError, match=r"metric 'loss'.*Broken whose repr raises RuntimeError"):
        flatten({"loss": Broken()})


def test_library_error_while_reading_a_value_is_raised_unchanged() -> None:
    class OutOfMemory(Tensor):
        def item(self) -> Any:
            raise MemoryError("on the device")

    with pytest.raises(MemoryError, match="on the device"):
        flatten({"loss": OutOfMemory(1)})


def test_nested_dicts_are_joined_by_slashes_in_the_order_given() -> None:
    values = flatten({"b": 1, "train": {"loss": 2, "acc": {"top1": 3}}, "a": 4})
    assert list(values.items()) == [("b", 1.0), ("train/loss", 2.0), ("train/acc/top1", 3.0), ("a", 4.0)]


def test_an_empty_dict_holds_no_metric() -> None:
    assert flatten({"train": {}}) == {}


@pytest.mark.parametrize(
    "data", [{"a/b": 1, "a": {"b": 2}}, {"a": {"b": 1}, "a/b": 2}, {"a/b": {"c": 1}, "a": {"b/c": 1}}]
)
def test_name_given_nested_and_flat_is_a_value_error(data: Any) -> None:
    with pytest.raises(ValueError, match=r"'a/b.* is given twice in one call"):
        flatten(data)


def test_a_dict_within_itself_is_a_value_error() -> None:
    data: dict[str, Any] = {}
    data["a"] = data
    with pytest.raises(ValueError, match=f"nested more than {DEEPEST_NESTING} deep"):
        flatten(data)


@pytest.mark.parametrize("data", [None, 0.5, "loss", [("loss", 0.5)], {"loss"}])
def test_anything_but_a_dict_is_a_type_error_that_shows_how(data: Any) -> None:
    with pytest.raises(TypeError, match=r"log\(\) takes a dict of metrics, such as log\(\{'loss': 0\.5\}\)"):
        flatten(data)


def test_name_that_is_not_a_string_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"metric name 7 is an object of type int, not a string; log \{'7'"):
        flatten({7: 0.5})  # type: ignore[dict-item]


def test_an_empty_name_is_a_value_error_that_says_where() -> None:
    with pytest.raises(ValueError, match="metric name under 'train/' is empty; give one, such as 'train/loss'"):
        flatten({"train": {"": 0.5}})


@pytest.mark.parametrize("text", ["\ud800", "loss\udcff"])
def test_lone_surrogate_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="half a surrogate pair"):
        check_name(text)


@pytest.mark.parametrize(
    "name",
    [
        "loss",
        "a b",
        "\0",
        "//",
        "/loss",
        "loss/",
        "a.b[0]['c']",
        '<b>"x"</b>',
        "__proto__",
        "datum.value",
        "損失 📉",
        "step",
        "x" * 500,
    ],
)
def test_any_other_text_is_a_valid_name(name: str) -> None:
    assert list(flatten({name: 1})) == [name]


def test_a_name_from_an_enum_is_its_value() -> None:
    (name,) = flatten({Metric.LOSS: 1})
    assert type(name) is str
    assert name == "loss"
    assert str(name) == "loss"


@pytest.mark.parametrize(
    ("text", "error"), [(5, TypeError), (None, TypeError), ("", ValueError), ("\ud800", ValueError)]
)
def test_non_text_error_names_the_field(text: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^project"):
        check_text("project", text)


@pytest.mark.parametrize("change", [lambda a: a.fill(9), lambda a: a.resize(5, refcheck=False)])
def test_later_change_of_an_array_changes_no_logged_value(change: Callable[[Any], None]) -> None:
    array = np.array([0.5])
    values = flatten({"loss": array})
    change(array)
    assert values == {"loss": 0.5}


# --- steps --------------------------------------------------------------------------------------------------------------


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
def test_fraction_is_refused_as_step(step: Any) -> None:
    with pytest.raises(ValueError, match=r"step=.* is not a whole number; give one, such as step="):
        to_step(step)


@pytest.mark.parametrize("step", [-1, np.int64(-1), -1.0, -(10**30), pytest.param(-(10**5000), id="-10**5000")])
def test_negative_number_is_refused_as_step(step: Any) -> None:
    with pytest.raises(ValueError, match="is negative; steps start at 0"):
        to_step(step)


@pytest.mark.parametrize("step", [2**63, np.uint64(2**63), 1e300, pytest.param(10**5000, id="10**5000")])
def test_step_beyond_int64_is_refused(step: Any) -> None:
    with pytest.raises(ValueError, match=r"beyond 2\*\*63 - 1, the largest step"):
        to_step(step)


@pytest.mark.parametrize("step", ["7", None, [7], np.array([7]), np.array([7, 8]), 7j, object(), int, b"7"])
def test_non_number_is_refused_as_step(step: Any) -> None:
    with pytest.raises(TypeError, match=r"step=.*give a whole number, such as step=7"):
        to_step(step)


@pytest.mark.parametrize("step", [True, False, np.bool_(True)])
def test_bool_is_refused_as_step(step: Any) -> None:
    with pytest.raises(TypeError, match="is a bool; give a whole number"):
        to_step(step)
