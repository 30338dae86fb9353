"""Every process distinguishes live from dead runs, and never recovers or deletes a live one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from journals import abandoned
from trackbook import filesystem
from trackbook.journal.journal import HEAD, FileJournal
from trackbook.store.record_buffer import HEARTBEAT_SECONDS
from trackbook.store.sqlite import SqliteStore
from trackbook.store.writer_process import runs_here, this_process
from trackbook.tracking.exit_status import SUFFIX
from trackbook.tracking.liveness import FRESH_SECONDS, is_settled, life
from trackbook.tracking.project import Project
from trackbook.tracking.recovery import recover
from trackbook.types import RunRecord, Writer

TIMEOUT = 60
HERE = this_process()
GONE = HERE._replace(born="0")
ELSEWHERE = Writer("node7", "another kernel", 12, "34", 0.0)
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "p.trackbook.db", "p")
    yield store
    store.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "p.journals"


def written_by(tmp_path: Path, writer: Writer, *, ago: float = 0.0) -> SqliteStore:
    """The store of a project with the run "r1", which `writer` wrote last some seconds `ago`."""
    other = SqliteStore(tmp_path / "p.trackbook.db", "p")
    other.put_run(RunRecord("r1", "a", 1.0))
    other.sign("r1", writer)
    other.flush()
    assert other._file.write(lambda db: db.execute("update writers set seen = ?", (time.time() - ago,)))
    other.close()
    return SqliteStore(tmp_path / "p.trackbook.db", "p")


def unknown_run(tmp_path: Path) -> Project:
    """A project with a run "r1" of a machine that has been silent for a day."""
    written_by(tmp_path, ELSEWHERE, ago=86_400).close()
    return Project("p", tmp_path)


# --- the signs ----------------------------------------------------------------------------------------------------------


def test_held_lock_means_alive(store: SqliteStore, home: Path) -> None:
    journal = FileJournal(home, {"id": "r1"})
    journal.open()
    assert life(store, home, "r1") == "alive"
    journal.leave()
    assert life(store, home, "r1") == "dead"


def test_run_without_journal_lives_as_long_as_its_process(tmp_path: Path, home: Path) -> None:
    assert life(written_by(tmp_path, HERE, ago=86_400), home, "r1") == "alive"


def test_run_without_journal_is_dead_with_its_process(tmp_path: Path, home: Path) -> None:
    assert life(written_by(tmp_path, GONE), home, "r1") == "dead"


def test_run_without_evidence_is_unknown(store: SqliteStore, home: Path) -> None:
    assert life(store, home, "r1") == "unknown"


@pytest.mark.parametrize(
    ("ago", "expected"), [(0.0, "alive"), (HEARTBEAT_SECONDS, "alive"), (FRESH_SECONDS + 1, "unknown")]
)
def test_other_machine_is_alive_while_its_heartbeat_is_fresh(
    tmp_path: Path, home: Path, ago: float, expected: str
) -> None:
    assert life(written_by(tmp_path, ELSEWHERE, ago=ago), home, "r1") == expected


def test_free_lock_on_a_local_disk_proves_another_container_dead(tmp_path: Path, home: Path) -> None:
    abandoned(home)
    assert life(written_by(tmp_path, ELSEWHERE), home, "r1") == "dead"


@pytest.mark.parametrize(("ago", "expected"), [(0.0, "alive"), (3600.0, "unknown")])
def test_free_lock_on_a_network_disk_proves_nothing(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, ago: float, expected: str
) -> None:
    abandoned(home)
    monkeypatch.setattr(filesystem, "is_network", lambda _: True)
    assert life(written_by(tmp_path, ELSEWHERE, ago=ago), home, "r1") == expected


def test_lock_that_cannot_be_tried_proves_nothing(
    store: SqliteStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abandoned(home)

    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(filesystem, "hold", refuse)
    assert life(store, home, "r1") == "unknown"


def test_future_heartbeat_is_not_fresh(tmp_path: Path, home: Path) -> None:
    assert life(written_by(tmp_path, ELSEWHERE, ago=-3600), home, "r1") == "unknown"


@pytest.mark.parametrize(("writer", "expected"), [(HERE, True), (GONE, False), (ELSEWHERE, True)])
def test_project_is_settled_unless_the_process_of_a_run_is_dead(
    tmp_path: Path, home: Path, writer: Writer, *, expected: bool
) -> None:
    assert is_settled(written_by(tmp_path, writer, ago=86_400), home) is expected


def test_project_is_not_settled_with_the_journal_of_a_dead_process(store: SqliteStore, home: Path) -> None:
    journal = FileJournal(home, {"id": "r1"})
    journal.open()
    assert is_settled(store, home)
    journal.leave()
    assert not is_settled(store, home)


def test_project_is_not_settled_with_an_exit_status(store: SqliteStore, home: Path) -> None:
    home.mkdir()
    (home / f"1-abc{SUFFIX}").write_bytes(b"[]\n")
    assert not is_settled(store, home)


# --- processes ----------------------------------------------------------------------------------------------------------


def test_this_process_runs_here() -> None:
    assert runs_here(HERE) is True


def test_reused_process_id_is_recognised() -> None:
    assert runs_here(GONE) is False


def test_process_of_another_machine_or_container_is_not_looked_for() -> None:
    assert runs_here(ELSEWHERE) is None
    assert runs_here(HERE._replace(system="")) is None


@linux
def test_process_that_ended_and_is_not_waited_for_does_not_run() -> None:
    program = "from trackbook.store.writer_process import this_process; print(repr(this_process()), flush=True)"
    running = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    writer = eval(running.stdout.readline(), {"Writer": Writer})
    os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
    assert runs_here(writer) is False
    running.communicate(timeout=TIMEOUT)


# --- what is done to a run of which nobody can tell -------------------------------------------------------------------


def test_unknown_run_is_not_recovered_without_force(tmp_path: Path, home: Path) -> None:
    store = written_by(tmp_path, ELSEWHERE, ago=86_400)
    recover(store, home, ())
    assert [run.state for run in store.runs()] == ["running"]
    recover(store, home, (), forced={"r1"})
    assert [run.state for run in store.runs()] == ["lost"]
    assert store.writers() == {}


def test_journal_on_a_network_disk_is_left_to_a_machine_that_may_live(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = abandoned(home, [(0, 0, 0.5)])
    store = written_by(tmp_path, ELSEWHERE, ago=86_400)
    monkeypatch.setattr(filesystem, "is_network", lambda _: True)
    recover(store, home, ())
    assert (folder / HEAD).exists()
    assert store.read("r1").is_empty()
    recover(store, home, (), forced={"r1"})
    assert not folder.exists()
    assert len(store.read("r1")) == 1


def test_unknown_run_is_not_deleted_without_force(tmp_path: Path) -> None:
    project = unknown_run(tmp_path)
    with pytest.raises(ValueError, match=r"process 12 of node7, seen 24 h ago.*force=True"):
        project.delete(project.get("r1"))
    project.delete(project.get("r1"), force=True)
    assert project.runs() == []


def test_project_with_an_unknown_run_is_not_deleted_without_force(tmp_path: Path) -> None:
    project = unknown_run(tmp_path)
    with pytest.raises(ValueError, match="force=True"):
        project.delete_all()
    project.delete_all(force=True)
    assert not project.store.path.exists()


def test_unknown_run_is_not_moved(tmp_path: Path) -> None:
    project = unknown_run(tmp_path)
    with pytest.raises(ValueError, match="may still be written"):
        project.move(project.get("r1"), Project("q", tmp_path))


def test_unknown_run_is_neither_resumed_nor_rewound_without_force(tmp_path: Path) -> None:
    unknown_run(tmp_path).store.close()
    for back_to in (None, 3):
        with pytest.raises(ValueError, match="force=True"):
            tb.init("p", id="r1", resume="must", resume_from=back_to, dir=tmp_path, capture=False)
    run = tb.init("p", id="r1", resume="must", force=True, dir=tmp_path, capture=False)
    run.log({"loss": 1.0})
    run.finish()
    assert run.state == "finished"


def test_live_run_is_not_resumed_even_by_force(tmp_path: Path) -> None:
    written_by(tmp_path, ELSEWHERE).close()
    with pytest.raises(ValueError, match="is being written by another process, and cannot be resumed"):
        tb.init("p", id="r1", resume="must", force=True, dir=tmp_path, capture=False)


# --- whole programs -----------------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
import trackbook as tb
folder = Path(sys.argv[1])
run = tb.init("p", name="r", dir=folder, capture=False)
for step in range(100):
    tb.log({"loss": step})
run.history()
print("ready", flush=True)
sys.stdin.readline()
tb.finish()
"""
NO_LOCKS = """
import errno, fcntl
def refuse(*_): raise OSError(errno.ENOLCK, "No locks available")
fcntl.flock = refuse
"""


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["a file where journals go", "no flock", "journals of another user"])
def test_live_run_whose_journal_cannot_be_kept_or_tried_is_alive(tmp_path: Path, home: Path, fault: str) -> None:
    if fault == "no flock" and sys.platform == "win32":
        pytest.skip("Windows locks otherwise")
    if fault == "a file where journals go":
        home.write_text("in the way")
    program = (NO_LOCKS if fault == "no flock" else "") + WRITER
    running = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        if fault == "journals of another user":
            shutil.rmtree(home)  # as good as a folder that nobody else may look into
        project = Project("p", tmp_path)
        project.recover()
        (record,) = project.runs()
        assert record.state == "running"
        for act in (project.delete, lambda run: project.delete(run, force=True)):
            with pytest.raises(ValueError, match="is being written by another process"):
                act(project.get(record.id))
        assert len(project.runs()) == 1
        project.store.close()
    finally:
        running.communicate("go\n", timeout=TIMEOUT)
    project = Project("p", tmp_path)
    project.recover()
    (record,) = project.runs()
    assert (record.state, len(project.store.read(record.id))) == ("finished", 100)
    assert project.store.writers() == {}
    project.store.close()


def test_run_that_logs_nothing_sends_heartbeats(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put_run(RunRecord("r1", "a", 1.0))
    store.sign("r1", HERE)
    store.flush()
    reader = SqliteStore(store.path, "p")
    first = reader.writers()["r1"].seen
    store.flush()
    assert reader.writers()["r1"].seen == first
    monkeypatch.setattr(store._records, "_next_heartbeat", 0.0)
    store.flush()
    assert reader.writers()["r1"].seen > first
    reader.close()


def test_run_that_ends_has_no_writer(store: SqliteStore) -> None:
    store.put_run(RunRecord("r1", "a", 1.0))
    store.sign("r1", HERE)
    store.flush()
    store.put_run(RunRecord("r1", "a", 1.0, state="finished"))
    store.flush()
    assert store.writers() == {}
