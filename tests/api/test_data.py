from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import trackbook as tb
from foreign_stores import trackio_db


def a_run(name: str, project: str = "p") -> tb.Run:
    with tb.init(project=project, name=name, config={"lr": 0.1}, tags=["a"]) as run:
        for step in range(3):
            tb.log({"train/loss": 1 / (step + 1), "acc": float("nan")})
    return run


def test_run_exported_to_parquet_is_imported_equal(tmp_path: Path) -> None:
    run = a_run("first")
    run.to_parquet(tmp_path / "run.parquet")
    (back,) = tb.import_parquet(tmp_path / "run.parquet", project="q")
    assert back.record == run.record
    assert back.history().equals(run.history(), null_equal=True)
    assert back.project == "q"


def test_reading_a_missing_project_is_an_error(tmp_path: Path) -> None:
    a_run("first")
    for read in (lambda: tb.export("q", tmp_path / "out"), lambda: tb.sql("select * from points", "q")):
        with pytest.raises(ValueError, match="there is no project 'q'"):
            read()  # type: ignore[no-untyped-call]
    assert not (tmp_path / "out").exists()


def test_export_of_an_open_run_has_all_logged_points(tmp_path: Path) -> None:
    with tb.init(project="p") as run:
        tb.log({"loss": 1.0})
        run.to_parquet(tmp_path / "run.parquet")
    assert pl.read_parquet(tmp_path / "run.parquet")["value"].to_list() == [1.0]


def test_project_exported_as_a_dataset_is_imported_equal(tmp_path: Path) -> None:
    runs = [a_run("first"), a_run("second")]
    tb.export("p", tmp_path / "out")
    tb.delete_project("p", force=True)
    back = tb.import_parquet(tmp_path / "out")
    assert sorted(run.id for run in back) == sorted(run.id for run in runs)
    assert {run.project for run in back} == {"p"}


def test_runs_are_exported_by_name(tmp_path: Path) -> None:
    a_run("first"), a_run("second")
    tb.export("p", tmp_path / "out.csv", runs="second", format="csv")
    assert set(pl.read_csv(tmp_path / "out.csv")["run"]) == {"second"}


def test_exporting_a_missing_run_writes_no_file(tmp_path: Path) -> None:
    a_run("first")
    with pytest.raises(ValueError, match="has no run 'third'"):
        tb.export("p", tmp_path / "out", runs=["third"])
    assert not (tmp_path / "out").exists()


def test_sql_reads_points_and_runs_of_an_open_run_too() -> None:
    with tb.init(project="p", name="open"):
        tb.log({"loss": 2.0})
        tb.log({"loss": 1.0})
        answer = tb.sql("select run, min(value) as best from points where metric = 'loss' group by run")
    assert answer.rows() == [("open", 1.0)]


def test_sql_of_a_project_by_name() -> None:
    a_run("first")
    a_run("other", project="q")
    assert tb.sql("select name from runs", "p")["name"].to_list() == ["first"]


def test_runs_of_other_trackers_are_imported(tmp_path: Path) -> None:
    path = trackio_db(tmp_path / "theirs.db", [("t1", "brisk-1", 0, "2026-01-01", {"loss": 0.5})])
    told: list[float] = []
    (run,) = tb.import_from(path, progress=lambda progress: told.append(progress.fraction))
    assert (run.project, run.id, run.name, run.state) == ("theirs", "t1", "brisk-1", "finished")
    assert run.history()["value"].to_list() == [0.5]
    assert told[-1] == 1
    (copy,) = tb.import_from(path, "trackio", "copy")
    assert (copy.project, copy.record) == ("copy", run.record)
    assert [one.id for one in tb.import_from(path)] == ["t1"]


def test_import_from_takes_parquet_and_addresses_of_sqlite(tmp_path: Path) -> None:
    run = a_run("first")
    run.to_parquet(tmp_path / "run.parquet")
    (back,) = tb.import_from(tmp_path / "run.parquet", project="q")
    assert back.record == run.record
    path = trackio_db(tmp_path / "theirs.db", [("t1", "brisk-1", 0, "2026-01-01", {"loss": 0.5})])
    assert [one.id for one in tb.import_from(f"sqlite:///{path}")] == ["t1"]
