from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import journals
import trackbook as tb
from trackbook.capture import system
from trackbook.capture.hardware import Machine
from trackbook.capture.system import SystemCapture
from trackbook.tracking.run import Run, writer_of


class FakeMeter:
    """A meter whose figures are the number of readings."""

    def __init__(self, _: Machine | None = None) -> None:
        self.readings = 0

    def read(self) -> dict[str, float]:
        self.readings += 1
        return {"cpu %": float(self.readings), "gpu 0 °C": 40.0}


@pytest.fixture(autouse=True)
def metered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackbook.capture.hardware.Meter", FakeMeter)
    monkeypatch.setattr(system, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(system, "SOON_SECONDS", 1000.0)


@pytest.fixture
def capture() -> Iterator[SystemCapture]:
    made = SystemCapture(lambda: Machine(Path("/nowhere")))
    yield made
    thread = made._thread
    for followed in list(made._followed.values()):
        made.end(followed.run)
    if thread is not None:
        thread.join()
    assert "trackbook-system" not in {thread.name for thread in threading.enumerate()}


def new_run(name: str = "r1", seconds: float = 1000.0) -> Run:
    run = journals.new_run(name)
    writer = writer_of(run)
    writer.options = replace(writer.options, system_seconds=seconds)
    return run


def wait_for(run: Run, points: int) -> pl.DataFrame:
    """Wait until a run has so many points, and return them."""
    while len(found := run.system()) < points:
        time.sleep(0.001)
    return found


def test_first_points_come_at_once_then_one_per_interval(capture: SystemCapture) -> None:
    once, often = new_run("once"), new_run("often", seconds=0.001)
    before = time.time()
    capture.begin(writer_of(once))
    first = wait_for(once, 2)
    assert first["metric"].to_list() == ["cpu %", "gpu 0 °C"]
    assert before <= first["time"].min() <= first["time"].max() <= time.time()  # type: ignore[operator]
    capture.begin(writer_of(often))
    wait_for(often, 20)
    assert len(once.system()) == 2


def test_intervals_grow_with_the_age_of_the_run(capture: SystemCapture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "SOON_SECONDS", 0.01)
    run = new_run(seconds=1000.0)
    began = time.time()
    capture.begin(writer_of(run))
    wait_for(run, 10)
    ages = [at - began for at in run.system().filter(metric="cpu %")["time"]]
    assert all(later >= 1.9 * age for age, later in pairwise(ages[1:]))  # two clocks


def test_each_metric_counts_its_steps(capture: SystemCapture) -> None:
    run = new_run(seconds=0.001)
    capture.begin(writer_of(run))
    wait_for(run, 6)
    capture.end(writer_of(run))
    steps = run.history("@system/cpu %")["step"].to_list()
    assert steps == list(range(len(steps)))


def test_a_resumed_run_counts_on(capture: SystemCapture) -> None:
    run = new_run()
    for points in (2, 4):
        capture.begin(writer_of(run))
        wait_for(run, points)
        capture.end(writer_of(run))
    assert run.history("@system/cpu %")["step"].to_list() == [0, 1]


def test_no_point_after_the_end_of_a_run(capture: SystemCapture) -> None:
    ended, other = new_run("ended", seconds=0.001), new_run("other", seconds=0.001)
    capture.begin(writer_of(ended))
    capture.begin(writer_of(other))
    wait_for(ended, 2)
    capture.end(writer_of(ended))
    count = len(ended.system())
    wait_for(other, len(other.system()) + 20)
    assert len(ended.system()) == count


def test_thread_ends_with_the_last_run_and_restarts(capture: SystemCapture) -> None:
    for name in ("a", "b"):
        run = new_run(name)
        capture.begin(writer_of(run))
        thread = capture._thread
        assert thread is not None
        wait_for(run, 2)
        capture.end(writer_of(run))
        thread.join()
        assert capture._thread is None


def test_failing_meter_is_logged_and_stops_nothing_else(
    capture: SystemCapture, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: FakeMeter) -> Any:
        raise ValueError("odd sensor")

    monkeypatch.setattr(FakeMeter, "read", fail)
    run = new_run()
    capture.begin(writer_of(run))
    thread = capture._thread
    if thread is not None:
        thread.join()
    assert "no longer records system metrics" in caplog.text
    assert "odd sensor" in caplog.text
    capture.end(writer_of(run))
    assert run.system().is_empty()


@pytest.fixture
def run() -> Run:
    """A run of a project in a file, with a metric of its own and system metrics."""
    made = tb.init("p", capture=["system"], system_seconds=5)
    made.log({"loss": 0.5})
    wait_for(made, 2)
    return made


def test_system_metrics_are_not_among_logged_metrics(run: Run) -> None:
    assert run.history()["metric"].to_list() == ["loss"]
    assert run.history(wide=True).columns == ["step", "loss"]
    assert dict(run.summary) == {"loss": 0.5}
    assert list(run.summary.min) == ["loss"]
    run.finish()
    table = tb.runs("p")
    assert table["points"].to_list() == [1]
    assert [name for name in table.columns if "@" in name] == []


def test_system_metrics_are_read_by_name_and_separately(run: Run) -> None:
    run.finish()
    assert run.history("@system/cpu %").columns == ["metric", "step", "value", "time"]
    assert run.system().filter(metric="gpu 0 °C")["value"].to_list() == [40.0]
    assert tb.get_run(run.id, "p").system().equals(run.system())


def test_system_metrics_survive_a_round_trip_through_parquet(run: Run, tmp_path: Path) -> None:
    run.finish()
    run.to_parquet(tmp_path / "run.parquet")
    back = tb.import_parquet(tmp_path / "run.parquet", project="q")
    assert tb.get_run(back[0] if isinstance(back, list) else back, "q").system().equals(run.system())


def test_steps_counted_for_the_whole_run_do_not_count_system_metrics() -> None:
    with tb.init("p", name="a", step_by="run", capture=["system"], system_seconds=0.1) as run:
        run.log({"loss": 1})
        wait_for(run, 20)
    with tb.init("p", name="a", resume="must") as run:
        run.log({"loss": 2})
        assert run.history()["step"].to_list() == [0, 1]


@pytest.mark.parametrize(
    ("seconds", "error", "said"),
    [(0, ValueError, "between 0.1 and 86,400"), (float("nan"), ValueError, "nan"), ("10", TypeError, "a number")],
)
def test_invalid_interval_is_refused(seconds: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        tb.init("p", system_seconds=seconds)
    assert tb.run is None


def test_trackio_interval_keyword_is_accepted() -> None:
    with tb.init("p", gpu_log_interval=3.0) as run:
        assert writer_of(run).options.system_seconds == 3


def test_system_names_cannot_be_logged() -> None:
    with tb.init("p") as run, pytest.raises(ValueError, match=r"'@system/cpu %'.*trackbook's own; rename it"):
        run.log({"@system": {"cpu %": 1.0}})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_reads_nothing_and_touches_no_polars() -> None:
    program = """
import os, time, trackbook as tb
run = tb.init("p", capture=["system"], system_seconds=0.1)
while run.system().is_empty():
    time.sleep(0.001)
child = os.fork()
if not child:
    tb.log({"loss": 1.0})
    time.sleep(0.3)
    tb.finish()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
run.finish()
print(run.history()["value"].to_list(), run.system()["time"].is_sorted())
times = run.system().filter(metric="memory GB")["time"]
assert times.n_unique() == len(times) >= 2
"""
    # Python 3.12 and later warn of a fork beside threads
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["[1.0]", "False"], "")
