from __future__ import annotations

import dataclasses
import json
import math
import re
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackbook.data.dataframes import LONG
from trackbook.data.parquet import FORMAT_VERSION, export, export_run, import_parquet, metadata, partition_key
from trackbook.errors import TrackbookWarning
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.types import CAPTURED, RunRecord

NAMES = ["train/loss", "a'b\"c", "../../etc", "x" * 500, "📉 loss", "a\nb,c", "a%2Fb=c", "NULL", "007", ' "value":null']


def filled(*runs: RunRecord, points: dict[str, list[tuple[str, int, float, float]]] | None = None) -> MemoryStore:
    """A store of runs; each has two points of `loss` and one of `acc` where nothing else is said."""
    store = MemoryStore()
    for run in runs:
        store.put_run(run)
        rows = [("loss", 1, 0.25, 11.0), ("loss", 0, 0.5, 10.0), ("acc", 0, math.nan, 10.0)]
        rows = rows if points is None else points[run.id]
        store.append(run.id, pl.DataFrame(rows, schema=POINTS, orient="row"))
    return store


def one_run(**fields: Any) -> RunRecord:
    return RunRecord(
        **{"id": "r1", "name": "brisk-otter-1", "started": 10.0, "state": "finished", "ended": 12.0} | fields
    )


def points_of(store: MemoryStore, run_id: str) -> pl.DataFrame:
    return store.read(run_id).with_columns(pl.col("metric").cast(pl.String)).sort("metric", "step")


def stand(store: MemoryStore, run_id: str) -> str:
    """All that is known of a run, so that NaN equals NaN."""
    figures, captured = list(store.summary(run_id).items()), [store.captured(run_id, table) for table in CAPTURED]
    return repr((store.run(run_id), figures, points_of(store, run_id).rows(), captured))


def row_groups(path: Path) -> Any:
    parquet = pytest.importorskip("pyarrow.parquet")
    with parquet.ParquetFile(path) as file:
        return [file.metadata.row_group(place) for place in range(file.metadata.num_row_groups)]


# --- one run ---------------------------------------------------------------------------------------------------------


def test_a_run_is_one_tidy_table_sorted_by_metric_and_step(tmp_path: Path) -> None:
    run = one_run(group="sweep")
    export_run(tmp_path / "run.parquet", "digits", run, filled(run))
    table = pl.read_parquet(tmp_path / "run.parquet")
    assert table.schema == LONG
    assert repr(table.rows()) == repr(
        [
            ("digits", "r1", "brisk-otter-1", "sweep", "acc", 0, math.nan, 10.0),
            ("digits", "r1", "brisk-otter-1", "sweep", "loss", 0, 0.5, 10.0),
            ("digits", "r1", "brisk-otter-1", "sweep", "loss", 1, 0.25, 11.0),
        ]
    )


def test_the_file_says_all_that_is_known_of_the_run(tmp_path: Path) -> None:
    run = one_run(config={"lr": 0.1, "worst": math.inf}, tags=("a",))
    export_run(tmp_path / "run.parquet", "digits", run, filled(run))
    about = json.loads(pl.read_parquet_metadata(tmp_path / "run.parquet")["trackbook"])
    assert about["version"] == FORMAT_VERSION
    assert about["project"] == "digits"
    assert about["runs"][0]["record"] == json.loads(json.dumps(dataclasses.asdict(run)))
    assert about["runs"][0]["metrics"]["loss"] == {"last": 0.25, "min": 0.25, "max": 0.5, "count": 2, "step": 1}


def test_large_metrics_have_row_groups_of_their_own(tmp_path: Path) -> None:
    run = one_run()
    rows = [(name, step, 0.5, 1.0) for step in range(150_000) for name in ("b", "a")] + [("c", 0, 0.5, 1.0)]
    export_run(tmp_path / "run.parquet", "digits", run, filled(run, points={"r1": rows}))
    groups = row_groups(tmp_path / "run.parquet")
    metrics = [group.column(list(LONG).index("metric")).statistics for group in groups]
    assert [(each.min, each.max) for each in metrics if each.min != each.max] == []
    assert sorted({each.min for each in metrics}) == ["a", "b", "c"]


