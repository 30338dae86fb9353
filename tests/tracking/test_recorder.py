from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from journals import drained, in_memory
from trackbook.journal.journal import FileJournal
from trackbook.journal.records import NEXT_STEP
from trackbook.tracking.logged_values import LARGEST_STEP
from trackbook.tracking.recorder import Recorder


class Counted:
    """A recorder whose calls return their steps."""

    def __init__(self, by: Any, largest: dict[str, int] | None = None) -> None:
        self.journal = in_memory()
        self.recorder = Recorder(self.journal, by, largest or {})

    def steps(self, metrics: Sequence[str], step: int | None = None) -> list[int]:
        assert self.recorder.record(0.0, dict.fromkeys(metrics, 0.5), step)
        return [number for _, number, _ in drained(self.journal)]


# --- counting ---------------------------------------------------------------------------------------------------------


def test_each_metric_counts_for_itself_from_0() -> None:
    """The worked example of SwanLab's documentation (reference/swanlab-log.zh.md)."""
    counted = Counted("metric")
    assert counted.steps(["loss", "acc"]) == [0, 0]
    assert counted.steps(["loss", "iter"]) == [1, 0]
    assert counted.steps(["loss", "iter", "acc"]) == [2, 1, 1]


def test_the_next_step_is_the_metrics_largest_plus_1() -> None:
    counted = Counted("metric")
    counted.steps(["loss"], 10)
    counted.steps(["loss"], 3)
    assert counted.steps(["loss", "acc"]) == [11, 0]


def test_a_given_step_holds_for_every_metric_of_the_call() -> None:
    counted = Counted("metric")
    counted.steps(["loss"])
    assert counted.steps(["loss", "acc"], 5) == [5, 5]


def test_run_counter_gives_all_metrics_of_a_call_one_step() -> None:
    counted = Counted("run")
    assert counted.steps(["loss", "acc"]) == [0, 0]
    assert counted.steps(["loss"]) == [1]
    assert counted.steps(["acc"]) == [2]


def test_run_counter_continues_after_the_largest_step() -> None:
    counted = Counted("run")
    counted.steps(["loss"], 10)
    counted.steps(["acc"], 3)
    assert counted.steps(["acc"]) == [11]


@pytest.mark.parametrize("step", [None, 5])
@pytest.mark.parametrize("by", ["metric", "run"])
def test_empty_call_counts_no_step(by: Any, step: int | None) -> None:
    counted = Counted(by)
    assert counted.steps([], step) == []
    assert counted.steps(["loss"]) == [0]


@pytest.mark.parametrize(("by", "steps"), [("metric", [5, 3, 0]), ("run", [5, 5, 5])])
def test_resumed_run_continues_its_steps(by: Any, steps: list[int]) -> None:
    assert Counted(by, {"loss": 4, "acc": 2}).steps(["loss", "acc", "lr"]) == steps


@pytest.mark.parametrize("by", ["metric", "run"])
def test_call_after_the_largest_step_is_refused(by: Any) -> None:
    counted = Counted(by, {"loss": LARGEST_STEP})
    for _ in range(2):
        with pytest.raises(ValueError, match=r"the largest step, 2\*\*63 - 1, is taken"):
            counted.steps(["acc", "loss"])
    assert counted.steps(["acc"], 0) == [0]


def test_refused_call_counts_no_metric() -> None:
    counted = Counted("metric", {"loss": LARGEST_STEP})
    with pytest.raises(ValueError):
        counted.steps(["acc", "loss"])
    assert counted.steps(["acc"]) == [0]


# --- closing ----------------------------------------------------------------------------------------------------------


def test_closed_recorder_refuses_calls() -> None:
    counted = Counted("metric")
    counted.recorder.close()
    assert not counted.recorder.record(0.0, {"loss": 0.5}, None)
    assert drained(counted.journal) == []


# --- at once ----------------------------------------------------------------------------------------------------------


