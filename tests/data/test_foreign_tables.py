from __future__ import annotations

import datetime as dt
import math
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackbook.data.export import export
from trackbook.data.importing import import_parquet
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.types import RunRecord
from trackbook.user_warnings import TrackbookWarning


def imported(path: Path, store: MemoryStore | None = None) -> tuple[list[tuple[str | None, RunRecord]], MemoryStore]:
    store = store or MemoryStore()
    return import_parquet(path, lambda _: store), store


def rows(store: MemoryStore, run: RunRecord) -> list[tuple[Any, ...]]:
    return store.read(run.id).with_columns(pl.col("metric").cast(pl.String)).rows()


def from_table(tmp_path: Path, **columns: Any) -> tuple[RunRecord, list[tuple[Any, ...]]]:
    """Import a table as ``theirs.parquet``, and return its only run and the points."""
    pl.DataFrame(columns).write_parquet(tmp_path / "theirs.parquet")
    [(_, run)], store = imported(tmp_path / "theirs.parquet")
    return run, rows(store, run)


def refusal(tmp_path: Path, **columns: Any) -> str:
    pl.DataFrame(columns).write_parquet(tmp_path / "theirs.parquet")
    store = MemoryStore()
    with pytest.raises(ValueError) as caught:
        imported(tmp_path / "theirs.parquet", store)
    assert store.runs() == []
    return str(caught.value)


def test_long_table_is_a_run_named_after_its_file(tmp_path: Path) -> None:
    run, points = from_table(
        tmp_path, metric=["loss", "acc", "loss"], step=[1, 0, 0], value=[0.25, 0.9, math.inf], time=[3.0, 2.0, 1.0]
    )
    assert (run.name, run.state, run.started, run.ended) == ("theirs", "finished", 1.0, 3.0)
    assert points == [("loss", 0, math.inf, 1.0), ("loss", 1, 0.25, 3.0), ("acc", 0, 0.9, 2.0)]


def test_wide_table_gives_a_metric_a_column_and_skips_nulls(tmp_path: Path) -> None:
    run, points = from_table(
        tmp_path, acc=[None, 1], step=[0.0, 1.0], ok=[True, None], time=[1.0, 2.0], cost=[None, Decimal("0.5")]
    )
    assert points == [("acc", 1, 1.0, 2.0), ("ok", 0, 1.0, 1.0), ("cost", 1, 0.5, 2.0)]
    assert run.started == 1.0


def test_the_history_of_wandb_is_understood(tmp_path: Path) -> None:
    with pytest.warns(TrackbookWarning, match=r"theirs\.parquet: columns that are not numbers are left out: 'image'"):
        run, points = from_table(
            tmp_path, _step=[0, 1], _timestamp=[1.5, 2.5], image=["a", "b"], **{"train/loss": [0.5, 0.25]}
        )
    assert points == [("train/loss", 0, 0.5, 1.5), ("train/loss", 1, 0.25, 2.5)]
    assert (run.started, run.ended) == (1.5, 2.5)


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_dates_are_seconds_utc(tmp_path: Path, unit: Any, zone: str | None) -> None:
    moment = dt.datetime(2024, 5, 6, 7, 8, 9, 250_000, tzinfo=dt.UTC)
    times = pl.Series([moment.replace(tzinfo=None)], dtype=pl.Datetime(unit))
    times = times if zone is None else times.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    _, points = from_table(tmp_path, metric=["a"], step=[0], value=[1], timestamp=times)
    assert points == [("a", 0, 1.0, moment.timestamp())]


def test_table_without_times_gets_the_file_time_and_one_id(tmp_path: Path) -> None:
    path = tmp_path / "theirs.parquet"
    pl.DataFrame({"step": [0], "loss": [0.5]}).write_parquet(path)
    os.utime(path, (1000, 1000))
    [(_, run)], store = imported(path)
    assert rows(store, run) == [("loss", 0, 0.5, 1000.0)]
    os.utime(path, (2000, 2000))
    imported(path, store)
    assert [known.started for known in store.runs()] == [1000.0]
    assert rows(store, run) == [("loss", 0, 0.5, 1000.0)]


def test_rows_are_split_into_runs_by_columns(tmp_path: Path) -> None:
    pl.DataFrame(
        {
            "project": ["p", "p", "q"],
            "run_id": ["1", "2", "1"],
            "run_name": ["a", "a", "b"],
            "group": [None, "g", None],
            "step": [0, 0, 0],
            "loss": [0.5, 0.25, 0.125],
        }
    ).write_parquet(tmp_path / "theirs.parquet")
    stores = {"p": MemoryStore(), "q": MemoryStore()}
    found = import_parquet(tmp_path / "theirs.parquet", lambda project: stores[str(project)])
    assert [(project, run.id, run.name, run.group) for project, run in found] == [
        ("p", "1", "a", None),
        ("p", "2", "a", "g"),
        ("q", "1", "b", None),
    ]
    assert [run.name for run in stores["q"].runs()] == ["b"]


def test_run_without_an_id_gets_a_stable_id(tmp_path: Path) -> None:
    table = pl.DataFrame({"run": ["a", "b"], "step": [0, 0], "loss": [0.5, 0.5], "time": [1.0, 1.0]})
    table.write_parquet(tmp_path / "theirs.parquet")
    found, store = imported(tmp_path / "theirs.parquet")
    again, _ = imported(tmp_path / "theirs.parquet", store)
    assert found == again
    assert len(store.runs()) == 2