def test_texts_are_dictionary_encoded_and_all_is_zstd(tmp_path: Path) -> None:
    run = one_run()
    rows = [("loss", step, step / 3, 1.0) for step in range(10_000)]
    export_run(tmp_path / "run.parquet", "digits", run, filled(run, points={"r1": rows}))
    (group,) = row_groups(tmp_path / "run.parquet")
    columns = {name: group.column(place) for place, name in enumerate(LONG)}
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    texts = [columns[name] for name in ("project", "run_id", "run", "metric")]
    assert all("RLE_DICTIONARY" in column.encodings and column.total_compressed_size < 300 for column in texts)


def test_arrow_sees_plain_strings(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    export_run(tmp_path / "run.parquet", "digits", one_run(), filled(one_run()))
    types = {field.name: str(field.type) for field in parquet.read_schema(tmp_path / "run.parquet")}
    assert types == dict.fromkeys(list(LONG)[:5], "large_string") | {
        "step": "int64",
        "value": "double",
        "time": "double",
    }


def test_a_run_without_points_is_a_file_too(tmp_path: Path) -> None:
    run = one_run()
    export_run(tmp_path / "run.parquet", "digits", run, filled(run, points={"r1": []}))
    assert pl.read_parquet(tmp_path / "run.parquet").schema == LONG
    back = MemoryStore()
    assert import_parquet(tmp_path / "run.parquet", lambda _: back) == [("digits", run)]
    assert back.run("r1") == run


def test_folders_are_made_and_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    run = one_run()
    export_run("~/new/folder/run.parquet", "digits", run, filled(run))
    assert (tmp_path / "new" / "folder" / "run.parquet").is_file()


def test_a_former_export_is_replaced_and_nothing_is_left_behind(tmp_path: Path) -> None:
    run = one_run()
    for name in ("one", "two"):
        export_run(tmp_path / "run.parquet", "digits", dataclasses.replace(run, name=name), filled(run))
    assert pl.read_parquet(tmp_path / "run.parquet")["run"].unique().to_list() == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == ["run.parquet"]


@pytest.mark.parametrize("content", ["parquet", "text"])
def test_what_is_no_export_is_never_overwritten(tmp_path: Path, content: str) -> None:
    path = tmp_path / "run.parquet"
    if content == "parquet":
        pl.DataFrame({"mine": [1]}).write_parquet(path)
    else:
        path.write_text("precious")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"run\.parquet exists and is no export of Trackbook's; remove it, or choose"):
        export_run(path, "digits", one_run(), filled(one_run()))
    assert path.read_bytes() == before


def test_a_folder_is_no_file_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is a folder; name a file in it, such as .*run\.parquet"):
        export_run(tmp_path, "digits", one_run(), filled(one_run()))


def test_a_failure_leaves_the_former_export_and_no_rubbish_and_is_raised_as_it_is(tmp_path: Path) -> None:
    class Failing(MemoryStore):
        def read(self, run_id: str, metrics: Any = None) -> pl.DataFrame:
            raise KeyboardInterrupt

    run, path = one_run(), tmp_path / "run.parquet"
    export_run(path, "digits", run, filled(run))
    before = path.read_bytes()
    failing = Failing()
    failing.append("r1", filled(run).read("r1"))
    with pytest.raises(KeyboardInterrupt):
        export_run(path, "digits", run, failing)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.parquet"]


