"""Stores whose disk, file or neighbouring process fails: they continue, report it once, and lose nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from trackbook import filesystem
from trackbook.store import chunk_codec, schema, sqlite_file
from trackbook.store.base import POINTS
from trackbook.store.salvage import salvage
from trackbook.store.sqlite import SqliteStore
from trackbook.store.sqlite_file import project_name
from trackbook.types import Cursor, RunRecord

pytestmark = pytest.mark.slow

TIMEOUT = 60

Open = Callable[[], SqliteStore]
CHUNK = 2000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "digits.db"


@pytest.fixture
def open_store(path: Path) -> Iterator[Open]:
    stores: list[SqliteStore] = []

    def open_store() -> SqliteStore:
        stores.append(SqliteStore(path, "digits"))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(sqlite_file, "_PATIENCE_SECONDS", 0.0)


def points(steps: range, metric: str = "loss") -> pl.DataFrame:
    rng = np.random.default_rng(steps.start)
    columns = {
        "metric": [metric] * len(steps),
        "step": list(steps),
        "value": rng.normal(size=len(steps)),
        "time": steps,
    }
    return pl.DataFrame(columns, schema=POINTS, strict=False)


def steps(store: SqliteStore, run: str = "r1") -> list[int]:
    return store.read(run)["step"].to_list()


def fill(store: SqliteStore, runs: int = 3, chunks: int = 6) -> None:
    """Fill a store with runs of several chunks, each over many pages of the file."""
    for run in range(1, runs + 1):
        store.put_run(RunRecord(f"r{run}", f"run {run}", float(run)))
    for chunk in range(chunks):
        for run in range(1, runs + 1):
            store.append(f"r{run}", points(range(chunk * CHUNK, (chunk + 1) * CHUNK)))
        assert store.flush()


def aside(path: Path) -> list[Path]:
    return sorted(
        one for one in path.parent.iterdir() if ".damaged-" in one.name and not one.name.endswith(("-wal", "-shm"))
    )


# --- damaged files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"precious" * 1000, b"x", bytes(10_000), b"SQLite format 3\0" + b"\xff" * 9000])
def test_file_that_is_not_a_database_is_set_aside(open_store: Open, path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    store = open_store()
    with pytest.raises(OSError, match="sets it aside"):
        store.runs()
    store.put_run(RunRecord("r1", "a", 1.0))
    store.append("r1", points(range(10)))
    assert store.flush()
    (kept,) = aside(path)
    assert kept.read_bytes() == content
    (notice,) = store.notices
    assert str(path) in notice
    assert kept.name in notice
    other = open_store()
    assert steps(other) == list(range(10))
    assert [run.id for run in other.runs()] == ["r1"]
    assert other.notices == []


@pytest.mark.parametrize("place", [18, 19, 47])
def test_file_of_a_format_that_sqlite_does_not_know_is_set_aside(open_store: Open, path: Path, place: int) -> None:
    store = open_store()
    fill(store)
    store.close()
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\x09")
    content = path.read_bytes()
    store = open_store()
    store.put_run(RunRecord("new", "new", 1.0))
    store.append("new", points(range(10)))
    assert store.flush() or store.flush()
    (kept,) = aside(path)
    assert kept.read_bytes() == content
    assert steps(open_store(), "new") == list(range(10))


def test_an_unreadable_text_costs_its_row_alone(open_store: Open, path: Path) -> None:
    """In a table that SQLite itself finds nothing wrong with."""
    store = open_store()
    fill(store)
    store.close()
    to = SqliteStore(path.with_name("to.db"), "digits")
    to.put_run(RunRecord("new", "new", 1.0))
    assert to.flush()
    with (
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as damaged,
        contextlib.closing(sqlite3.connect(path.with_name("to.db"), isolation_level=None)) as copy,
    ):
        damaged.execute("update runs set name = cast(x'ff' as text) where id = 'r2'")
        assert damaged.execute("pragma quick_check").fetchall() == [("ok",)]
        salvage(damaged, copy)
    assert {run.id for run in to.runs()} == {"new", "r1", "r3"}
    assert steps(to, "r3") == list(range(6 * CHUNK))
    to.close()


@pytest.mark.parametrize("part", [0.02, 0.2, 0.5, 0.9, 0.999])
def test_truncated_file_is_set_aside_and_salvaged(open_store: Open, path: Path, part: float) -> None:
    store = open_store()
    fill(store)
    store.close()
    size = int(path.stat().st_size * part)
    os.truncate(path, size)
    store = open_store()
    store.put_run(RunRecord("r1", "again", 1.0))
    store.append("r1", points(range(100_000, 100_010)))
    for run in ("r1", "r2"):
        with contextlib.suppress(OSError):
            store.read(run)
    assert store.flush()
    found = steps(store)
    assert found[-10:] == list(range(100_000, 100_010))
    assert len(found) == len(set(found))
    if part < 0.99:  # else a part of the last page, which SQLite fills up
        (notice,) = store.notices
        (kept,) = aside(path)
        assert kept.stat().st_size == size
        assert "was set aside" in notice
        assert kept.name in notice
    total = sum(len(steps(open_store(), f"r{run}")) for run in (1, 2, 3))
    assert total >= 36_000 * (
        part - 0.3
    )  # the tables of documents have pages, too, and a chunk is read whole or not at all
    assert store.summary("r1")["loss"].count == len(found)
    assert open_store().summary("r1") == store.summary("r1")


@pytest.mark.parametrize("seed", range(8))
def test_a_file_with_pages_of_garbage_never_stops_a_store(open_store: Open, path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    store = open_store()
    fill(store)
    store.close()
    content = bytearray(path.read_bytes())
    for page in rng.integers(0 if seed % 2 else 1, len(content) // 4096, 1 + seed * 3):
        content[page * 4096 : (page + 1) * 4096] = rng.bytes(4096)
    path.write_bytes(content)
    store = open_store()
    for may_fail in (contextlib.suppress(OSError), contextlib.nullcontext()):  # the first writing sets the file aside
        with may_fail:
            store.runs()
        for run in ("r1", "r2", "r3"):
            with may_fail:
                store.run(run)
                store.summary(run)
                found = steps(store, run)
                assert len(found) == len(set(found))
            store.since(run, Cursor(0, 3 * CHUNK))
        store.put_run(RunRecord("r4", "new", 4.0))
        store.append("r4", points(range(10)))
        store.append("r1", points(range(100_000, 100_010)))
        assert store.flush()
    assert steps(store, "r4") == list(range(10))
    assert steps(store)[-10:] == list(range(100_000, 100_010))
    assert steps(open_store(), "r4") == list(range(10))


def test_a_run_that_is_open_when_its_file_is_damaged_keeps_its_newest_points(open_store: Open, path: Path) -> None:
    store = open_store()
    store.put_run(RunRecord("r1", "a", 1.0))
    store.append("r1", points(range(1000)))
    store.flush()
    store.close()
    path.write_bytes(b"garbage" * 1000)
    store.append("r1", points(range(1000, 1010)))
    assert store.flush()
    assert steps(store) == list(range(1010))
    assert steps(open_store()) == list(range(1010))
    assert [run.name for run in open_store().runs()] == ["a"]
    assert store.summary("r1")["loss"].count == 1010


def test_damaged_file_is_set_aside_by_one_process(open_store: Open, path: Path) -> None:
    first, second = open_store(), open_store()
    for store, run in ((first, "r1"), (second, "r2")):
        store.put_run(RunRecord(run, run, 1.0))
        store.append(run, points(range(10)))
        store.flush()
    first.close()
    second.close()
    path.write_bytes(b"garbage" * 1000)
    first.append("r1", points(range(10, 20)))
    second.append("r2", points(range(10, 20)))
    for store in (second, first):
        with pytest.raises(OSError, match="sets it aside"):
            store.runs()
    assert first.flush()
    assert second.flush()
    assert len(aside(path)) == 1
    for store in (first, second, open_store()):
        assert steps(store, "r1") == steps(store, "r2") == list(range(20))


def test_a_reader_follows_to_the_new_file(open_store: Open, path: Path) -> None:
    store, reader = open_store(), open_store()
    store.append("r1", points(range(10)))
    store.flush()
    _, cursor = reader.since("r1", Cursor())
    path.with_name("other").write_bytes(b"garbage" * 1000)
    store.close()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink()
    path.with_name("other").replace(path)
    store.append("r1", points(range(10, 20)))
    assert store.flush()
    fresh, after = reader.since("r1", cursor)
    assert fresh["step"].to_list() == list(range(20))
    assert after.generation != cursor.generation


def test_files_set_aside_in_one_second_have_different_names(open_store: Open, path: Path) -> None:
    store = open_store()
    path.parent.mkdir()
    for turn in range(3):
        store.close()
        path.write_bytes(bytes([turn + 65]) * 5000)
        store.append("r1", points(range(turn, turn + 1)))
        assert store.flush()
    assert sorted(kept.read_bytes()[0] for kept in aside(path)) == [65, 66, 67]


def garble(path: Path, run: str, first: int, data: bytes | None = None) -> None:
    db = sqlite3.connect(path)
    with db:
        (was,) = db.execute("select data from chunks where run_id = ? and first = ?", (run, first)).fetchone()
        garbled = was[:100] + bytes([was[100] ^ 1]) + was[101:] if data is None else data
        db.execute("update chunks set data = ? where run_id = ? and first = ?", (garbled, run, first))
    db.close()


@pytest.mark.parametrize("data", [None, b"", b"garbage"])
def test_garbage_chunk_is_left_out_and_reported(open_store: Open, path: Path, data: bytes | None) -> None:
    fill(open_store())
    garble(path, "r2", 2 * CHUNK, data)
    store = open_store()
    expected = [*range(2 * CHUNK), *range(3 * CHUNK, 6 * CHUNK)]
    assert steps(store, "r2") == expected
    assert store.since("r2", Cursor(0, 2 * CHUNK + 5))[0]["step"].to_list() == [*range(3 * CHUNK, 6 * CHUNK)]
    (notice,) = store.notices
    assert f"rows {2 * CHUNK} to {3 * CHUNK - 1} of run 'r2'" in notice
    assert steps(store, "r1") == list(range(6 * CHUNK))


def test_garbage_chunk_stays_in_the_file(open_store: Open, path: Path) -> None:
    fill(open_store(), chunks=3)
    garble(path, "r2", CHUNK)
    store = open_store()
    store.put_run(RunRecord("r2", "a", 1.0))
    for step in range(3 * CHUNK, 3 * CHUNK + 30):
        store.append("r2", points(range(step, step + 1)))
        assert store.flush()
    store.append("r2", points(range(CHUNK + 1, CHUNK + 2)))
    store.put_run(RunRecord("r2", "a", 1.0, state="finished"))
    assert store.flush()
    db = sqlite3.connect(path)
    assert db.execute("select rows from chunks where run_id = 'r2' and first = ?", (CHUNK,)).fetchone() == (CHUNK,)
    db.close()
    assert aside(path) == []
    assert set(range(3 * CHUNK, 3 * CHUNK + 30)) <= set(steps(store, "r2"))


def test_garbage_record_is_left_out_and_reported(open_store: Open, path: Path) -> None:
    fill(open_store())
    db = sqlite3.connect(path)
    with db:
        db.execute("update runs set config = 'no json' where id = 'r2'")
    db.close()
    store = open_store()
    assert [run.id for run in store.runs()] == ["r1", "r3"]
    assert store.run("r2") is None
    (notice,) = store.notices
    assert "run 'r2'" in notice


# --- files that are gone --------------------------------------------------------------------------------------------------


def test_removed_file_is_written_again_from_memory(open_store: Open, path: Path) -> None:
    store = open_store()
    store.put_run(RunRecord("r1", "a", 1.0))
    store.append("r1", points(range(10)))
    store.flush()
    shutil.rmtree(path.parent)
    store.append("r1", points(range(10, 20)))
    assert store.flush()
    assert steps(open_store()) == list(range(20))
    assert [run.id for run in open_store().runs()] == ["r1"]


# --- disks that are full, slow to be free, or not to be written -------------------------------------------------------------


def test_a_full_disk_is_a_notice_until_there_is_room(open_store: Open) -> None:
    store = open_store()
    store.put_run(RunRecord("r1", "a", 1.0))
    assert store.flush()
    db = store._file._open()
    (pages,) = db.execute("pragma page_count").fetchone()
    db.execute(f"pragma max_page_count = {pages}")
    db.execute("pragma temp_store = memory")
    for start in range(0, 3 * CHUNK, CHUNK):
        store.append("r1", points(range(start, start + CHUNK)))
        store._file._close_unless_busy = lambda _: None  # type: ignore[method-assign]  # the limit lives in the connection
        assert not store.flush()
    (notice,) = store.notices
    assert "full" in notice
    assert "points stay in memory" in notice
    assert steps(store) == list(range(3 * CHUNK))
    db.execute("pragma max_page_count = 1000000")
    assert store.flush()
    assert store.notices == []
    assert steps(open_store()) == list(range(3 * CHUNK))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False, capture_output=True, timeout=TIMEOUT
    )
    if done.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield place
    subprocess.run(["umount", "-l", place], check=True, timeout=TIMEOUT)


def test_a_really_full_disk(small_disk: Path) -> None:
    store = SqliteStore(small_disk / "digits.db", "digits")
    store.put_run(RunRecord("r1", "a", 1.0))
    store.append("r1", points(range(CHUNK)))
    assert store.flush()
    (small_disk / "ballast").write_bytes(bytes(2**19))
    start = CHUNK
    while True:
        store.append("r1", points(range(start, start + 10 * CHUNK)))
        start += 10 * CHUNK
        if not store.flush():
            break
    (notice,) = store.notices
    assert "points stay in memory" in notice
    assert steps(store) == list(range(start))
    (small_disk / "ballast").unlink()
    assert store.flush()
    assert store.notices == []
    store.close()
    again = SqliteStore(small_disk / "digits.db", "digits")
    assert steps(again) == list(range(start))
    again.close()


def test_a_disk_with_no_room_at_all_can_still_be_read(small_disk: Path) -> None:
    """Even points that are no longer in memory."""
    store = SqliteStore(small_disk / "digits.db", "digits")
    store.put_run(RunRecord("r0", "a", 1.0, state="finished"))
    store.append("r0", points(range(CHUNK)))
    assert store.flush()
    with (small_disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(512))
    store.append("r1", points(range(10 * CHUNK)))
    assert not store.flush()
    assert len(store.failures) == 1
    assert steps(store, "r0") == list(range(CHUNK))
    (small_disk / "ballast").unlink()
    assert store.flush()
    assert store.failures == []
    store.close()


LOCKED = "database is locked"
HOLDER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("begin exclusive" if sys.argv[2] == "all" else "begin immediate")
print("held", flush=True)
sys.stdin.read()
db.execute("rollback")
"""