def test_threads_get_each_step_once() -> None:
    counted = Counted("metric")

    def log() -> None:
        for _ in range(200):
            counted.recorder.record(0.0, {"loss": 0.5, "acc": 0.5}, None)

    threads = [threading.Thread(target=log) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = drained(counted.journal)
    for name in ("loss", "acc"):
        assert [step for metric, step, _ in found if metric == name] == list(range(4000))


class Interrupting(FileJournal):
    """A journal during whose write a signal handler runs, once."""

    def __init__(self, at: str) -> None:
        super().__init__(None, {"id": "r1"})
        self.at = at
        self.handler: Callable[[], object] | None = None

    def signal(self, place: str) -> None:
        handler = self.handler
        if handler is not None and place == self.at:
            self.handler = None
            handler()

    def metric(self, name: str) -> int:
        self.signal("before a name")
        number = super().metric(name)
        self.signal("after a name")
        return number

    def write(self, count: int, fields: Any) -> None:
        self.signal("before a record")
        super().write(count, fields)
        self.signal("after a record")

    def _next_segment(self, needed: int) -> None:
        self.signal("before a segment")
        super()._next_segment(needed)
        self.signal("after a segment")


@pytest.mark.parametrize("place", ["a name", "a record", "a segment"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("by", ["metric", "run"])
def test_signal_handler_may_log_during_a_call(by: Any, when: str, place: str) -> None:
    journal = Interrupting(f"{when} {place}")
    recorder = Recorder(journal, by, {})
    journal.handler = lambda: recorder.record(0.0, {"loss": 1.5, "acc": 1.5}, None)
    recorder.record(0.0, {"loss": 0.5, "acc": 0.5}, None)
    recorder.record(0.0, {"loss": 2.5, "acc": 2.5}, None)
    assert journal.handler is None
    found = drained(journal)
    for name in ("loss", "acc"):
        assert sorted(step for metric, step, _ in found if metric == name) == [0, 1, 2]


def test_a_signal_handler_may_log_a_new_metric_while_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trackbook import filesystem

    journal = FileJournal(tmp_path, {"id": "r1"})
    journal.open()
    recorder = Recorder(journal, "metric", {})
    write_all = filesystem.write_all
    signals = [{"acc": 0.5}, {"loss": 0.5}]

    def write_and_be_interrupted(descriptor: int, data: Any) -> None:
        write_all(descriptor, data)
        if signals:
            recorder.record(0.0, signals.pop(), None)

    monkeypatch.setattr(filesystem, "write_all", write_and_be_interrupted)
    recorder.record(0.0, {"loss": 0.5}, None)
    assert sorted(drained(journal)) == [("acc", 0, 0.5), ("loss", 0, 0.5), ("loss", 1, 0.5)]
    journal.close()


# --- for children -----------------------------------------------------------------------------------------------------


def test_a_child_leaves_counting_to_its_parent() -> None:
    counted = Counted("metric", {"loss": 7})
    counted.recorder.go_on_in_child(in_memory())
    recorder = counted.recorder
    assert recorder.record(0.0, {"loss": 0.5}, None)
    assert recorder.record(0.0, {"loss": 0.5}, 3)
    assert isinstance(recorder.journal, FileJournal)
    assert [step for _, step, _ in drained(recorder.journal)] == [NEXT_STEP, 3]


def test_a_child_of_a_run_counted_by_calls_leaves_counting_to_its_parent() -> None:
    recorder = Counted("run").recorder
    recorder.go_on_in_child(in_memory())
    recorder.record(0.0, {"loss": 0.5}, None)
    recorder.record(0.0, {"loss": 0.5}, 9)
    recorder.record(0.0, {"loss": 0.5}, None)
    assert [step for _, step, _ in drained(recorder.journal)] == [NEXT_STEP, 9, NEXT_STEP]


def test_child_forked_during_a_call_can_log() -> None:
    recorder = Counted("metric").recorder
    held = threading.Thread(target=recorder.lock.acquire)
    held.start()
    held.join()
    recorder.go_on_in_child(in_memory())
    assert recorder.record(0.0, {"loss": 0.5}, None)


def test_a_childs_open_steps_follow_the_parents() -> None:
    counted = Counted("metric")
    counted.steps(["loss"], 4)
    metrics = ["loss", "acc", "loss", "loss"]
    assert counted.recorder.number(metrics, [NEXT_STEP, NEXT_STEP, 9, NEXT_STEP], [1, 1, 2, 3]) == [5, 0, 9, 10]
    assert counted.steps(["loss", "acc"]) == [11, 1]


def test_counted_by_run_a_childs_call_is_one_step() -> None:
    counted = Counted("run")
    counted.steps(["loss"], 4)
    metrics = ["loss", "acc", "loss", "loss", "acc"]
    steps = [NEXT_STEP, NEXT_STEP, NEXT_STEP, 9, NEXT_STEP]
    assert counted.recorder.number(metrics, steps, [1, 1, 2, 3, 4]) == [5, 5, 6, 9, 10]
    assert counted.steps(["loss"]) == [11]


@pytest.mark.parametrize("by", ["metric", "run"])
def test_childs_point_after_the_largest_step_is_a_duplicate(by: Any) -> None:
    recorder = Counted(by, {"loss": LARGEST_STEP}).recorder
    assert recorder.number(["loss"], [NEXT_STEP], [1]) == [LARGEST_STEP]


def test_numbering_does_not_deadlock_with_log() -> None:
    """A signal handler inside `log` that ends the run waits for the pump, which may be in `number`."""
    recorder = Counted("metric").recorder
    failed: list[OSError] = []

    def number() -> None:
        try:
            recorder.number(["loss"], [NEXT_STEP], [1])
        except OSError as error:
            failed.append(error)

    with recorder.lock:
        pump = threading.Thread(target=number)
        pump.start()
        pump.join()
    assert len(failed) == 1
