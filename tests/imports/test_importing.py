from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from foreign_stores import imported, points, put_trackio, trackio_db, values
from stores import filled, one_run, stand
from trackbook.imports import importing, intake
from trackbook.imports.importing import ImportProgress, import_source
from trackbook.store.documents import document
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore

AT = "2026-01-01T00:00:00+00:00"


def project(path: Path, steps: int = 10, runs: int = 1) -> Path:
    rows = [
        (f"t{run}", f"name-{run}", step, AT, {"loss": step, "acc": run}) for run in range(runs) for step in range(steps)
    ]
    return trackio_db(path, rows)


def grow(path: Path, step: int, metrics: Any) -> None:
    with sqlite3.connect(path) as db:
        put_trackio(db, ("t0", "name-0", step, AT, metrics))
    db.close()


def test_importing_twice_adds_nothing(tmp_path: Path, store: SqliteStore) -> None:
    path = project(tmp_path / "p.db", runs=2)
    first = import_source(path, None, lambda _: store)
    before = [stand(store, record.id) for _, record in first]  # type: ignore[arg-type]
    assert import_source(path, None, lambda _: store) == first
    assert [stand(store, record.id) for _, record in first] == before  # type: ignore[arg-type]


def test_unchanged_run_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project(tmp_path / "p.db")
    _, store = imported(path)
    monkeypatch.setattr(intake.Intake, "point", None)
    imported(path, store=store)


def test_run_that_has_grown_gets_the_rest(tmp_path: Path, store: SqliteStore) -> None:
    path = project(tmp_path / "p.db")
    import_source(path, None, lambda _: store)
    grow(path, 10, {"loss": 10, "late": 1})
    import_source(path, None, lambda _: store)
    found = values(store, "t0")  # type: ignore[arg-type]
    assert found == {"loss": list(range(11)), "acc": [0] * 10, "late": [1]}


def test_what_was_changed_here_since_stays(tmp_path: Path) -> None:
    path = project(tmp_path / "p.db")
    record, store = imported(path)
    store.put_run(dataclasses.replace(record, name="mine", tags=("best",), notes="look", group="g"))
    grow(path, 10, {"loss": 10})
    again, _ = imported(path, store=store)
    assert (again.name, again.tags, again.notes, again.group) == ("mine", ("best",), "look", "g")
    assert values(store, "t0")["loss"] == list(range(11))


@pytest.mark.parametrize("stops_after", [1, 3, 4])
def test_interrupted_import_goes_on(
    tmp_path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, stops_after: int
) -> None:
    monkeypatch.setattr(intake, "BATCH", 5)
    path, batches = project(tmp_path / "p.db"), 0

    def stop(progress: ImportProgress) -> None:
        nonlocal batches
        batches += 1
        if batches == stops_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_source(path, None, lambda _: store, stop)
    with store.reopened() as again:
        record = again.run("t0")
        assert record is not None
        assert (record.state, record.error) == ("interrupted", importing._UNFINISHED)
        assert len(again.read("t0")) == 5 * stops_after
    import_source(path, None, lambda _: store)
    with store.reopened() as again:
        record = again.run("t0")
        assert record is not None
        assert (record.name, record.state, record.error) == ("name-0", "finished", None)
        assert len(again.read("t0")) == 20
    _, whole = imported(path)
    assert points(store, "t0") == points(whole, "t0")  # type: ignore[arg-type]


def test_progress_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BATCH", 10)
    told: list[ImportProgress] = []
    store = MemoryStore()
    import_source(project(tmp_path / "p.db", runs=2), None, lambda _: store, told.append)
    assert {(one.run, one.number, one.runs) for one in told} == {("t0", 1, 2), ("t1", 2, 2)}
    assert [one.points for one in told] == sorted(one.points for one in told)
    assert [one.fraction for one in told] == sorted(one.fraction for one in told)
    assert 0.2 < told[0].fraction < 0.3
    assert (told[-1].points, told[-1].fraction) == (40, 1.0)


def test_memory_holds_no_more_than_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BATCH", 100)
    sizes = []
    store = MemoryStore()
    plain = store.append
    monkeypatch.setattr(store, "append", lambda run, frame: (sizes.append(len(frame)), plain(run, frame))[1])
    import_source(project(tmp_path / "p.db", steps=505), None, lambda _: store)
    assert sizes == [100] * 10 + [10]


def test_run_of_another_origin_is_left_alone(tmp_path: Path) -> None:
    store = filled(one_run(id="t0"))
    before = stand(store, "t0")
    with pytest.raises(
        ValueError, match=r"there is a run 't0' \('brisk-otter-1'\) already, which was not imported from trackio"
    ):
        imported(project(tmp_path / "p.db"), store=store)
    assert stand(store, "t0") == before


def test_store_that_cannot_write_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    monkeypatch.setattr(store, "flush", lambda: False)
    store.notices.append("The disk is full.")
    with pytest.raises(OSError, match="The disk is full"):
        imported(project(tmp_path / "p.db"), store=store)


def test_losses_of_many_runs_are_summed_up(tmp_path: Path) -> None:
    rows = [(f"t{run}", f"name-{run}", 0, AT, "{") for run in range(14)]
    with pytest.warns() as heard:
        import_source(trackio_db(tmp_path / "p.db", rows), None, lambda _: MemoryStore())
    assert len(heard) == 11
    assert str(heard[-1].message).endswith("4 more losses of its runs")


def test_many_losses_of_one_run_are_counted(tmp_path: Path) -> None:
    rows = [("t0", "name-0", step, AT, "{") for step in range(9)]
    with pytest.warns() as heard:
        _, store = imported(trackio_db(tmp_path / "p.db", rows))
    assert len(heard) == 6
    assert str(heard[-1].message).endswith("run 'name-0' has 4 more such places")
    assert len((document(store, "t0", "imported") or {})["lost"]) == 5
