"""Alerts that processes raise which can only log to a run."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from journals import a_run
from trackbook import filesystem
from trackbook.api.process import process
from trackbook.journal.journal import CALLS, FileJournal
from trackbook.journal.records import NEXT_STEP
from trackbook.store.sqlite import SqliteStore
from trackbook.tracking import alert_rows
from trackbook.tracking.alert_rows import Raised
from trackbook.tracking.noted_alerts import NOT_THERE, TOO_LATE, Noted, line, parsed
from trackbook.tracking.recovery import recover
from trackbook.tracking.run import Run, writer_of
from trackbook.types import RunRecord
from webhooks import service

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
    pytest.mark.timeout(120),
]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


def in_child(work: Callable[..., None], *given: Any, code: int = 0) -> None:
    """Call a function in a forked child, and wait for the child's end."""
    child = multiprocessing.get_context("fork").Process(target=work, args=given)
    child.start()
    child.join()
    assert child.exitcode == code


def alerts(*columns: str) -> list[Any]:
    return tb.alerts("p").select(columns or "title").rows()


def script(code: str, *given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *given], capture_output=True, text=True, check=False, timeout=110
    )


# --- a living run -----------------------------------------------------------------------------------------------------


def _alert_twice() -> None:
    tb.alert("Loss is high", "12.5", level="error")
    tb.alert("done", level="info")


@forks
def test_alert_of_a_forked_child_is_in_the_run() -> None:
    run = tb.init(project="p", name="a")
    run.alert("before")
    began = time.time()
    in_child(_alert_twice)
    ended = time.time()
    assert alerts("number", "run", "level", "title", "text", "step", "times", "webhook") == [
        (0, "a", "warn", "before", "", None, 1, None),
        (1, "a", "error", "Loss is high", "12.5", None, 1, None),
        (2, "a", "info", "done", "", None, 1, None),
    ]
    assert all(began <= raised.timestamp() <= ended for raised in tb.alerts("p")["time"][1:])
    run.alert("after")
    run.finish()
    assert alerts("number", "title")[-1] == (3, "after")


UNPICKLE = """
import base64, pickle, sys
run = pickle.loads(base64.b64decode(sys.argv[1]))
run.alert("pickled", "elsewhere", "error")
"""
ATTACH = "import sys, trackbook as tb; tb.attach(sys.argv[1]).alert('shared')"


def test_alert_of_a_process_that_got_the_run_is_in_it() -> None:
    with service() as one, tb.init(project="p", webhook_url=one.url) as run:
        for code, given in ((UNPICKLE, base64.b64encode(pickle.dumps(run)).decode()), (ATTACH, run.share())):
            done = script(code, given)
            assert (done.returncode, done.stderr) == (0, "")
        assert alerts("title", "level", "text") == [("pickled", "error", "elsewhere"), ("shared", "warn", "")]
        assert process().sender.wait(30.0)
        assert [got["title"] for got in one.got] == ["pickled", "shared"]


def _alert_and_die() -> None:
    tb.alert("last words")
    os.kill(os.getpid(), signal.SIGKILL)


@forks
def test_alert_outlives_a_child_that_is_killed() -> None:
    run = tb.init(project="p")
    in_child(_alert_and_die, code=-signal.SIGKILL)
    run.finish()
    assert alerts() == [("last words",)]


def _alert_many(number: int) -> None:
    for one in range(20):
        tb.alert(f"{number}/{one}")
    tb.alert("same")


@forks
def test_alerts_of_many_children_are_there_once() -> None:
    run = tb.init(project="p")
    children = [multiprocessing.get_context("fork").Process(target=_alert_many, args=(number,)) for number in range(8)]
    for child in children:
        child.start()
    while any(child.is_alive() for child in children):
        writer_of(run).hand_over()
    run.finish()
    found = dict(alerts("title", "times"))
    assert found == {f"{number}/{one}": 1 for number in range(8) for one in range(20)} | {"same": 8}
    assert sorted(row[0] for row in alerts("number")) == list(range(161))
    assert not [*writer_of(run).journals.iterdir()]  # type: ignore[union-attr]


