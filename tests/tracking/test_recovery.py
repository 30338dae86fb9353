from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from journals import Row, a_run, abandoned, points, put, rows
from trackbook import TrackbookWarning
from trackbook.journal import reader
from trackbook.journal.journal import HEAD, FileJournal
from trackbook.journal.null_journal import NullJournal
from trackbook.journal.records import NEXT_STEP, RECORD_BYTES
from trackbook.media import index
from trackbook.media.values import Encoded
from trackbook.store import run_buffer
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.store.writer_process import this_process
from trackbook.tracking import logged_media, recovery
from trackbook.tracking.project import Project
from trackbook.tracking.recorder import Recorder
from trackbook.tracking.recovery import recover, take_over
from trackbook.tracking.run import Run, writer_of
from trackbook.types import Life, RunRecord

TIMEOUT = 60

A, B = 0, 1
CALLS = [[(A, 0, 0.5)], [(A, 1, 1.5), (B, 0, 2.5)]]
POINTS = [("a", 0, 0.5), ("a", 1, 1.5), ("b", 0, 2.5)]
OPEN = NEXT_STEP
GONE = this_process()._replace(born="0")  # a process of this machine that does not run any more


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "p.journals"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "p.trackbook.db", "p")
    yield store
    store.close()


def state(store: Any, run: str = "r1") -> str:
    record = store.run(run)
    assert record is not None
    return str(record.state)


def steps(store: Any, metric: str = "a") -> list[int]:
    return [step for name, step, _ in points(store.read("r1")) if name == metric]


def known(store: Any, **fields: Any) -> None:
    """The record of the run as its process wrote it."""
    store.put_run(RunRecord("r1", "a", 0.0, **fields))
    store.flush()


# --- a dead process ---------------------------------------------------------------------------------------------------


def test_run_of_a_dead_process_is_recovered_as_lost(store: SqliteStore, home: Path) -> None:
    abandoned(home, *CALLS, name="brisk-otter-1", started=5.0, config={"lr": 0.1}, tags=("x",), step_by="run")
    assert recover(store, home, ()) == []
    assert points(store.read("r1")) == POINTS
    record = store.run("r1")
    assert record is not None
    assert (record.name, record.state, record.config, record.tags) == ("brisk-otter-1", "lost", {"lr": 0.1}, ("x",))
    assert list(home.iterdir()) == []


def test_a_lost_run_ended_with_its_last_point(store: SqliteStore, home: Path) -> None:
    journal = FileJournal(home, dataclasses.asdict(RunRecord("r1", "a", 5.0)))
    number = journal.metric("a")
    for now in (7.0, 9.0, 8.0):
        put(journal, (number, int(now), 0.5), now=now)
    journal.leave()
    recover(store, home, ())
    record = store.run("r1")
    assert record is not None
    assert record.ended == 9.0


@pytest.mark.parametrize("field", [{"started": 1e300}, {"name": ""}, {"tags": [[1]]}, {"config": None}, {"state": "?"}])
def test_journal_with_a_damaged_record_is_left_and_stops_nothing(
    store: SqliteStore, home: Path, field: dict[str, Any]
) -> None:
    abandoned(home, *CALLS, id="r2")
    abandoned(home, *CALLS, **field)
    (said,) = recover(store, home, ())
    assert "is damaged and is left as it is" in said
    assert [run.id for run in store.runs()] == ["r2"]
    assert len(list(home.iterdir())) == 1


def test_recovered_run_is_durable(store: SqliteStore, home: Path, tmp_path: Path) -> None:
    abandoned(home, *CALLS)
    recover(store, home, ())
    other = SqliteStore(tmp_path / "p.trackbook.db", "p")
    assert points(other.read("r1")) == POINTS
    assert state(other) == "lost"
    other.close()


def test_points_already_stored_are_not_doubled(store: SqliteStore, home: Path) -> None:
    folder = abandoned(home, *CALLS)
    known(store, notes="mine")
    (batch,) = reader.Remains(folder, None).batches({})
    store.append("r1", batch.points.head(1), {f"{folder.name}/000000.seg": RECORD_BYTES})
    store.flush()
    recover(store, home, ())
    assert points(store.read("r1")) == POINTS
    record = store.run("r1")
    assert record is not None
    assert record.notes == "mine"


