from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import trackbook as tb
from trackbook.store.project_files import compact, metric_names, run_names


def a_run(project: str, name: str, **values: float) -> tb.Run:
    with tb.init(project=project, name=name) as run:
        run.log(values)
    return run


def test_what_is_no_project_of_ours_cannot_be_read(store_dir: Path) -> None:
    store_dir.mkdir()
    bad, other = store_dir / "bad.trackbook.db", store_dir / "other.trackbook.db"
    bad.write_bytes(b"x" * 5000)
    with closing(sqlite3.connect(other)) as db:
        db.execute("create table t (x)")
    with pytest.raises(OSError, match="file is not a database"):
        run_names(bad)
    with pytest.raises(OSError, match=r"other.trackbook.db is not a project of Trackbook"):
        run_names(other)


def test_names_of_runs_and_metrics(store_dir: Path) -> None:
    first = a_run("p", "a", x=1, y=2)
    second = a_run("p", "b", y=1, z=2)
    path = store_dir / "p.trackbook.db"
    assert run_names(path) == [(first.id, "a"), (second.id, "b")]
    assert metric_names(path) == ["x", "y", "z"]


def test_compact_raises_while_another_connection_writes(store_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackbook.store.project_files.BUSY_SECONDS", 0.01)
    run = a_run("p", "a", x=1)
    path = store_dir / "p.trackbook.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("begin immediate")
        with pytest.raises(OSError, match="database is locked"):
            compact(path)
    before, after = compact(path)
    assert (before > 0, path.stat().st_size) == (True, after)
    assert tb.get_run(run.id, "p").history().height == 1
