"""Interrupts at any moment of `log`, and signal handlers that log."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interruptions import Interruption
from journals import a_run, points, rows
from trackbook import filesystem
from trackbook.journal import journal
from trackbook.journal.journal import FileJournal
from trackbook.journal.reader import Remains
from trackbook.journal.records import RECORD_BYTES
from trackbook.store.memory import MemoryStore
from trackbook.tracking.run import Run, writer_of
from trackbook.types import RunRecord

pytestmark = pytest.mark.slow

TEN = [f"m{number}" for number in range(10)]


@pytest.fixture(params=["mapped", "written through"])
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(filesystem, "is_network", lambda _: request.param == "written through")
    return tmp_path


def new_run(home: Path, **fields: Any) -> Run:
    return a_run("p", RunRecord("r1", "a", 0.0, **fields), MemoryStore(), FileJournal(home, {"id": "r1"}), home)


def is_free(run: Run) -> bool:
    """Whether another thread could log."""
    free: list[bool] = []
    lock = run._recorder.lock
    thread = threading.Thread(target=lambda: free.append(lock.acquire(blocking=False) and lock.release() is None))
    thread.start()
    thread.join()
    return free[0]


def interrupt_everywhere(run: Run, names: Callable[[int], list[str]]) -> list[dict[str, float]]:
    """Logs again and again, each time interrupted one bytecode later and followed by a call that is not.

    Returns what the calls that returned had logged.
    """
    returned: list[dict[str, float]] = []
    number, value = 0, 0.0
    while True:
        metrics = names(number)
        interruption = Interruption(number)
        interruption.during(
            lambda value=value, metrics=metrics: returned.append(run.log(dict.fromkeys(metrics, value)))
        )  # type: ignore[misc]
        if interruption.is_possible:
            assert is_free(run), interruption.where
        elif not is_free(run):  # between a lock's release and the call that does it; there Python looks for no signals
            run._recorder.lock.release()
        returned.append(run.log(dict.fromkeys(metrics, value + 0.5)))
        if not interruption.happened:
            assert number > 100
            return returned
        number, value = number + 1, value + 1.0


def check(run: Run, home: Path, returned: list[dict[str, float]]) -> None:
    """Check that no returned call is lost, in memory or files, and that no step was assigned twice."""
    expected = {(metric, value) for call in returned for metric, value in call.items()}
    (folder,) = home.iterdir()
    left = set(rows(Remains(folder, -1).batches({})))
    found = points(run.history())
    assert expected <= {(metric, value) for metric, _, value in left}
    assert left <= set(found)
    assert len({(metric, step) for metric, step, _ in found}) == len(found)
    assert writer_of(run)._discarded == set()
    assert run._recorder.journal.notices == []
    run.finish()


@pytest.mark.parametrize("by", ["metric", "run"])
def test_ctrl_c_anywhere_in_a_call_with_known_metrics(home: Path, by: Any) -> None:
    run = new_run(home, step_by=by)
    run.log({"a": 0.0, "b": 0.0})
    check(run, home, interrupt_everywhere(run, lambda _: ["a", "b"]))


def test_ctrl_c_anywhere_in_a_call_with_10_metrics(home: Path) -> None:
    run = new_run(home)
    run.log(dict.fromkeys(TEN, 0.0))
    check(run, home, interrupt_everywhere(run, lambda _: TEN))


def test_ctrl_c_anywhere_in_a_call_with_a_new_metric(home: Path) -> None:
    run = new_run(home)
    run.log({"a": 0.0})
    check(run, home, interrupt_everywhere(run, lambda number: ["a", f"new {number}"]))


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in ("SMALLEST_SEGMENT", "LARGEST_SEGMENT"):
        monkeypatch.setattr(journal, size, RECORD_BYTES)


@pytest.mark.usefixtures("small_segments")
def test_ctrl_c_anywhere_in_a_call_that_begins_a_segment(home: Path) -> None:
    run = new_run(home)
    run.log({"a": 0.0})
    check(run, home, interrupt_everywhere(run, lambda _: ["a"]))


@pytest.mark.usefixtures("small_segments")
def test_ctrl_c_anywhere_in_the_first_call_of_all(home: Path) -> None:
    """As in a forked child, whose first call makes the journal's files."""
    number = 0
    while True:
        run = new_run(home / str(number))
        returned: list[dict[str, float]] = []
        interruption = Interruption(number)
        interruption.during(lambda run=run, returned=returned: returned.append(run.log({"a": 0.5})))  # type: ignore[misc]
        returned.append(run.log({"a": 1.5}))
        check(run, home / str(number), returned)
        if not interruption.happened:
            assert number > 300
            break
        number += 1


class Timer:
    """Signals at a high rate, each requested by the main loop, because a handler that requests the next one may nest endlessly."""

    def __init__(self, handler: Callable[[], object]) -> None:
        self.handler = handler
        self.signals = 0
        self._set = False

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGALRM, self._handle)

    def __exit__(self, *_: object) -> None:
        while self._set:
            time.sleep(1e-3)
        signal.signal(signal.SIGALRM, self._before)

    def ask(self) -> None:
        """Request a signal within some microseconds, unless one is pending."""
        if not self._set:
            self._set = True
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 3e-5))

    def _handle(self, *_: object) -> None:
        self.handler()
        self.signals += 1
        self._set = False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no interval timers")
@pytest.mark.timeout(60, method="thread")  # the other method has the same timer
@pytest.mark.parametrize("by", ["metric", "run"])
def test_a_signal_handler_that_logs_the_same_metrics_at_a_high_rate(home: Path, by: Any) -> None:
    run = new_run(home, step_by=by)
    calls = 0
    timer = Timer(lambda: run.log({"a": 1.0, "b": 1.0, f"new {timer.signals % 50}": 1.0}))
    with timer:
        while timer.signals < 1000:
            timer.ask()
            run.log({"a": 0.0, "b": 0.0})
            calls += 1
    found = points(run.history())
    for metric in "ab":
        values = [value for name, _, value in found if name == metric]
        assert (values.count(0.0), values.count(1.0)) == (calls, timer.signals)
        assert sorted(step for name, step, _ in found if name == metric) == list(range(len(values)))
    assert writer_of(run)._discarded == set()
    run.finish()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no interval timers")
@pytest.mark.timeout(60, method="thread")  # the other method has the same timer
def test_a_signal_handler_may_read_the_run_while_the_pump_hands_over(home: Path) -> None:
    """As handlers for the end of batch jobs do, while `log` holds the lock that the pump waits for."""
    run = new_run(home)
    ended = threading.Event()

    def pump() -> None:
        while not ended.is_set():
            writer_of(run).hand_over()

    thread = threading.Thread(target=pump)
    thread.start()
    calls = 0
    timer = Timer(lambda: (run.log({"a": 1.0}), writer_of(run).hand_over()))
    with timer:
        while timer.signals < 300:
            timer.ask()
            run.log({"a": 0.0})
            calls += 1
    ended.set()
    thread.join()
    assert [step for _, step, _ in points(run.history())] == list(range(calls + timer.signals))
    run.finish()
