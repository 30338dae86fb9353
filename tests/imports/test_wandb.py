from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from foreign_stores import (
    WANDB,
    imported,
    leveldb,
    message,
    moment,
    points,
    said,
    values,
    wandb_exit,
    wandb_history,
    wandb_items,
    wandb_logged,
    wandb_run,
)
from trackbook.imports.importing import import_source
from trackbook.media.index import Row
from trackbook.store.content_files import ContentFiles
from trackbook.store.documents import document
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord


def offline(folder: Path, *records: bytes) -> Path:
    run = folder / "wandb" / "offline-run-20260101_000000-w1"
    run.mkdir(parents=True)
    (run / "run-w1.wandb").write_bytes(leveldb(WANDB, records))
    return folder / "wandb"


@pytest.fixture(autouse=True)
def quiet(recwarn: pytest.WarningsRecorder) -> None:
    """Leave warnings to the tests that look at them."""


def test_a_run_comes_with_its_record(tmp_path: Path) -> None:
    records = [
        wandb_run(lr=0.1, offset=-5, layers=[1, 2], nested={"deep": {"on": True}}),
        message((12, message((2, "val/*"), (4, "epoch"), (7, message((2, 1)))))),
        message((12, message((1, "loss"), (8, 1)))),
        message((12, message((1, "val/acc"), (4, "epoch"), (10, 1)))),
        wandb_history(0, **{"loss": 1.0, "val/acc": 0.25}),
        message((5, message(*wandb_items({"lr": 0.2, ("nested", "deep", "off"): False}, 2)))),
        message((5, message((2, message((1, "layers")))))),
        wandb_history(1, loss=0.5),
        message(
            (3, message(*wandb_items({"loss": 0.5, "val/acc": {"max": 0.25}, "best": 7, "word": "x", "_step": 1})))
        ),
        wandb_exit(),
    ]
    record, store = imported(offline(tmp_path, *records))
    assert isinstance(record.config["offset"], int)
    assert record == RunRecord(
        "w1",
        "brisk-1",
        100.5,
        "finished",
        group="g",
        tags=("a", "b"),
        notes="words",
        config={"lr": 0.2, "offset": -5, "nested": {"deep": {"on": True, "off": False}}},
        summary={"best": 7, "word": "x"},
        ended=109.5,
        defined={"val/*": "epoch"},
        goals={"val/*": "max", "loss": "min"},
    )
    assert points(store, "w1") == {"loss": [(0, 1.0, 101.0), (1, 0.5, 102.0)], "val/acc": [(0, 0.25, 101.0)]}