@pytest.mark.parametrize("network", [False, True])
@pytest.mark.parametrize("open_before", [False, True])
def test_locked_file_blocks_nobody(
    open_store: Open, path: Path, monkeypatch: pytest.MonkeyPatch, network: bool, open_before: bool
) -> None:
    monkeypatch.setattr(filesystem, "is_network", lambda _: network)
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(sqlite_file, "_PATIENCE_SECONDS", 0.2)
    fill(open_store(), runs=1, chunks=1)
    store = open_store()
    store.put_run(RunRecord("r1", "a", 1.0))
    if open_before:
        store.append("r1", points(range(CHUNK, CHUNK + 1)))
        assert store.flush()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path, "all"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    told = []
    for step in range(CHUNK + 1, CHUNK + 5):
        store.append("r1", points(range(step, step + 1)))
        assert not store.flush()  # and comes back while the file is still locked
        assert store.summary("r1")["loss"].step == step
        told += [notice for notice in store.notices if LOCKED in notice]
    assert told
    holder.communicate(timeout=TIMEOUT)
    assert store.flush()
    assert not any(LOCKED in notice for notice in store.notices)
    assert len(steps(open_store())) == CHUNK + 4 + open_before


def test_short_wait_gives_no_notice(open_store: Open, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.05)
    store = open_store()
    store.append("r1", points(range(1)))
    assert store.flush()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    store.append("r1", points(range(1, 2)))
    assert not store.flush()
    assert store.notices == []
    other.close()
    assert store.flush()


