from __future__ import annotations

import dataclasses
import json
import math
import re
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from readers import READERS
from stores import NAMES, filled, one_run, points_of
from trackbook.data.dataframes import LONG
from trackbook.data.export import export, export_run
from trackbook.data.importing import import_parquet
from trackbook.data.parquet import FORMAT_VERSION
from trackbook.store.memory import MemoryStore
from trackbook.types import RunRecord
from trackbook.user_warnings import TrackbookWarning


def row_groups(path: Path) -> Any:
    parquet = pytest.importorskip("pyarrow.parquet")
    with parquet.ParquetFile(path) as file:
        return [file.metadata.row_group(place) for place in range(file.metadata.num_row_groups)]


# --- one run ---------------------------------------------------------------------------------------------------------


def test_run_is_one_tidy_table_sorted_by_metric_and_step(tmp_path: Path) -> None:
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


def test_metadata_hold_the_whole_record(tmp_path: Path) -> None:
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


def test_texts_are_dictionary_encoded_and_zstd_compressed(tmp_path: Path) -> None:
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


def test_run_without_points_is_written(tmp_path: Path) -> None:
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


def test_former_export_is_replaced_without_leftovers(tmp_path: Path) -> None:
    run = one_run()
    for name in ("one", "two"):
        export_run(tmp_path / "run.parquet", "digits", dataclasses.replace(run, name=name), filled(run))
    assert pl.read_parquet(tmp_path / "run.parquet")["run"].unique().to_list() == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == ["run.parquet"]


@pytest.mark.parametrize("content", ["parquet", "text"])
def test_other_files_are_never_overwritten(tmp_path: Path, content: str) -> None:
    path = tmp_path / "run.parquet"
    if content == "parquet":
        pl.DataFrame({"mine": [1]}).write_parquet(path)
    else:
        path.write_text("precious")
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=r"run\.parquet exists and is not an export of Trackbook; remove it, or choose"
    ):
        export_run(path, "digits", one_run(), filled(one_run()))
    assert path.read_bytes() == before


def test_folder_is_refused_as_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is a folder; name a file in it, such as .*run\.parquet"):
        export_run(tmp_path, "digits", one_run(), filled(one_run()))


def test_failure_is_raised_and_leaves_the_former_export_alone(tmp_path: Path) -> None:
    class Failing(MemoryStore):
        def read(self, run_id: str, metrics: Any = None, whole: bool = False) -> pl.DataFrame:
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
    """A thread of Polars must not wait for a store, whose lock may be held by a thread that waits for Polars."""
    runs = [one_run(id="a1"), one_run(id="b2")]
    store = filled(*runs)
    threads = []
    plainly = store.read
    monkeypatch.setattr(store, "read", lambda *these: threads.append(threading.get_ident()) or plainly(*these))
    export(tmp_path / "all.parquet", "digits", runs, store)
    assert threads == [threading.get_ident()] * 2


