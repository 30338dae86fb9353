from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from trackbook.data.dataframes import cells_table, history
from trackbook.store.base import POINTS
from trackbook.store.documents import document
from trackbook.store.memory import MemoryStore
from trackbook.types import MetricSummary


def table(*rows: tuple[str, int, float], metrics: Any = None, wide: bool = False) -> pl.DataFrame:
    store = MemoryStore()
    store.append("r1", pl.DataFrame([(*row, row[1] / 2) for row in rows], schema=POINTS, orient="row"))
    return history(store, "r1", "brisk-otter-1", metrics, wide)


def test_long_history_orders_metrics_by_appearance_and_steps() -> None:
    long = table(("loss", 5, 0.5), ("acc", 0, 0.9), ("loss", 2, 0.7))
    assert long.rows() == [("loss", 2, 0.7, 1.0), ("loss", 5, 0.5, 2.5), ("acc", 0, 0.9, 0.0)]


def test_long_history_has_the_documented_columns() -> None:
    columns = {"metric": pl.String, "step": pl.Int64, "value": pl.Float64, "time": pl.Float64}
    assert table(("loss", 0, 0.5)).schema == columns
    assert table().schema == columns


def test_wide_history_has_a_row_a_step_and_nulls() -> None:
    wide = table(("loss", 5, 0.5), ("acc", 5, 0.9), ("loss", 2, math.nan), wide=True)
    assert wide.columns == ["step", "loss", "acc"]
    assert wide["step"].to_list() == [2, 5]
    assert wide["acc"].to_list() == [None, 0.9]
    assert repr(wide["loss"].to_list()) == "[nan, 0.5]"


def test_wide_history_without_points_has_only_steps() -> None:
    assert table(wide=True).schema == {"step": pl.Int64}


@pytest.mark.parametrize(("metrics", "names"), [("acc", ["acc"]), (["lr", "loss"], ["lr", "loss"]), ((), [])])
def test_metrics_can_be_chosen_and_come_in_that_order(metrics: Any, names: list[str]) -> None:
    rows = (("loss", 0, 1.0), ("acc", 0, 2.0), ("lr", 1, 3.0))
    assert table(*rows, metrics=metrics)["metric"].to_list() == names
    assert table(*rows, metrics=metrics, wide=True).columns == ["step", *names]


def test_metric_that_is_chosen_twice_comes_once() -> None:
    assert table(("loss", 0, 1.0), metrics=["loss", "loss"], wide=True).columns == ["step", "loss"]


def test_metric_called_step_does_not_hide_the_steps() -> None:
    wide = table(("step", 7, 0.5), ("loss", 7, 0.9), wide=True)
    assert wide.to_dicts() == [{"step": 7, "step (metric)": 0.5, "loss": 0.9}]


@pytest.mark.parametrize("names", [("step", "step (metric)"), ("step (metric)", "step")])
def test_no_two_metrics_share_a_column(names: tuple[str, str]) -> None:
    wide = table((names[0], 0, 1.0), (names[1], 0, 2.0), wide=True)
    assert wide.select(pl.exclude("step")).row(0) == (1.0, 2.0)
    assert "step (metric)" in wide.columns


@pytest.mark.parametrize("name", ["value", "time", "metric", "^.*$", "*", "a\0b", "__proto__", "step_right", "A"])
def test_any_name_is_a_column(name: str) -> None:
    wide = table(("a", 0, 1.0), (name, 0, 2.0), wide=True)
    assert wide.columns == ["step", "a", name]
    assert wide.row(0) == (0, 1.0, 2.0)


def test_unknown_metric_raises_and_offers_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"run 'brisk-otter-1' has no metric 'train/los'; did you mean 'train/loss'\?"):
        table(("train/loss", 0, 1.0), ("acc", 0, 1.0), metrics="train/los")


def test_unknown_metric_without_a_near_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match="run 'brisk-otter-1' has no metric 'zzz'; it has 'loss', 'acc'"):
        table(("loss", 0, 1.0), ("acc", 0, 1.0), metrics=["loss", "zzz"])


def test_history_without_points_says_so() -> None:
    with pytest.raises(ValueError, match="has no metric 'loss'; nothing was logged in it"):
        table(metrics="loss")


def test_value_that_is_not_a_name_is_an_unknown_metric() -> None:
    with pytest.raises(ValueError, match="has no metric 7"):
        table(("loss", 0, 1.0), metrics=[7])


class Growing(MemoryStore):
    """A store that gets another metric between two reads."""

    def summary(self, run_id: str) -> dict[str, MetricSummary]:
        known = super().summary(run_id)
        self.append(run_id, pl.DataFrame([(f"late{len(known)}", 0, 1.0, 0.0)], schema=POINTS, orient="row"))
        return known


def test_metric_logged_during_a_read_is_in_the_next_read() -> None:
    store = Growing()
    assert history(store, "r1", "run", None, wide=False).rows() == []
    assert history(store, "r1", "run", None, wide=False)["metric"].to_list() == ["late0"]


# --- damaged rows -----------------------------------------------------------------------------------------------------


def test_damaged_cells_hide_no_others() -> None:
    """As in a file imported by an earlier version, or with a flipped bit."""
    store = MemoryStore()
    good = (0, "a", 1, "x = 1", 1.0, 2.0, "ok", None, None, '["loss"]', 3, None)
    bad = (1, "b", 2, "x = 2", 1e300, -1e300, "ok", None, None, "{no json", 3, None)
    store.put_captured("r1", "cells", [good, bad])
    table = cells_table(store, "r1")
    assert table["metrics"].to_list() == [["loss"], []]
    assert table["started"].dt.year().to_list() == [1970, None]
    assert table["ended"].dt.year().to_list() == [1970, None]


@pytest.mark.parametrize("value", ["{no json", "[]", "3", "[" * 100_000])
def test_damaged_document_is_none(value: str) -> None:
    store = MemoryStore()
    store.put_captured("r1", "facts", [("environment", value), ("code", "{}")])
    assert document(store, "r1", "environment") is None
    assert document(store, "r1", "code") == {}