def test_resumed_run_of_a_busy_file_is_compared_later(
    open_store: Open, path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "is_network", lambda _: True)
    first = open_store()
    first.append("r1", points(range(10)))
    first.close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin exclusive")
    store = open_store()
    assert store.append("r1", points(range(5, 15))) == []
    assert not store.flush()
    assert steps(store) == list(range(5, 15))
    other.close()
    assert store.flush()
    assert store.append("r1", points(range(15, 16))) == ["loss"]
    assert sorted(steps(store)) == list(range(16))


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """A folder that is read-only by its permissions, which do not affect root, or by its disk."""
    place = tmp_path / "read-only"
    place.mkdir()
    root = os.getuid() == 0
    mount = ["mount", "-t", "tmpfs", "tmpfs", place]
    if root and subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a disk is not allowed here")

    def freeze() -> Path:
        if root:
            subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        else:
            place.chmod(0o555)
        return place

    yield freeze
    subprocess.run(["umount", "-l", place] if root else ["chmod", "755", place], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not read-only there")
def test_read_only_folder_can_be_read(tmp_path: Path, read_only: Callable[[], Path]) -> None:
    store = SqliteStore(tmp_path / "read-only" / "digits.db", "digits")
    fill(store)
    store.close()
    read_only()
    assert project_name(store.path) == "digits"
    assert [run.id for run in store.runs()] == ["r1", "r2", "r3"]
    assert steps(store) == list(range(6 * CHUNK))
    assert store.summary("r1")["loss"].count == 6 * CHUNK
    assert store.notices == []
    store.put_run(RunRecord("r4", "a", 1.0))
    store.append("r4", points(range(5)))
    store.append("r1", points(range(6 * CHUNK - 5, 6 * CHUNK + 5)))
    assert not store.flush()
    (notice,) = store.notices
    assert "readonly" in notice
    assert steps(store, "r4") == list(range(5))
    assert steps(store) == list(range(6 * CHUNK + 5))
    assert steps(store, "r2") == list(range(6 * CHUNK))


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not read-only there")
def test_new_file_in_a_read_only_folder_is_a_notice(tmp_path: Path, read_only: Callable[[], Path]) -> None:
    store = SqliteStore(read_only() / "digits.db", "digits")
    store.append("r1", points(range(5)))
    assert not store.flush()
    assert len(store.notices) == 1
    assert steps(store) == list(range(5))
    assert project_name(store.path) is None


# --- file systems without shared memory -------------------------------------------------------------------------------------


def test_a_network_disk_has_a_rollback_journal_and_a_notice(
    open_store: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "is_network", lambda _: True)
    store = open_store()
    fill(store)
    (notice,) = store.notices
    assert "rollback journal" in notice
    assert store._file._open().execute("pragma journal_mode").fetchone() == ("delete",)
    assert not path.with_name(path.name + "-wal").exists()
    assert steps(open_store()) == list(range(6 * CHUNK))


def test_file_moved_to_a_network_disk_loses_its_log(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store()
    fill(store)
    store.close()
    monkeypatch.setattr(filesystem, "is_network", lambda _: True)
    store = open_store()
    assert steps(store) == list(range(6 * CHUNK))
    assert store._file._open().execute("pragma journal_mode").fetchone() == ("delete",)


def test_local_write_ahead_log_is_removed_on_close(open_store: Open, path: Path) -> None:
    store = open_store()
    fill(store)
    log = path.with_name(path.name + "-wal")
    assert log.stat().st_size > 0
    store.flush()  # nothing to write: the log moves into the file
    assert store.notices == []
    store.close()
    assert not log.exists()
    assert project_name(path) == "digits"


# --- versions -----------------------------------------------------------------------------------------------------------


def test_a_newer_file_is_refused_and_left_as_it_is(open_store: Open, path: Path) -> None:
    store = open_store()
    fill(store)
    store.close()
    db = sqlite3.connect(path)
    with db:
        db.execute("update meta set value = '99' where key = 'schema_version'")
        db.execute("update meta set value = '7.3' where key = 'trackbook'")
    db.close()
    content = path.read_bytes()
    store = open_store()
    for read in (store.runs, lambda: store.read("r1"), lambda: store.summary("r1")):
        with pytest.raises(OSError, match=r"Trackbook 7\.3"):
            read()
    store.put_run(RunRecord("r1", "a", 1.0))
    store.append("r1", points(range(10)))
    assert not store.flush()
    (notice,) = store.notices
    for part in (str(path), "Trackbook 7.3", "version 99", "pip install --upgrade trackbook", "left as it is"):
        assert part in notice
    assert len(store.read("r1")) == 10
    store.close()
    assert path.read_bytes() == content
    assert project_name(path) == "digits"
    with pytest.raises(OSError, match=r"Trackbook 7\.3"):
        store.cut("r1", 3)


# What a file of version 1 is made of, kept as it was.
VERSION_1 = """
create table meta (key text primary key, value text not null) strict;
create table runs (
    id text primary key, name text not null, started real not null, state text not null, "group" text, tags text not null,
    notes text, config text not null, summary text not null, step_by text not null, ended real, done integer,
    total integer, error text
) strict;
-- survives its run, so that no cursor of a run that was deleted fits the next one of the same id
create table ordinals (run_id text primary key, generation integer not null, next integer not null) strict;
create table metrics (
    run_id text not null, number integer not null, name text not null,
    last real, min real, max real, count integer not null, step integer not null, primary key (run_id, number)
) strict;
create table chunks (
    run_id text not null, first integer not null, rows integer not null, low integer not null, high integer not null,
    crc integer not null, data blob not null, primary key (run_id, first)
) strict;
create table marks (mark text primary key, drained integer not null) strict;
"""


def older_file(path: Path) -> None:
    """Return a file of version 1, without the tables of later versions."""
    path.parent.mkdir(exist_ok=True)
    db = sqlite3.connect(path)
    with db:
        db.executescript(schema.TABLES.replace("low integer not null, high integer not null,", ""))
        db.executemany("insert into meta values (?, ?)", [("schema_version", "1"), ("project", "digits")])
        db.execute("insert into ordinals values ('r1', 0, 5)")
        db.execute("insert into metrics values ('r1', 0, 'loss', 0, 0, 0, 5, 4)")
        frame = points(range(5))
        columns = [frame[name].to_numpy() for name in ("step", "value", "time")]
        data = chunk_codec.encode(chunk_codec.Columns(np.zeros(5, np.int32), *columns))
        import zlib

        db.execute("insert into chunks values ('r1', 0, 5, ?, ?)", (zlib.crc32(data), data))
    db.close()


def add_low_and_high(db: sqlite3.Connection) -> None:
    made = next(statement for statement in schema.TABLES.split(";") if "table chunks" in statement)
    db.execute("alter table chunks rename to old_chunks")
    db.execute(made)
    for run, first, rows, crc, data in db.execute("select * from old_chunks").fetchall():
        step = chunk_codec.decode(data, rows).step
        db.execute(schema.PUT_CHUNK, (run, first, rows, int(step.min()), int(step.max()), crc, data))
    db.execute("drop table old_chunks")


def failing(db: sqlite3.Connection) -> None:
    add_low_and_high(db)
    raise sqlite3.OperationalError("disk I/O error")


def test_an_older_file_is_brought_up_to_date(open_store: Open, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", [add_low_and_high])
    older_file(path)
    store = open_store()
    assert steps(store) == list(range(5))
    assert store.notices == []
    store.append("r1", points(range(5, 9)))
    store.flush()
    store.cut("r1", 6)
    assert steps(open_store()) == list(range(7))
    fresh = SqliteStore(path.with_name("fresh.db"), "digits")
    fill(fresh)
    assert layout(path) == layout(fresh.path)
    fresh.close()


def test_version_1_is_migrated_to_the_new_tables(open_store: Open, path: Path) -> None:
    path.parent.mkdir()
    db = sqlite3.connect(path)
    with db:
        db.executescript(VERSION_1)
        db.executemany("insert into meta values (?, ?)", [("schema_version", "1"), ("project", "digits")])
        row = (
            "r1",
            "brisk-otter-1",
            1.0,
            "finished",
            None,
            '["a"]',
            None,
            '{"lr": 0.1}',
            "{}",
            "metric",
            2.0,
            None,
            None,
            None,
        )
        db.execute(f"insert into runs values ({', '.join('?' * len(row))})", row)
    db.close()
    store = open_store()
    assert store.runs() == [
        RunRecord("r1", "brisk-otter-1", 1.0, state="finished", tags=("a",), config={"lr": 0.1}, ended=2.0, defined={})
    ]
    assert store.notices == []
    fresh = SqliteStore(path.with_name("fresh.db"), "digits")
    fill(fresh)
    assert layout(path) == layout(fresh.path)
    fresh.close()


def layout(path: Path) -> Any:
    db = sqlite3.connect(path)
    tables = [row[0] for row in db.execute("select name from sqlite_schema where type = 'table' order by name")]
    found = {table: db.execute(f"pragma table_info({table})").fetchall() for table in tables}
    found["indexes"] = db.execute(
        "select name, sql from sqlite_schema where type = 'index' and sql is not null order by name"
    ).fetchall()
    version = db.execute("select value from meta where key = 'schema_version'").fetchone()
    db.close()
    return found, version


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    open_store: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older_file(path)
    before = layout(path)
    monkeypatch.setattr(schema, "MIGRATIONS", [failing])
    store = open_store()
    with pytest.raises(OSError, match="disk I/O error"):
        store.read("r1")
    assert "disk I/O error" in store.notices[0]
    assert layout(path) == before
    monkeypatch.setattr(schema, "MIGRATIONS", [add_low_and_high])
    assert steps(store) == list(range(5))
    assert store.notices == []


def test_a_file_says_which_trackbook_wrote_it(open_store: Open, path: Path) -> None:
    from importlib.metadata import version

    fill(open_store(), runs=1, chunks=1)
    db = sqlite3.connect(path)
    meta = dict(db.execute("select key, value from meta"))
    db.close()
    assert meta == {"schema_version": str(schema.current()), "project": "digits", "trackbook": version("trackbook")}


# --- deeds that are asked for -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", ["cut", "delete"])
def test_failing_cut_or_deletion_is_an_os_error(
    open_store: Open, path: Path, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.02)
    store = open_store()
    store.append("r1", points(range(10)))
    store.flush()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(OSError, match=f"Cannot {deed} run 'r1'.*locked"):
        store.cut("r1", 3) if deed == "cut" else store.delete("r1")
    other.close()
    assert steps(store) == list(range(10))


# --- one flipped bit of a closed file -----------------------------------------------------------------------------------

FLIPS = {
    "the schema": (b"key (run_id", 1, 0x80, 3),
    "the version": (b"schema_version", 14, 0x40, 3),
    "the state of a run": (b"finished", 3, 0x80, 2),
    "the name of a run": (b"run r3", 1, 0x80, 3),
    "the writing version": (b"trackbook0", 9, 0x80, 3),
    "the project": (b"projectdigits", 8, 0x80, 3),
    "the header": (b"SQLite format 3", 2, 0x20, 0),
}


@pytest.mark.parametrize("place", list(FLIPS))
def test_flipped_bit_hides_only_the_data_around_it(open_store: Open, path: Path, place: str) -> None:
    store = open_store()
    for run in ("r1", "r2", "r3"):
        store.put_run(RunRecord(run, f"run {run}", 1.0, state="finished"))
        store.append(run, points(range(10)))
        assert store.flush()
    store.close()
    content = bytearray(path.read_bytes())
    text, offset, bits, left = FLIPS[place]
    content[content.index(text) + offset] ^= bits
    path.write_bytes(content)
    store = open_store()
    store.put_run(RunRecord("new", "new", 2.0))
    store.append("new", points(range(5)))
    assert store.flush() or store.flush()
    other = open_store()
    assert {run.id for run in other.runs()} >= {"new"}
    assert len(other.runs()) == left + 1
    assert steps(other, "new") == list(range(5))
    assert all(steps(other, run.id) == list(range(10)) for run in other.runs() if run.id != "new")