def test_hive_keys_are_columns_and_files_are_joined_by_run(tmp_path: Path) -> None:
    for run in ("a%2Fb", "c"):
        for part in range(2):
            path = tmp_path / "data" / f"run={run}" / f"part-{part}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pl.DataFrame({"step": [part], "loss": [0.5]}).write_parquet(path)
    found, store = imported(tmp_path / "data")
    assert sorted(run.name for _, run in found) == ["a/b", "c"]
    assert [point[1] for point in rows(store, found[0][1])] == [0, 1]


def test_export_rewritten_by_another_tool_is_imported_as_a_table(tmp_path: Path) -> None:
    store = MemoryStore()
    run = RunRecord("r1", "brisk-otter-1", 1.0, state="finished", group="g", config={"lr": 0.1}, ended=2.0)
    store.put_run(run)
    store.append("r1", pl.DataFrame([("loss", 0, math.nan, 1.0), ("loss", 1, 0.5, 2.0)], schema=POINTS, orient="row"))
    export(tmp_path / "ours.parquet", "digits", [run], store)
    pl.read_parquet(tmp_path / "ours.parquet").write_parquet(tmp_path / "theirs.parquet")
    [(project, found)], back = imported(tmp_path / "theirs.parquet")
    assert project == "digits"
    assert found == RunRecord("r1", "brisk-otter-1", 1.0, state="finished", group="g", ended=2.0)
    assert repr(rows(back, found)) == repr(rows(store, run))


def test_pandas_files_come_in(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    table = pandas.DataFrame({"step": [5, 6, 8], "loss": [0.5, None, 0.25], "time": 1.0})
    table[table["step"] > 5].to_parquet(tmp_path / "rows.parquet")
    table.set_index("step").to_parquet(tmp_path / "indexed.parquet")
    for name, steps in (("rows", [8]), ("indexed", [5, 8])):
        [(_, run)], store = imported(tmp_path / f"{name}.parquet")
        assert [row[:2] for row in rows(store, run)] == [("loss", step) for step in steps]


def test_first_of_several_points_at_a_step_is_kept(tmp_path: Path) -> None:
    pl.DataFrame({"step": [0, 0], "loss": [0.5, 0.25], "time": [1.0, 2.0]}).write_parquet(tmp_path / "theirs.parquet")
    store = MemoryStore()
    for _ in range(2):
        with pytest.warns(TrackbookWarning, match="run 'theirs' has several points of one metric at one step"):
            [(_, run)], _ = imported(tmp_path / "theirs.parquet", store)
    assert rows(store, run) == [("loss", 0, 0.5, 1.0)]


@pytest.mark.parametrize(
    ("columns", "lacks"),
    [
        ({"metric": ["a"], "value": [1.0]}, "no column 'step'"),
        ({"metric": ["a"], "step": [1]}, "no column 'value'"),
        ({"metric": ["a"]}, "no column 'step' and no column 'value'"),
        ({"loss": [1.0]}, "no column 'step'"),
    ],
)
def test_missing_column_is_named_with_the_present_ones(tmp_path: Path, columns: Any, lacks: str) -> None:
    message = refusal(tmp_path, **columns)
    assert f"theirs.parquet has {lacks}; a table of points has columns 'metric', 'step' and 'value'" in message
    assert message.endswith(f"this one has {', '.join(map(repr, columns))}")


@pytest.mark.parametrize(
    ("steps", "shown"),
    [([0.5], "0.5"), ([-1], "-1"), ([None, 1], "None"), ([math.nan], "nan"), ([2.0**63], "9.2"), ([True], "'bools'")],
)
def test_invalid_steps_are_refused(tmp_path: Path, steps: Any, shown: str) -> None:
    message = refusal(tmp_path, step=steps, loss=[1.0] * len(steps))
    assert f"column 'step' holds {shown}" in message
    assert "steps are whole numbers from 0" in message


def test_uint64_steps_beyond_int64_are_refused(tmp_path: Path) -> None:
    assert "holds 9223372036854775808" in refusal(tmp_path, step=pl.Series([2**63], dtype=pl.UInt64), loss=[1.0])


def test_the_largest_step_comes_in(tmp_path: Path) -> None:
    assert from_table(tmp_path, step=[2**63 - 1], loss=[1.0], time=[1.0])[1] == [("loss", 2**63 - 1, 1.0, 1.0)]


def test_text_as_step_value_or_time_is_refused(tmp_path: Path) -> None:
    assert "column 'step' is String, not numbers" in refusal(tmp_path, step=["0"], loss=[1.0])
    assert "column 'value' is String, not numbers" in refusal(tmp_path, metric=["a"], step=[0], value=["1"])
    assert "column 'time' is String, not numbers" in refusal(tmp_path, step=[0], loss=[1.0], time=["now"])


def test_metric_needs_a_name(tmp_path: Path) -> None:
    for name in ("", None):
        assert "column 'metric' holds an empty name" in refusal(tmp_path, metric=["a", name], step=[0, 0], value=[1, 1])


def test_table_without_points_is_refused(tmp_path: Path) -> None:
    assert "holds no points" in refusal(tmp_path, step=[], loss=[])
    assert "no column of numbers" in refusal(tmp_path, step=[1], note=["a"])


def test_bytes_that_are_not_parquet_are_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs.parquet").write_text("precious")
    with pytest.raises(ValueError, match=r"cannot read .*theirs\.parquet as a Parquet table of points"):
        imported(tmp_path / "theirs.parquet")