def test_the_store_is_read_on_the_thread_of_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of Polars must not wait for a store, whose holder may wait for Polars."""
    runs = [one_run(id="a1"), one_run(id="b2")]
    store = filled(*runs)
    threads = []
    plainly = store.read
    monkeypatch.setattr(store, "read", lambda *these: threads.append(threading.get_ident()) or plainly(*these))
    export(tmp_path / "all.parquet", "digits", runs, store)
    assert threads == [threading.get_ident()] * 2


def test_where_nothing_can_be_written_it_is_an_oserror(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        export_run(tmp_path / "file" / "run.parquet", "digits", one_run(), filled(one_run()))


def test_a_damaged_store_is_warned_of(tmp_path: Path) -> None:
    store = filled(one_run())
    store.notices.append("Cannot read p.db (damaged).")
    with pytest.warns(TrackbookWarning, match="Cannot read p.db"):
        export_run(tmp_path / "run.parquet", "digits", one_run(), store)


# --- a project -------------------------------------------------------------------------------------------------------


def odd_project() -> tuple[str, list[RunRecord], MemoryStore]:
    """Every odd name as the name of a run, its id, its group and of a metric."""
    runs = [one_run(id=name, name=name, group=name or None, config={name: name}) for name in NAMES]
    points = {run.id: [(name, 2**63 - 1, -math.inf, 1.5) for name in [run.name, *NAMES[:3]]] for run in runs}
    points = {run_id: list({row[0]: row for row in rows}.values()) for run_id, rows in points.items()}
    return NAMES[3], runs, filled(*runs, points=points)


def expected_rows() -> list[tuple[Any, ...]]:
    project, runs, store = odd_project()
    return sorted(
        (project, run.id, run.name, run.group, *row) for run in runs for row in points_of(store, run.id).rows()
    )


def read_duckdb(path: Path) -> list[tuple[Any, ...]]:
    duckdb = pytest.importorskip("duckdb")
    query = (
        f"select {', '.join(map(repr_column, LONG))} from read_parquet('{path}/**/*.parquet', hive_partitioning=true)"
    )
    with duckdb.connect() as connection:
        return list(connection.execute(query).fetchall())


def repr_column(name: str) -> str:
    return f'"{name}"'


def read_pandas(path: Path) -> list[tuple[Any, ...]]:
    pytest.importorskip("pyarrow")
    table = pytest.importorskip("pandas").read_parquet(path)
    return list(table[list(LONG)].itertuples(index=False, name=None))


def read_pyarrow(path: Path) -> list[tuple[Any, ...]]:
    dataset = pytest.importorskip("pyarrow.dataset")
    table = dataset.dataset(path, partitioning="hive").to_table(columns=list(LONG))
    return list(zip(*table.to_pydict().values(), strict=True))


def read_polars(path: Path) -> list[tuple[Any, ...]]:
    return pl.read_parquet(path).select(*LONG).rows()


@pytest.mark.parametrize("read", [read_polars, read_duckdb, read_pandas, read_pyarrow])
def test_a_project_is_a_hive_dataset_that_every_reader_reads_as_it_is(tmp_path: Path, read: Any) -> None:
    project, runs, store = odd_project()
    path = export(tmp_path / "data set", project, runs, store)
    assert path == tmp_path / "data set"
    assert sorted(read(path)) == expected_rows()


def test_readers_find_the_keys_as_text(tmp_path: Path) -> None:
    runs = [one_run(id=name) for name in ("007", "1e5", "k3x9p2aa", "2024-01-01", "true")]
    export(tmp_path / "data", "digits", runs, filled(*runs))
    table = pl.read_parquet(tmp_path / "data")
    assert table.schema["run_key"] == pl.String
    assert table.filter(pl.col("run_key") == "k3x9p2aa")["run_id"].unique().to_list() == ["k3x9p2aa"]
    assert table.select("run_id", "run_key").n_unique() == 5


def test_a_dataset_keeps_to_the_rules_of_spark(tmp_path: Path) -> None:
    """Partition discovery: every folder is ``key=value`` at the same depth, no key is a column, no name is hidden."""
    project, runs, store = odd_project()
    export(tmp_path / "data", project, runs, store)
    paths = [
        path.relative_to(tmp_path / "data").as_posix() for path in (tmp_path / "data").rglob("*") if path.is_file()
    ]
    assert len(paths) == len(runs)
    for path in paths:
        assert re.fullmatch(r"project_key=[a-z0-9~_-]+/run_key=[a-z0-9~_-]+/points\.parquet", path)
        assert max(map(len, path.split("/"))) < 100


@pytest.mark.parametrize("text", ["digits", "k3x9p2aa", "run-b_c", "x" * 60])
def test_a_plain_name_is_its_own_key(text: str) -> None:
    assert partition_key(text) == text


@given(st.lists(st.text(min_size=1, max_size=6) | st.sampled_from(["A", "a", "con", "nan", "1d"]), unique=True))
def test_keys_are_different_where_case_is_ignored(names: list[str]) -> None:
    names = [name.encode(errors="replace").decode() for name in names]
    keys = {name: partition_key(name) for name in names}
    assert len({key.casefold() for key in keys.values()}) == len(set(names))


def test_a_project_is_one_file_where_the_path_says_so(tmp_path: Path) -> None:
    project, runs, store = odd_project()
    path = export(tmp_path / "all.parquet", project, runs[::-1], store)
    table = pl.read_parquet(path)
    assert table.rows() == sorted(table.rows(), key=lambda row: (row[1], row[4], row[5])) == expected_rows()


def test_an_export_replaces_that_of_its_project_and_lets_others_be(tmp_path: Path) -> None:
    runs = [one_run(id="run-x"), one_run(id="run-y")]
    export(tmp_path / "data", "a-project", runs, filled(*runs))
    export(tmp_path / "data", "b-project", runs, filled(*runs))
    export(tmp_path / "data", "a-project", runs[:1], filled(*runs))
    table = pl.read_parquet(tmp_path / "data").select("project", "run_id").unique().sort(pl.all())
    assert table.rows() == [("a-project", "run-x"), ("b-project", "run-x"), ("b-project", "run-y")]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize(
    "name", ["notes.txt", "project_key=digits/run_key=r/points.parquet", "project_key=x/a.parquet"]
)
def test_a_folder_with_anything_else_in_it_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "data" / name
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    with pytest.raises(ValueError, match="which is no export of Trackbook's; choose an empty or new folder"):
        export(tmp_path / "data", "digits", [one_run()], filled(one_run()))
    assert path.read_text() == "precious"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("precious")
    with pytest.raises(ValueError, match=r"data is a file, and a project goes into a folder"):
        export(tmp_path / "data", "digits", [one_run()], filled(one_run()))


def test_a_failed_export_leaves_the_former_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = one_run()
    export(tmp_path / "data", "digits", [run], filled(run))
    store = filled(run)
    monkeypatch.setattr(store, "read", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(tmp_path / "data", "digits", [run], store)
    assert len(pl.read_parquet(tmp_path / "data")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_format_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="export\\(format='xlsx'\\): choose one of 'parquet', 'csv', 'jsonl'"):
        export(tmp_path / "x", "digits", [], MemoryStore(), "xlsx")


# --- text ------------------------------------------------------------------------------------------------------------

FLOATS = [0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 1e22]


def text_project() -> tuple[list[RunRecord], MemoryStore, list[tuple[Any, ...]]]:
    run = one_run(name='"value":null,"time":null')
    points = {run.id: [(name, i, x, 1.7e9 + 1e-6 * i) for name in sorted(NAMES) for i, x in enumerate(FLOATS)]}
    return [run], filled(run, points=points), [("digits", "r1", run.name, None, *row) for row in points[run.id]]


def test_csv_holds_the_same_table_to_the_last_digit(tmp_path: Path) -> None:
    runs, store, rows = text_project()
    path = export(tmp_path / "all.csv", "digits", runs, store, "csv")
    assert repr(pl.read_csv(path, schema=LONG).rows()) == repr(rows)


def test_jsonl_holds_the_same_table_and_says_what_is_not_finite(tmp_path: Path) -> None:
    runs, store, rows = text_project()
    path = export(tmp_path / "all.jsonl", "digits", runs, store, "jsonl")
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert all(list(line) == list(LONG) for line in lines)
    spelled = [
        [{"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(x, x) for x in line.values()]
        for line in lines
    ]
    assert repr([tuple(row) for row in spelled]) == repr(rows)
    assert {line["value"] for line in lines if isinstance(line["value"], str)} == {"NaN", "Infinity", "-Infinity"}


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_text_replaces_a_former_export_only(tmp_path: Path, format: str) -> None:
    path = tmp_path / "all"
    for _ in range(2):
        export(path, "digits", [one_run()], filled(one_run()), format)
    assert len(path.read_text().splitlines()) == 3 + (format == "csv")
    path.write_text('{"mine": 1}\n')
    with pytest.raises(ValueError, match="is no export of Trackbook's"):
        export(path, "digits", [one_run()], filled(one_run()), format)


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_no_runs_are_no_rows(tmp_path: Path, format: str) -> None:
    export(tmp_path / "all", "digits", [], MemoryStore(), format)
    text = (tmp_path / "all").read_text()
    assert text == ("project,run_id,run,group,metric,step,value,time\n" if format == "csv" else "")
    export(tmp_path / "all", "digits", [], MemoryStore(), format)


# --- the way back ----------------------------------------------------------------------------------------------------

texts = st.text(min_size=1, max_size=5) | st.sampled_from(NAMES)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
dicts = st.dictionaries(st.text(max_size=5), json_values, max_size=3)
records = st.builds(
    RunRecord,
    id=texts,
    name=texts,
    started=st.floats(),
    state=st.sampled_from(["running", "finished", "failed", "interrupted", "lost"]),
    group=st.none() | texts,
    tags=st.lists(texts, unique=True).map(tuple),
    notes=st.none() | st.text(),
    config=dicts,
    summary=dicts,
    step_by=st.sampled_from(["metric", "run"]),
    ended=st.none() | st.floats(),
    done=st.none() | st.integers(0, 2**63 - 1),
    total=st.none() | st.integers(0, 2**63 - 1),
    error=st.none() | st.text(),
    defined=st.dictionaries(texts, texts, max_size=3),
)
steps = st.integers(0, 3) | st.integers(0, 2**63 - 1)
rows_of_points = st.lists(st.tuples(texts, steps, st.floats(), st.floats(allow_nan=False)), max_size=8)
column = st.none() | st.text(max_size=5) | st.integers() | st.floats()
captured = st.fixed_dictionaries(
    {
        table: st.dictionaries(
            texts if table == "facts" else st.integers(0, 99),
            st.tuples(*[column] * (len(columns) - 1)),
            max_size=3,
        )
        for table, columns in CAPTURED.items()
    }
)
projects = st.dictionaries(texts, st.tuples(records, rows_of_points, captured), max_size=3)


@settings(max_examples=60)
@given(texts, projects, st.sampled_from(["data", "all.parquet"]))
def test_what_was_exported_comes_back_equal(project: str, runs: dict[str, Any], name: str) -> None:
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


def with_cells() -> MemoryStore:
    store = filled(one_run())
    store.put_captured("r1", "cells", [tuple(range(len(CAPTURED["cells"])))])
    return store


@pytest.mark.parametrize("name", ["data", "all.parquet"])
@pytest.mark.parametrize("read", [read_polars, read_duckdb, read_pandas, read_pyarrow])
def test_what_was_captured_is_in_nobodys_way(tmp_path: Path, name: str, read: Any) -> None:
    path = export(tmp_path / name, "digits", [one_run()], with_cells())
    if name == "data":
        assert len(read(path)) == 3
    assert len(pl.read_parquet(path)) == len(pl.scan_parquet(path).collect()) == 3


def test_a_later_version_may_know_more_columns_and_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setitem(CAPTURED, "cells", ("new", *CAPTURED["cells"][::-1]))
        later.setitem(CAPTURED, "tables", ("key",))
        store = filled(one_run())
        store.put_captured("r1", "cells", [("new", *reversed(range(len(CAPTURED["cells"]) - 1)))])
        store.put_captured("r1", "tables", [("key",)])
        export_run(tmp_path / "run.parquet", "digits", one_run(), store)
    back = MemoryStore()
    import_parquet(tmp_path / "run.parquet", lambda _: back)
    assert back.captured("r1", "cells") == [tuple(range(len(CAPTURED["cells"])))]


def test_damage_beside_the_points_is_said_and_nothing_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "run.parquet"
    export_run(path, "digits", one_run(), with_cells())
    about = pl.read_parquet_metadata(path)
    pl.read_parquet(path).write_parquet(
        path, metadata={"trackbook": about["trackbook"], "trackbook.captured": about["trackbook.captured"][:-9]}
    )
    back = MemoryStore()
    with pytest.raises(ValueError, match=r"cannot read .*run\.parquet: what is told of run 'r1' .* is damaged"):
        import_parquet(path, lambda _: back)
    assert back.runs() == []


def test_importing_again_doubles_nothing(tmp_path: Path) -> None:
    store = filled(one_run())
    export_run(tmp_path / "run.parquet", "digits", one_run(), store)
    before = stand(store, "r1")
    assert import_parquet(tmp_path / "run.parquet", lambda _: store) == [("digits", one_run())]
    assert stand(store, "r1") == before


@pytest.mark.parametrize(
    ("change", "what"),
    [({"notes": "new"}, "notes"), ({"config": {"lr": math.nan}, "tags": ("a",)}, "tags, config"), ({}, "points")],
)
def test_a_run_that_differs_from_the_one_that_is_there_is_refused(tmp_path: Path, change: Any, what: str) -> None:
    export_run(tmp_path / "run.parquet", "digits", one_run(), filled(one_run()))
    there = one_run(**change)
    store = filled(there, points=None if change else {"r1": [("loss", 0, 0.5, 10.0)]})
    before = stand(store, "r1")
    with pytest.raises(
        ValueError, match=rf"there is a run 'r1' .* differs in {what}; delete the one that is there, or"
    ):
        import_parquet(tmp_path / "run.parquet", lambda _: store)
    assert stand(store, "r1") == before


def test_nothing_is_imported_when_one_run_of_several_is_refused(tmp_path: Path) -> None:
    runs = [one_run(id="a1"), one_run(id="b2")]
    export(tmp_path / "data", "digits", runs, filled(*runs))
    store = filled(one_run(id="b2", notes="mine"))
    with pytest.raises(ValueError, match="there is a run 'b2'"):
        import_parquet(tmp_path / "data", lambda _: store)
    assert [run.id for run in store.runs()] == ["b2"]


def test_a_run_that_was_exported_while_open_is_the_same_when_it_is_lost(tmp_path: Path) -> None:
    export_run(tmp_path / "run.parquet", "digits", one_run(state="running", ended=None), filled(one_run()))
    store = filled(one_run(state="lost", ended=99.0))
    import_parquet(tmp_path / "run.parquet", lambda _: store)
    assert store.run("r1") == one_run(state="lost", ended=99.0)


def test_each_project_of_a_folder_goes_where_it_belongs(tmp_path: Path) -> None:
    stores = {"a-project": MemoryStore(), "b-project": MemoryStore()}
    for project in stores:
        export(tmp_path / "data", project, [one_run(name=project)], filled(one_run()))
    import_parquet(tmp_path / "data", lambda project: stores[str(project)])
    assert [[run.name for run in store.runs()] for store in stores.values()] == [["a-project"], ["b-project"]]


def test_what_is_not_there_cannot_be_imported(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no .*missing\.parquet to import"):
        import_parquet(tmp_path / "missing.parquet", lambda _: MemoryStore())
    with pytest.raises(ValueError, match=r"holds no \*\.parquet file"):
        import_parquet(tmp_path, lambda _: MemoryStore())


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    about = {"version": FORMAT_VERSION + 1, "project": "digits", "runs": []}
    pl.DataFrame(schema=LONG).write_parquet(tmp_path / "x.parquet", metadata={"trackbook": json.dumps(about)})
    with pytest.raises(ValueError, match=r"was written by a newer Trackbook \(format 3\); upgrade this one"):
        import_parquet(tmp_path / "x.parquet", lambda _: MemoryStore())


def test_a_damaged_export_is_a_value_error_and_leaves_no_half_run(tmp_path: Path) -> None:
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


def test_metadata_is_nothing_for_other_files(tmp_path: Path) -> None:
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