def test_unwritable_path_raises_oserror(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        export_run(tmp_path / "file" / "run.parquet", "digits", one_run(), filled(one_run()))


def test_damaged_store_is_warned_of(tmp_path: Path) -> None:
    store = filled(one_run())
    store.notices.append("Cannot read p.db (damaged).")
    with pytest.warns(TrackbookWarning, match="Cannot read p.db"):
        export_run(tmp_path / "run.parquet", "digits", one_run(), store)


# --- a project -------------------------------------------------------------------------------------------------------


def odd_project() -> tuple[str, list[RunRecord], MemoryStore]:
    """A project with each odd name as name, id and group of a run, and as a metric."""
    runs = [one_run(id=name, name=name, group=name or None, config={name: name}) for name in NAMES]
    points = {run.id: [(name, 2**63 - 1, -math.inf, 1.5) for name in [run.name, *NAMES[:3]]] for run in runs}
    points = {run_id: list({row[0]: row for row in rows}.values()) for run_id, rows in points.items()}
    return NAMES[3], runs, filled(*runs, points=points)


def expected_rows() -> list[tuple[Any, ...]]:
    project, runs, store = odd_project()
    return sorted(
        (project, run.id, run.name, run.group, *row) for run in runs for row in points_of(store, run.id).rows()
    )


@pytest.mark.parametrize("read", READERS)
def test_project_export_is_a_hive_dataset_for_every_reader(tmp_path: Path, read: Any) -> None:
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


def test_dataset_follows_sparks_partition_rules(tmp_path: Path) -> None:
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


def test_project_is_one_file_with_the_parquet_suffix(tmp_path: Path) -> None:
    project, runs, store = odd_project()
    path = export(tmp_path / "all.parquet", project, runs[::-1], store)
    table = pl.read_parquet(path)
    assert table.rows() == sorted(table.rows(), key=lambda row: (row[1], row[4], row[5])) == expected_rows()


def test_export_replaces_only_its_own_project(tmp_path: Path) -> None:
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
def test_folder_with_other_files_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "data" / name
    path.parent.mkdir(parents=True)
    path.write_text("precious")
    with pytest.raises(ValueError, match="which is not an export of Trackbook; choose an empty or new folder"):
        export(tmp_path / "data", "digits", [one_run()], filled(one_run()))
    assert path.read_text() == "precious"


def test_file_is_refused_as_a_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("precious")
    with pytest.raises(ValueError, match=r"data is a file, and a project goes into a folder"):
        export(tmp_path / "data", "digits", [one_run()], filled(one_run()))


def test_failed_export_leaves_the_former_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = one_run()
    export(tmp_path / "data", "digits", [run], filled(run))
    store = filled(run)
    monkeypatch.setattr(store, "read", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(tmp_path / "data", "digits", [run], store)
    assert len(pl.read_parquet(tmp_path / "data")) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_unknown_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="export\\(format='xlsx'\\): choose one of 'parquet', 'csv'"):
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


def test_jsonl_holds_the_same_table_with_non_finite_values(tmp_path: Path) -> None:
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
def test_text_replaces_only_a_former_export(tmp_path: Path, format: str) -> None:
    path = tmp_path / "all"
    for _ in range(2):
        export(path, "digits", [one_run()], filled(one_run()), format)
    assert len(path.read_text().splitlines()) == 3 + (format == "csv")
    path.write_text('{"mine": 1}\n')
    with pytest.raises(ValueError, match="is not an export of Trackbook"):
        export(path, "digits", [one_run()], filled(one_run()), format)


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_export_without_runs_has_no_rows(tmp_path: Path, format: str) -> None:
    export(tmp_path / "all", "digits", [], MemoryStore(), format)
    text = (tmp_path / "all").read_text()
    assert text == ("project,run_id,run,group,metric,step,value,time\n" if format == "csv" else "")
    export(tmp_path / "all", "digits", [], MemoryStore(), format)


# --- Arrow IPC --------------------------------------------------------------------------------------------------------


def test_arrow_holds_the_same_table_to_the_last_bit(tmp_path: Path) -> None:
    runs, store, rows = text_project()
    path = export(tmp_path / "all.arrow", "digits", runs, store, "arrow")
    assert pl.read_ipc_schema(path) == dict(LONG)
    assert repr(pl.read_ipc(path).rows()) == repr(rows)


def test_arrow_is_read_by_pyarrow_and_pandas_with_plain_strings(tmp_path: Path) -> None:
    project, runs, store = odd_project()
    path = export(tmp_path / "all.arrow", project, runs, store, "arrow")
    table = pytest.importorskip("pyarrow.feather").read_table(path)
    assert {str(field.type) for field in table.schema} == {"large_string", "int64", "double"}
    assert sorted(zip(*table.to_pydict().values(), strict=True)) == expected_rows()
    frame = pytest.importorskip("pandas").read_feather(path)
    assert len(frame) == len(expected_rows())


def test_arrow_replaces_only_a_former_export(tmp_path: Path) -> None:
    path = tmp_path / "all.arrow"
    for _ in range(2):
        export(path, "digits", [one_run()], filled(one_run()), "arrow")
    assert len(pl.read_ipc(path)) == 3
    pl.DataFrame({"mine": [1]}).write_ipc(path)
    with pytest.raises(ValueError, match="is not an export of Trackbook"):
        export(path, "digits", [one_run()], filled(one_run()), "arrow")
    path.write_text("precious")
    with pytest.raises(ValueError, match="is not an export of Trackbook"):
        export(path, "digits", [one_run()], filled(one_run()), "arrow")


def test_arrow_of_no_runs_is_an_empty_table(tmp_path: Path) -> None:
    path = export(tmp_path / "all.arrow", "digits", [], MemoryStore(), "arrow")
    assert pl.read_ipc(path).schema == LONG
    assert pl.read_ipc(path).is_empty()
