"""Nothing is removed or replaced before the new copy was read back completely."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackbook import filesystem
from trackbook.data.export import FORMATS, export
from trackbook.store import sqlite_file
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.store.transfer import put_whole, read_whole
from trackbook.tracking.project import Project
from trackbook.tracking.run import writer_of
from trackbook.tracking.run_options import RunOptions
from trackbook.types import RunRecord

FIRST, SECOND = 3_000, 1_000  # points of its two chunks: a chunk is not joined to one a third of its size
pytestmark = pytest.mark.filterwarnings("ignore:.*file system that cannot share memory")


@pytest.fixture(autouse=True)
def rollback_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a rollback journal, as on NFS, where readers meet locks, with short timeouts."""
    monkeypatch.setattr(filesystem, "is_network", lambda _: True)
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.02)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project with a run `r1` of two chunks, closed."""
    project = Project("p", tmp_path)
    for number, steps in enumerate((range(FIRST), range(FIRST, FIRST + SECOND))):
        project.store.put_run(RunRecord("r1", "r", 1.0, state="finished", config={"lr": 0.1}))
        rows = [("loss", step, step * 0.37, 1.0 + step) for step in steps]
        project.store.append("r1", pl.DataFrame(rows, schema=POINTS, orient="row"))
        project.store.put_captured("r1", "console", [(number, "stdout", f"line {number}", 1.0, None)])
        assert project.store.flush()
    project.store.close()
    yield project
    project.store.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Project]:
    other = Project("q", tmp_path)
    yield other
    other.store.close()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("begin exclusive")
        yield


def flip_chunk(path: Path, run: str = "r1") -> None:
    """Flip one bit of the oldest chunk."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        rowid, data = db.execute("select rowid, data from chunks where run_id = ? order by first", (run,)).fetchone()
        middle = len(data) // 2
        changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        db.execute("update chunks set data = ? where rowid = ?", (changed, rowid))


def lock_when(project: Project, monkeypatch: pytest.MonkeyPatch, method: str) -> contextlib.ExitStack:
    """Lock the file, as another program would, when `method` of the store is called."""
    stack, plain, calls = contextlib.ExitStack(), getattr(project.store, method), itertools.count()

    def call(*given: Any, **more: Any) -> Any:
        if next(calls) == 0:
            stack.enter_context(locked(project.store.path))
        return plain(*given, **more)

    monkeypatch.setattr(project.store, method, call)
    return stack


def count(project: Project) -> int:
    return len(project.store.read("r1"))


# --- moving -----------------------------------------------------------------------------------------------------------


def test_moved_run_is_complete(project: Project, other: Project) -> None:
    before = read_whole(project.store, "r1")
    project.move(project.get("r1"), other)
    assert repr(read_whole(other.store, "r1")) == repr(before)
    assert project.runs() == []


