from __future__ import annotations

import dataclasses
import json
import math
import zlib
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackbook.store import check_stored
from trackbook.store.base import POINTS
from trackbook.types import CAPTURED, RunRecord

GOOD: dict[str, Any] = {"id": "r1", "name": "a", "started": 1.0}


# --- records ----------------------------------------------------------------------------------------------------------


def test_record_comes_back_from_its_json() -> None:
    record = RunRecord(
        "r1", "a", 1.0, tags=("x",), config={"lr": math.inf}, ended=2.0, done=2**63 - 1, defined={"*": "a"}
    )
    assert check_stored.record(json.loads(json.dumps(dataclasses.asdict(record)))) == record


def test_fields_of_a_later_version_are_left_out() -> None:
    assert check_stored.record(GOOD | {"new": 1}) == RunRecord(**GOOD)


def test_whole_seconds_are_floats() -> None:
    assert repr(check_stored.record(GOOD | {"started": 1, "ended": 2}).ended) == "2.0"


WRONG = [
    ("id", ""), ("id", None), ("id", 7), ("id", "\ud800"), ("name", ""), ("started", "x"), ("started", None), ("started", 10**400),
    ("started", 1e300), ("started", math.nan), ("started", True), ("ended", -1e300), ("ended", math.inf),
    ("state", "going"), ("state", None), ("group", 1), ("tags", [["x"]]), ("tags", "ab"), ("tags", None),
    ("notes", {}), ("config", None), ("config", []), ("summary", "x"), ("step_by", "hour"), ("done", 10**30),
    ("done", -1), ("done", 1.5), ("done", True), ("total", 2**63), ("error", b"x"), ("defined", {"a": 1}), ("defined", []), ("goals", {"a": "largest"}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_wrong_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{field} of .*, not "):
        check_stored.record(GOOD | {field: value})


ALL = [RunRecord("r1", "a", 1.0), RunRecord("r2", "a", 2.0, tags=("x",), config={"lr": 0.1}, ended=3.0, done=1)]


def columns(*records: dict[str, Any]) -> dict[str, Any]:
    return {field.name: [record[field.name] for record in records] for field in dataclasses.fields(RunRecord)}


def test_many_records_come_from_columns_as_each_by_itself() -> None:
    from_json = [json.loads(json.dumps(dataclasses.asdict(record))) for record in ALL]
    assert check_stored.records(columns(*from_json)) == [*map(check_stored.record, from_json)] == ALL


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_one_wrong_field_refuses_the_columns(field: str, value: Any) -> None:
    good = [dataclasses.asdict(record) for record in ALL]
    with pytest.raises((ValueError, TypeError)):
        check_stored.records(columns(*good, good[0] | {field: value}))


@pytest.mark.parametrize("fields", [None, [], "r1", {"id": "r1"}, {"name": "a", "started": 1.0}])
def test_value_that_is_not_a_record_is_refused(fields: Any) -> None:
    with pytest.raises(ValueError, match="the record of a run"):
        check_stored.record(fields)


# --- captured rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", list(CAPTURED))
def test_captured_rows_come_back_in_any_order_of_columns(table: str) -> None:
    kinds = {"text": "{}", "integer": 3, "real": 1.5}
    row = {name: kinds[declared.split()[0]] for name, declared in CAPTURED[table].items()}
    row |= {"metrics": "[]"} if table == "cells" else {}
    columns = ["new", *reversed(row)]
    assert check_stored.captured(table, columns, [["?", *reversed(row.values())]]) == [tuple(row.values())]


@pytest.mark.parametrize(
    ("table", "columns", "row", "said"),
    [
        ("console", ["line", "stream", "text", "time"], ["0", "stdout", "x", 1.0], "line in row 0"),
        ("console", ["line", "stream", "text", "time"], [0, "stdout", None, 1.0], "text in row 0"),
        ("console", ["line", "stream", "text", "time"], [0, "stdout", "x", 1e300], "time in row 0"),
        ("console", ["line", "stream", "text", "time"], [0, "stdout", "x"], "has not 4 columns"),
        ("console", ["line", "stream", "text"], [0, "stdout", "x"], "time in row 0"),
        ("console", "line", [], "is not a list of columns"),
        ("facts", ["name", "value"], ["environment", "no json"], "not a JSON object"),
        ("facts", ["name", "value"], ["environment", "[" * 100_000], "not a JSON object"),
        ("cells", ["number", "started", "state", "metrics"], [0, 1.0, "ok", "{}"], "not a JSON list"),
        ("cells", ["number", "started", "state"], [2**63, 1.0, "ok"], "number in row 0"),
    ],
)
def test_wrong_captured_row_is_named(table: str, columns: Any, row: list[Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_stored.captured(table, columns, [row])


def test_two_captured_rows_with_one_key_are_refused() -> None:
    rows = [[0, "stdout", "x", 1.0], [1, "stdout", "y", 1.0], [0, "stdout", "z", 1.0]]
    with pytest.raises(ValueError, match="table 'console' has 2 rows with line 0"):
        check_stored.captured("console", ["line", "stream", "text", "time"], rows)


# --- points -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "column"),
    [
        ((None, 0, 0.5, 1.0), "metric"),
        (("", 0, 0.5, 1.0), "metric"),
        (("a", None, 0.5, 1.0), "step"),
        (("a", -1, 0.5, 1.0), "step"),
        (("a", 0, None, 1.0), "value"),
        (("a", 0, 0.5, None), "time"),
        (("a", 0, 0.5, math.nan), "time"),
        (("a", 0, 0.5, 1e300), "time"),
    ],
)
def test_wrong_point_is_named_by_its_column(point: tuple[Any, ...], column: str) -> None:
    table = pl.DataFrame([("a", 0, 0.5, 1.0), point], schema=POINTS, orient="row")
    with pytest.raises(ValueError, match=f"^here: column '{column}' holds .*, not "):
        check_stored.points(table, "here")


@pytest.mark.parametrize(
    "points", [["a 0", "a 1", "a 1"], ["a 1", "b 0", "a 1"], ["b 0", "a 1", "a 0", "b 1", "a 1"], ["a 1", "a 0", "a 1"]]
)
def test_point_that_is_there_twice_is_named(points: list[str]) -> None:
    rows = [(metric, int(step), 0.5, 1.0) for metric, step in map(str.split, points)]
    with pytest.raises(ValueError, match="here: there are several points of metric 'a' at step 1"):
        check_stored.points(pl.DataFrame(rows, POINTS, orient="row"), "here")


@pytest.mark.parametrize("points", [["a 0", "b 0", "a 1"], ["a 1", "a 0", "b 1"], []])
def test_points_in_any_order_are_points(points: list[str]) -> None:
    rows = [(metric, int(step), 0.5, 1.0) for metric, step in map(str.split, points)]
    assert len(check_stored.points(pl.DataFrame(rows, POINTS, orient="row"), "here")) == len(points)


def test_values_that_are_not_finite_are_points() -> None:
    table = pl.DataFrame(
        [("a", step, x, 1.0) for step, x in enumerate([math.nan, math.inf])], schema=POINTS, orient="row"
    )
    assert check_stored.points(table, "here") is table


# --- compressed text --------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200))
def test_compressed_bytes_come_back(data: bytes) -> None:
    assert check_stored.decompress(check_stored.compress(data)) == data


@given(st.binary(max_size=60))
def test_other_bytes_are_refused_or_small(data: bytes) -> None:
    try:
        assert len(check_stored.decompress(data)) <= check_stored.SMALLEST_BOUND
    except ValueError as error:
        assert str(error)  # noqa: PT017  either is right


@pytest.mark.parametrize("level", [1, 9])
def test_decompression_is_bounded(level: int) -> None:
    bomb = zlib.compress(bytes(check_stored.SMALLEST_BOUND + 1), level)
    with pytest.raises(ValueError, match="compressed bytes are more than 33,554,432 bytes"):
        check_stored.decompress(bomb)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x", lambda _: b""])
def test_cut_or_lengthened_text_is_refused(change: Any) -> None:
    with pytest.raises(ValueError, match="cut off, or followed by something else"):
        check_stored.decompress(change(zlib.compress(b"text")))


def test_repetitive_export_can_be_imported() -> None:
    data = bytes(check_stored.SMALLEST_BOUND + 1)
    assert check_stored.decompress(check_stored.compress(data)) == data
