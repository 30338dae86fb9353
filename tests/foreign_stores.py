"""Small stores of other trackers, written byte by byte, for tests of imports. `tests/peer_stores` has such stores by the trackers themselves."""

from __future__ import annotations

import json
import sqlite3
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackbook.imports.importing import import_source
from trackbook.store.memory import MemoryStore
from trackbook.types import RunRecord
from trackbook.user_warnings import TrackbookWarning

# --- protobuf ---------------------------------------------------------------------------------------------------------


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])


def message(*fields: tuple[int, Any]) -> bytes:
    """Encode fields by number: ints, floats (doubles), texts and messages."""
    made = b""
    for number, value in fields:
        if isinstance(value, int):
            made += varint(number << 3) + varint(value)
        elif isinstance(value, float):
            made += varint(number << 3 | 1) + struct.pack("<d", value)
        else:
            data = value.encode() if isinstance(value, str) else value
            made += varint(number << 3 | 2) + varint(len(data)) + data
    return made


def moment(time: float) -> bytes:
    return message((1, int(time)), (2, round((time - int(time)) * 1e9)))


# --- framing ----------------------------------------------------------------------------------------------------------

WANDB = b":W&B\xe1\xbe\x00"
SWANLAB = b":SWL\xd6\xe1\x02"
BLOCK = 32768


def leveldb(header: bytes, records: Iterable[bytes]) -> bytes:
    made = bytearray(header)
    for record in records:
        rest, is_first = record, True
        while is_first or rest:
            room = BLOCK - len(made) % BLOCK
            if room < 7:
                made += bytes(room)
                room = BLOCK
            piece, rest = rest[: room - 7], rest[room - 7 :]
            kind = (1 if not rest else 2) if is_first else (3 if rest else 4)
            made += struct.pack("<IHB", zlib.crc32(piece, zlib.crc32(bytes([kind]))), len(piece), kind) + piece
            is_first = False
    return bytes(made)


def masked_crc32c(data: bytes) -> int:
    """Compute the checksum of TFRecords bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def tf_record(data: bytes) -> bytes:
    size = struct.pack("<Q", len(data))
    return size + struct.pack("<I", masked_crc32c(size)) + data + struct.pack("<I", masked_crc32c(data))


# --- stores -----------------------------------------------------------------------------------------------------------


def wandb_items(values: Mapping[str, Any], place: int = 2) -> list[tuple[int, bytes]]:
    """Return items of a history or a summary (`place` 2: nested keys) or a config (1)."""
    return [
        (
            1,
            message(
                *((place, part) for part in (name if isinstance(name, tuple) else (name,))), (16, json.dumps(value))
            ),
        )
        for name, value in values.items()
    ]


def wandb_run(run_id: str = "w1", **config: Any) -> bytes:
    about = (
        (1, run_id),
        (3, "theirs"),
        (6, "g"),
        (8, "brisk-1"),
        (9, "words"),
        (10, "a"),
        (10, "b"),
        (17, moment(100.5)),
    )
    return message((17, message(*about, (4, message(*wandb_items({"_wandb": {}, **config}, 1))))))


def wandb_history(step: int, **values: Any) -> bytes:
    return wandb_logged(step, values)


def wandb_logged(step: int, values: Mapping[Any, Any]) -> bytes:
    own = {"_step": step, "_timestamp": 101.0 + step, "_runtime": step}
    return message((2, message(*wandb_items({**values, **own}))))


def wandb_exit(code: int = 0) -> bytes:
    return message((18, message((1, code), (2, 9))))


def swanlab_start(run_id: str = "s1") -> bytes:
    about = (1, "theirs"), (4, "brisk-1"), (5, "words"), (6, "a"), (7, "g"), (10, run_id), (12, moment(100.5))
    return message((10, message(*about)))


def swanlab_scalar(key: str, step: int, value: float) -> bytes:
    number = message((1, value)) if value else b""  # zeros are not written
    return message((13, message((1, key), (2, step), (3, 1), (4, moment(101.0 + step)), (5, number))))


def swanlab_finish(state: int = 1, error: str = "") -> bytes:
    return message((11, message((1, state), (2, error), (3, moment(110.25)))))


def event(step: int, *values: bytes, time: float | None = None, **more: Any) -> bytes:
    fields: list[tuple[int, Any]] = [(1, 101.0 + step if time is None else time), (2, step)]
    if values:
        fields.append((5, b"".join(message((1, value)) for value in values)))
    return message(*fields, *((int(name[1:]), value) for name, value in more.items()))


def simple(tag: str, value: float) -> bytes:
    return message((1, tag)) + varint(2 << 3 | 5) + struct.pack("<f", value)


def trackio_db(
    path: Path, rows: Iterable[tuple[str, str, int, str, Any]], configs: Mapping[str, Any] | None = None
) -> Path:
    """Write a project of Trackio from rows of run id, run name, step, time and metrics."""
    with sqlite3.connect(path) as db:
        db.execute(
            "create table metrics (id integer primary key autoincrement, run_id text not null, timestamp text not null, "
            "run_name text not null, step integer not null, metrics text not null)"
        )
        db.execute(
            "create table system_metrics (id integer primary key autoincrement, run_id text not null, timestamp text not null, "
            "run_name text not null, metrics text not null)"
        )
        db.execute(
            "create table configs (id integer primary key autoincrement, run_id text not null, run_name text not null, "
            "config text not null, created_at text not null, unique(run_id))"
        )
        names = {}
        for run_id, name, step, time, metrics in rows:
            names[run_id] = name
            put_trackio(db, (run_id, name, step, time, metrics))
        for run_id, config in (configs or {}).items():
            db.execute(
                "insert into configs (run_id, run_name, config, created_at) values (?, ?, ?, ?)",
                (run_id, names.get(run_id, run_id), json.dumps(config), "2026-01-01T00:00:00+00:00"),
            )
    db.close()
    return path


def put_trackio(db: sqlite3.Connection, row: tuple[str, str, int, str, Any]) -> None:
    run_id, name, step, time, metrics = row
    text = metrics if isinstance(metrics, str) else json.dumps(metrics)
    db.execute(
        "insert into metrics (run_id, timestamp, run_name, step, metrics) values (?, ?, ?, ?, ?)",
        (run_id, time, name, step, text),
    )


# --- imports ----------------------------------------------------------------------------------------------------------


def imported(path: Path, kind: str | None = None, store: MemoryStore | None = None) -> tuple[RunRecord, MemoryStore]:
    """Import the only run of a source, and return its record and store."""
    store = store or MemoryStore()
    ((_, record),) = import_source(path, kind, lambda _: store)
    assert store.run(record.id) == record
    return record, store


def points(store: MemoryStore, run_id: str) -> dict[str, list[tuple[int, float, float]]]:
    """Return step, value and time of the points of each metric, by step."""
    table = store.read(run_id).with_columns(pl.col("metric").cast(pl.String)).sort("metric", "step")
    return {
        name: part["step", "value", "time"].rows()
        for (name,), part in table.partition_by("metric", as_dict=True, maintain_order=True).items()
    }


def values(store: MemoryStore, run_id: str) -> dict[str, list[float]]:
    """Return the values of each metric, by step."""
    return {name: [value for _, value, _ in rows] for name, rows in points(store, run_id).items()}


def said(recwarn: pytest.WarningsRecorder) -> list[str]:
    """Return what our warnings say after the name of what was imported. Others come from whatever the test before left behind."""
    return [str(one.message).partition(": ")[2] for one in recwarn if one.category is TrackbookWarning]
