from __future__ import annotations

import pickle
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from journals import a_run, in_memory
from trackbook import TrackbookWarning
from trackbook.magics import tracker as tracker_module
from trackbook.magics.instrument import DUE, FAILED, KINDS, LATER, VALUE
from trackbook.magics.tracker import Tracker
from trackbook.store.memory import MemoryStore
from trackbook.tracking.endings import Stopped
from trackbook.tracking.run import Run
from trackbook.types import RunRecord
from trackbook.user_warnings import warn


@pytest.fixture
def run() -> Run:
    return a_run("p", RunRecord(id="r", name="r", started=0.0), MemoryStore(), in_memory())


def began(run: Run, *metrics: str, **options: Any) -> Tracker:
    tracker = Tracker(metrics or ("x",), say=warn, **options)
    tracker.begin(run)
    return tracker


def points(run: Run) -> list[tuple[str, int, float]]:
    return run.history().select("metric", "step", "value").rows()


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0.5, 0.5),
        (2, 2.0),
        (True, 1.0),
        (Decimal("0.25"), 0.25),
        (Fraction(1, 4), 0.25),
        ("1e-3", 0.001),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3.0),
        (np.array([[4]]), 4.0),
        (np.array(5.0), 5.0),
    ],
)
def test_numbers_of_known_types_are_logged(run: Run, value: object, number: float) -> None:
    assert began(run)(VALUE, value) is False
    assert points(run) == [("x", 0, number)]


class Convertible:
    """A user's class, whose conversion would run the user's code."""

    shape = ()

    def __float__(self) -> float:
        raise AssertionError

    item = __index__ = __array__ = __repr__ = __float__  # type: ignore[assignment]


class Number(float):
    def __float__(self) -> float:
        raise AssertionError


@pytest.mark.parametrize("value", [Convertible(), Number(1), [1], None, {"a": 1}, object, lambda: 1, 1j])
def test_other_values_are_refused_without_running_their_code(run: Run, value: object) -> None:
    tracker = began(run, "x", "y")
    with pytest.warns(TrackbookWarning, match=r"'x' is of type \w+ here, which cannot be tracked") as said:
        tracker(VALUE, value)
    tracker(VALUE, value)
    tracker(KINDS + VALUE, 1)
    assert len(said) == 1
    assert points(run) == [("y", 0, 1.0)]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (np.zeros((2, 3)), "'x' is an array of 2 x 3 here; track one number of it, as in: x.mean()"),
        (np.array([]), "'x' is an array of 0 here"),
        ("text", "the string 'text' is not a number"),
        (np.array("text"), "the string 'text' is not a number"),
        (10**400, "too large"),
        (np.complex128(1j), "not a real number"),
    ],
)
def test_non_number_of_a_known_type_is_refused_once(run: Run, value: object, why: str) -> None:
    tracker = began(run)
    with pytest.warns(TrackbookWarning) as said:
        tracker(VALUE, value)
    tracker(VALUE, value)
    assert why in str(said[0].message)


def test_a_value_that_becomes_loggable_is_logged(run: Run) -> None:
    tracker = began(run)
    with pytest.warns(TrackbookWarning):
        tracker(VALUE, None)
    tracker(VALUE, 1)
    assert points(run) == [("x", 0, 1.0)]


def test_lenient_tracker_ignores_non_numbers(run: Run) -> None:
    tracker = began(run, lenient=True)
    for value in ([1], None, "1", np.zeros(3), Convertible(), 10**400, 2):
        tracker(VALUE, value)
    assert points(run) == [("x", 0, 2.0)]


@pytest.mark.parametrize("name", ["DynamicJaxprTracer", "SymbolicTensor"])
def test_placeholders_of_compilers_are_ignored(run: Run, name: str) -> None:
    base = type("Tracer" if "Tracer" in name else name, (), {"__module__": "jax._src.core"})
    kind = type(name, (base,), {"__module__": "jax._src.interpreters", "shape": (), "item": lambda _: 1 / 0})
    began(run)(VALUE, kind())
    assert points(run) == []


class Tensor:
    """A one-element tensor of a known library, which is slow to read."""

    shape = ()
    dtype = None

    def __init__(self) -> None:
        self.read = 0

    def item(self) -> float:
        self.read += 1
        return 0.5


Tensor.__module__ = "torch"


