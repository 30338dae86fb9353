from __future__ import annotations

from typing import Any

from trackbook.boards.cell_spans import MOST, origins
from trackbook.store.memory import MemoryStore
from trackbook.types import CAPTURED


def row(number: int, **fields: Any) -> tuple[Any, ...]:
    known: dict[str, Any] = dict.fromkeys(CAPTURED["cells"])
    known |= {"number": number, "count": number + 1, "started": 10.0 * number, "ended": 10.0 * number + 5}
    return tuple((known | {"state": "ok", "points": 3} | fields).values())


def store(**runs: list[tuple[Any, ...]]) -> MemoryStore:
    made = MemoryStore()
    for run_id, rows in runs.items():
        made.put_captured(run_id, "cells", rows)
    return made


def test_the_executions_that_logged_are_told_by_run() -> None:
    told = origins(store(a=[row(0), row(1)], b=[row(2)], c=[row(3)]), ["a", "b"])
    assert told == {"a": [(1, 0.0, 5.0), (2, 10.0, 15.0)], "b": [(3, 20.0, 25.0)]}


def test_one_that_logged_nothing_is_not_unless_it_runs() -> None:
    running = row(2, points=0, state="running", ended=None)
    assert origins(store(a=[row(0, points=0), row(1, count=None), running]), ["a"]) == {"a": [(3, 20.0, None)]}


def test_the_newest_are_told_of_all_runs_together() -> None:
    both = store(a=[row(number) for number in range(MOST)], b=[row(MOST), row(MOST + 1)])
    told = origins(both, ["b", "a"])
    assert sum(map(len, told.values())) == MOST
    assert told["a"][0][0] == 3
    assert [count for count, *_ in told["b"]] == [MOST + 1, MOST + 2]
