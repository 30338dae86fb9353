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