def test_run_whose_process_died_before_logging_is_lost(store: SqliteStore, home: Path) -> None:
    known(store)
    abandoned(home)
    recover(store, home, ())
    assert state(store) == "lost"


def test_run_without_journal_is_lost_when_its_process_is_gone(store: SqliteStore, home: Path) -> None:
    store.sign("r1", GONE)
    known(store)
    recover(store, home, ())
    assert state(store) == "lost"


def test_run_with_an_unknown_writer_is_left_alone(store: SqliteStore, home: Path) -> None:
    known(store)
    recover(store, home, ())
    assert state(store) == "running"
    recover(store, home, (), forced={"r1"})
    assert state(store) == "lost"


@pytest.mark.parametrize("ended", ["finished", "failed", "interrupted"])
def test_run_that_could_not_write_its_end_gets_its_state(store: SqliteStore, home: Path, ended: Any) -> None:
    known(store)
    journal = FileJournal(home, dataclasses.asdict(RunRecord("r1", "a", 0.0)))
    put(journal, (journal.metric("a"), 0, 0.5))
    journal.leave(dataclasses.asdict(RunRecord("r1", "a", 0.0, state=ended, ended=7.0, error="x", tags=("t",))))
    recover(store, home, ())
    assert store.run("r1") == RunRecord("r1", "a", 0.0, state=ended, ended=7.0, error="x", tags=("t",))
    assert steps(store) == [0]


def test_run_that_ended_meanwhile_keeps_its_state(store: SqliteStore, home: Path) -> None:
    known(store, state="finished")
    abandoned(home, *CALLS)
    recover(store, home, ())
    assert state(store) == "finished"
    assert points(store.read("r1")) == POINTS


