from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import math
import sqlite3
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readers import READERS
from stores import NAMES, filled, one_run, stand
from trackbook.data.dataframes import LONG
from trackbook.data.export import export, export_run
from trackbook.data.importing import import_parquet
from trackbook.data.parquet import FORMAT_VERSION, metadata
from trackbook.store.base import POINTS
from trackbook.store.check_stored import FIRST_TIME, LAST_TIME
from trackbook.store.memory import MemoryStore
from trackbook.store.sqlite import SqliteStore
from trackbook.types import CAPTURED, RunRecord

texts = st.text(min_size=1, max_size=5) | st.sampled_from(NAMES)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
dicts = st.dictionaries(st.text(max_size=5), json_values, max_size=3)
times = st.floats(FIRST_TIME, LAST_TIME)
records = st.builds(
    RunRecord,
    id=texts,
    name=texts,
    started=times,
    state=st.sampled_from(["running", "finished", "failed", "interrupted", "lost"]),
    group=st.none() | texts,
    tags=st.lists(texts, unique=True).map(tuple),
    notes=st.none() | st.text(),
    config=dicts,
    summary=dicts,
    step_by=st.sampled_from(["metric", "run"]),
    ended=st.none() | times,
    done=st.none() | st.integers(0, 2**63 - 1),
    total=st.none() | st.integers(0, 2**63 - 1),
    error=st.none() | st.text(),
    defined=st.dictionaries(texts, texts, max_size=3),
    goals=st.dictionaries(texts, st.sampled_from(["min", "max"]), max_size=3),
)
steps = st.integers(0, 3) | st.integers(0, 2**63 - 1)
rows_of_points = st.lists(st.tuples(texts, steps, st.floats(), times), max_size=8)
values = {"text": st.text(max_size=5), "integer": st.integers(-(2**63) + 1, 2**63 - 1), "real": times}
special = {"value": dicts.map(json.dumps), "metrics": st.none() | st.lists(texts, max_size=2).map(json.dumps)}


def column(name: str, declared: str) -> st.SearchStrategy[Any]:
    kind, _, required = declared.partition(" ")
    return special.get(name, values[kind] if required else st.none() | values[kind])


captured = st.fixed_dictionaries(
    {
        table: st.dictionaries(
            texts if next(iter(columns.values())).startswith("text") else st.integers(0, 99),
            st.tuples(*[column(name, declared) for name, declared in list(columns.items())[1:]]),
            max_size=3,
        )
        for table, columns in CAPTURED.items()
    }
)
projects = st.dictionaries(texts, st.tuples(records, rows_of_points, captured), max_size=3)


@settings(max_examples=60)
@given(texts, projects, st.sampled_from(["data", "all.parquet"]))
def test_export_and_import_give_equal_runs(project: str, runs: dict[str, Any], name: str) -> None:
    store = filled(
        *(dataclasses.replace(record, id=run_id) for run_id, (record, *_) in runs.items()),
        points={run_id: rows for run_id, (_, rows, _) in runs.items()},
    )
    for run_id, (*_, tables) in runs.items():
        for table, known in tables.items():
            store.put_captured(run_id, table, [(key, *rest) for key, rest in known.items()])
    back = MemoryStore()
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        path = export(Path(folder) / name, project, store.runs(), store)
        if not runs and name == "data":
            return
        for _ in range(2):
            import_parquet(path, lambda project: seen.append(project) or back)
    assert set(seen) <= {project}
    assert {run.id for run in back.runs()} == set(runs)
    assert [stand(back, run_id) for run_id in runs] == [stand(store, run_id) for run_id in runs]


@pytest.mark.parametrize("name", ["data", "all.parquet"])
@pytest.mark.parametrize("read", READERS)
def test_captured_tables_do_not_disturb_readers(tmp_path: Path, name: str, read: Any) -> None:
    path = export(tmp_path / name, "digits", [one_run()], with_cells())
    if name == "data":
        assert len(read(path)) == 3
    assert len(pl.read_parquet(path)) == len(pl.scan_parquet(path).collect()) == 3


CELL = (0, "id", 3, "x = 1", 1.0, 2.0, "ok", None, None, '["loss"]', 5, None)


def with_cells() -> MemoryStore:
    store = filled(one_run())
    store.put_captured("r1", "cells", [CELL])
    return store