@forks
def test_run_takes_up_its_childrens_alerts_by_itself(store_dir: Path) -> None:
    run = tb.init(project="p")
    board = tb.board("p")
    in_child(_alert_twice)
    until = time.monotonic() + 30
    while len(board.alerts) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert [(shown[0], *shown[3:]) for shown in board.alerts] == [
        (run.id, "error", "Loss is high", "12.5", 1),
        (run.id, "info", "done", "", 1),
    ]
    with SqliteStore(writer_of(run).store.path, "p").reopened() as other:  # type: ignore[attr-defined]
        assert len(other.captured(run.id, "alerts")) == 2
    run.finish()


def _repeat() -> None:
    for wait in (60, 60, 60, 0):
        tb.alert("same", wait_duration=wait)


@forks
def test_title_of_a_child_that_comes_again_only_counts() -> None:
    with service() as one, tb.init(project="p", webhook_url=one.url) as run:
        in_child(_repeat)
        assert alerts("title", "times") == [("same", 3), ("same", 1)]
        run.alert("same")
        in_child(tb.alert, "same")
        assert alerts("title", "times") == [("same", 3), ("same", 3)]
        assert process().sender.wait(30.0)
        assert len(one.got) == 2


@forks
def test_title_that_comes_again_takes_little_room_in_the_journal(tmp_path: Path) -> None:
    def many() -> None:
        for _ in range(100):
            tb.alert("same", "x" * 1_000)
        (calls,) = (tmp_path / "store").glob(f"p.journals/*/{CALLS}")
        os._exit(calls.stat().st_size > 10_000)

    with tb.init(project="p"):
        in_child(many)
        assert alerts("title", "times") == [("same", 100)]


@forks
def test_child_has_a_bounded_number_of_alerts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_rows, "MOST_ALERTS", 3)
    with tb.init(project="p", name="bounded"):
        in_child(_alert_more)
        assert alerts() == [("0",), ("1",), ("2",)]


def _alert_more() -> None:
    for number in range(3):
        tb.alert(str(number))
    with pytest.warns(tb.TrackbookWarning, match="keeps and sends no more"):
        tb.alert("3")


def _alert_as_rank_1() -> None:
    os.environ["RANK"] = "1"
    tb.alert("of another rank")


@forks
def test_child_of_another_rank_alerts_only_with_all_ranks() -> None:
    for all_ranks in (False, True):
        with tb.init(project="p", all_ranks=all_ranks):
            in_child(_alert_as_rank_1)
        assert alerts() == [("of another rank",)] * all_ranks


def _finish_and_alert(run: Run) -> None:
    run.finish()
    with pytest.raises(RuntimeError, match="takes no more alerts"):
        run.alert("late")


@forks
def test_child_that_ended_the_run_takes_no_alert() -> None:
    with tb.init(project="p") as run:
        in_child(_finish_and_alert, run)
        assert alerts() == []


def _alert_on_a_full_disk() -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    filesystem.write_all = full
    with pytest.warns(tb.TrackbookWarning, match=r"alert 'lost' is not kept or sent\. .*No space left"):
        tb.alert("lost")


@forks
def test_alert_that_cannot_be_noted_is_said_to_be_lost() -> None:
    with tb.init(project="p"):
        in_child(_alert_on_a_full_disk)
        assert alerts() == []


def _alert_secrets(store_dir: Path, url: str) -> None:
    tb.alert("token ghp_abcdefghijklmnopqrstuvwxyz0123456789", "password=hunter22hunter22")
    _alert_elsewhere(url.replace("SECRETTOKEN", "OTHERTOKEN"))
    kept = b"".join(path.read_bytes() for path in (store_dir / "p.journals").rglob("*") if path.is_file())
    assert b"elsewhere" in kept
    assert not any(secret in kept for secret in (b"abcdefghijkl", b"hunter22", b"SECRETTOKEN", b"OTHERTOKEN"))


@forks
def test_secret_and_address_are_not_in_the_journal(store_dir: Path) -> None:
    with service() as one, tb.init(project="p", webhook_url=one.url):
        in_child(_alert_secrets, store_dir, one.url)
        assert len(alerts()) == 3
        assert process().sender.wait(30.0)


# --- webhooks ---------------------------------------------------------------------------------------------------------


