from __future__ import annotations

import enum
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import trackbook as tb
from trackbook.alerting import sender as sending
from trackbook.api.process import process
from trackbook.store.paths import project_file
from trackbook.store.sqlite import SqliteStore
from trackbook.tracking import alert_rows
from trackbook.tracking.run import Run, writer_of
from webhooks import Answer, service


@pytest.fixture
def run() -> Iterator[Run]:
    made = tb.init(project="p", name="a")
    yield made
    made.finish()


def titles(**given: str) -> list[str]:
    return tb.alerts("p", **given)["title"].to_list()


def wait_for_webhooks() -> None:
    assert process().sender.wait(30.0)


def outcome() -> str | None:
    found: str | None = tb.alerts("p")["webhook"][-1]
    return found


# --- alert -----------------------------------------------------------------------------------------------------------


def test_alert_is_in_the_table_of_its_project(run: Run) -> None:
    tb.alert("Loss is high", "12.5", level="error")
    (row,) = tb.alerts().to_dicts()
    assert (row["run"], row["run_id"], row["number"], row["level"]) == ("a", run.id, 0, "error")
    assert (row["title"], row["text"], row["step"], row["times"]) == ("Loss is high", "12.5", None, 1)
    assert row["webhook"] is None
    assert row["time"].tzinfo is not None


def test_alert_is_durable_when_the_call_returns(run: Run, store_dir: Path) -> None:
    run.alert("now")
    rows = SqliteStore(store_dir / project_file("p"), "p").captured(run.id, "alerts")
    assert [row[3] for row in rows] == ["now"]


def test_alert_of_a_killed_process_is_kept(store_dir: Path) -> None:
    program = "import os, trackbook as tb; tb.init(project='p'); tb.alert('last words'); os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGKILL
    assert titles() == ["last words"]


def test_alerts_are_of_one_run_or_from_one_level(run: Run) -> None:
    tb.alert("one", level="info")
    other = tb.init(project="p", name="b", reinit="create_new")
    other.alert("two", level="error")
    assert titles() == ["one", "two"]
    assert titles(run="a") == ["one"]
    assert titles(level="warn") == ["two"]
    other.finish()


def test_title_that_comes_again_only_counts(run: Run) -> None:
    for text in ("first", "second", "third"):
        run.alert("same", text)
    run.alert("other")
    table = tb.alerts("p")
    assert table.select("title", "text", "times").rows() == [("same", "first", 3), ("other", "", 1)]


@pytest.mark.parametrize("wait", [0, 0.0, timedelta(0)])
def test_title_that_comes_after_its_wait_is_a_new_alert(run: Run, wait: float | timedelta) -> None:
    run.alert("same", wait_duration=wait)
    run.alert("same", wait_duration=wait)
    assert titles() == ["same", "same"]


def test_number_goes_on_when_a_run_is_resumed() -> None:
    for title in ("one", "two"):
        with tb.init(project="p", id="r", resume="allow") as run:
            run.alert(title)
    assert tb.alerts("p").select("number", "title").rows() == [(0, "one"), (1, "two")]


def test_secret_in_an_alert_is_masked(run: Run) -> None:
    run.alert("token ghp_abcdefghijklmnopqrstuvwxyz0123456789", "password=hunter22hunter22")
    (row,) = tb.alerts("p").to_dicts()
    assert "abcdefghijkl" not in row["title"]
    assert "hunter22" not in row["text"]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"title": ""}, ValueError, "title"),
        ({"title": 3}, TypeError, "title"),
        ({"title": "a", "text": 3}, TypeError, "text"),
        ({"title": "a", "level": "loud"}, ValueError, "'info', 'warn', 'error'"),
        ({"title": "a", "wait_duration": -1}, ValueError, "wait_duration"),
        ({"title": "a", "wait_duration": "long"}, TypeError, "wait_duration"),
        ({"title": "a", "webhook_url": "nowhere"}, ValueError, "webhook_url"),
    ],
)
def test_bad_alert_is_refused(run: Run, given: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        run.alert(**given)  # type: ignore[arg-type]
    assert titles() == []


def test_level_of_another_tracker_is_understood(run: Run) -> None:
    class AlertLevel(enum.Enum):
        ERROR = "ERROR"

    run.alert("a", "b", AlertLevel.ERROR)  # type: ignore[arg-type]
    assert titles(level="error") == ["a"]


def test_ended_run_takes_no_alert() -> None:
    run = tb.init(project="p")
    run.finish()
    with pytest.raises(RuntimeError, match="takes no more alerts"):
        run.alert("late")
    with pytest.raises(RuntimeError, match=r"alert\(\) needs a run"):
        tb.alert("late")


def test_run_has_a_bounded_number_of_alerts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_rows, "MOST_ALERTS", 3)
    for number in range(3):
        run.alert(f"alert {number}")
    with pytest.warns(tb.TrackbookWarning, match="keeps and sends no more"):
        run.alert("alert 3")
    assert len(titles()) == 3