def test_run_that_ends_during_recovery_is_not_lost(
    store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(store)

    def end(*_: Any, **__: Any) -> Life:
        known(store, state="finished")
        return "dead"

    monkeypatch.setattr(recovery, "life", end)
    recover(store, home, ())
    assert state(store) == "finished"


def test_head_of_an_earlier_version_is_accepted(store: SqliteStore, home: Path) -> None:
    folder = abandoned(home, *CALLS)
    lines = (folder / HEAD).read_text().replace('"id": "r1"', '"id": "r1", "colour": "red"').replace('"tags"', '"x"')
    (folder / HEAD).write_text(lines)
    recover(store, home, ())
    assert state(store) == "lost"
    assert points(store.read("r1")) == POINTS


# --- once -------------------------------------------------------------------------------------------------------------


def test_failing_store_leaves_the_journal(home: Path, tmp_path: Path) -> None:
    abandoned(home, *CALLS, [(A, OPEN, 3.5)])
    (tmp_path / "file").write_text("in the way")
    failing = SqliteStore(tmp_path / "file" / "p.trackbook.db", "p")
    for _ in range(3):
        recover(failing, home, ())
    store = SqliteStore(tmp_path / "p.trackbook.db", "p")
    recover(store, home, ())
    assert steps(store) == [0, 1, 2]
    store.close()
    failing.close()


def test_journal_that_cannot_be_removed_adds_nothing_twice(
    store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise open steps would be assigned again."""
    abandoned(home, [(A, OPEN, 0.5)], [(A, OPEN, 1.5)])
    with monkeypatch.context() as held:
        held.setattr(reader.Remains, "remove", lambda _: False)
        recover(store, home, ())
        recover(store, home, ())
    recover(store, home, ())
    assert points(store.read("r1")) == [("a", 0, 0.5), ("a", 1, 1.5)]
    assert list(home.iterdir()) == []


def test_open_steps_are_numbered_once_if_recovery_dies(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers and marks go into the file in one transaction."""
    monkeypatch.setattr(reader, "_MOST_AT_ONCE", 3)
    monkeypatch.setattr(run_buffer, "LARGEST", 4)  # the points of a transaction: enough for a batch, not for all
    folder = abandoned(home, *[[(A, OPEN, float(step))] for step in range(10)])
    shutil.copytree(folder, tmp_path / "copy")
    writes = 0
    while True:
        path = tmp_path / f"{writes}.db"
        dying, allowed = SqliteStore(path, "p"), writes
        write = dying._file.write

        def write_or_die(work: Any, write: Any = write) -> bool:
            nonlocal allowed
            allowed -= 1
            if allowed < 0:
                raise KeyboardInterrupt
            return bool(write(work))

        dying._file.write = write_or_die  # type: ignore[method-assign]
        try:
            recover(dying, home, ())
            finished = True
        except KeyboardInterrupt:
            finished = False
        dying._file.close()
        store = SqliteStore(path, "p")
        recover(store, home, ())
        assert points(store.read("r1")) == [("a", step, float(step)) for step in range(10)]
        store.close()
        if finished:
            break
        shutil.copytree(tmp_path / "copy", folder, dirs_exist_ok=True)
        writes += 1
    assert writes > 3


def test_open_steps_are_written_in_their_own_transaction(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store writes large batches in several transactions, with the mark in the last one."""
    monkeypatch.setattr(reader, "_MOST_AT_ONCE", 1)
    folder = abandoned(home, [(A, OPEN, 0.5)], [(A, OPEN, 1.5)])
    done: list[str] = []

    class Watched(MemoryStore):
        def append(self, *points: Any) -> list[str]:
            done.append("append")
            return super().append(*points)

        def flush(self) -> bool:
            done.append("flush")
            return super().flush()

    take_over(Watched(), reader.Remains(folder, -1), Recorder(NullJournal(), "metric", {}))
    assert done == ["flush", "append", "flush"] * 2


def test_two_openers_recover_a_run_once(home: Path, tmp_path: Path) -> None:
    folders = [
        abandoned(home, *[[(A, OPEN, 0.5), (B, step, 0.5)] for step in range(100)], id=f"r{run}") for run in range(30)
    ]
    assert len(set(folders)) == 30
    program = """
import sys
from pathlib import Path
import polars
from trackbook.tracking.project import Project
project = Project("p", Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
project.recover()
project.store.close()
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    openers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == b"ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write(b"go\n")
        opener.stdin.flush()
    assert [opener.wait(TIMEOUT) for opener in openers] == [0, 0]
    for opener in openers:
        opener.communicate(timeout=TIMEOUT)
    assert list(home.iterdir()) == []
    store = SqliteStore(tmp_path / "p.trackbook.db", "p")
    for run in range(30):
        found = points(store.read(f"r{run}"))
        for metric in "ab":
            assert [step for name, step, _ in found if name == metric] == list(range(100))
        assert state(store, f"r{run}") == "lost"
    store.close()


# --- what is not ours -------------------------------------------------------------------------------------------------


def test_a_living_run_is_left_alone(store: SqliteStore, home: Path) -> None:
    known(store)
    journal = FileJournal(home, dataclasses.asdict(RunRecord("r1", "a", 0.0)))
    put(journal, (journal.metric("a"), 0, 0.5))
    recover(store, home, ())
    assert state(store) == "running"
    assert points(store.read("r1")) == []
    journal.close()


def test_children_of_a_living_run_are_left_to_it(store: SqliteStore, home: Path) -> None:
    """Only the parent knows which steps it has assigned."""
    known(store)
    journal = FileJournal(home, dataclasses.asdict(RunRecord("r1", "a", 0.0)))
    journal.open()
    child = abandoned(home, [(A, OPEN, 0.5)], child=True)
    recover(store, home, ())
    assert points(store.read("r1")) == []
    assert rows(reader.Remains(child, None).batches({})) == [("a", OPEN, 0.5)]
    journal.leave()
    recover(store, home, ())
    assert steps(store) == [0]
    assert state(store) == "lost"


def test_a_run_of_this_process_takes_up_its_own_children(store: SqliteStore, home: Path) -> None:
    known(store)
    abandoned(home, [(A, OPEN, 0.5)], child=True)
    recover(store, home, {"r1"})
    assert points(store.read("r1")) == []
    assert len(list(reader.remains(home))) == 1  # nothing keeps its lock


def test_a_childs_points_follow_its_parents(store: SqliteStore, home: Path) -> None:
    children = [abandoned(home, [(A, OPEN, 7.5)], [(A, OPEN, 8.5), (B, OPEN, 9.5)], child=True) for _ in range(2)]
    parent = abandoned(home, *CALLS)
    assert len({parent, *children}) == 3
    recover(store, home, ())
    assert [value for name, _, value in points(store.read("r1")) if name == "a"][:2] == [0.5, 1.5]
    assert [value for name, _, value in points(store.read("r1")) if name == "b"][:1] == [2.5]
    assert steps(store) == [0, 1, 2, 3, 4, 5]
    assert steps(store, "b") == [0, 1, 2]


def test_run_of_a_dead_parent_is_not_lost_while_its_child_lives(store: SqliteStore, home: Path) -> None:
    child = FileJournal(home, dataclasses.asdict(RunRecord("r1", "a", 0.0)) | {"child": True})
    put(child, (child.metric("a"), OPEN, 0.5))
    abandoned(home, *CALLS)
    recover(store, home, ())
    assert points(store.read("r1")) == POINTS
    assert state(store) == "running"
    child.leave()
    recover(store, home, ())
    assert steps(store) == [0, 1, 2]
    assert state(store) == "lost"


def test_runs_with_a_common_id_prefix_are_distinguished(store: SqliteStore, home: Path) -> None:
    journal = FileJournal(home, dataclasses.asdict(RunRecord("r1-x", "b", 0.0)))
    journal.open()
    store.sign("r1", GONE)
    known(store)
    recover(store, home, ())
    assert state(store) == "lost"
    journal.close()


def test_unreadable_journal_is_reported_once(tmp_path: Path) -> None:
    project = Project("p", tmp_path)
    newer = abandoned(project.journals, *CALLS, id="r0")
    (newer / HEAD).write_text(json.dumps({"format": 2, "id": "r0"}))
    (project.journals / "empty").mkdir()
    abandoned(project.journals, *CALLS)
    with pytest.warns(TrackbookWarning, match="written by a later trackbook") as warned:
        project.recover()
    project.recover()
    assert len(warned) == 1
    assert points(project.store.read("r1")) == POINTS
    assert newer.exists()
    project.store.close()


# --- children of a run of this process --------------------------------------------------------------------------------


def parent(home: Path, store: Any, **fields: Any) -> Run:
    record = RunRecord("r1", "a", 0.0, **fields)
    journal = FileJournal(home, dataclasses.asdict(record))
    journal.open()
    run = a_run("p", record, store, journal, home.parent)
    writer_of(run).has_children = True
    return run


@pytest.mark.parametrize("by", ["metric", "run"])
def test_parent_drains_journals_of_its_children(home: Path, by: Any) -> None:
    run = parent(home, MemoryStore(), step_by=by)
    run.log({"a": 0.5})
    abandoned(home, [(A, OPEN, 1.5)], [(A, OPEN, 2.5), (B, OPEN, 3.5)], child=True)
    writer_of(run).hand_over()
    run.log({"a": 4.5})
    found: list[Row] = points(run.history())
    assert found[:4] == [("a", 0, 0.5), ("a", 1, 1.5), ("a", 2, 2.5), ("a", 3, 4.5)]
    assert found[4:] == [("b", 0 if by == "metric" else 2, 3.5)]
    assert [folder.name for folder in home.iterdir()] == [run._recorder.journal.name]
    run.finish()
    assert list(home.iterdir()) == []


def test_childs_points_are_drained_once(home: Path, store: SqliteStore) -> None:
    run = parent(home, store)
    child = FileJournal(home, {"id": "r1", "child": True})
    number = child.metric("a")
    for value in range(5):
        put(child, (number, OPEN, float(value)))
        writer_of(run).hand_over()
        writer_of(run).hand_over()
    assert points(run.history()) == [("a", step, float(step)) for step in range(5)]
    child.leave()
    run.finish()
    assert [step for _, step, _ in points(store.read("r1"))] == list(range(5))


@pytest.mark.parametrize("steps", [(OPEN, OPEN), (1, 2)])
def test_childs_points_are_drained_once_by_a_failing_store(home: Path, tmp_path: Path, steps: tuple[int, int]) -> None:
    (tmp_path / "file").write_text("in the way")
    run = parent(home, SqliteStore(tmp_path / "file" / "p.trackbook.db", "p"))
    run.log({"a": 0.5})
    abandoned(home, [(A, steps[0], 1.5)], [(A, steps[1], 2.5)], child=True)
    for _ in range(3):
        writer_of(run).hand_over()
    (tmp_path / "file").unlink()
    writer_of(run).hand_over()
    assert points(run.history()) == [("a", 0, 0.5), ("a", 1, 1.5), ("a", 2, 2.5)]
    assert writer_of(run)._discarded == set()
    run.finish()
    writer_of(run).store.close()


def media_of(store: Any) -> list[tuple[str, int]]:
    return [(row.metric, row.step) for row in logged_media.rows_of(store, "r1")]


def note_image(child: FileJournal, step: int, now: float) -> None:
    """Write the line of a call that logs an image."""
    encoded = Encoded("image", None)
    child.note(index.line(index.rows_from(int(now * 1000), "img", step, now, [encoded])))


def test_media_of_a_child_wait_for_the_points_of_their_call(home: Path, store: SqliteStore) -> None:
    run = parent(home, store, step_by="run")
    child = FileJournal(home, {"id": "r1", "child": True})
    number = child.metric("a")
    for now in (1.0, 2.0):
        note_image(child, index.WITH_POINTS, now)
        writer_of(run).hand_over()
        assert len(media_of(store)) == now - 1
        run.log({"a": 9.0})
        put(child, (number, OPEN, now), now=now)
        writer_of(run).hand_over()
    note_image(child, index.WITH_POINTS, 3.0)  # killed before the points
    child.leave()
    run.finish()
    assert [row for row in points(store.read("r1")) if row[2] != 9.0] == [("a", 1, 1.0), ("a", 3, 2.0)]
    assert media_of(store) == [("img", 1), ("img", 3), ("img", 4)]


def test_media_of_a_child_find_their_points_after_a_failure_of_the_store(
    home: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = parent(home, store, step_by="run")
    child = FileJournal(home, {"id": "r1", "child": True})
    note_image(child, index.WITH_POINTS, 1.0)
    put(child, (child.metric("a"), OPEN, 1.0), now=1.0)
    append = store.append

    def append_only(*given: Any) -> list[str]:
        monkeypatch.setattr(store, "flush", lambda: False)
        return append(*given)

    monkeypatch.setattr(store, "append", append_only)
    writer_of(run).hand_over()
    monkeypatch.undo()
    assert media_of(store) == []
    writer_of(run).hand_over()
    assert points(store.read("r1")) == [("a", 0, 1.0)]
    assert media_of(store) == [("img", 0)]
    child.leave()
    run.finish()


def test_media_of_a_dead_child_have_the_steps_of_their_points(home: Path, store: SqliteStore) -> None:
    known(store, step_by="run")
    store.put_captured("r1", "media", index.rows_from(5, "img", 6, 0.5, [Encoded("image", None)]))
    child = FileJournal(home, {"id": "r1", "name": "a", "started": 0.0, "child": True, "step_by": "run"})
    number = child.metric("a")
    for now in (1.0, 2.0):
        note_image(child, index.WITH_POINTS, now)
        put(child, (number, OPEN, now), now=now)
    note_image(child, index.LATER, 3.0)
    child.leave()
    recover(store, home, ())
    assert points(store.read("r1")) == [("a", 7, 1.0), ("a", 8, 2.0)]
    assert media_of(store) == [("img", 6), ("img", 7), ("img", 8), ("img", 9)]
