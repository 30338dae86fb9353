from __future__ import annotations

import dataclasses
import json
import math
import time
from typing import Any

import numpy as np
import polars as pl
import pytest

from trackbook.boards.runs_table import (
    CLOSED_BYTES,
    FIGURES_SECONDS,
    KEPT_BYTES,
    LONGEST_TEXT,
    TABLE_SECONDS,
    RunsTable,
    flat,
)
from trackbook.store.base import POINTS
from trackbook.store.bulk_reads import no_summary
from trackbook.store.memory import MemoryStore
from trackbook.types import RunRecord, Writer


class Project:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.catalog = RunsTable("s", self.store)
        self.now = 0.0

    def run(self, run_id: str, *, state: Any = "finished", name: str = "run", **fields: Any) -> None:
        started = 100.0 + len(self.store.runs())
        self.store.put_run(RunRecord(run_id, name, started=started, state=state, **fields))

    def log(self, run: str, metric: str, *values: float) -> None:
        steps = [len(self.store.read(run)) + i for i in range(len(values))]
        points = {"metric": [metric] * len(values), "step": steps, "value": values, "time": [1.0] * len(values)}
        self.store.append(run, pl.DataFrame(points, schema=POINTS))

    def news(self, own: list[str] | None = None, after: float = TABLE_SECONDS) -> Any:
        self.now += after
        return self.catalog.news(self.now, own)


@pytest.fixture
def project() -> Project:
    return Project()


def figures(table: Any, run: str, metric: str) -> tuple[float, float, float]:
    """Return last, min and max of a metric of a run, read from the buffer as the protocol says."""
    header = table["header"]
    shape = (3, len(header["runs"]), len(header["metrics"]))
    columns = np.frombuffer(table["data"], "<f8").reshape(shape)
    last, least, most = columns[:, [r["id"] for r in header["runs"]].index(run), header["metrics"].index(metric)]
    return last, least, most


def names(table: Any) -> list[str]:
    return [run["name"] for run in table["header"]["runs"]]


def test_table_has_last_min_and_max_of_every_run_and_metric(project: Project) -> None:
    for run in "abc":
        project.run(run)
        project.log(run, f"{run}/loss", 3.0, ord(run), 2.0)
        project.log(run, "shared", 7.0)
    table = project.news()
    assert table["header"]["metrics"] == ["a/loss", "shared", "b/loss", "c/loss"]
    assert figures(table, "b", "b/loss") == (2.0, 2.0, 98.0)
    assert figures(table, "c", "shared") == (7.0, 7.0, 7.0)


def test_unlogged_metric_differs_from_one_that_is_nan(project: Project) -> None:
    project.run("a")
    project.run("b")
    project.log("a", "loss", math.nan)
    table = project.news()
    assert all(map(math.isnan, figures(table, "a", "loss")))
    last, least, most = figures(table, "b", "loss")
    assert (math.isnan(last), least, most) == (True, math.inf, -math.inf)


def test_running_run_of_a_process_unseen_for_long_says_since_when(project: Project) -> None:
    def sign(run: str, seen: float) -> None:
        project.store.sign(run, Writer("host", "", 1, "", seen))

    now = time.time()
    for run, seen in (("fresh", now), ("unseen", now - 7_200.0)):
        project.run(run, state="running")
        sign(run, seen)
    project.run("unsigned", state="running")
    project.run("ended")
    for own in (None, ["fresh", "unseen"]):
        project.catalog.hurry()
        seen_at = {run["id"]: run["seen"] for run in project.catalog.table(own)["header"]["runs"]}
        assert seen_at["unseen"] == now - 7_200.0
        assert {seen_at.get(run) for run in ("fresh", "unsigned", "ended")} == {None}
    assert project.news(after=FIGURES_SECONDS) is not None  # all runs again
    assert project.news(after=FIGURES_SECONDS) is None
    (record,) = (run for run in project.store.runs() if run.id == "unseen")
    project.store.put_run(dataclasses.replace(record, done=5))
    assert project.news(after=TABLE_SECONDS) is None
    sign("unseen", now)
    assert {run["seen"] for run in project.news(after=FIGURES_SECONDS)["header"]["runs"]} == {None}


def test_unchanged_table_is_not_made(project: Project) -> None:
    project.run("a")
    assert project.news() is not None
    assert project.news(after=FIGURES_SECONDS) is None


def test_changes_come_at_most_once_a_second(project: Project) -> None:
    project.run("a")
    project.news()
    project.run("a", name="renamed")
    assert project.news(after=TABLE_SECONDS / 2) is None
    assert names(project.news(after=TABLE_SECONDS / 2)) == ["renamed"]


def test_hurried_table_comes_at_once(project: Project) -> None:
    project.run("a")
    project.news()
    project.run("a", name="renamed")
    project.catalog.hurry()
    assert names(project.news(after=0.0)) == ["renamed"]


def test_only_records_that_changed_are_read_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.run("a")
    project.run("b", state="running")
    project.log("b", "loss", 1.0)
    assert project.news() is not None
    reads: list[str] = []
    changed = project.store.changed_runs
    monkeypatch.setattr(project.store, "changed_runs", lambda since: reads.extend(run.id for run in changed(since)))
    project.log("b", "loss", 2.0)
    assert project.news(after=FIGURES_SECONDS) is not None
    assert reads == []
    monkeypatch.setattr(project.store, "changed_runs", changed)
    project.run("b", name="renamed")
    assert names(project.news(after=FIGURES_SECONDS)) == ["run", "renamed"]