def test_alert_is_on_the_open_boards_at_once(run: Run) -> None:
    board = tb.board("p")
    board.publisher.tick(1e9)
    run.alert("Loss is high", "12.5", level="error")
    board.publisher.tick(2e9)
    (shown,) = board.alerts
    assert (shown[0], *shown[3:]) == (run.id, "error", "Loss is high", "12.5", 1)


# --- webhooks --------------------------------------------------------------------------------------------------------


def test_alert_reaches_the_webhook_of_init() -> None:
    with service() as one, tb.init(project="p", webhook_url=one.url) as run:
        run.alert("hello", "there", level="info")
        wait_for_webhooks()
        assert [(got["title"], got["text"], got["run_id"]) for got in one.got] == [("hello", "there", run.id)]
        assert outcome() == "sent"


def test_alert_reaches_the_webhook_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with service() as one:
        monkeypatch.setenv("TRACKBOOK_WEBHOOK_URL", one.url)
        monkeypatch.setenv("TRACKBOOK_WEBHOOK_MIN_LEVEL", "error")
        with tb.init(project="p") as run:
            run.alert("small", level="warn")
            run.alert("large", level="error")
            wait_for_webhooks()
        assert [got["title"] for got in one.got] == ["large"]


def test_alert_may_go_elsewhere() -> None:
    with service() as one, service() as other, tb.init(project="p", webhook_url=one.url) as run:
        run.alert("hello", webhook_url=other.url)
        wait_for_webhooks()
        assert (len(one.got), len(other.got)) == (0, 1)


def test_title_that_only_counts_is_not_sent_again() -> None:
    with service() as one, tb.init(project="p", webhook_url=one.url) as run:
        for _ in range(10):
            run.alert("same")
        wait_for_webhooks()
        assert len(one.got) == 1


def test_training_goes_on_while_the_service_hangs() -> None:
    hangs = threading.Event()
    with service(Answer(wait=hangs), Answer()) as one, tb.init(project="p", webhook_url=one.url) as run:
        run.alert("first")
        assert one.arrived.acquire(timeout=30)
        for step in range(1_000):  # all while the service is inside the first alert
            run.log({"loss": float(step)})
        run.alert("second")
        assert outcome() == "waiting"
        hangs.set()
        wait_for_webhooks()
        assert tb.alerts("p")["webhook"].to_list() == ["sent", "sent"]
        assert [got["title"] for got in one.got] == ["first", "second"]


def test_failures_are_tried_again_and_successes_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_WAIT", 0.001)
    with service(Answer(500), Answer(503), Answer()) as one, tb.init(project="p", webhook_url=one.url) as run:
        run.alert("hello")
        wait_for_webhooks()
        assert len(one.got) == 3
        assert outcome() == "sent"


def test_reason_of_a_failure_has_no_secret() -> None:
    with service(Answer(404)) as one, tb.init(project="p", webhook_url=one.url) as run:
        run.alert("hello")
        wait_for_webhooks()
        assert outcome() == "not sent: 127.0.0.1 answered 404"


def test_address_is_not_in_the_project_file(store_dir: Path) -> None:
    with service() as one:
        with tb.init(project="p", webhook_url=one.url, capture="environment", config={"lr": 0.1}) as run:
            run.alert("hello")
            wait_for_webhooks()
        for path in store_dir.rglob("*"):
            assert path.is_dir() or b"SECRETTOKEN" not in path.read_bytes()


