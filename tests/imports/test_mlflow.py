from __future__ import annotations

import math
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from foreign_stores import imported, points
from trackbook.imports.importing import import_source
from trackbook.store.documents import document
from trackbook.store.memory import MemoryStore
from trackbook.types import RunRecord

PARAMS = {"lr": "0.1", "epochs": "10", "version": "001", "amp": "True", "exact": "0.10", "name": "adam", "none": "None"}
TYPED = {"lr": 0.1, "epochs": 10, "version": "001", "amp": True, "exact": "0.10", "name": "adam", "none": "None"}
TAGS = {"team": "vision", "mark": "", "mlflow.user": "me", "mlflow.note.content": "words", "mlflow.runName": "swift-1"}
METRICS = {
    "a/loss": [(1000, 1.0, 0), (2000, 0.5, 5)],
    "plain": [(1000, 1.0, 0), (2000, 2.0, 0), (3000, 3.0, 0)],
    "nan": [(1000, math.nan, 2)],
    "system/cpu": [(1500, 7.0, 0), (2500, 8.0, 1)],
}
POINTS = {
    "a/loss": [(0, 1.0, 1.0), (5, 0.5, 2.0)],
    "plain": [(0, 1.0, 1.0), (1, 2.0, 2.0), (2, 3.0, 3.0)],
    "@system/cpu": [(0, 7.0, 1.5), (1, 8.0, 2.5)],
}


def files(folder: Path, run: str = "r1", status: int = 3, tags: Any = TAGS, metrics: Any = METRICS) -> Path:
    experiment = folder / "mlruns" / "7"
    place = experiment / run
    for part, texts in (("tags", tags), ("params", PARAMS), ("metrics", {})):
        (place / part).mkdir(parents=True)
        for name, text in texts.items():
            (place / part / name).write_text(text)
    for name, rows in metrics.items():
        (place / "metrics" / name).parent.mkdir(exist_ok=True)
        (place / "metrics" / name).write_text("".join(f"{time} {value} {step}\n" for time, value, step in rows))
    (experiment / "meta.yaml").write_text("experiment_id: '7'\nlifecycle_stage: active\nname: theirs\n")
    (place / "meta.yaml").write_text(
        f"run_id: {run}\nexperiment_id: '7'\nrun_name: swift-1\nstatus: {status}\nstart_time: 900\nend_time: 9000\nlifecycle_stage: active\n"
    )
    return folder / "mlruns"


def database(path: Path, status: str = "FINISHED", stage: str = "active") -> Path:
    with sqlite3.connect(path) as db:
        db.executescript("""
            create table experiments (experiment_id integer primary key, name text, lifecycle_stage text);
            create table runs (run_uuid text primary key, name text, status text, start_time integer, end_time integer,
                lifecycle_stage text, experiment_id integer, artifact_uri text);
            create table metrics (key text, value real, timestamp integer, run_uuid text, step integer, is_nan boolean);
            create table params (key text, value text, run_uuid text);
            create table tags (key text, value text, run_uuid text);
        """)
        db.execute("insert into experiments values (7, 'theirs', 'active')")
        db.execute("insert into runs values ('r1', 'swift-1', ?, 900, 9000, ?, 7, '')", (status, stage))
        for table, texts in (("params", PARAMS), ("tags", TAGS)):
            db.executemany(f"insert into {table} values (?, ?, 'r1')", texts.items())
        db.executemany(
            "insert into metrics values (?, ?, ?, 'r1', ?, ?)",
            [
                (name, 0 if math.isnan(value) else value, time, step, math.isnan(value))
                for name, rows in METRICS.items()
                for time, value, step in rows
            ],
        )
    db.close()
    return path


@pytest.mark.parametrize("kind", ["files", "database"])
def test_a_run_comes_with_its_record_and_points(tmp_path: Path, kind: str) -> None:
    path = files(tmp_path) if kind == "files" else database(tmp_path / "mlflow.db")
    projects: list[str | None] = []
    store = MemoryStore()
    ((_, record),) = import_source(path, None, lambda name: (projects.append(name), store)[1])
    assert set(projects) == {"theirs"}
    assert record == RunRecord(
        "r1", "swift-1", 0.9, "finished", tags=("mark", "team=vision"), notes="words", config=TYPED, ended=9.0
    )
    found = points(store, "r1")
    ((step, value, time),) = found.pop("nan")
    assert (step, math.isnan(value), time) == (2, True, 1.0)
    assert found == POINTS
    assert (document(store, "r1", "imported") or {})["user"] == "me"


@pytest.mark.parametrize(
    ("status", "number", "state"), [("RUNNING", 1, "lost"), ("FAILED", 4, "failed"), ("KILLED", 5, "interrupted")]
)
def test_states(tmp_path: Path, status: str, number: int, state: str) -> None:
    assert imported(files(tmp_path, status=number))[0].state == state
    assert imported(database(tmp_path / "mlflow.db", status))[0].state == state


def test_deleted_runs_stay_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no MLflow's stores"):
        imported(database(tmp_path / "mlflow.db", stage="deleted"))


def test_child_is_in_the_group_of_its_parent(tmp_path: Path) -> None:
    files(tmp_path)
    path = files(tmp_path, run="r2", tags={"mlflow.parentRunId": "r1"})
    found = {record.id: record.group for _, record in import_source(path, None, lambda _: MemoryStore())}
    assert found == {"r1": None, "r2": "swift-1"}


def test_one_experiment_and_one_run_are_sources_too(tmp_path: Path) -> None:
    path = files(tmp_path)
    for one in (tmp_path, path / "7", path / "7" / "r1"):
        assert imported(one)[0].id == "r1"


def test_line_that_is_cut_off_is_said(tmp_path: Path) -> None:
    path = files(tmp_path, metrics={"loss": [(1000, 1.0, 0), (2000, 2.0, 1)]})
    (metric,) = path.rglob("loss")
    metric.write_text(metric.read_text() + "3000 3.")
    with pytest.warns(match=r"run 'swift-1' is not whole: .*loss is cut off or damaged at '3000 3.'"):
        _, store = imported(path)
    assert points(store, "r1") == {"loss": [(0, 1.0, 1.0), (1, 2.0, 2.0)]}


def test_name_that_is_a_number_in_yaml(tmp_path: Path) -> None:
    path = files(tmp_path)
    (meta,) = path.rglob("r1/meta.yaml")
    meta.write_text(meta.read_text().replace("swift-1", "2026"))
    assert imported(path)[0].name == "2026"


def test_negative_steps_are_left_out(tmp_path: Path) -> None:
    with pytest.warns(match="1 points at negative steps are left out: 'loss'"):
        _, store = imported(files(tmp_path, metrics={"loss": [(1000, 1.0, -1), (2000, 2.0, 1)]}))
    assert points(store, "r1") == {"loss": [(1, 2.0, 2.0)]}
