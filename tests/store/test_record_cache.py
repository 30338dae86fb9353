from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from trackbook.store.base import Store
from trackbook.store.memory import MemoryStore
from trackbook.store.record_cache import RecordCache
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord


@pytest.fixture(params=["memory", "sqlite", "another process"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Store, Store]:
    """One to write, and one to read."""
    if request.param == "memory":
        store = MemoryStore()
        return store, store
    store, other = (SqliteStore(tmp_path / "p.db", "p") for _ in range(2))
    return store, store if request.param == "sqlite" else other


@pytest.fixture
def read(stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[list[str], list[str]]]:
    """Return the names of all runs, and the ids of those that were read for it."""
    cache, (store, other), reads = RecordCache(), stores, list[str]()

    def counting(whole: Callable[..., list[RunRecord]], *since: object) -> list[RunRecord]:
        found = whole(*since)
        reads[:] = [run.id for run in found]
        return found

    for name in ("runs", "changed_runs"):
        monkeypatch.setattr(other, name, partial(counting, getattr(other, name)))

    def names() -> tuple[list[str], list[str]]:
        reads.clear()
        assert store.flush()
        return [run.name for run in cache.read(other)], [*reads]

    return names


def put(store: Store, run_id: str, name: str, started: float = 1.0) -> None:
    store.put_run(RunRecord(run_id, name, started, "finished"))


def test_unchanged_records_are_not_read_again(stores: tuple[Store, Store], read: Callable[[], object]) -> None:
    put(stores[0], "r1", "a")
    assert read() == (["a"], ["r1"])
    assert read() == (["a"], [])


def test_only_changed_records_are_read(stores: tuple[Store, Store], read: Callable[[], object]) -> None:
    for number in range(3):
        put(stores[0], f"r{number}", f"run {number}", float(number))
    assert read() == (["run 0", "run 1", "run 2"], ["r0", "r1", "r2"])
    put(stores[0], "r1", "renamed", 1.0)
    put(stores[0], "r3", "early", -1.0)
    assert read() == (["early", "run 0", "renamed", "run 2"], ["r3", "r1"])


def test_deleted_run_is_gone(stores: tuple[Store, Store], read: Callable[[], tuple[list[str], list[str]]]) -> None:
    put(stores[0], "r1", "a", 1.0)
    put(stores[0], "r2", "b", 2.0)
    assert read()[0] == ["a", "b"]
    stores[0].delete("r1")
    put(stores[0], "r3", "c", 3.0)
    assert read()[0] == ["b", "c"]
    for run in ("r2", "r3"):
        stores[0].delete(run)
    assert read()[0] == []
    put(stores[0], "r1", "again")
    assert read()[0] == ["again"]