def test_later_version_may_know_more_columns_and_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setitem(CAPTURED, "cells", {"new": "text"} | dict(reversed(CAPTURED["cells"].items())))
        later.setitem(CAPTURED, "tables", {"key": "text"})
        store = filled(one_run())
        store.put_captured("r1", "cells", [("new", *reversed(CELL))])
        store.put_captured("r1", "tables", [("key",)])
        export_run(tmp_path / "run.parquet", "digits", one_run(), store)
    back = MemoryStore()
    import_parquet(tmp_path / "run.parquet", lambda _: back)
    assert back.captured("r1", "cells") == [CELL]


def test_damaged_captured_tables_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    export_run(path, "digits", one_run(), with_cells())
    about = pl.read_parquet_metadata(path)
    pl.read_parquet(path).write_parquet(
        path, metadata={"trackbook": about["trackbook"], "trackbook.captured": about["trackbook.captured"][:-9]}
    )
    back = MemoryStore()
    with pytest.raises(ValueError, match=r"cannot read .*run\.parquet: the captured tables of run 'r1' are damaged"):
        import_parquet(path, lambda _: back)
    assert back.runs() == []


def test_importing_twice_adds_nothing(tmp_path: Path) -> None:
    store = filled(one_run())
    export_run(tmp_path / "run.parquet", "digits", one_run(), store)
    before = stand(store, "r1")
    assert import_parquet(tmp_path / "run.parquet", lambda _: store) == [("digits", one_run())]
    assert stand(store, "r1") == before


@pytest.mark.parametrize(
    ("change", "what"),
    [({"notes": "new"}, "notes"), ({"config": {"lr": math.nan}, "tags": ("a",)}, "tags, config"), ({}, "points")],
)
def test_run_that_differs_from_the_stored_one_is_refused(tmp_path: Path, change: Any, what: str) -> None:
    export_run(tmp_path / "run.parquet", "digits", one_run(), filled(one_run()))
    there = one_run(**change)
    store = filled(there, points=None if change else {"r1": [("loss", 0, 0.5, 10.0)]})
    before = stand(store, "r1")
    with pytest.raises(
        ValueError, match=rf"there is a run 'r1' .* differs in {what}; delete the one that is there, or"
    ):
        import_parquet(tmp_path / "run.parquet", lambda _: store)
    assert stand(store, "r1") == before


def test_one_refused_run_imports_none_of_the_others(tmp_path: Path) -> None:
    runs = [one_run(id="a1"), one_run(id="b2")]
    export(tmp_path / "data", "digits", runs, filled(*runs))
    store = filled(one_run(id="b2", notes="mine"))
    with pytest.raises(ValueError, match="there is a run 'b2'"):
        import_parquet(tmp_path / "data", lambda _: store)
    assert [run.id for run in store.runs()] == ["b2"]


def test_run_exported_while_open_equals_the_run_when_lost(tmp_path: Path) -> None:
    export_run(tmp_path / "run.parquet", "digits", one_run(state="running", ended=None), filled(one_run()))
    store = filled(one_run(state="lost", ended=99.0))
    import_parquet(tmp_path / "run.parquet", lambda _: store)
    assert store.run("r1") == one_run(state="lost", ended=99.0)


def test_runs_of_a_folder_are_imported_into_their_projects(tmp_path: Path) -> None:
    stores = {"a-project": MemoryStore(), "b-project": MemoryStore()}
    for project in stores:
        export(tmp_path / "data", project, [one_run(name=project)], filled(one_run()))
    import_parquet(tmp_path / "data", lambda project: stores[str(project)])
    assert [[run.name for run in store.runs()] for store in stores.values()] == [["a-project"], ["b-project"]]


