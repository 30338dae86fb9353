from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from trackbook.data.dataframes import LONG
from trackbook.data.sql import TABLES, sql
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.types import MetricSummary, RunRecord
from trackbook.user_warnings import TrackbookWarning

RUNS = [
    RunRecord("r1", "brisk-otter-1", 1.0, config={"lr": 0.1}),
    RunRecord("r2", "calm-wren-2", 2.0, group="sweep", config={"lr": 0.01}),
]
EVERYTHING = {("r1", "acc"), ("r1", "train/loss"), ("r2", "acc"), ("r2", "train/loss")}


class Counting(MemoryStore):
    """A store that notes which runs and metrics were read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[tuple[str, str]] = []
        self.asked = 0
        self.thread = threading.get_ident()
        for run in RUNS:
            self.put_run(run)
            rows = [("train/loss", step, 1 / (step + 1), 10.0 + step) for step in range(3)] + [("acc", 5, 0.5, 20.0)]
            self.append(run.id, pl.DataFrame(rows, schema=POINTS, orient="row"))

    def read(self, run_id: str, metrics: Sequence[str] | None = None) -> pl.DataFrame:
        assert threading.get_ident() == self.thread, "a thread of Polars must not wait for a store"
        self.reads += [(run_id, metric) for metric in metrics or ("all",)]
        return super().read(run_id, metrics)

    def summary(self, run_id: str) -> dict[str, MetricSummary]:
        assert threading.get_ident() == self.thread, "a thread of Polars must not wait for a store"
        self.asked += 1
        return super().summary(run_id)


def rows(query: str, store: MemoryStore | None = None) -> list[tuple[Any, ...]]:
    return sql(query, "digits", RUNS, store or Counting()).rows()


def refusal(query: str) -> str:
    with pytest.raises(ValueError) as caught:
        rows(query)
    return str(caught.value)


def test_points_are_the_long_table() -> None:
    table = sql("select * from points", "digits", RUNS, Counting())
    assert table.schema == LONG
    assert len(table) == 8
    assert table.row(0) == ("digits", "r1", "brisk-otter-1", None, "train/loss", 0, 1.0, 10.0)


def test_runs_are_the_table_of_runs() -> None:
    assert rows('select id, "config.lr", "summary.acc", points from runs') == [
        ("r1", 0.1, 0.5, 4),
        ("r2", 0.01, 0.5, 4),
    ]


def test_system_metrics_of_many_runs_are_read_at_once() -> None:
    store = Counting()
    for run, metric, steps in (("r1", "gpu 0 %", (0, 1)), ("r1", "cpu %", (0,)), ("r2", "cpu %", (1, 0))):
        rows_ = [(f"@system/{metric}", step, float(step), 30.0 + step) for step in steps]
        store.append(run, pl.DataFrame(rows_, schema=POINTS, orient="row"))
    store.asked = 0
    assert rows("select run_id, run, metric, step, value, time from system", store) == [
        ("r1", "brisk-otter-1", "cpu %", 0, 0.0, 30.0),
        ("r1", "brisk-otter-1", "gpu 0 %", 0, 0.0, 30.0),
        ("r1", "brisk-otter-1", "gpu 0 %", 1, 1.0, 31.0),
        ("r2", "calm-wren-2", "cpu %", 0, 0.0, 30.0),
        ("r2", "calm-wren-2", "cpu %", 1, 1.0, 31.0),
    ]
    assert {run for run, _ in store.reads} == {"r1", "r2"}
    assert rows("select * from system") == []


def test_conditions_on_metrics_leave_the_others_unlisted() -> None:
    class Listing(Counting):
        listed: list[Any] = []  # noqa: RUF012  # one store

        def summary_table(self, runs: Any = None, columns: Any = (), metrics: Any = None) -> pl.DataFrame:
            self.listed.append(metrics)
            return super().summary_table(runs, columns, metrics)

    store = Listing()
    store.metric_names = lambda: ["acc", "train/loss"]  # type: ignore[method-assign]
    assert rows("select count(*) from points where metric = 'acc' and step > 0", store) == [(2,)]
    assert store.listed == [{"acc"}]
    assert rows("select count(*) from points where metric = 'acc' or step > 1", store) == [(4,)]
    assert store.listed[1:] == [None]


def test_points_and_runs_can_be_joined() -> None:
    query = """
        select r."config.lr", min(p.value) from points p join runs r on p.run_id = r.id
        where p.metric = 'train/loss' group by r."config.lr" order by 1
    """
    assert rows(query) == [(0.01, 1 / 3), (0.1, 1 / 3)]


@pytest.mark.parametrize("name", ["system", "console", "cells"])
def test_captured_tables_are_empty_without_capture(name: str) -> None:
    table = sql(f"select * from {name}", "digits", RUNS, Counting())
    assert table.columns[:3] == ["project", "run_id", "run"]
    assert len(table) == 0


def capturing() -> Counting:
    store = Counting()
    points = [("@system/cpu", 0, 12.5, 10.0), ("@system/gpu/0/power", 0, 300.0, 10.0)]
    store.append("r2", pl.DataFrame(points, schema=POINTS, orient="row"))
    store.put_captured("r1", "console", [(0, "stdout", "hello", 10.0, 1), (1, "log", "there", 11.0, None)])
    row = (1, "abc", 7, "loss = 1", 10.0, 12.0, "ok", None, "1", '["train/loss"]', 3, "edited since")
    store.put_captured("r2", "cells", [row, (2, None, 8, None, 13.0, None, "running", None, None, "[]", 0, None)])
    return store


def test_cells_are_rows() -> None:
    assert rows("select * from cells where number = 1", capturing()) == [
        (
            *("digits", "r2", "calm-wren-2", 1, "abc", 7, "loss = 1", 10.0, 12.0),
            *("ok", None, "1", ["train/loss"], 3, "edited since"),
        )
    ]
    assert rows("select state, ended from cells where number = 2", capturing()) == [("running", None)]


def test_console_lines_are_rows_with_their_cell() -> None:
    assert rows("select run_id, stream, text, time, cell from console order by line", capturing()) == [
        ("r1", "stdout", "hello", 10.0, 1),
        ("r1", "log", "there", 11.0, None),
    ]


def test_system_metrics_are_a_table_of_their_own() -> None:
    query = "select run, metric, value, time from system order by metric"
    assert rows(query, capturing()) == [
        ("calm-wren-2", "cpu", 12.5, 10.0),
        ("calm-wren-2", "gpu/0/power", 300.0, 10.0),
    ]
    assert len(rows("select * from points", capturing())) == 8
    assert "no metric '@system/cpu'" in refusal("select * from points where metric = '@system/cpu'")


def test_captured_tables_are_read_only_when_queried(monkeypatch: pytest.MonkeyPatch) -> None:
    store = capturing()
    asked: list[str] = []
    monkeypatch.setattr(store, "captured", lambda _run, table: asked.append(table) or [])
    rows("select * from points", store)
    rows("select * from runs", store)
    assert asked == []
    store.reads.clear()
    rows("select * from cells", store)
    assert (asked, store.reads) == (["cells", "cells"], [])


def test_all_tables_are_known() -> None:
    assert [row[0] for row in rows("show tables")] == sorted(TABLES)


@pytest.mark.parametrize(
    ("where", "reads"),
    [
        ("metric = 'train/loss'", {("r1", "train/loss"), ("r2", "train/loss")}),
        ("metric = 'train/loss' and step > 1", {("r1", "train/loss"), ("r2", "train/loss")}),
        ("step > 1 and 'acc' = metric and run_id = 'r2' and value < 7", {("r2", "acc")}),
        ("metric in ('train/loss')", {("r1", "train/loss"), ("r2", "train/loss")}),
        ("metric in ('acc', 'train/loss') and run = 'brisk-otter-1'", {("r1", "acc"), ("r1", "train/loss")}),
        ("metric like 'train/%'", {("r1", "train/loss"), ("r2", "train/loss")}),
        ("metric <> 'acc'", {("r1", "train/loss"), ("r2", "train/loss")}),
        ("\"group\" = 'sweep'", {("r2", "acc"), ("r2", "train/loss")}),
        ('"group" is null', {("r1", "acc"), ("r1", "train/loss")}),
        ("(metric = 'acc' and step > 3) or (metric = 'acc' and run_id = 'r1')", {("r1", "acc"), ("r2", "acc")}),
        ("metric = 'acc' or step > 1", EVERYTHING),
        ("step is not null", EVERYTHING),
        ("not (metric = 'acc' and step = 5)", EVERYTHING),
        ("run_id = 'nobody'", set()),
        ("run_id || metric = 'r1acc'", {("r1", "acc")}),
    ],
)
def test_only_queried_runs_and_metrics_are_read(where: str, reads: set[tuple[str, str]]) -> None:
    store = Counting()
    answer = rows(f"select * from points where {where}", store)
    assert set(store.reads) == reads
    assert len(store.reads) == len(reads)
    everything = pl.SQLContext(points=sql("select * from points", "digits", RUNS, Counting()))
    assert answer == everything.execute(f"select * from points where {where}", eager=True).rows()


@pytest.mark.parametrize(
    "query",
    [
        "with t as (select * from points) select max(value) from t where metric = 'acc'",
        "select t.step from (select metric, step from points) t where metric = 'acc'",
        "select a.value from points a join runs r on a.run_id = r.id where a.metric = 'acc' and r.\"config.lr\" > 0.05",
        "select value from points where metric = 'acc' order by value limit 1",
    ],
)
def test_conditions_are_pushed_down_through_the_query(query: str) -> None:
    store = Counting()
    rows(query, store)
    assert set(store.reads) == {("r1", "acc"), ("r2", "acc")}


def test_each_side_of_a_join_reads_its_own() -> None:
    query = """
        select l.value, a.value as other from (select * from points where metric = 'train/loss' and run_id = 'r1') l
        join (select * from points where metric = 'acc') a on l.run_id = a.run_id
    """
    store = Counting()
    assert len(rows(query, store)) == 3
    assert set(store.reads) == {("r1", "train/loss"), ("r1", "acc"), ("r2", "acc")}


def test_limit_stops_at_the_run_that_fills_it() -> None:
    store = Counting()
    assert len(rows("select * from points limit 2", store)) == 2
    assert {run for run, _ in store.reads} == {"r1"}


def test_limit_comes_after_the_condition() -> None:
    assert rows("select run_id, step from points where step > 1 and metric = 'train/loss' limit 1") == [("r1", 2)]
    assert len(rows("select * from points where step > 1 limit 3")) == 3
    assert len(rows("select * from points limit 3 offset 4")) == 3


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) from points",
        "select 5 as five from points",
        "select distinct metric from points order by metric",
        "select run, metric, count(*), max(value) from points group by run, metric order by run, metric",
        "select count(*) from points a cross join points b cross join points c where a.metric = 'acc'",
        "select count(*) from points a cross join points b where a.metric = 'acc' and b.metric = 'train/loss'",
        "select a.step, b.step as other from points a left join points b on a.value = b.value and b.metric = 'acc'",
        "select step from points where metric = 'acc' union all select step from points where step = 1",
        "select * from points where run_id in (select run_id from points where step = 5 and run = 'calm-wren-2')",
        "select * from points where case when metric = 'acc' then step > 3 else step > 1 end",
        "select * from points where metric = 'acc' and metric = 'train/loss'",
        "select * from points where 1 = 0",
        "select value, sum(value) over (partition by run_id, metric) as total from points",
        "select * from points where value = 0.5 and not metric like '%loss' limit 1",
    ],
)
def test_the_answer_is_that_of_a_plain_table(query: str) -> None:
    everything = pl.SQLContext(points=sql("select * from points", "digits", RUNS, Counting()))
    expected = everything.execute(query, eager=True).rows()
    assert sorted(map(repr, rows(query))) == sorted(map(repr, expected))  # SQL promises no order


def test_table_that_is_not_queried_is_not_read() -> None:
    store = Counting()
    assert rows("select 1 from console", store) == []
    assert (store.reads, store.asked) == ([], 0)
    rows("select id from runs", store)
    assert store.reads == []


def test_odd_names_are_names_like_any_other() -> None:
    store = MemoryStore()
    run = RunRecord("o'brien\"", "📉", 1.0)
    name = 'it\'s\n"odd"/*--;'
    store.append(run.id, pl.DataFrame([(name, 0, 1.0, 1.0)], schema=POINTS, orient="row"))
    quoted = name.replace("'", "''")
    answer = sql(
        f"select run, metric from points where metric = '{quoted}' and run_id = 'o''brien\"'", "p'", [run], store
    )
    assert answer.rows() == [("📉", name)]


@pytest.mark.parametrize("start", ["  SELECT", "-- mine\nselect", "/* mine */ select", "explain select", "(select"])
def test_query_may_begin_in_many_ways(start: str) -> None:
    rows(f"{start} * from points" + (")" if start == "(select" else ""))


def test_unknown_metric_is_named_with_the_nearest() -> None:
    for where in (
        "metric = 'train/los'",
        "metric in ('acc', 'train/los') and step > 3",
        "step = 1 or metric = 'train/los'",
    ):
        message = refusal(f"select * from points where {where}")
        assert message == "project 'digits' has no metric 'train/los'; did you mean 'train/loss'?"


def test_metric_of_another_run_only_is_known() -> None:
    store = Counting()
    store.append("r2", pl.DataFrame([("late", 0, 1.0, 1.0)], schema=POINTS, orient="row"))
    assert rows("select * from points where metric = 'late' and run_id = 'r1'", store) == []


def test_empty_project_has_no_points_and_no_metrics() -> None:
    with pytest.raises(ValueError, match="project 'digits' has no metric 'loss'; nothing was logged in it"):
        sql("select * from points where metric = 'loss'", "digits", [], MemoryStore())
    assert sql("select * from points", "digits", [], MemoryStore()).schema == LONG
    assert len(sql("select * from runs", "digits", [], MemoryStore())) == 0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select * from point", "there is no table 'point'; did you mean 'points'?"),
        ("select stp from points", "there is no column 'stp'; did you mean 'step'?"),
        ("select p.stp from points p", "there is no column 'stp'; did you mean 'step'?"),
        ("select * from points order by metrc", "there is no column 'metrc'; did you mean 'metric'?"),
        ('select "config.l" from runs', "there is no column 'config.l'; did you mean 'config.lr'?"),
        (
            'select * from points where metric = "train/loss"',
            "'train/loss' is a metric, not a column; write it in single quotes: metric = 'train/loss'",
        ),
    ],
)
def test_unknown_name_raises_and_offers_the_nearest(query: str, message: str) -> None:
    assert refusal(query) == message


@pytest.mark.parametrize(
    "query",
    [
        "select * from points where (",
        "select config.lr from runs",
        "select nofunction(step) from points",
        "select * from points where",
        "select 1; select 2",
        "select step + metric from points where step = 'x'",
    ],
)
def test_invalid_sql_is_one_error_that_quotes_it(query: str) -> None:
    message = refusal(query)
    assert query in message
    assert 'text takes single quotes (\'train/loss\'), names such as "group" and "config.lr" double ones' in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "query", ["drop table points", "delete from points", "truncate table runs", "", "selct 1", "insert"]
)
def test_statements_that_write_are_refused(query: str) -> None:
    assert "sql() only reads" in refusal(query)


def test_query_that_is_not_a_string_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="sql\\(\\) takes a query such as 'select \\* from points', not 7"):
        sql(7, "digits", RUNS, Counting())  # type: ignore[arg-type]


def test_store_error_is_raised_unchanged() -> None:
    class Failing(Counting):
        def read(self, run_id: str, metrics: Sequence[str] | None = None) -> pl.DataFrame:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rows("select * from points", Failing())


def test_damaged_store_is_warned_of() -> None:
    store = Counting()
    store.notices.append("Cannot read p.db (damaged).")
    with pytest.warns(TrackbookWarning, match=r"Cannot read p\.db"):
        rows("select * from points", store)
