from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

from foreign_stores import said
from trackbook.imports.importing import ImportProgress, import_source
from trackbook.imports.mlflow_artifacts import artifacts_of
from trackbook.media.index import Row
from trackbook.store.content_files import ContentFiles
from trackbook.store.sqlite import SqliteStore

FOLDER = Path("mlruns") / "7" / "r1" / "artifacts"
KEYED = "images/{key}{by}step{by}{step}{by}timestamp{by}{time}{by}0f-1{end}"
TABLES = {"mlflow.loggedArtifacts": '[{"path": "t.json", "type": "table"}]'}


def files(folder: Path, address: str | None, tags: dict[str, str]) -> Path:
    run = folder / "mlruns" / "7" / "r1"
    for part in ("metrics", "params", "tags"):
        (run / part).mkdir(parents=True, exist_ok=True)
    for name, text in tags.items():
        (run / "tags" / name).write_text(text)
    (run / "metrics" / "loss").write_text("1000 1.5 0\n")
    (run.parent / "meta.yaml").write_text("experiment_id: '7'\nname: theirs\n")
    about = f"artifact_uri: '{address}'\n" if address is not None else ""
    (run / "meta.yaml").write_text(f"run_id: r1\nrun_name: swift-1\nstatus: 3\nstart_time: 900\n{about}")
    return folder / "mlruns"


def database(folder: Path, address: str | None, tags: dict[str, str]) -> Path:
    path = folder / "mlflow.db"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as db:
        db.executescript("""
            create table experiments (experiment_id integer primary key, name text);
            create table runs (run_uuid text, name text, status text, start_time integer, end_time integer,
                lifecycle_stage text, experiment_id integer, artifact_uri text);
            create table metrics (key text, value real, timestamp integer, run_uuid text, step integer, is_nan boolean);
            create table params (key text, value text, run_uuid text);
            create table tags (key text, value text, run_uuid text);
            insert into experiments values (7, 'theirs');
            insert into metrics values ('loss', 1.5, 1000, 'r1', 0, 0);
        """)
        db.execute("insert into runs values ('r1', 'swift-1', 'FINISHED', 900, 9000, 'active', 7, ?)", (address,))
        db.executemany("insert into tags values (?, ?, 'r1')", tags.items())
    db.close()
    return path


Maker = Callable[[Path, str | None, dict[str, str]], Path]
STORES = pytest.mark.parametrize("store_of", [files, database])


def picture(path: Path, value: int = 7) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("L", (3, 2), value).save(path)
    return path


def keyed(key: str, step: int, time: int, end: str = ".png", by: str = "+") -> str:
    return KEYED.format(key=key, step=step, time=time, end=end, by=by)


def media(store: SqliteStore, path: Path) -> list[Row]:
    import_source(path, None, lambda _: store)
    return [Row(*row) for row in store.captured("r1", "media")]


def kept(store: SqliteStore) -> dict[str, bytes]:
    assert store.files_folder is not None
    return {path: ContentFiles(store.files_folder).read(digest) for path, digest, *_ in store.captured("r1", "files")}