def test_missing_path_cannot_be_imported(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no .*missing\.parquet to import"):
        import_parquet(tmp_path / "missing.parquet", lambda _: MemoryStore())
    with pytest.raises(ValueError, match=r"holds no \*\.parquet file"):
        import_parquet(tmp_path, lambda _: MemoryStore())


def test_newer_format_is_refused(tmp_path: Path) -> None:
    about = {"version": FORMAT_VERSION + 1, "project": "digits", "runs": []}
    pl.DataFrame(schema=LONG).write_parquet(tmp_path / "x.parquet", metadata={"trackbook": json.dumps(about)})
    with pytest.raises(ValueError, match=r"was written by a newer Trackbook \(format 3\); upgrade this one"):
        import_parquet(tmp_path / "x.parquet", lambda _: MemoryStore())


def test_damaged_export_raises_and_leaves_no_half_run(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    rows = [("loss", step, math.sin(step), step / 7) for step in range(5000)]
    export_run(path, "digits", one_run(), filled(one_run(), points={"r1": rows}))
    whole = path.read_bytes()
    for damaged in (whole[:-10], whole[:100], b"", whole[:1000] + bytes(20_000) + whole[21_000:]):
        path.write_bytes(damaged)
        store = MemoryStore()
        with pytest.raises(ValueError, match=r"cannot read .*run\.parquet"):
            import_parquet(path, lambda _, store=store: store)
        assert store.runs() == []


def test_metadata_of_other_files_is_none(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"PAR1")
    assert metadata(tmp_path / "x") is None
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "x", metadata={"trackbook": "[]"})
    assert metadata(tmp_path / "x") is None


def test_no_pyarrow_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    export(tmp_path / "data", "digits", [one_run()], filled(one_run()))
    import_parquet(tmp_path / "data", lambda _: MemoryStore())


def test_system_metrics_come_back_and_are_not_among_the_points(tmp_path: Path) -> None:
    store = MemoryStore()
    store.put_run(RunRecord("r1", "run", 1.0, state="finished"))
    rows = [("@system/cpu %", 0, 7.5, 1.5), ("loss", 0, 0.5, 1.0), ("@system/cpu %", 1, math.inf, 2.5)]
    store.append("r1", pl.DataFrame(rows, schema=POINTS, orient="row"))
    for name in ("run.parquet", "out"):
        path = export(tmp_path / name, "p", store.runs(), store)
        assert pl.read_parquet(path, hive_partitioning=False)["metric"].to_list() == ["loss"]
        back = MemoryStore()
        for _ in range(2):  # the second time it is there
            import_parquet(path, lambda _, store=back: store)
        assert back.read("r1", ["@system/cpu %"]).drop("metric").rows() == [(0, 7.5, 1.5), (1, math.inf, 2.5)]
        assert len(back.read("r1")) == 3
    export(tmp_path / "run.csv", "p", store.runs(), store, "csv")
    assert "@system" not in (tmp_path / "run.csv").read_text()


# --- hostile and foreign files ----------------------------------------------------------------------------------------


def hostile(path: Path, record: dict[str, Any] | None = None, captured: Any = None, **columns: Any) -> Path:
    """A file that claims to be an export of Trackbook."""
    fields = {"id": "x", "name": "x", "started": 1.0, "state": "finished", "tags": []} | (record or {})
    about = {"version": FORMAT_VERSION, "project": "p", "runs": [{"record": fields, "metrics": {"a": {}}}]}
    table = {
        "run_id": ["x"] * 2,
        "metric": ["a"] * 2,
        "step": [0, 1],
        "value": [0.0, 1.0],
        "time": [1.0, 2.0],
    } | columns
    metadata = {"trackbook": json.dumps(about)} | ({} if captured is None else {"trackbook.captured": captured})
    frame = pl.DataFrame(
        table, schema_overrides={"step": pl.Int64, "value": pl.Float64, "time": pl.Float64}, strict=False
    )
    frame.write_parquet(path, metadata=metadata)
    return path


def packed(tables: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(tables).encode())).decode()


HOSTILE: dict[str, dict[str, Any]] = {
    "huge done": {"record": {"done": 10**30}},
    "text as time": {"record": {"started": "x"}},
    "year 1e292": {"record": {"started": 1e300}},
    "no config": {"record": {"config": None}},
    "nested tags": {"record": {"tags": [["x"]]}},
    "null step": {"step": [0, None]},
    "negative step": {"step": [0, -5]},
    "null metric": {"metric": ["a", None]},
    "null value": {"value": [0.0, None]},
    "time beyond dates": {"time": [1.0, 1e300]},
    "steps as text": {"step": ["0", "x"]},
    "captured is not JSON": {"captured": base64.b64encode(zlib.compress(b"{")).decode()},
    "captured is a list": {"captured": packed([])},
    "captured tables are numbers": {"captured": packed({"x": {"console": 5}})},
    "captured rows are numbers": {"captured": packed({"x": {"console": {"columns": ["line"], "rows": [5]}}})},
    "captured line is text": {
        "captured": packed(
            {"x": {"console": {"columns": ["line", "stream", "text", "time"], "rows": [["0", "s", "t", 1.0]]}}}
        )
    },
    "document is not JSON": {
        "captured": packed({"x": {"facts": {"columns": ["name", "value"], "rows": [["environment", "?"]]}}})
    },
    "system metric without its prefix": {
        "captured": packed(
            {"x": {"system": {"columns": ["metric", "step", "value", "time"], "rows": [["a", 5, 1.0, 1.0]]}}}
        )
    },
    "a point twice": {"step": [3, 3]},
    "a system point twice": {
        "captured": packed({"x": {"system": {"columns": [*POINTS], "rows": [["@system/a", 5, 1.0, 1.0]] * 2}}})
    },
    "deep JSON": {"captured": base64.b64encode(zlib.compress(b"[" * 100_000)).decode()},
}


