from __future__ import annotations

import math
import threading

import pytest

from trackbook._journal import Journal, MemoryJournal, NullJournal
from trackbook.store._interface import POINTS


def test_what_was_appended_is_drained_once_and_in_order() -> None:
    journal = MemoryJournal()
    journal.append(1.5, ["loss", "acc"], [0, 7], [0.5, 0.9])
    journal.append(2.5, ["loss"], [1], [math.inf])
    points = journal.drain()
    assert points is not None
    assert points.schema == POINTS
    assert points.rows() == [("loss", 0, 0.5, 1.5), ("acc", 7, 0.9, 1.5), ("loss", 1, math.inf, 2.5)]
    assert journal.drain() is None


def test_the_largest_step_fits() -> None:
    journal = MemoryJournal()
    journal.append(0.0, ["loss"], [2**63 - 1], [0.0])
    points = journal.drain()
    assert points is not None
    assert points["step"].to_list() == [2**63 - 1]


def test_draining_while_threads_append_loses_nothing_and_splits_no_call() -> None:
    journal = MemoryJournal()

    def append(metric: str) -> None:
        for step in range(500):
            journal.append(0.0, [metric, metric + "2"], [step, step], [0.0, 0.0])

    threads = [threading.Thread(target=append, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    seen = []
    while any(thread.is_alive() for thread in threads) or not seen:
        points = journal.drain()
        if points is not None:
            assert len(points) % 2 == 0
            seen += points.select("metric", "step").rows()
    for thread in threads:
        thread.join()
    rest = journal.drain()
    seen += [] if rest is None else rest.select("metric", "step").rows()
    for metric in ("a", "a2", "b", "b2"):
        assert [step for name, step in seen if name == metric] == list(range(500))


@pytest.mark.parametrize("journal", [MemoryJournal(), NullJournal()])
def test_an_empty_journal_has_nothing_to_drain(journal: Journal) -> None:
    assert journal.drain() is None


def test_the_null_journal_keeps_nothing() -> None:
    journal = NullJournal()
    journal.append(0.0, ["loss"], [0], [0.5])
    assert journal.drain() is None
