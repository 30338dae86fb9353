from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_stores import imported, points, values
from stores import filled, one_run
from trackbook.data.export import export
from trackbook.imports import csv_tables
from trackbook.imports.importing import import_source
from trackbook.store.memory import MemoryStore


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_wide_table(tmp_path: Path) -> None:
    path = table(
        tmp_path / "brisk.csv", "Step,train/loss,acc,on,time\n0,1.5,,true,10\n2,inf,0.25,false,2026-01-01T00:00:00Z\n"
    )
    record, store = imported(path)
    assert record.name == "brisk"
    assert points(store, record.id) == {
        "train/loss": [(0, 1.5, 10.0), (2, math.inf, 1767225600.0)],
        "acc": [(2, 0.25, 1767225600.0)],
        "on": [(0, 1.0, 10.0), (2, 0.0, 1767225600.0)],
    }


def test_long_table(tmp_path: Path) -> None:
    path = table(tmp_path / "brisk.csv", "metric;step;value;timestamp\nloss;0;1.5;10\nloss;7;2;11\nacc;7;NaN;11\n")
    record, store = imported(path)
    found = points(store, record.id)
    assert found["loss"] == [(0, 1.5, 10.0), (7, 2.0, 11.0)]
    assert math.isnan(found["acc"][0][1])


@pytest.mark.parametrize("order", ["by run", "interleaved"])
def test_runs_of_one_table(tmp_path: Path, order: str) -> None:
    rows = [
        ("p", run, name, step, step + place)
        for place, (run, name) in enumerate([("a", "A"), ("b", "B")])
        for step in range(3)
    ]
    if order == "interleaved":
        rows.sort(key=lambda row: row[3])
    text = "project,run_id,run,step,loss\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    store = MemoryStore()
    found = import_source(table(tmp_path / "x.csv", text), None, lambda _: store)
    assert [(project, record.id, record.name) for project, record in found] == [("p", "a", "A"), ("p", "b", "B")]
    assert (values(store, "a"), values(store, "b")) == ({"loss": [0, 1, 2]}, {"loss": [1, 2, 3]})


def test_export_of_ours_comes_back(tmp_path: Path) -> None:
    runs = [one_run(id="a1", group="g"), one_run(id="b2", name="other")]
    store, back = filled(*runs), MemoryStore()
    path = export(tmp_path / "points.csv", "digits", runs, store, "csv")
    found = import_source(path, None, lambda _: back)
    assert [(project, record.id, record.name, record.group) for project, record in found] == [
        ("digits", "a1", "brisk-otter-1", "g"),
        ("digits", "b2", "other", None),
    ]
    for run in runs:
        assert repr(points(back, run.id)) == repr(points(store, run.id))


@settings(max_examples=40)
@given(
    st.lists(
        st.text(min_size=1, max_size=8).map(lambda name: f"m{name}"), min_size=1, max_size=4, unique_by=str.lower
    ).filter(lambda names: not any("\0" in name or "\r" in name for name in names)),
    st.lists(st.lists(st.floats(), min_size=4, max_size=4), min_size=1, max_size=5),
)
def test_any_names_and_numbers_come_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], rows: list[list[float]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *names])
        writer.writerows([step, *map(repr, row[: len(names)])] for step, row in enumerate(rows))
    record, store = imported(path)
    wanted = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    assert repr(dict(sorted(values(store, record.id).items()))) == repr(dict(sorted(wanted.items())))


def test_cells_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "step,loss,phase\n0,1,warm\n1,null,up\n2,3,\n")
    with pytest.warns(match="2 texts are left out: 'phase'"):
        record, store = imported(path)
    assert points(store, record.id)["loss"][-1][:2] == (2, 3.0)


@pytest.mark.parametrize("step", ["", "x", "0.5", "inf"])
def test_row_without_a_step_is_said(tmp_path: Path, step: str) -> None:
    with pytest.warns(match="a row has no whole number as its step"):
        record, store = imported(table(tmp_path / "x.csv", f"step,loss\n0,1\n{step},2\n3.0,4\n"))
    assert [row[:2] for row in points(store, record.id)["loss"]] == [(0, 1.0), (3, 4.0)]


def test_table_without_steps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no column 'step'; .*; this one has 'epoch', 'loss'"):
        imported(table(tmp_path / "x.csv", "epoch,loss\n0,1\n"))


def test_byte_order_mark_and_quoted_newlines(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes('\ufeffstep,"a\nb",run\n0,1,x\n1,2,"y\nz"\n'.encode())
    store = MemoryStore()
    found = import_source(path, None, lambda _: store)
    assert [record.name for _, record in found] == ["x", "y\nz"]
    assert [values(store, record.id) for _, record in found] == [{"a\nb": [1.0]}, {"a\nb": [2.0]}]


def test_files_with_one_name_and_one_beginning_are_runs_of_their_own(tmp_path: Path) -> None:
    for seed in (1, 2):
        (tmp_path / f"seed{seed}").mkdir()
        table(tmp_path / f"seed{seed}" / "metrics.csv", f"step,loss\n0,1.0\n1,{seed}\n")
    table(tmp_path / "other.csv", "step,loss\n0,1.0\n")
    store = MemoryStore()
    found = {record.name: record.id for _, record in import_source(tmp_path, None, lambda _: store)}
    assert sorted(found) == ["other", "seed1/metrics", "seed2/metrics"]
    assert values(store, found["seed1/metrics"])["loss"] == [1.0, 1.0]
    assert values(store, found["seed2/metrics"])["loss"] == [1.0, 2.0]
    (again,) = import_source(tmp_path / "other.csv", None, lambda _: store)
    assert again[1].id == found["other"]


def test_files_with_one_run_id_are_one_run_and_said(tmp_path: Path) -> None:
    table(tmp_path / "a.csv", "run_id,step,loss\nr1,0,1.0\n")
    table(tmp_path / "b.csv", "run_id,step,acc_\nr1,0,2.0\n")  # of as many bytes
    with pytest.warns(match="2 of its runs share ids, and those with one id are imported as one run: 'r1'"):
        record, store = imported(tmp_path)
    assert values(store, record.id) == {"loss": [1.0], "acc_": [2.0]}


def test_suffix_in_capitals(tmp_path: Path) -> None:
    table(tmp_path / "A.CSV", "step,loss\n0,1.0\n")
    record, store = imported(tmp_path)
    assert (record.name, values(store, record.id)) == ("A", {"loss": [1.0]})


def test_cell_that_is_too_large_ends_its_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_tables, "_LARGEST_CELL", 1_000)
    limit = csv.field_size_limit()
    table(tmp_path / "a.csv", f"step,loss,note\n0,1.0,\n1,2.0,{'x' * 2_000}\n2,3.0,x\n")
    table(tmp_path / "b.csv", "step,loss\n0,1.0\n")
    store = MemoryStore()
    with pytest.warns(
        match=r"run 'a' is not whole: .*a.csv cannot be read from byte 22 on: field larger than field limit"
    ):
        found = {record.name: record.id for _, record in import_source(tmp_path, None, lambda _: store)}
    assert values(store, found["a"])["loss"] == values(store, found["b"])["loss"] == [1.0]
    assert csv.field_size_limit() == limit
