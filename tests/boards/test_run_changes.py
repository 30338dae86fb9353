"""The question `changes`: what differs between a run and the one before it."""

from __future__ import annotations

import pytest

import trackbook as tb
from trackbook.boards.run_changes import changes
from trackbook.store.base import Store
from trackbook.store.documents import put_document
from trackbook.tracking.run import Run, writer_of


def train(name: str, *losses: float, packages: dict[str, str] | None = None, source: str = "", **config: object) -> Run:
    """Track a run, as it would be recorded with one cell."""
    with tb.init("p", name, config=config) as run:
        for loss in losses:
            run.log({"loss": loss})
        store = writer_of(run).store
        put_document(store, run.id, "environment", {"packages": packages or {}, "process": {"pid": id(run)}})
        store.put_captured(run.id, "cells", [(0, None, 1, source, 1.0, 2.0, "ok", None, None, "[]", 1, None)])
    return run


def store_of(run: Run) -> Store:
    return writer_of(run).store


def test_run_is_compared_with_the_one_before_it() -> None:
    first = train("first", 3.0, 1.0, 2.0, lr=0.1, packages={"torch": "2.1"}, source="a\nb")
    second = train("second", 4.0, 0.5, lr=0.05, depth=2, packages={"torch": "2.2"}, source="a\nc")
    answer, _ = changes(store_of(second), {"run": second.id})
    assert answer["against"] == {"id": first.id, "name": "first"}
    assert answer["config"] == [["lr", "0.1", "0.05"], ["depth", None, "2"]]
    assert answer["packages"] == [["torch", "2.1", "2.2"]]
    assert [line for line in answer["code"] if line[1:] in ("b", "c")] == ["-b", "+c"]
    assert answer["metrics"] == [["loss", [2.0, 1.0, 3.0], [0.5, 0.5, 4.0]]]
    assert answer["unknown"] == []


def test_another_run_can_be_the_baseline() -> None:
    runs = [train(f"run {number}", lr=number) for number in range(3)]
    answer, _ = changes(store_of(runs[2]), {"run": runs[2].id, "against": runs[0].id})
    assert answer["config"] == [["lr", "0", "2"]]


def test_metrics_alone_are_compared_with_the_run_named() -> None:
    runs = [train(f"run {number}", 1.0 + number, lr=number) for number in range(2)]
    question = {"run": runs[1].id, "against": runs[0].id, "metrics_only": True}
    assert changes(store_of(runs[1]), question)[0] == {"metrics": [["loss", [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]]}
    assert changes(store_of(runs[1]), question | {"against": "deleted"})[0]["against"]["name"] == "run 0"


def test_baseline_that_was_deleted_is_named_lost() -> None:
    runs = [train(f"run {number}", lr=number) for number in range(2)]
    answer, _ = changes(store_of(runs[1]), {"run": runs[1].id, "against": "deleted"})
    assert answer["against"]["name"] == "run 0"
    assert answer["lost"] is True
    assert changes(store_of(runs[0]), {"run": runs[0].id, "against": "deleted"})[0] == {"against": None, "lost": True}
    assert "lost" not in changes(store_of(runs[1]), {"run": runs[1].id, "against": runs[0].id})[0]


def test_first_run_is_compared_with_nothing() -> None:
    run = train("first")
    assert changes(store_of(run), {"run": run.id}) == ({"against": None}, [])


def test_values_that_json_cannot_hold_are_left_out() -> None:
    train("first", float("nan"))
    run = train("second", 1.0, float("inf"))
    ((_, earlier, now),) = changes(store_of(run), {"run": run.id})[0]["metrics"]
    assert (earlier, now) == ([None, None, None], [None, 1.0, None])


@pytest.mark.parametrize("question", [{"run": "gone"}, {"run": None}, {}])
def test_run_that_is_gone_is_said(question: dict[str, object]) -> None:
    run = train("only")
    with pytest.raises(ValueError, match="no longer in the project"):
        changes(store_of(run), question)
