from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl
import pytest

import trackbook as tb
from trackbook.boards import all_points as module


@pytest.fixture
def board() -> Any:
    for name, values in (("a", [3.0, 2.0, float("nan")]), ("b", [5.0])):
        run = tb.init("p", name)
        for step, value in enumerate(values):
            run.log({"loss": value}, step=10 * step)
        run.finish()
    return tb.board("p")


def ask(board: Any, **fields: Any) -> Any:
    return board.publisher.answer({"ask": "points", "metric": "loss", **fields})


def test_all_points_of_a_metric_are_given_by_run(board: Any) -> None:
    ids = [tb.get_run(name, project="p").id for name in "ab"]
    content, (data,) = ask(board, runs=ids)
    assert content == {"rows": [3, 1]}
    step, time, value = np.frombuffer(data, "<f8").reshape(3, -1)
    assert step.tolist() == [0, 10, 20, 0]
    np.testing.assert_array_equal(value, [3, 2, np.nan, 5])
    assert (np.diff(time[:3]) >= 0).all()


def test_a_run_without_the_metric_has_no_rows(board: Any) -> None:
    content, (data,) = ask(board, metric="other", runs=[tb.get_run("a", project="p").id])
    assert (content, data) == ({"rows": [0]}, b"")


@pytest.mark.parametrize("runs", [[], "a", [3], None])
def test_bad_arguments_are_refused(board: Any, runs: Any) -> None:
    content, buffers = ask(board, runs=runs)
    assert "run" in content["error"]
    assert buffers == []


def test_very_many_points_are_refused_with_the_remedy(board: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_POINTS", 2)
    content, _ = ask(board, runs=[tb.get_run("a", project="p").id])
    assert "trackbook.export" in content["error"]


def test_all_points_of_several_metrics_are_given_as_parquet(board: Any) -> None:
    ids = [tb.get_run(name, project="p").id for name in "ab"]
    parts = [{"metric": "loss", "runs": ids, "labels": ["a", "the other"]}]
    content, (data,) = board.publisher.answer({"ask": "parquet", "parts": parts})
    frame = pl.read_parquet(io.BytesIO(data))
    assert content == {}
    assert frame.columns == ["run", "metric", "step", "time", "value"]
    assert frame["run"].to_list() == ["a", "a", "a", "the other"]
    assert frame["step"].to_list() == [0, 10, 20, 0]
    assert frame["time"].dtype == pl.Datetime("us", "UTC")
    np.testing.assert_array_equal(frame["value"].to_numpy(), [3, 2, np.nan, 5])


@pytest.mark.parametrize("parts", [None, [], [3], [{"metric": "loss", "runs": ["x"]}]])
def test_bad_arguments_of_a_parquet_file_are_refused(board: Any, parts: Any) -> None:
    content, buffers = board.publisher.answer({"ask": "parquet", "parts": parts})
    assert content["error"]
    assert buffers == []


def test_values_outside_of_a_range_are_counted_over_all_points(board: Any) -> None:
    ids = [tb.get_run(name, project="p").id for name in "ab"]
    count = {"ask": "outside", "metric": "loss", "runs": ids}
    assert board.publisher.answer({**count, "low": 2.5, "high": 4})[0] == {"count": 2}
    assert board.publisher.answer({**count, "low": 0, "high": 9})[0] == {"count": 0}
    assert "two numbers" in board.publisher.answer({**count, "low": None, "high": 9})[0]["error"]