def test_deleted_run_leaves_the_table(project: Project) -> None:
    project.run("a", name="stays")
    project.run("b")
    project.news()
    project.store.delete("b")
    assert names(project.news()) == ["stays"]


def test_summaries_of_open_runs_come_every_few_seconds(project: Project) -> None:
    project.run("a", state="running")
    project.log("a", "loss", 3.0)
    project.news()
    project.log("a", "loss", 2.0)
    assert project.news() is None
    assert figures(project.news(after=FIGURES_SECONDS), "a", "loss")[0] == 2.0


def test_progress_alone_makes_no_table(project: Project) -> None:
    project.run("a", state="running", done=1)
    project.news()
    project.store.put_run(RunRecord("a", "run", started=100.0, done=2))
    assert project.news() is None


def test_ended_runs_are_not_read_again(project: Project) -> None:
    project.run("a")
    project.log("a", "loss", 3.0)
    project.news()
    asked: list[Any] = []
    project.store.summary_table = lambda runs: asked.append(list(runs)) or no_summary()  # type: ignore[method-assign, func-returns-value, misc, assignment]
    project.run("b", state="running")
    project.news()
    assert asked == [["b"]]


def test_resumed_run_is_read_again(project: Project) -> None:
    project.run("a")
    project.log("a", "loss", 3.0)
    project.news()
    project.run("a", notes="longer")
    project.log("a", "loss", 2.0)
    assert figures(project.news(), "a", "loss")[0] == 2.0


def test_table_has_the_boards_own_runs_until_the_panel_opens(project: Project) -> None:
    for run in "abc":
        project.run(run, name=run)
    assert names(project.news(["b"])) == ["b"]
    assert project.news(["b"]) is None
    assert names(project.news(None)) == ["a", "b", "c"]
    assert names(project.catalog.table(["b", "c"])) == ["b", "c"]


def test_hidden_table_is_small_and_has_the_newest_runs(project: Project) -> None:
    for number in range(40):
        run = f"r{number}"
        project.run(run, name=run, config={"text": "x" * 500})
        for metric in range(40):
            project.log(run, f"metric {metric}", 1.0)
    table = project.catalog.table([f"r{number}" for number in range(40)])
    assert 5 < len(names(table)) < 40
    assert names(table)[-1] == "r39"
    assert len(json.dumps(table["header"])) + len(table["data"]) < CLOSED_BYTES * 1.2


def test_opened_panel_has_all_runs_of_a_large_board(project: Project) -> None:
    runs = [f"r{number}" for number in range(40)]
    for run in runs:
        project.run(run, name=run, config={"text": "x" * 150, "more": "y" * 150, "most": "z" * 150})
    assert project.news(runs)["header"]["omitted"] > 0
    whole = project.news()
    assert (names(whole), whole["header"]["omitted"]) == (runs, 0)
    assert project.news() is None


def test_saved_table_stays_small(project: Project) -> None:
    for number in range(300):
        project.run(f"r{number}", config={"text": "x" * 150, "more": "y" * 150, "most": "z" * 150})
    assert project.catalog.table(None, KEPT_BYTES)["header"]["omitted"] > 0
    assert project.news() is None


def test_saved_table_counts_the_runs_that_did_not_fit(project: Project) -> None:
    for number in range(300):
        project.run(f"r{number}", name=f"r{number}", config={"lr": 0.1})
        for metric in range(20):
            project.log(f"r{number}", f"metric {metric}", 1.0)
    whole, kept = project.catalog.table(None), project.catalog.table(None, KEPT_BYTES)
    assert (len(names(whole)), whole["header"]["omitted"]) == (300, 0)
    assert 100 < len(names(kept)) < 300
    assert len(names(kept)) + kept["header"]["omitted"] == 300
    assert len(json.dumps(kept["header"])) + len(kept["data"]) < KEPT_BYTES * 1.2


def test_config_has_dotted_keys_and_scalars() -> None:
    config = {"lr": 0.1, "opt": {"name": "adam", "betas": [0.9, 0.99], "more": {}}, "amp": True, "none": None}
    assert flat(config) == {
        "lr": 0.1,
        "opt.name": "adam",
        "opt.betas": "[0.9, 0.99]",
        "opt.more": "{}",
        "amp": True,
        "none": None,
    }


def test_config_values_unfit_for_json_become_text() -> None:
    values = flat({"nan": math.nan, "inf": math.inf, "huge": 2**70, "long": "x" * 1000})
    assert (values["nan"], values["inf"], values["huge"]) == ("nan", "inf", str(2**70))
    assert len(values["long"]) == LONGEST_TEXT
    json.dumps(values, allow_nan=False)


def test_table_has_no_system_metrics(project: Project) -> None:
    project.run("a")
    project.log("a", "@system/cpu %", 50.0)
    project.log("a", "loss", 0.5)
    assert project.catalog.table(None)["header"]["metrics"] == ["loss"]
    assert project.catalog.table(["a"])["header"]["metrics"] == ["loss"]


def test_system_metrics_make_no_table(project: Project) -> None:
    project.run("a", state="running")
    project.log("a", "loss", 0.5)
    assert project.news(after=FIGURES_SECONDS) is not None
    project.log("a", "@system/cpu %", 50.0)
    assert project.news(after=FIGURES_SECONDS) is None
