from __future__ import annotations

import math
import sqlite3
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from foreign_stores import imported, points, trackio_db, values
from trackbook.imports.importing import import_source
from trackbook.media.index import Row
from trackbook.store.content_files import ContentFiles
from trackbook.store.documents import document
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord

AT = "2026-01-01T00:00:{:02d}.500000+00:00"
BEGIN = 1767225600.0


def row(step: int, metrics: Any, run: str = "t1") -> tuple[str, str, int, str, Any]:
    return run, f"name of {run}", step, AT.format(step), metrics


def test_a_project_comes_with_its_runs(tmp_path: Path) -> None:
    config = {"lr": 0.1, "big": "Infinity", "_Username": "u", "_Created": "2026-01-01T00:00:00+00:00", "_Group": "g"}
    rows = [row(0, {"loss": 1.0}), row(0, {"loss": 5}, "t2"), row(1, {"loss": 0.5, "n": {"x": 2}})]
    store = MemoryStore()
    projects = []

    def store_of(project: str | None) -> MemoryStore:
        projects.append(project)
        return store

    path = trackio_db(tmp_path / "demo.db", rows, {"t1": config})
    (_, first), (_, second) = import_source(path, None, store_of)
    assert set(projects) == {"demo"}
    assert first == RunRecord(
        "t1",
        "name of t1",
        BEGIN,
        group="g",
        state="finished",
        config={"lr": 0.1, "big": math.inf},
        step_by="run",
        ended=BEGIN + 1.5,
    )
    assert (second.name, second.config, second.started) == ("name of t2", {}, BEGIN + 0.5)
    assert points(store, "t1") == {
        "loss": [(0, 1.0, BEGIN + 0.5), (1, 0.5, BEGIN + 1.5)],
        "n/x": [(1, 2.0, BEGIN + 1.5)],
    }
    assert values(store, "t2") == {"loss": [5.0]}
    assert (document(store, "t1", "imported") or {})["user"] == "u"


def test_values_that_are_not_finite_are_texts_there(tmp_path: Path) -> None:
    _, store = imported(trackio_db(tmp_path / "p.db", [row(0, {"a": "NaN", "b": "-Infinity", "c": True})]))
    found = values(store, "t1")
    assert math.isnan(found["a"][0])
    assert (found["b"], found["c"]) == ([-math.inf], [1.0])


def test_a_step_that_comes_twice_is_said(tmp_path: Path) -> None:
    path = trackio_db(tmp_path / "p.db", [row(0, {"a": 1}), row(0, {"a": 2, "b": 3})])
    with pytest.warns(match="1 points are left out, at steps where their metric had one already: 'a'"):
        _, store = imported(path)
    assert values(store, "t1") == {"a": [1.0], "b": [3.0]}


def test_system_metrics(tmp_path: Path) -> None:
    path = trackio_db(tmp_path / "p.db", [row(0, {"a": 1})])
    with sqlite3.connect(path) as db:
        db.executemany(
            "insert into system_metrics (run_id, timestamp, run_name, metrics) values ('t1', ?, 'x', ?)",
            [(AT.format(step), f'{{"cpu/util": {step}}}') for step in (3, 4)],
        )
    db.close()
    _, store = imported(path)
    assert points(store, "t1")["@system/cpu/util"] == [(0, 3.0, BEGIN + 3.5), (1, 4.0, BEGIN + 4.5)]


def test_alerts(tmp_path: Path) -> None:
    path = trackio_db(tmp_path / "p.db", [row(0, {"a": 1})])
    with sqlite3.connect(path) as db:
        db.execute(
            "create table alerts (id integer primary key, run_id text, timestamp text, run_name text, title text, text text, "
            "level text, step integer)"
        )
        db.execute("insert into alerts values (1, 't1', ?, 'x', 'low', null, 'info', 7)", (AT.format(3),))
    db.close()
    _, store = imported(path)
    assert store.captured("t1", "alerts") == [(0, BEGIN + 3.5, "info", "low", "", 7, 1, None)]


def test_config_that_has_changed_is_read_again(tmp_path: Path) -> None:
    path = trackio_db(tmp_path / "p.db", [row(0, {"a": 1})], {"t1": {"lr": 1}})
    _, store = imported(path)
    with sqlite3.connect(path) as db:
        db.execute("update configs set config = ?", ('{"lr": 2}',))
    db.close()
    record, _ = imported(path, store=store)
    assert record.config == {"lr": 2}


def test_media_come_with_their_files(tmp_path: Path, store: SqliteStore) -> None:
    (tmp_path / "media" / "p").mkdir(parents=True)
    PIL.Image.new("L", (2, 2)).save(tmp_path / "media" / "p" / "i.png")
    logged = {
        "i": {"_type": "trackio.image", "file_path": "p/i.png", "caption": "a cat"},
        "m": {"_type": "trackio.markdown", "_value": "# words"},
        "h": {"_type": "trackio.histogram", "bins": [0, 1, 2], "values": [3, 4]},
        "t": {"_type": "trackio.table", "_value": [{"a": 1}, {"a": 2, "b": "x"}]},
        "loss": 1,
    }
    import_source(trackio_db(tmp_path / "p.db", [row(0, logged)]), "trackio", lambda _: store)
    rows = [Row(*each) for each in store.captured("t1", "media")]
    assert [(each.metric, each.kind, each.caption) for each in rows] == [
        ("i", "image", "a cat"),
        ("m", "markdown", None),
        ("h", "histogram", None),
        ("t", "table", None),
    ]
    assert all(ContentFiles(store.files_folder).path(name).is_file() for each in rows for name in each.files)
    assert values(store, "t1") == {"loss": [1.0]}


def test_media_and_broken_rows_are_said(tmp_path: Path) -> None:
    rows = [row(0, {"i": {"_type": "trackio.image", "file_path": "x"}, "a": 1}), row(1, "{"), row(2, {"a": 2})]
    with pytest.warns() as heard:
        _, store = imported(trackio_db(tmp_path / "p.db", rows))
    assert [str(one.message).partition(": ")[2] for one in heard] == [
        "1 media that cannot be read are left out: 'i'",
        "run 'name of t1' is not whole: a row is not JSON",
    ]
    assert values(store, "t1") == {"a": [1.0, 2.0]}


def test_file_of_an_early_version_has_names_alone(tmp_path: Path) -> None:
    path = tmp_path / "p.db"
    with sqlite3.connect(path) as db:
        db.execute(
            "create table metrics (id integer primary key, timestamp text, run_name text, step integer, metrics text)"
        )
        db.execute("insert into metrics values (1, '2026-01-01T00:00:00', 'dainty-1', 4, '{\"a\": 1}')")
    db.close()
    record, store = imported(path)
    assert (record.name, len(record.id)) == ("dainty-1", 10)
    assert points(store, record.id) == {"a": [(4, 1.0, BEGIN)]}


def test_folder_of_trackio_has_several_projects(tmp_path: Path) -> None:
    for name in ("one", "two"):
        trackio_db(tmp_path / f"{name}.db", [row(0, {"a": 1}, f"run of {name}")])
    (tmp_path / "other.db").write_bytes(b"SQLite format 3\0 no")
    found = import_source(tmp_path, None, lambda _: MemoryStore())
    assert [(project, record.id) for project, record in found] == [("one", "run of one"), ("two", "run of two")]


def test_file_is_not_written_to(tmp_path: Path) -> None:
    path = trackio_db(tmp_path / "p.db", [row(0, {"a": 1})])
    before = path.read_bytes(), sorted(tmp_path.iterdir())
    imported(path)
    assert (path.read_bytes(), sorted(tmp_path.iterdir())) == before