@forks
def test_alert_of_a_child_is_sent_once_by_the_runs_process() -> None:
    with service() as one, tb.init(project="p", webhook_url=one.url) as run:
        in_child(_alert_twice)
        for _ in range(3):
            writer_of(run).hand_over()
        assert process().sender.wait(30.0)
        assert [(got["title"], got["text"], got["level"], got["id"]) for got in one.got] == [
            ("Loss is high", "12.5", "error", f"{run.id}/0"),
            ("done", "", "info", f"{run.id}/1"),
        ]
        raised = [each.timestamp() for each in tb.alerts("p")["time"]]
        assert [got["time"] for got in one.got] == pytest.approx(raised, abs=2e-6)
        assert alerts("webhook") == [("sent",), ("sent",)]


@forks
def test_alert_of_a_child_is_sent_if_it_is_urgent_enough() -> None:
    with service() as one, tb.init(project="p", webhook_url=one.url, webhook_min_level="error"):
        in_child(_alert_twice)
        assert alerts("title", "webhook")[1] == ("done", None)
        assert process().sender.wait(30.0)
        assert [got["title"] for got in one.got] == ["Loss is high"]


def _alert_elsewhere(url: str) -> None:
    with pytest.warns(tb.TrackbookWarning, match="is kept, but not sent"):
        tb.alert("elsewhere", webhook_url=url)
    tb.alert("nowhere", webhook_url="")


@forks
def test_child_names_no_other_webhook() -> None:
    with service() as one, service() as other, tb.init(project="p", webhook_url=one.url):
        in_child(_alert_elsewhere, other.url)
        assert alerts("title", "webhook") == [("elsewhere", NOT_THERE), ("nowhere", None)]
        assert process().sender.wait(30.0)
        assert (one.got, other.got) == ([], [])


def _alert_before_it_is_sent(url: str) -> None:
    """Play a run's process that is killed at the moment at which it sends."""
    run = tb.init(project="p", webhook_url=url)
    process().pump.stop()
    in_child(_alert_twice)
    writer_of(run).alerts.on_new[:] = [lambda *_: os.kill(os.getpid(), signal.SIGKILL)]
    writer_of(run).hand_over()


# --- rules ------------------------------------------------------------------------------------------------------------


def _log_high(run: Run) -> None:
    for value in (1.0, 11.0, 12.0):
        run.log({"loss": value})
    with pytest.warns(tb.TrackbookWarning, match=r"alert_when\(\) does nothing"):
        run.alert_when("loss", nan=True)


@forks
def test_rule_looks_at_the_points_of_children() -> None:
    with tb.init(project="p") as run:
        run.alert_when("loss", above=10)
        in_child(_log_high, run)
        assert alerts("title", "text", "step") == [("loss above 10", "loss is 11 at step 1", 1)]


# --- killed processes -------------------------------------------------------------------------------------------------

KILLED = """
import os, sys, trackbook as tb
run = tb.init(project="p", id="r", webhook_url=sys.argv[1], capture=False)
if not os.fork():
    run.alert("last words", "12.5", level="error", wait_duration=0)
    {then}
os.wait()
"""


@forks
@pytest.mark.parametrize("reader", [lambda: tb.runs("p"), lambda: tb.init("p", id="r", resume="must").finish()])
def test_alert_of_a_child_outlives_the_runs_process(reader: Callable[[], Any]) -> None:
    with service() as one:
        done = script(KILLED.format(then="os.kill(os.getppid(), 9); os.kill(os.getpid(), 9)"), one.url)
        assert done.returncode == -signal.SIGKILL
        for _ in range(2):
            reader()
            assert alerts("title", "text", "level", "webhook") == [("last words", "12.5", "error", TOO_LATE)]
        assert one.got == []


@forks
def test_alert_of_a_child_that_lives_longer_than_the_run_is_kept() -> None:
    then = """parent = os.getppid()
    os.kill(parent, 9)
    while os.getppid() == parent: pass
    run.alert("orphan")
    os._exit(0)"""
    with service() as one:
        script(KILLED.format(then=then), one.url)
        until = time.monotonic() + 30
        while len(alerts()) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        assert alerts() == [("last words",), ("orphan",)]


@forks
def test_alert_is_not_sent_twice_when_the_runs_process_is_killed_as_it_sends() -> None:
    """Nor is it there twice: its row and mark were durable."""
    with service() as one:
        child = multiprocessing.get_context("spawn").Process(target=_alert_before_it_is_sent, args=(one.url,))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
        assert alerts("title", "webhook") == [("Loss is high", "waiting"), ("done", "waiting")]
        assert one.got == []


