from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processes import own_process
from trackbook.api.process import Process, project_paths
from trackbook.boards.frame_source import FrameSource
from trackbook.boards.run_actions import RunActions
from trackbook.pump import INTERVAL
from trackbook.tracking.run_options import RunOptions
from trackbook.types import RunRecord


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    with own_process(monkeypatch) as made:
        yield made


def test_project_knows_the_boards_that_show_it(process: Process) -> None:
    project = process.project("p")
    run = process.begin_run(project_paths("p"), RunOptions(RunRecord("r1", "a", 1.0)))
    process.pump.remove(project)
    run.log({"a": 0.5})
    source = FrameSource("p", project.store)
    source.add_run("r1")
    board = process.boards.add(source, "p", project.store.path, RunActions(project), project)
    assert project.boards == {board}
    assert len(project.store.read("r1")) == 1  # a board begins with all that was logged
    process.boards.end_cell()
    assert project.boards == {board}
    run.finish()
    process.boards.end_cell()
    assert project.boards == set()


class Ticked:
    """A stand-in for a board, with the methods that the process calls."""

    def __init__(self, *, awake: bool) -> None:
        self.awake = awake
        self.source: Any = None
        self.forgotten: list[str] = []

    def tick(self, now: float) -> float:
        return INTERVAL

    def settle(self, *, kept: bool = False) -> None: ...

    def forget(self, run_id: str) -> None:
        self.forgotten.append(run_id)


def test_idle_board_is_released_until_it_is_used(process: Process) -> None:
    asleep, awake = Ticked(awake=False), Ticked(awake=True)
    boards: Any = process.boards
    boards._keep(("1", Path("p")), asleep, None)
    boards._keep(("2", Path("p")), awake, None)
    boards.end_cell()
    assert boards.all() == [awake]
    boards._keep(("1", Path("p")), asleep, None)
    assert set(boards.all()) == {awake, asleep}
    for board in (asleep, awake):
        process.pump.remove(board)


def test_every_board_forgets_a_deleted_run(process: Process) -> None:
    board: Any = Ticked(awake=True)
    process.boards._keep(("1", Path("p")), board, None)
    process.boards.forget_run("r1")
    assert board.forgotten == ["r1"]
    process.pump.remove(board)