def test_environment_leaves_the_address_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKBOOK_WEBHOOK_URL", "https://example.com/SECRETTOKEN")
    with tb.init(project="p", capture="environment") as run:
        assert "SECRETTOKEN" not in str(run.environment)
        assert "TRACKBOOK_CAPTURE" in str(run.environment)


def test_end_of_the_program_waits_for_a_slow_service(store_dir: Path) -> None:
    slow = threading.Event()
    with service(Answer(wait=slow)) as one:
        program = "import sys, trackbook as tb; tb.init(project='p', webhook_url=sys.argv[1]); tb.alert('bye')"
        running = subprocess.Popen([sys.executable, "-c", program, one.url])
        assert one.arrived.acquire(timeout=60)
        slow.set()
        assert running.wait(60) == 0
        assert len(one.got) == 1
    assert outcome() == "sent"


def test_disabled_run_sends_nothing() -> None:
    with service() as one, tb.init(project="p", webhook_url=one.url, mode="disabled") as run:
        run.alert("hello")
        wait_for_webhooks()
        assert one.got == []


def test_outcome_for_a_deleted_run_is_forgotten(store_dir: Path) -> None:
    hangs = threading.Event()
    with service(Answer(wait=hangs)) as one:
        run = tb.init(project="p", webhook_url=one.url)
        run.alert("hello")
        assert one.arrived.acquire(timeout=30)
        run.finish()
        tb.delete_run(run, project="p", force=True)
        hangs.set()
        wait_for_webhooks()
    with SqliteStore(store_dir / project_file("p"), "p").reopened() as store:
        assert store.captured(run.id, "alerts") == []


# --- rules -----------------------------------------------------------------------------------------------------------


def take_up(run: Run) -> None:
    writer_of(run).hand_over()


def test_rule_alerts_at_the_first_value_out_of_bounds(run: Run) -> None:
    run.alert_when("loss", above=10, below=-1)
    for value in (1.0, 11.0, 12.0, -2.0):
        run.log({"loss": value, "other": 100.0})
    take_up(run)
    assert tb.alerts("p").select("title", "text", "step", "level").rows() == [
        ("loss above 10", "loss is 11 at step 1", 1, "warn"),
        ("loss below -1", "loss is -2 at step 3", 3, "warn"),
    ]


@pytest.mark.parametrize("together", [True, False])
def test_condition_alerts_again_only_after_it_did_not_hold(run: Run, together: bool) -> None:
    run.alert_when("loss", above=10, wait_duration=0)
    found = []
    for value in (11.0, 12.0, 13.0, 1.0, 14.0, 15.0):
        run.log({"loss": value})
        if not together:
            take_up(run)
            found.append(len(titles()))
    take_up(run)
    assert together or found == [1, 1, 1, 1, 2, 2]
    assert tb.alerts("p")["step"].to_list() == ([0] if together else [0, 4])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_rule_alerts_at_what_is_not_a_number(run: Run, value: float) -> None:
    run.alert_when("loss", nan=True, title="broken", level="error")
    run.log({"loss": 1.0})
    run.log({"loss": value})
    take_up(run)
    assert tb.alerts("p").select("title", "step", "level").rows() == [("broken", 1, "error")]
    assert "loss is not a number" in tb.alerts("p")["text"][0]


def test_nan_is_neither_above_nor_below(run: Run) -> None:
    run.alert_when("loss", above=0, below=0)
    run.log({"loss": math.nan})
    take_up(run)
    assert titles() == []


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_rule_alerts_after_so_many_points_without_improvement(run: Run, chunk: int) -> None:
    run.alert_when("loss", no_improvement=3)
    values = [5.0, 4.0, 4.0, 4.5, 3.9, 4.0, math.nan, 4.0, 4.0, 3.0, 3.1]
    for place, value in enumerate(values):
        run.log({"loss": value})
        if place % chunk == chunk - 1:
            take_up(run)
    take_up(run)
    (row,) = tb.alerts("p").to_dicts()
    assert (row["title"], row["step"]) == ("loss has not improved for 3 points", 7)
    assert row["text"] == "its best value is 3.9, and 3 points up to step 7 were no better"


def reference(values: list[float], patience: int) -> list[int]:
    """Where an alert of stagnation comes, said plainly."""
    best, since, at, holds = math.inf, 0, list[int](), False
    for place, value in enumerate(values):
        if value < best:
            best, since, holds = value, 0, False
        else:
            since += 1
        if since >= patience and not holds:
            holds = True
            at.append(place)
    return at