@forks
def test_alert_of_a_run_that_is_only_in_its_journal_is_recovered() -> None:
    program = """
import os, sys, warnings, trackbook as tb
tb.init(project="q", capture=False)
if not os.fork():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with tb.init(project="p", name="forked", webhook_url=sys.argv[1], capture=False) as run:
            run.alert("kept")
    os._exit(len(said))
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    with service() as one:
        assert script(program, one.url).stdout == "1\n"
        assert alerts("run", "title", "webhook") == [("forked", "kept", TOO_LATE)]
        assert one.got == []


# --- lines ------------------------------------------------------------------------------------------------------------

ALERT = Noted("a", Raised("a", 5.0, "error", "text", 60.0), "run")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "p.journals"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "p.trackbook.db", "p")
    yield store
    store.close()


def titles(store: Any) -> list[tuple[str, int]]:
    return [(row[3], row[6]) for row in store.captured("r1", "alerts")]


def a_child(home: Path, *lines: bytes) -> FileJournal:
    journal = FileJournal(home, {"id": "r1", "name": "a", "started": 0.0, "child": True})
    for each in lines:
        assert journal.note(each)
    return journal


def a_parent(home: Path, store: Any) -> Run:
    run = a_run("p", RunRecord("r1", "a", 1.0), store, FileJournal(home, {"id": "r1"}), home.parent)
    writer_of(run).has_children = True
    store.flush()
    return run


@pytest.mark.parametrize("noted", [ALERT, Noted("again"), ALERT._replace(target=None)])
def test_line_is_read_back(noted: Noted) -> None:
    assert parsed(json.loads(line(noted))) == noted


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": 3},
        {"title": "\ud800"},
        {"time": None},
        {"time": float("nan")},
        {"time": 10**400},
        {"time": True},
        {"text": None},
    ],
)
def test_damaged_line_says_nothing(change: dict[str, Any]) -> None:
    about = json.loads(line(ALERT))["alert"]
    assert parsed({"alert": about | change}) is None


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"level": [1]}, "level", "warn"),
        ({"level": "loud"}, "level", "warn"),
        ({"wait": "x"}, "wait", 0.0),
        ({"wait": -1}, "wait", 0.0),
        ({"wait": float("inf")}, "wait", 1e9),
        ({"wait": 10**400}, "wait", 1e9),
    ],
)
def test_damaged_field_does_no_harm(change: dict[str, Any], field: str, expected: Any) -> None:
    found = parsed({"alert": json.loads(line(ALERT))["alert"] | change})
    assert found is not None
    assert getattr(found.raised, field) == expected


@pytest.mark.parametrize("other", [None, 3, [], [["a", 1]], {}, {"alert": None}, {"alert": []}, {"else": 1}])
def test_other_lines_are_no_alerts(other: Any) -> None:
    assert parsed(other) is None


def test_damaged_lines_hide_no_others(home: Path, store: SqliteStore) -> None:
    lines = [b"{", line(Noted("unknown")), b"\xff", b'{"alert": {"title": 3}}', line(ALERT), line(Noted("a"))]
    run = a_parent(home, store)
    child = a_child(home, *lines)
    writer_of(run).hand_over()
    assert titles(store) == [("a", 2)]
    child.note(line(Noted("a")))
    child.leave()
    run.finish()
    assert titles(store) == [("a", 3)]
    assert [*home.iterdir()] == []


def test_alerts_are_taken_up_while_the_store_cannot_be_written(
    home: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_parent(home, store)
    child = a_child(home, line(ALERT))
    child.write(1, (1.0, NEXT_STEP, 0.5, child.metric("a"), 1))
    told: list[str] = []
    writer_of(run).alerts.on_new.append(lambda row, _: told.append(row.title))
    with monkeypatch.context() as failing:
        failing.setattr(store, "flush", lambda: False)
        for _ in range(3):
            writer_of(run).hand_over()
    assert (told, titles(store)) == (["a"], [("a", 1)])
    child.leave()
    run.finish()
    assert (told, titles(store)) == (["a"], [("a", 1)])


def test_title_counts_in_whatever_order_processes_are_read(home: Path, store: SqliteStore) -> None:
    run = a_parent(home, store)
    for at in (100.0, 50.0, 150.0, 39.0):
        a_child(home, line(Noted("a", Raised("a", at, "error", "", wait=60.0)))).leave()
        writer_of(run).hand_over()
    run.finish()
    assert [(row[1], row[6]) for row in store.captured("r1", "alerts")] == [(100.0, 3), (39.0, 1)]


def test_alert_is_told_once_though_the_file_of_the_project_is_removed(home: Path, store: SqliteStore) -> None:
    run = a_parent(home, store)
    child = a_child(home, line(Noted("a", Raised("a", 5.0, "error", "", wait=0.0))))
    told: list[str] = []
    writer_of(run).alerts.on_new.append(lambda row, _: told.append(row.title))
    writer_of(run).hand_over()
    for path in store.path.parent.glob(f"{store.path.name}*"):
        path.unlink()
    for _ in range(2):
        assert store.flush()
        writer_of(run).hand_over()
    assert told == ["a"]
    child.leave()
    run.finish()


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_recovery_takes_up_what_the_runs_process_did_not(home: Path, tmp_path: Path, taken: int) -> None:
    first = SqliteStore(tmp_path / "p.trackbook.db", "p")
    run = a_parent(home, first)
    lines = [line(ALERT), line(Noted("a")), line(ALERT._replace(title="b", raised=ALERT.raised._replace(title="b")))]  # type: ignore[union-attr]
    child = a_child(home, *lines[:taken])
    writer_of(run).hand_over()
    first.flush()
    for each in lines[taken:]:
        child.note(each)
    child.leave()
    writer_of(run).recorder.journal.leave()  # the process dies
    with first.reopened() as store:
        assert recover(store, home, ()) == []
        assert titles(store) == [("a", 2), ("b", 1)]
        assert [row[7] for row in store.captured("r1", "alerts")] == [None if taken else TOO_LATE, TOO_LATE]
        assert [*home.iterdir()] == []
    first.close()


def test_recovery_that_dies_before_it_removes_the_journal_adds_nothing_twice(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_child(home, line(ALERT), line(Noted("a"))).leave()
    with monkeypatch.context() as dying:
        dying.setattr("trackbook.journal.reader.Remains.remove", lambda _: False)
        with SqliteStore(tmp_path / "p.trackbook.db", "p").reopened() as store:
            recover(store, home, ())
    with SqliteStore(tmp_path / "p.trackbook.db", "p").reopened() as store:
        recover(store, home, ())
        assert titles(store) == [("a", 2)]


def test_rows_are_durable_only_with_their_mark(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Points that wait, of which a transaction takes only a part, would let the mark wait, too."""
    monkeypatch.setattr("trackbook.store.run_buffer.LARGEST", 2)
    store = SqliteStore(tmp_path / "p.trackbook.db", "p")
    run = a_parent(home, store)
    for step in range(7):
        run.log({"a": float(step)})
    child = a_child(home, line(ALERT))
    write = store._write

    def look(parts: Any) -> bool:
        is_written = write(parts)
        with store.reopened() as other:
            there = bool(other.captured("r1", "alerts")), bool(other.marks(child.name))
        assert there[0] == there[1]
        return is_written

    with monkeypatch.context() as looking:
        looking.setattr(store, "_write", look)
        writer_of(run).hand_over()
    assert titles(store) == [("a", 1)]
    child.leave()
    run.finish()
    store.close()


def test_board_of_another_process_reads_points_of_a_run_whose_child_alerts(home: Path, store: SqliteStore) -> None:
    from trackbook.tracking.live_points import LivePoints
    from trackbook.types import Cursor

    run = a_parent(home, store)
    run.log({"a": 0.5})
    child = a_child(home, line(ALERT))
    writer_of(run).hand_over()
    store.flush()
    with store.reopened() as other:
        live = LivePoints(other, home, lambda _: False)
        found, cursor = live.since("r1", Cursor())
        assert found["value"].to_list() == [0.5]
        run.log({"a": 1.5})
        writer_of(run).hand_over()
        store.flush()
        assert live.since("r1", cursor)[0]["value"].to_list() == [1.5]
    child.leave()
    run.finish()