def test_a_value_that_is_not_due_is_not_read(run: Run) -> None:
    tracker, tensor = began(run, every=4), Tensor()
    for _ in range(8):
        if tracker(DUE, None) and tracker(VALUE, tensor):
            pass
    assert tensor.read == 2
    assert points(run) == [("x", 0, 0.5), ("x", 1, 0.5)]


def test_every_and_min_interval_combine(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 5.0, 6.0])
    monkeypatch.setattr(tracker_module, "time", SimpleNamespace(monotonic=lambda: next(now)))
    tracker = began(run, every=2, min_interval=5.0)
    assert [tracker(DUE, None) for _ in range(5)] == [True, False, False, True, False]


def test_each_metric_is_counted_for_itself(run: Run) -> None:
    tracker = began(run, "x", "y", every=2)
    assert [tracker(DUE, None), tracker(KINDS + DUE, None), tracker(DUE, None)] == [True, True, False]


def test_a_value_may_come_as_a_function(run: Run) -> None:
    began(run)(LATER, lambda: 3)
    assert points(run) == [("x", 0, 3.0)]


def raising(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def test_an_expression_that_fails_is_warned_of_once(run: Run) -> None:
    tracker = began(run)
    with pytest.warns(TrackbookWarning, match="'x' is not tracked here: ZeroDivisionError: no"):
        tracker(LATER, raising(ZeroDivisionError("no")))
    try:
        {}["missing"]
    except KeyError:
        tracker(FAILED, None)
    assert tracker.why_not("x") is None


def test_name_not_assigned_yet_is_not_reported(run: Run) -> None:
    tracker = began(run)
    tracker(LATER, raising(NameError("name 'y' is not defined")))
    assert tracker.why_not("x") == "name 'y' is not defined"


def test_reason_may_be_that_code_was_only_traced(run: Run) -> None:
    class Tracer:
        pass

    Tracer.__module__ = "jax.core"
    tracker = began(run)
    tracker(VALUE, Tracer())
    assert tracker.why_not("x") == "its code ran only while a compiler traced it"


def test_interrupt_is_not_swallowed(run: Run) -> None:
    with pytest.raises(KeyboardInterrupt):
        began(run)(LATER, raising(KeyboardInterrupt()))


def test_steps_come_in_a_pair(run: Run) -> None:
    tracker = began(run, stepped=True)
    tracker(VALUE, (0.5, np.int64(7)))
    tracker(LATER, lambda: (1.5, 8))
    with pytest.warns(TrackbookWarning, match="step=1.5 is not a whole number"):
        tracker(VALUE, (2.5, 1.5))
    assert points(run) == [("x", 7, 0.5), ("x", 8, 1.5)]


def test_tracker_without_a_run_ignores_values(run: Run) -> None:
    tracker = Tracker(["x"])
    tracker(VALUE, 1)
    tracker.begin(run)
    tracker.end()
    tracker(VALUE, 1)
    assert (points(run), tracker.missed) == ([], False)


def test_value_after_the_end_of_the_run_is_noted(run: Run) -> None:
    tracker = began(run)
    run.finish()
    tracker(VALUE, 1)
    assert (points(run), tracker.missed) == ([], True)


def test_unpickled_tracker_does_nothing(run: Run) -> None:
    stand_in = pickle.loads(pickle.dumps(began(run)))
    for kind in (VALUE, DUE, LATER, FAILED):
        assert stand_in(kind, np.zeros(3)) is False
        assert stand_in(kind, None) is False
    assert "trackbook" not in type(stand_in).__module__


@pytest.mark.parametrize("code", [VALUE, LATER])
def test_stop_request_ends_tracked_code(run: Run, code: int) -> None:
    tracker = began(run)
    run._stop_raises = True
    run.stop()
    with pytest.raises(Stopped):
        tracker(code, (lambda: 1.0) if code == LATER else 1.0)
    assert points(run) == [("x", 0, 1.0)]


def test_stop_passes_handlers_around_expressions(run: Run) -> None:
    tracker = began(run)

    def rewritten() -> None:
        try:
            tracker(VALUE, 1.0)
        except Exception:  # noqa: BLE001  as rewritten code does
            tracker(FAILED, None)

    run._stop_raises = True
    run.stop()
    with pytest.raises(Stopped):
        rewritten()