@pytest.mark.parametrize("method", ["read", "captured", "run"])
def test_run_stays_when_the_file_is_busy_while_it_is_moved(
    project: Project, other: Project, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    run = project.get("r1")
    with lock_when(project, monkeypatch, method), pytest.raises(OSError, match=r"run 'r' stays in 'p': Cannot read"):
        project.move(run, other)
    assert count(project) == FIRST + SECOND
    assert other.runs() == []


def test_run_with_a_damaged_chunk_stays(project: Project, other: Project) -> None:
    flip_chunk(project.store.path)
    with pytest.raises(OSError, match=r"run 'r' stays in 'p': .* rows 0 to 2999 of run 'r1' cannot be read"):
        project.move(project.get("r1"), other)
    with contextlib.closing(sqlite3.connect(project.store.path)) as db:
        assert db.execute("select sum(rows) from chunks").fetchone() == (FIRST + SECOND,)
    assert other.runs() == []


def test_run_stays_when_its_copy_is_incomplete(
    project: Project, other: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = other.store.append
    monkeypatch.setattr(other.store, "append", lambda run, points, **more: plain(run, points.head(-1), **more))
    with pytest.raises(OSError, match=r"of 4,000 points of run 'r1' 3,999 can be read back"):
        project.move(project.get("r1"), other)
    assert count(project) == FIRST + SECOND
    assert other.runs() == []


def test_run_stays_when_the_target_cannot_be_written(project: Project, other: Project) -> None:
    put_whole(other.store, RunRecord("r2", "b", 1.0, state="finished"), pl.DataFrame(schema=POINTS), {})
    run = project.get("r1")
    with locked(other.store.path), pytest.raises(OSError, match=r"locked|busy|Cannot read"):
        project.move(run, other)
    assert count(project) == FIRST + SECOND
    assert [found.id for found in other.runs()] == ["r2"]


def test_project_is_not_deleted_when_its_runs_cannot_be_read(project: Project) -> None:
    """One of them may be written by a live process."""
    with locked(project.store.path), pytest.raises(OSError, match="Cannot read"):
        project.delete_all()
    assert count(project) == FIRST + SECOND


# --- exporting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", list(FORMATS))
def test_former_export_stays_when_the_file_is_busy(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    path = tmp_path / f"out.{format}"
    export(path, "p", project.runs(), project.store, format)
    before, runs = path.read_bytes(), project.runs()
    with lock_when(project, monkeypatch, "read"), pytest.raises(OSError, match="Cannot read"):
        export(path, "p", runs, project.store, format)
    assert path.read_bytes() == before


def test_damaged_run_replaces_no_former_export(project: Project, tmp_path: Path) -> None:
    path = export(tmp_path / "out", "p", project.runs(), project.store)
    flip_chunk(project.store.path)
    with pytest.raises(OSError, match="rows 0 to 2999 of run 'r1' cannot be read"):
        export(path, "p", project.runs(), project.store)
    assert len(pl.read_parquet(path)) == FIRST + SECOND


def test_readable_part_of_a_damaged_run_is_exported(project: Project, tmp_path: Path) -> None:
    flip_chunk(project.store.path)
    with pytest.warns(UserWarning, match="rows 0 to 2999 of run 'r1' cannot be read and are left out"):
        path = export(tmp_path / "rest", "p", project.runs(), project.store)
    assert len(pl.read_parquet(path)) == SECOND


@pytest.mark.parametrize("format", list(FORMATS))
@pytest.mark.parametrize("damage", ["less", "other"])
def test_former_export_stays_when_the_new_one_differs(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, damage: str
) -> None:
    path = export(tmp_path / f"out.{format}", "p", project.runs(), project.store, format)
    before, known = path.read_bytes(), FORMATS[format]
    changed = {
        "less": lambda path: known.scan(path).filter(pl.int_range(pl.len()) < 5),
        "other": lambda path: known.scan(path).with_columns(pl.col("step") + 1),
    }[damage]
    monkeypatch.setitem(FORMATS, format, known._replace(scan=changed))
    with pytest.raises(OSError, match="or others read back"):
        export(path, "p", project.runs(), project.store, format)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".trackbook-*"))


# --- reading ----------------------------------------------------------------------------------------------------------


def test_reads_of_a_busy_file_raise(project: Project) -> None:
    store, known = project.store, RunRecord("r1", "r", 1.0)
    reads: dict[str, Any] = {
        "runs": store.runs,
        "run": lambda: store.run("r1"),
        "read": lambda: store.read("r1"),
        "summary": lambda: store.summary("r1"),
        "summary_table": lambda: store.summary_table(["r1"]),
        "read_many": lambda: store.read_many({"r1": ["loss"]}),
        "captured": lambda: store.captured("r1", "console"),
        "marks": lambda: store.marks("journal"),
    }
    with locked(store.path):
        for read in reads.values():
            with pytest.raises(OSError, match="Cannot read"):
                read()
    assert [run.id for run in store.runs()] == [known.id]


def test_resuming_a_run_of_a_busy_file_is_refused(project: Project) -> None:
    with locked(project.store.path), pytest.raises(OSError, match="Cannot read"):
        project.admit(RunOptions(RunRecord("r1", "r", 2.0), by_id=True, resume="allow"))
    assert count(project) == FIRST + SECOND


def test_new_run_begins_while_the_file_is_busy(project: Project) -> None:
    """A new run reads nothing, and its points wait in memory and in the journal."""
    with locked(project.store.path):
        run = project.open_run(RunOptions(RunRecord("new", "new", 2.0)))
        run.log({"loss": 0.5})
        writer = writer_of(run)
        assert (writer.earlier_rows("cells"), writer.earlier_summary()) == ([], {})
    run.finish()
    assert len(project.store.read("new")) == 1


# --- appending --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("where", ["numbers", "by_number", "add", "note_taken"])
def test_failed_append_moves_no_marks_and_takes_no_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, where: str
) -> None:
    """The journal discards records up to the marks."""
    from trackbook.store import run_points as points_module
    from trackbook.store.metric_stats import MetricStats

    store = MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "p.db", "p")
    first, second = (
        pl.DataFrame([("loss", step, 0.5, 1.0) for step in steps], schema=POINTS, orient="row")
        for steps in ([5, 6, 7], [1, 8, 2, 9])
    )
    store.put_run(RunRecord("r1", "r", 1.0))
    store.append("r1", first, {"j/0": 96})
    store.append("r1", first.head(1), {"j/0": 97})  # a second one, so that steps are looked up

    def fail(*_: Any) -> Any:
        raise MemoryError

    place: tuple[Any, str] = {
        "numbers": (MetricStats, "numbers"),
        "by_number": (points_module, "by_number"),
        "add": (MetricStats, "_add_groups"),
        "note_taken": (points_module.Taken, "add"),
    }[where]
    with monkeypatch.context() as patch:
        patch.setattr(*place, fail)
        with pytest.raises(MemoryError):
            store.append("r1", second, {"j/0": 200})
    assert store.marks("j") == {"j/0": 97}
    assert store.append("r1", second, {"j/0": 200}) == []
    assert sorted(store.read("r1")["step"].to_list()) == [1, 2, 5, 6, 7, 8, 9]
    assert store.summary("r1")["loss"].count == 7
    assert store.flush()
    assert store.marks("j") == {"j/0": 200}
    store.close()
