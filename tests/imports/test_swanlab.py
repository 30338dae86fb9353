from __future__ import annotations

import math
from pathlib import Path

import PIL.Image
import pytest

from foreign_stores import (
    SWANLAB,
    imported,
    leveldb,
    message,
    moment,
    points,
    swanlab_finish,
    swanlab_scalar,
    swanlab_start,
)
from trackbook.imports.importing import import_source
from trackbook.media.index import Row
from trackbook.store.content_files import ContentFiles
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord

CONFIG = """
lr: {desc: '', sort: 0, value: 0.1}
nested:
  desc: ''
  sort: 1
  value: {a: [1, 2]}
"""


def offline(folder: Path, *records: bytes, config: str = "") -> Path:
    run = folder / "swanlog" / "run-20260101_000000-s1"
    (run / "files").mkdir(parents=True)
    (run / "run-s1.swanlab").write_bytes(leveldb(SWANLAB, records))
    if config:
        (run / "files" / "config.yaml").write_text(config)
    return folder / "swanlog"


def test_a_run_comes_with_its_record_and_points(tmp_path: Path) -> None:
    scalars = [swanlab_scalar("loss", 0, 1.5), swanlab_scalar("loss", 5, 0.0), swanlab_scalar("nan", 0, math.nan)]
    record, store = imported(offline(tmp_path, swanlab_start(), *scalars, swanlab_finish(), config=CONFIG))
    assert record == RunRecord(
        "s1",
        "brisk-1",
        100.5,
        "finished",
        group="g",
        tags=("a",),
        notes="words",
        config={"lr": 0.1, "nested": {"a": [1, 2]}},
        ended=110.25,
    )
    found = points(store, "s1")
    assert found["loss"] == [(0, 1.5, 101.0), (5, 0.0, 106.0)]
    assert math.isnan(found["nan"][0][1])


def test_columns_say_what_is_of_the_system_and_what_an_x_axis_is(tmp_path: Path) -> None:
    columns = [
        message((12, message((1, 2), (2, 1), (3, "gpu.0.temp")))),
        message((12, message((1, 1), (2, 1), (3, "acc"), (13, "epoch")))),
        message((12, message((1, 1), (2, 1), (3, "loss"), (13, "_step")))),
    ]
    scalars = [swanlab_scalar("gpu.0.temp", 7, 40.0), swanlab_scalar("acc", 0, 0.5)]
    record, store = imported(offline(tmp_path, swanlab_start(), *columns, *scalars, swanlab_finish()))
    assert record.defined == {"acc": "epoch"}
    assert points(store, "s1") == {"@system/gpu.0.temp": [(0, 40.0, 108.0)], "acc": [(0, 0.5, 101.0)]}


def test_media_and_console(tmp_path: Path, store: SqliteStore) -> None:
    def media(key: str, kind: int, *names: str) -> bytes:
        items = b"".join(message((1, message((1, name), (4, "words")))) for name in names)
        return message((14, message((1, key), (2, 3), (3, kind), (4, moment(50.0)), (5, items))))

    line = message((16, message((1, "epoch 1"), (3, moment(7.5)), (4, 1))))
    records = [
        media("t", 4, "t.txt"),
        media("i", 2, "i.png", "i.png"),
        media("gone", 2, "x.png"),
        media("e", 6, "e.json"),
        line,
    ]
    folder = offline(tmp_path, swanlab_start(), *records, swanlab_finish())
    files = next(folder.iterdir()) / "media"
    for kind in ("text", "image"):
        (files / kind).mkdir(parents=True)
    (files / "text" / "t.txt").write_text("hello")
    PIL.Image.new("L", (2, 2)).save(files / "image" / "i.png")
    with pytest.warns(match="2 media that cannot be read are left out: 'gone', 'e'"):
        import_source(folder, None, lambda _: store)
    rows = [Row(*row) for row in store.captured("s1", "media")]
    assert [(row.metric, row.step, row.time, row.item, row.kind, row.caption) for row in rows] == [
        ("t", 3, 50.0, 0, "text", "words"),
        ("i", 3, 50.0, 0, "image", "words"),
        ("i", 3, 50.0, 1, "image", "words"),
    ]
    assert ContentFiles(store.files_folder).path(rows[0].file).read_text() == "hello"
    assert store.captured("s1", "console") == [(0, "stdout", "epoch 1", 7.5, None)]


@pytest.mark.parametrize(("state", "ours"), [(1, "finished"), (2, "failed"), (3, "interrupted")])
def test_states(tmp_path: Path, state: int, ours: str) -> None:
    record, _ = imported(offline(tmp_path, swanlab_start(), swanlab_finish(state, "boom")))
    assert (record.state, record.error) == (ours, "boom")


def test_run_without_an_end_is_lost(tmp_path: Path) -> None:
    with pytest.warns(match="its end is not recorded"):
        record, _ = imported(offline(tmp_path, swanlab_start(), swanlab_scalar("loss", 0, 1.0)))
    assert record.state == "lost"


def test_damaged_config_is_said(tmp_path: Path) -> None:
    with pytest.warns(match=r"config.yaml cannot be read: .*"):
        record, _ = imported(offline(tmp_path, swanlab_start(), swanlab_finish(), config="a: [1"))
    assert record.config == {}


def test_damaged_file_hides_no_other_run(tmp_path: Path) -> None:
    folder = offline(tmp_path, swanlab_start(), swanlab_finish())
    (folder / "a.swanlab").write_bytes(leveldb(SWANLAB, [b"\xff" * 20]))
    store = MemoryStore()
    with pytest.warns(match="run 'a' is not whole"):
        found = import_source(folder, None, lambda _: store)
    assert [record.state for _, record in found] == ["lost", "finished"]


def test_file_of_another_version_is_said(tmp_path: Path) -> None:
    folder = offline(tmp_path, swanlab_start())
    (file,) = folder.rglob("*.swanlab")
    file.write_bytes(SWANLAB[:-1] + b"\x01" + file.read_bytes()[7:])
    with pytest.raises(ValueError, match="version 1 of SwanLab's files"):
        imported(folder)