@pytest.mark.parametrize("seed", range(5))
def test_stagnation_is_found_where_a_plain_loop_finds_it(run: Run, seed: int) -> None:
    import random

    made = random.Random(seed)
    values = [made.choice([made.random() * (1 - place / 80), math.nan]) for place in range(80)]
    run.alert_when("loss", no_improvement=4, wait_duration=0)
    for value in values:
        run.log({"loss": value})
        take_up(run)
    assert tb.alerts("p")["step"].to_list() == reference(values, 4)


def test_goal_says_what_an_improvement_is(run: Run) -> None:
    run.define_metric("up", goal="max")
    for metric in ("up", "down", "accuracy", "given"):
        run.alert_when(metric, no_improvement=2, goal="max" if metric == "given" else None)
    for place in range(4):
        run.log({"up": place, "down": -place, "accuracy": place, "given": place})
    take_up(run)
    assert titles() == []
    for _ in range(2):
        run.log({"up": 0, "down": 0, "accuracy": 0, "given": 0})
    take_up(run)
    assert sorted(titles()) == [f"{name} has not improved for 2 points" for name in ("accuracy", "down", "given", "up")]


def test_glob_watches_each_metric_for_itself(run: Run) -> None:
    run.alert_when("val/*", above=1)
    run.log({"val/a": 2.0, "val/b": 0.0, "train/a": 2.0})
    run.log({"val/b": 3.0})
    take_up(run)
    assert titles() == ["val/a above 1", "val/b above 1"]


def test_rule_is_checked_when_the_run_ends() -> None:
    with service() as one:
        with tb.init(project="p", webhook_url=one.url) as run:
            run.alert_when("loss", nan=True)
            run.log({"loss": math.nan})
        wait_for_webhooks()
        assert [got["step"] for got in one.got] == [0]
    assert outcome() == "sent"


def test_rule_is_checked_by_the_pump_without_a_call() -> None:
    with service() as one, tb.init(project="p", webhook_url=one.url) as run:
        run.alert_when("loss", nan=True)
        run.log({"loss": math.nan})
        assert one.arrived.acquire(timeout=60)


def test_log_does_nothing_for_a_rule(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from trackbook.tracking.alert_rules import Conditions

    checked: list[str] = []
    monkeypatch.setattr(Conditions, "check", lambda *_: checked.append(threading.current_thread().name))
    run.alert_when("loss", above=1)
    for step in range(100):
        run.log({"loss": 2.0})
        assert threading.current_thread().name not in checked, step
    take_up(run)
    assert checked


def test_rule_that_fails_is_switched_off_and_points_are_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from trackbook.tracking.alert_rules import Conditions

    def check(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(Conditions, "check", check)
    run.alert_when("loss", above=1)
    run.log({"loss": 2.0})
    take_up(run)
    with pytest.warns(tb.TrackbookWarning, match=r"alert_when\(\) no longer looks at points.*oops"):
        run.log({"loss": 3.0})
    assert run.history()["value"].to_list() == [2.0, 3.0]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({}, ValueError, "needs a condition"),
        ({"above": "high"}, TypeError, "above is a number"),
        ({"below": True}, TypeError, "below is a number"),
        ({"above": math.nan}, ValueError, "nan=True"),
        ({"no_improvement": 0}, ValueError, "from 1"),
        ({"no_improvement": 1.5}, TypeError, "number of points"),
        ({"no_improvement": 3, "goal": "best"}, ValueError, "'min' or 'max'"),
        ({"nan": True, "level": "loud"}, ValueError, "'info', 'warn', 'error'"),
        ({"nan": True, "title": ""}, ValueError, "title"),
    ],
)
def test_bad_rule_is_refused(run: Run, given: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        run.alert_when("loss", **given)  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_points_of_a_forked_child_are_looked_at(store_dir: Path) -> None:
    program = """
import os, trackbook as tb
run = tb.init(project="p")
run.alert_when("loss", above=1)
if not os.fork():
    run.log({"loss": 2.0})
    os._exit(0)
os.wait()
run.finish()
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)
    assert titles() == ["loss above 1"]
