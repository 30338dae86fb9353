from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from trackbook.boards.drawn_runs import MOST, DrawnRuns, first, parse
from trackbook.boards.frame_source import FrameSource
from trackbook.boards.publisher import Publisher
from trackbook.boards.runs_table import TABLE_SECONDS
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.types import RunRecord


@pytest.mark.parametrize(
    ("rule", "choice"),
    [
        ("", DrawnRuns("own")),
        ("all", DrawnRuns("all", MOST)),
        ("selected", DrawnRuns("selected")),
        ("newest 10", DrawnRuns("newest", 10)),
        ("top 5 -max.val/acc", DrawnRuns("top", 5, "-max.val/acc")),
        ("top 5 config.my key.x", DrawnRuns("top", 5, "config.my key.x")),
        ("top 1000 -duration", DrawnRuns("top", 1000, "-duration")),
    ],
)
def test_rules_are_parsed(rule: str, choice: DrawnRuns) -> None:
    assert parse(rule) == choice


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("some", "drawn_runs is '', 'newest 10'"),
        ("newest", "drawn_runs is ''"),
        ("newest -3", "drawn_runs is ''"),
        ("newest 0", "1 to 1000 runs, not 0"),
        ("newest 1001", "1 to 1000 runs, not 1001"),
        ("top 5", "drawn_runs is ''"),
        ("top 5 val/acc", "not by 'val/acc'"),
        ("top 5 max.", "not by 'max.'"),
    ],
)
def test_other_rules_are_refused_with_the_remedy(rule: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(rule)


@pytest.mark.parametrize(
    ("values", "descending", "order"),
    [
        ({"a": 1, "b": 3.0, "c": 2}, True, "bca"),
        ({"a": 1, "b": 3.0, "c": 2}, False, "acb"),
        ({"a": math.nan, "b": None, "c": "", "d": 0}, True, "d"),
        ({"a": "x", "b": 2, "c": "y", "d": True}, False, "dbac"),
        ({"a": 1, "b": 1, "c": 1}, True, "abc"),
        ({"a": math.inf, "b": -math.inf, "c": 0}, False, "bca"),
    ],
)
def test_runs_are_sorted_by_their_values(values: dict[str, Any], descending: bool, order: str) -> None:
    assert first(values, descending=descending) == list(order)


class Sweep:
    """A project of runs r0, r1, ... whose accuracy is the highest in the middle, and a board of the first one."""

    def __init__(self, count: int = 12) -> None:
        self.store = MemoryStore()
        for number in range(count):
            self.add(number, 1 - abs(number - count // 2) / count)
        self.source = FrameSource("p", self.store)
        self.source.add_run("r0")
        self.published: dict[str, Any] = {}
        self.publisher = Publisher(self.source, self.published.__setitem__)
        self.publisher.opening()
        self.now = 0.0

    def add(self, number: int, accuracy: float, state: Any = "finished") -> None:
        record = RunRecord(
            f"r{number}", f"run {number}", started=100.0 + number, state=state, ended=200.0, config={"lr": number}
        )
        self.store.put_run(record)
        self.log(number, accuracy)

    def log(self, number: int, accuracy: float) -> None:
        step = len(self.store.read(f"r{number}"))
        rows = pl.DataFrame([("val/acc", step, accuracy, 1.0)], schema=POINTS, orient="row")
        self.store.append(f"r{number}", rows)

    def drawn(self) -> set[int]:
        self.now += TABLE_SECONDS + 1
        self.publisher.tick(self.now)
        runs = self.source.picture.runs
        assert {run["place"] for run in runs.values()} == {int(run[1:]) for run in runs}
        return {int(run[1:]) for run in runs}


def test_a_board_draws_its_own_runs_until_a_rule_says_more() -> None:
    sweep = Sweep()
    assert sweep.drawn() == {0}
    sweep.publisher.draw("newest 3")
    assert sweep.drawn() == {9, 10, 11}
    sweep.publisher.draw("all")
    assert sweep.drawn() == set(range(12))
    sweep.publisher.draw("")
    assert sweep.drawn() == {0}


def test_top_runs_are_drawn_by_any_column() -> None:
    sweep = Sweep()
    sweep.publisher.draw("top 3 -max.val/acc")
    assert sweep.drawn() == {5, 6, 7}
    sweep.publisher.draw("top 2 summary.val/acc")
    assert sweep.drawn() == {0, 11}
    sweep.publisher.draw("top 2 -config.lr")
    assert sweep.drawn() == {10, 11}
    sweep.publisher.draw("top 2 started")
    assert sweep.drawn() == {0, 1}
    sweep.publisher.draw("top 2 config.unknown")
    assert sweep.drawn() == set()


def test_top_runs_follow_new_results() -> None:
    sweep = Sweep()
    sweep.publisher.draw("top 1 -max.val/acc")
    assert sweep.drawn() == {6}
    sweep.add(12, 2.0)
    assert sweep.drawn() == {12}
    assert sweep.publisher.awake, "other runs may come"


def test_own_running_run_is_drawn_beside_the_top() -> None:
    sweep = Sweep()
    sweep.add(12, -1.0, state="running")
    sweep.publisher.add_run("r12")
    assert sweep.drawn() == {0, 12}
    sweep.publisher.draw("top 1 -max.val/acc")
    assert sweep.drawn() == {6, 12}


def test_new_run_of_the_board_is_drawn_at_once_whatever_the_rule() -> None:
    sweep = Sweep()
    sweep.publisher.draw("top 1 -max.val/acc")
    sweep.drawn()
    sweep.add(12, -1.0, state="running")
    sweep.source.add_run("r12")
    assert sweep.drawn() == {6, 12}


def test_selected_runs_come_beside_or_alone() -> None:
    sweep = Sweep()
    sweep.publisher.select(["r3"])
    assert sweep.drawn() == {0, 3}
    sweep.publisher.draw("newest 1")
    assert sweep.drawn() == {3, 11}
    sweep.publisher.draw("selected")
    assert sweep.drawn() == {3}
    sweep.publisher.select([])
    sweep.publisher.draw("")
    assert sweep.drawn() == {0}


def test_table_tells_how_many_runs_the_project_has() -> None:
    sweep = Sweep()
    assert sweep.publisher.opening()["table"]["header"]["total"] == 12
    sweep.add(12, 0.0, state="running")
    sweep.publisher.add_run("r12")
    sweep.drawn()
    assert sweep.published["table"]["header"]["total"] == 13
    assert len(sweep.published["table"]["header"]["runs"]) == 2


def test_all_of_a_thousand_runs_are_in_the_keyframe() -> None:
    sweep = Sweep(MOST)
    sweep.publisher.draw("all")
    assert len(sweep.drawn()) == MOST
    header = sweep.published["keyframe"]["header"]
    assert len(header["series"]) == MOST
    assert "omitted" not in header