@STORES
def test_images_tables_and_files_come_along(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    folder = tmp_path / FOLDER
    images = {
        keyed("val~cat", 3, 5000): 1,
        keyed("val~cat", 1, 4000): 2,
        keyed("old#dog", 2, 4500, by="%"): 3,
        "plain.png": 4,
        "plots/curve.PNG": 5,
        "images/other.png": 6,
    }
    for name, value in images.items():
        picture(folder / name, value)
    (folder / keyed("val~cat", 3, 5000, "+compressed.webp")).write_bytes(b"smaller")
    (folder / "model" / "deep").mkdir(parents=True)
    (folder / "model" / "deep" / "weights.bin").write_bytes(b"\0\1")
    (folder / "notes.txt").write_text("words")
    cell = {"type": "image", "filepath": "table_images/t/a.png", "compressed_filepath": "table_images/t/a.webp"}
    picture(folder / cell["filepath"], 9)
    picture(folder / cell["compressed_filepath"], 9)
    (folder / "t.json").write_text(json.dumps({"columns": ["a", "b"], "data": [[1, cell], [2, {"x": 1}]]}))
    for _ in range(2):
        found = media(store, store_of(tmp_path, (tmp_path / FOLDER).as_uri(), TABLES))
        assert [(row.metric, row.kind, row.step, row.time) for row in found] == [
            ("t.json", "table", 0, 0.9),
            ("plain.png", "image", 0, 0.9),
            ("images/other.png", "image", 0, 0.9),
            ("plots/curve.PNG", "image", 0, 0.9),
            ("val/cat", "image", 1, 4.0),
            ("old/dog", "image", 2, 4.5),
            ("val/cat", "image", 3, 5.0),
        ]
        assert store.files_folder is not None
        contents = [
            ContentFiles(store.files_folder).read(row.file) for row in found if row.kind == "image" and row.file
        ]
        assert contents == [
            (folder / name).read_bytes()
            for name in ("plain.png", "images/other.png", "plots/curve.PNG", keyed("val~cat", 1, 4000))
        ] + [(folder / name).read_bytes() for name in (keyed("old#dog", 2, 4500, by="%"), keyed("val~cat", 3, 5000))]
        assert len(found[0].files) == 2  # the table, and the image in it
        assert kept(store) == {"model/deep/weights.bin": b"\0\1", "notes.txt": b"words"}
        os.utime(folder / "notes.txt", (1, 1))  # so that it is read again


@STORES
def test_run_that_has_grown_gets_the_rest_of_its_artifacts(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    folder = tmp_path / FOLDER
    for name in ("b.png", keyed("k", 0, 1000), keyed("k", 1, 1000), keyed("k", 3, 3000)):
        picture(folder / name)
    path = store_of(tmp_path, str(folder), {})
    first = media(store, path)
    for name in ("a.png", "c.png", keyed("j", 0, 1000), keyed("k", 2, 2000)):
        picture(folder / name)
    (folder / "late.txt").write_text("x")
    told: list[ImportProgress] = []
    import_source(path, None, lambda _: store, told.append)
    found = [Row(*row) for row in store.captured("r1", "media")]
    assert [(row.metric, row.step) for row in found] == [
        ("a.png", 0),
        ("b.png", 0),
        ("c.png", 0),
        ("j", 0),
        ("k", 0),
        ("k", 1),
        ("k", 2),
        ("k", 3),
    ]
    assert len(first) == 4
    assert (told[-1].media, told[-1].fraction) == (9, 1.0)
    assert kept(store) == {"late.txt": b"x"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there, and there are no pipes")
@STORES
def test_nothing_outside_of_the_folder_is_read(
    tmp_path: Path, store: SqliteStore, store_of: Maker, recwarn: pytest.WarningsRecorder
) -> None:
    folder = tmp_path / FOLDER
    secret = picture(tmp_path / "secret" / "s.png")
    picture(folder / "good.png")
    (folder / "link.png").symlink_to(secret)
    (folder / "link").symlink_to(secret.parent)
    os.mkfifo(folder / "pipe.txt")
    cell = {"type": "image", "filepath": "../../../../secret/s.png"}
    (folder / "t.json").write_text(json.dumps({"columns": ["a"], "data": [[cell]]}))
    (tmp_path / "secret" / "t.json").write_text('{"columns": ["a"], "data": [[1]]}')
    listed = ["t.json", "../../../../secret/t.json", str(tmp_path / "secret" / "t.json"), "link/t.json"]
    tags = {"mlflow.loggedArtifacts": json.dumps([{"path": name, "type": "table"} for name in listed])}
    found = media(store, store_of(tmp_path, str(folder), tags))
    assert [row.metric for row in found] == ["t.json", "good.png"]
    assert len(found[0].files) == 1  # the cell is no image
    assert kept(store) == {}
    sentences = sorted(one.partition(" are left out")[0] for one in said(recwarn))
    assert sentences == ["3 links and other things that are no files", "3 tables that are not there"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
@pytest.mark.parametrize("address", ["{}", "file://{}", "file:{}"])
def test_folder_of_another_name_is_no_folder_of_artifacts(tmp_path: Path, address: str) -> None:
    home = tmp_path / "home"
    picture(home / "mine.png")
    assert artifacts_of(address.format(home), "r1", tmp_path).folder is None
    own = tmp_path / FOLDER
    own.parent.mkdir(parents=True)
    own.symlink_to(home)
    assert artifacts_of(address.format(own), "r1", tmp_path).folder is None
    own.unlink()
    own.mkdir()
    assert artifacts_of(address.format(own), "r1", tmp_path).folder == own


@pytest.mark.parametrize("address", ["/gone/mlruns/7/r1/artifacts", "mlflow-artifacts:/7/r1/artifacts"])
def test_store_that_was_moved_has_its_artifacts(tmp_path: Path, store: SqliteStore, address: str) -> None:
    picture(tmp_path / ("mlruns" if "gone" in address else "mlartifacts") / "7" / "r1" / "artifacts" / "p.png")
    assert [row.metric for row in media(store, database(tmp_path, address, {}))] == ["p.png"]


@STORES
def test_remote_artifacts_are_said_in_one_sentence(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    path = store_of(tmp_path, "s3://me:secret@bucket/7/r1/artifacts", {"mlflow.loggedImages": "True"})
    with pytest.warns(match="1 folders of artifacts at remote addresses are left out: 's3://bucket'"):
        assert media(store, path) == []


@STORES
def test_artifacts_that_are_gone_are_said(tmp_path: Path, store: SqliteStore, store_of: Maker) -> None:
    path = store_of(tmp_path, "/gone/r1/artifacts", {"mlflow.loggedImages": "True"})
    with pytest.warns(match="run 'swift-1' is not whole: its artifacts are not at /gone/r1/artifacts"):
        assert media(store, path) == []


@pytest.mark.parametrize("text", ["", "{", "3", "[]", '{"columns": ["a"]}', '{"columns": ["a"], "data": [[1, 2]]}'])
def test_files_of_broken_tables_and_images_are_kept(tmp_path: Path, store: SqliteStore, text: str) -> None:
    folder = tmp_path / FOLDER
    picture(folder / keyed("k", 2**62, 1000)).write_bytes(b"no image")
    (folder / "t.json").write_text(text)
    (folder / "n.txt").write_text("x")
    (folder / "huge.png").write_bytes(b"no image either")
    with pytest.warns(
        match="3 media that cannot be read, but for their files, are left out: 't.json', 'huge.png', 'k'"
    ):
        assert media(store, files(tmp_path, None, TABLES)) == []
    assert kept(store) == {
        "n.txt": b"x",
        "t.json": text.encode(),
        "huge.png": b"no image either",
        keyed("k", 2**62, 1000): b"no image",
    }


def test_run_of_files_alone_has_the_time_of_its_folder(tmp_path: Path, store: SqliteStore) -> None:
    path = files(tmp_path, None, {})
    run = path / "7" / "r1"
    (run / "metrics" / "loss").unlink()
    (run / "meta.yaml").write_text("run_id: r1\nstatus: 3\n")
    (run / "artifacts").mkdir()
    (run / "artifacts" / "n.txt").write_text("x")
    os.utime(run, (500, 500))
    ((_, record),) = import_source(path, None, lambda _: store)
    assert (record.started, record.ended) == (500.0, 500.0)
    assert kept(store) == {"n.txt": b"x"}