@pytest.mark.parametrize("what", list(HOSTILE))
def test_file_that_claims_to_be_ours_is_checked_before_the_first_write(tmp_path: Path, what: str) -> None:
    store = filled(one_run())
    before = stand(store, "r1")
    with pytest.raises(ValueError, match=r"cannot read .*bad"):
        import_parquet(hostile(tmp_path / "bad.parquet", **HOSTILE[what]), lambda _: store)
    assert [run.id for run in store.runs()] == ["r1"]
    assert stand(store, "r1") == before


@pytest.mark.parametrize("is_ours", [True, False])
def test_few_bytes_that_claim_millions_of_rows_are_not_read(tmp_path: Path, is_ours: bool) -> None:
    path, store = hostile(tmp_path / "bomb.parquet"), filled(one_run())
    about = {"trackbook": pl.read_parquet_metadata(path)["trackbook"]} if is_ours else None
    nothing = [pl.repeat(0, 35_000_000, dtype=pl.Int8, eager=True).alias(name) for name in ("step", "loss")]
    pl.DataFrame(nothing).write_parquet(path, metadata=about)
    with pytest.raises(
        ValueError, match=r"cannot read .*bomb\.parquet: its .* bytes claim to hold 35,000,000 rows of 2 columns"
    ):
        import_parquet(path, lambda _: store)
    assert [run.id for run in store.runs()] == ["r1"]


def test_bad_run_of_a_folder_prevents_the_whole_import(tmp_path: Path) -> None:
    export(tmp_path / "a.parquet", "digits", [one_run()], filled(one_run()))
    hostile(tmp_path / "b.parquet", step=[0, -5])
    store = MemoryStore()
    with pytest.raises(ValueError, match=r"cannot read run 'x' in .*b.parquet: column 'step' holds -5"):
        import_parquet(tmp_path, lambda _: store)
    assert store.runs() == []


def test_foreign_times_out_of_range_are_refused(tmp_path: Path) -> None:
    pl.DataFrame({"step": [0, 1], "loss": [1.0, 2.0], "time": [1e300, 1e300]}).write_parquet(
        tmp_path / "theirs.parquet"
    )
    store = MemoryStore()
    with pytest.raises(ValueError, match="column 'time' holds 1e\\+300, not a time in seconds UTC"):
        import_parquet(tmp_path / "theirs.parquet", lambda _: store)
    assert store.runs() == []


def test_run_that_was_not_written_whole_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export_run(tmp_path / "run.parquet", "digits", one_run(), filled(one_run()))
    store = MemoryStore()
    plain = store.append
    monkeypatch.setattr(store, "append", lambda run, points: plain(run, points.head(1)))
    with pytest.raises(OSError, match="of 3 points of run 'r1' 1 can be read back"):
        import_parquet(tmp_path / "run.parquet", lambda _: store)
    assert store.runs() == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("started", 1e300),
        ("config", "null"),
        ("config", "[" * 100_000),
        ("tags", '[["x"]]'),
        ("state", "?"),
        ("done", -1),
    ],
)
def test_bad_record_in_a_store_hides_only_its_run(tmp_path: Path, column: str, value: Any) -> None:
    """As after an import by an earlier version, or a flipped bit."""
    store = SqliteStore(tmp_path / "p.db", "p")
    for run_id in ("r1", "r2"):
        store.put_run(one_run(id=run_id))
    assert store.flush()
    with contextlib.closing(sqlite3.connect(tmp_path / "p.db")) as db, db:
        db.execute(f"update runs set {column} = ? where id = 'r2'", (value,))
    assert [run.id for run in store.runs()] == ["r1"]
    assert [run.id for run in store.runs()] == ["r1"]
    (notice,) = store.notices
    assert "the record of run 'r2' cannot be read" in notice
    store.close()