def test_numbers_of_every_form_are_points(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    logged = {
        ("a", "b"): 1.5,
        "nan": math.nan,
        "inf": -math.inf,
        "on": True,
        "large": 2**70,
        "object": {"x": 3, "y": {"z": 4}},
        "word": "NaN",
        "none": None,
        "list": [1, 2],
    }
    _, store = imported(offline(tmp_path, wandb_run(), wandb_logged(3, logged), wandb_exit()))
    found = values(store, "w1")
    assert math.isnan(found.pop("nan")[0])
    assert found == {
        "a.b": [1.5],
        "inf": [-math.inf],
        "on": [1.0],
        "large": [2.0**70],
        "object.x": [3.0],
        "object.y.z": [4.0],
    }
    assert said(recwarn) == ["1 texts are left out: 'word'", "1 lists and objects are left out: 'list'"]


def test_media_come_with_their_files(tmp_path: Path, store: SqliteStore) -> None:
    logged = {
        ("i", "_type"): "image-file",
        ("i", "path"): "media/images/i.png",
        ("i", "caption"): "a cat",
        ("s", "_type"): "images/separated",
        ("s", "filenames"): ["media/images/i.png", "media/images/j.png"],
        ("s", "captions"): ["one", "two"],
        ("t", "_type"): "table-file",
        ("t", "path"): "media/table/t.table.json",
        ("t", "nrows"): 2,
        "h": {"_type": "histogram", "values": [1, 3], "packedBins": {"min": 0.0, "size": 0.5, "count": 2}},
        "loss": 1,
    }
    folder = offline(tmp_path, wandb_run(), wandb_logged(4, logged), wandb_exit())
    files = next(folder.iterdir()) / "files" / "media"
    for name in ("i", "j"):
        (files / "images").mkdir(parents=True, exist_ok=True)
        PIL.Image.new("L", (2 + (name == "j"), 2)).save(files / "images" / f"{name}.png")
    (files / "table").mkdir()
    (files / "table" / "t.table.json").write_text('{"columns": ["a", "b"], "data": [[1, "x"], [2, "y"]]}')
    for _ in range(2):
        import_source(folder, None, lambda _: store)
        rows = [Row(*row) for row in store.captured("w1", "media")]
        assert [(row.metric, row.step, row.item, row.kind, row.caption) for row in rows] == [
            ("i", 4, 0, "image", "a cat"),
            ("s", 4, 0, "image", "one"),
            ("s", 4, 1, "image", "two"),
            ("t", 4, 0, "table", None),
            ("h", 4, 0, "histogram", None),
        ]
        assert {row.time for row in rows} == {105.0}
        found = {name for row in rows for name in row.files}
        assert all(ContentFiles(store.files_folder).path(name).is_file() for name in found)
        store.put_run(dataclasses.replace(store.run("w1"), name="mine"))
        (files.parents[1] / "run-w1.wandb").touch()  # the second time it is read again
    assert values(store, "w1") == {"loss": [1]}


@pytest.mark.parametrize("path", ["media/missing.png", "../../../secret.png", "/etc/hostname"])
def test_media_that_cannot_be_read_are_counted(tmp_path: Path, store: SqliteStore, path: str) -> None:
    PIL.Image.new("L", (2, 2)).save(tmp_path / "secret.png")
    logged = {("i", "_type"): "image-file", ("i", "path"): path, ("m", "_type"): "unknown", ("m", "size"): 3, "loss": 1}
    folder = offline(tmp_path, wandb_run(), wandb_logged(0, logged), wandb_exit())
    with pytest.warns(match="2 media that cannot be read are left out: 'i', 'm'"):
        import_source(folder, None, lambda _: store)
    assert (store.captured("w1", "media"), values(store, "w1")) == ([], {"loss": [1]})


def test_system_metrics_and_console(tmp_path: Path) -> None:
    def stats(time: float, value: float) -> bytes:
        item = message((1, "gpu.0.temp"), (16, json.dumps(value)))
        return message((7, message((2, moment(time)), (3, item))))

    def output(text: str) -> bytes:
        return message((13, message((1, 1), (2, moment(5.0)), (3, text))))

    records = [
        wandb_run(),
        stats(1.5, 40.0),
        output("one\ntw"),
        stats(2.5, 41.0),
        output("o\n  1%\r  2%\nend"),
        wandb_exit(),
    ]
    _, store = imported(offline(tmp_path, *records))
    assert points(store, "w1") == {"@system/gpu.0.temp": [(0, 40.0, 1.5), (1, 41.0, 2.5)]}
    assert [row[:3] for row in store.captured("w1", "console")] == [
        (0, "stdout", "one"),
        (1, "stdout", "two"),
        (2, "stdout", "  2%"),
        (3, "stdout", "end"),
    ]


def test_alerts(tmp_path: Path) -> None:
    alerts = [
        message((10, message((1, "low"), (2, "words"), (3, "ERROR")))),
        message((10, message((1, "odd"), (3, "?")))),
    ]
    _, store = imported(offline(tmp_path, wandb_run(), alerts[0], wandb_history(4, loss=1), alerts[1], wandb_exit()))
    assert store.captured("w1", "alerts") == [
        (0, 100.5, "error", "low", "words", None, 1, None),
        (1, 105.0, "warn", "odd", "", None, 1, None),
    ]


@pytest.mark.parametrize(("code", "state", "error"), [(0, "finished", None), (1, "failed", "exit code 1")])
def test_exit_code_is_the_state(tmp_path: Path, code: int, state: str, error: str | None) -> None:
    record, _ = imported(offline(tmp_path, wandb_run(), wandb_history(0, loss=1), wandb_exit(code)))
    assert (record.state, record.error) == (state, error)


def test_run_without_an_end_is_lost(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    record, _ = imported(offline(tmp_path, wandb_run(), wandb_history(3, loss=1)))
    assert (record.state, record.ended) == ("lost", 104.0)
    assert said(recwarn) == ["run 'brisk-1' is not whole: its end is not recorded: it crashed, or goes on"]


def test_cut_off_file_gives_what_is_whole(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    folder = offline(tmp_path, wandb_run(), *(wandb_history(step, loss=step) for step in range(50)), wandb_exit())
    (file,) = folder.rglob("*.wandb")
    file.write_bytes(file.read_bytes()[:-300])
    record, store = imported(folder)
    assert record.state == "lost"
    count = len(values(store, "w1")["loss"])
    assert 40 < count < 50
    assert values(store, "w1")["loss"] == list(range(count))
    assert "is cut off in a record" in said(recwarn)[0] or "is cut off at byte" in said(recwarn)[0]


@pytest.mark.parametrize("content", [b"", b"\0" * 100, leveldb(WANDB, [b"\xff" * 20])])
def test_damaged_file_hides_no_other_run(tmp_path: Path, content: bytes, recwarn: pytest.WarningsRecorder) -> None:
    folder = offline(tmp_path, wandb_run(), wandb_history(0, loss=1), wandb_exit())
    (folder / "a-run-w0.wandb").write_bytes(content)
    store = MemoryStore()
    states = {record.id: record.state for _, record in import_source(folder, None, lambda _: store)}
    assert states == {"a-run-w0": "lost", "w1": "finished"}
    assert any("run 'a-run-w0' is not whole" in sentence for sentence in said(recwarn))


def test_run_that_was_resumed_offline_is_one_run(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    def output(text: str) -> bytes:
        return message((13, message((1, 1), (2, moment(102.0)), (3, text))))

    folder = offline(tmp_path, wandb_run(), wandb_history(0, loss=1), output("one\nhalf"), wandb_exit(1))
    again = folder / "offline-run-20260102_000000-w1"
    again.mkdir()
    records = [wandb_run(), wandb_history(1, loss=2), output("two\n"), wandb_exit()]
    (again / "run-w1.wandb").write_bytes(leveldb(WANDB, records))
    record, store = imported(folder)
    assert (record.state, record.error) == ("finished", None)
    assert values(store, "w1")["loss"] == [1.0, 2.0]
    assert [row[:3] for row in store.captured("w1", "console")] == [
        (0, "stdout", "one"),
        (1, "stdout", "half"),
        (2, "stdout", "two"),
    ]
    assert said(recwarn) == ["2 of its runs share ids, and those with one id are imported as one run: 'w1'"]
    assert imported(folder, store=store)[0] == record


def test_link_to_the_latest_run_is_no_second_run(tmp_path: Path) -> None:
    folder = offline(tmp_path, wandb_run(), wandb_history(0, loss=1), wandb_exit())
    (folder / "latest-run").symlink_to(next(folder.iterdir()))
    imported(folder)
    imported(folder / "latest-run")
    imported(next(folder.rglob("*.wandb")))


def test_what_has_no_place_in_the_record_is_kept(tmp_path: Path) -> None:
    run = message((17, message((1, "w1"), (2, "team"), (7, "train"), (12, "sw"), (13, "host"), (17, moment(1.0)))))
    folder = offline(tmp_path, run, wandb_history(0, loss=1), wandb_exit())
    record, store = imported(folder)
    about: Any = document(store, "w1", "imported")
    assert record.name == "w1"  # without a name of its own
    assert {name: about[name] for name in ("kind", "entity", "job_type", "sweep_id", "host")} == {
        "kind": "wandb",
        "entity": "team",
        "job_type": "train",
        "sweep_id": "sw",
        "host": "host",
    }
