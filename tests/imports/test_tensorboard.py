from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import pytest

from foreign_stores import event, imported, message, points, said, simple, tf_record, values, varint
from trackbook.imports.importing import import_source
from trackbook.store.memory import MemoryStore

FIRST = event(0, time=100.0, _3="brain.Event:2")


def log(folder: Path, *events: bytes, name: str = "events.out.tfevents.100.host") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"".join(map(tf_record, (FIRST, *events))))
    return folder


def tensor(tag: str, proto: bytes, plugin: str = "") -> bytes:
    about = [(9, message((1, message((1, plugin)))))] if plugin else []
    return message((1, tag), (8, proto), *about)


def restart(step: int) -> bytes:
    return event(step, _7=message((1, 1)))


def test_scalars_of_a_folder_are_a_run(tmp_path: Path) -> None:
    path = log(
        tmp_path / "exp",
        event(0, simple("loss", 1.5), simple("acc", 0.0)),
        event(2**40, simple("loss", -0.1), time=200.0),
    )
    record, store = imported(path)
    assert (record.name, record.state, record.started, record.ended) == ("exp", "finished", 101.0, 200.0)
    rounded = struct.unpack("<f", struct.pack("<f", -0.1))[0]
    assert points(store, record.id) == {"loss": [(0, 1.5, 101.0), (2**40, rounded, 200.0)], "acc": [(0, 0.0, 101.0)]}


def test_each_folder_is_a_run_of_the_project(tmp_path: Path) -> None:
    for name in ("train", "deep/eval", "."):
        log(tmp_path / "exp" / name, event(0, simple("loss", 1.0), time=float(len(name))))
    found = import_source(tmp_path / "exp", None, lambda _: MemoryStore())
    assert sorted((project, record.name) for project, record in found) == [
        ("exp", "deep/eval"),
        ("exp", "exp"),
        ("exp", "train"),
    ]


@pytest.mark.parametrize(
    ("proto", "value"),
    [
        (message((1, 1)) + varint(5 << 3 | 5) + struct.pack("<f", 0.5), 0.5),
        (message((1, 1), (5, struct.pack("<f", 0.25))), 0.25),
        (message((1, 1), (4, struct.pack("<f", 2.0))), 2.0),
        (message((1, 2), (6, 0.1)), 0.1),
        (message((1, 3), (7, -3)), -3.0),
        (message((1, 9), (10, varint(2**40))), 2.0**40),
        (message((1, 9), (4, struct.pack("<q", -9))), -9.0),
        (message((1, 19), (4, struct.pack("<e", 1.5))), 1.5),
        (message((1, 14), (4, b"\xc0\x3f")), 1.5),
    ],
)
def test_scalars_of_tensorflow_2_are_tensors(tmp_path: Path, proto: bytes, value: float) -> None:
    events = [event(1, tensor("loss", proto, "scalars")), event(2, tensor("loss", proto))]
    record, store = imported(log(tmp_path / "exp", *events))
    assert values(store, record.id) == {"loss": [value, value]}


def test_other_values_are_counted(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    vector = message((1, 1), (4, bytes(8)))
    events = [
        event(1, tensor("odd", vector, "custom_scalars"), tensor("shape", vector, "frame_summaries")),
        event(2, tensor("odd", vector), tensor("vector", vector, "scalars"), simple("loss", 1.0)),
    ]
    record, store = imported(log(tmp_path / "exp", *events))
    assert values(store, record.id) == {"loss": [1.0]}
    assert said(recwarn) == [
        "3 values of other plugins are left out: 'odd', 'shape'",
        "1 tensors are left out: 'vector'",
    ]


def test_hyperparameters_are_the_config(tmp_path: Path) -> None:
    given: dict[str, bytes] = {
        "lr": message((2, 0.1)),
        "optimizer": message((3, "adam")),
        "amp": message((4, 1)),
        "layers": message((6, b"".join(message((1, message((2, float(size))))) for size in (8, 4)))),
        "more": message((5, message((1, message((1, "x"), (2, message((2, 1.0)))))))),
    }
    pairs = b"".join(message((1, message((1, name), (2, value)))) for name, value in given.items())
    content = message((1, 0), (3, pairs))
    value = message((1, "_hparams_/session_start_info"), (9, message((1, message((1, "hparams"), (2, content))))))
    record, _ = imported(log(tmp_path / "exp", event(0, value), event(1, simple("loss", 1.0))))
    assert record.config == {"lr": 0.1, "optimizer": "adam", "amp": True, "layers": [8.0, 4.0], "more": {"x": 1.0}}


def test_points_logged_without_steps_are_numbered(tmp_path: Path) -> None:
    events = [event(0, simple("plain", float(number)), simple("real", float(number))) for number in range(3)]
    events += [event(5, simple("real", 9.0)), event(0, simple("once", 1.0)), event(7, simple("once", 2.0))]
    with pytest.warns(match="2 points are left out, at steps where their metric had one already: 'real'"):
        record, store = imported(log(tmp_path / "exp", *events))
    found = {name: [(step, value) for step, value, _ in rows] for name, rows in points(store, record.id).items()}
    assert found == {
        "plain": [(0, 0.0), (1, 1.0), (2, 2.0)],
        "real": [(0, 0.0), (5, 9.0)],
        "once": [(0, 1.0), (7, 2.0)],
    }


def test_a_restart_replaces_what_it_writes_again(tmp_path: Path) -> None:
    events = [event(step, simple("loss", float(step))) for step in range(6)]
    again = [restart(3), *(event(step, simple("loss", 10.0 + step)) for step in range(3, 8))]
    path = log(tmp_path / "exp", *events)
    log(path, *again, name="events.out.tfevents.200.host")
    record, store = imported(path)
    assert values(store, record.id) == {"loss": [0.0, 1.0, 2.0, 13.0, 14.0, 15.0, 16.0, 17.0]}
    log(path, restart(7), event(7, simple("loss", 70.0)), name="events.out.tfevents.300.host")
    imported(path, store=store)
    assert values(store, record.id) == {"loss": [0.0, 1.0, 2.0, 13.0, 14.0, 15.0, 16.0, 70.0]}


def test_run_that_has_grown_gets_the_rest(tmp_path: Path) -> None:
    path = log(tmp_path / "exp", event(0, simple("loss", 1.0)))
    record, store = imported(path)
    with (path / "events.out.tfevents.100.host").open("ab") as file:
        file.write(tf_record(event(1, simple("loss", 0.5))))
    again, store = imported(path, store=store)
    assert (again.id, again.ended) == (record.id, 102.0)
    assert values(store, record.id) == {"loss": [1.0, 0.5]}


def test_damaged_record_is_said_and_the_others_are_read(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    events: list[Any] = [event(0, simple("loss", 1.0)), b"\x0a\xff\xff", event(1, simple("loss", math.inf))]
    record, store = imported(log(tmp_path / "exp", *events))
    assert values(store, record.id) == {"loss": [1.0, math.inf]}
    assert "has an unknown form before byte" in said(recwarn)[0]
