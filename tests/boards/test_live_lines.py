"""Live lines: what a cell shows about a run whose board is under another cell."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

import trackbook as tb
from trackbook.boards.frame_source import FrameSource
from trackbook.boards.live_lines import LiveLines, line_of, main_metric
from trackbook.notebook import host
from trackbook.tracking.run import Run, writer_of


class Notebook(host.Host):
    """A kernel that keeps what is displayed, by place."""

    shell = object()

    def __init__(self) -> None:
        self.running = "first"
        self.outputs: dict[str, tuple[str, dict[str, Any]]] = {}

    def cell(self) -> str:
        return self.running

    def takes_late_outputs(self) -> bool:
        return True

    def show_data(self, data: dict[str, Any], metadata: dict[str, Any], place: str, *, again: bool) -> None:
        assert again == (place in self.outputs)
        self.outputs[place] = self.outputs[place][0] if again else self.running, data

    def lines(self) -> list[tuple[str, str]]:
        return [(cell, data["text/plain"]) for cell, data in self.outputs.values()]


class Board:
    """A board of one run that the first cell displayed."""

    is_displayed = True
    cell_id: str | None = "c1"

    def __init__(self, run: Run) -> None:
        self.run = run
        self.source = FrameSource("p", writer_of(run).store)
        self.source.add_run(run.id)
        self.publisher = self
        self.lock = threading.RLock()

    def pull(self) -> Board:
        writer_of(self.run).hand_over()
        self.source.recheck()
        self.source.pull()
        return self


@pytest.fixture
def run() -> Iterator[Run]:
    with tb.init("p", "alpha", total=100) as run:
        yield run


@pytest.fixture
def notebook(run: Run, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    notebook = Notebook()
    monkeypatch.setattr(host, "current", lambda: notebook)
    return notebook


def begin(notebook: Notebook, board: Board, logged_to: list[Run]) -> LiveLines:
    """Begin the second cell, which logs to these runs."""
    lines = LiveLines(lambda: [("first", board)])  # type: ignore[list-item, return-value]
    notebook.running = "second"
    lines.cell_began(lambda: [writer_of(run) for run in logged_to])
    return lines


def test_cell_that_trains_a_run_of_an_earlier_cell_gets_a_line(run: Run, notebook: Notebook) -> None:
    board = Board(run)
    lines = begin(notebook, board, [run])
    run.log({"lr": 0.1, "train/loss": 1.0})
    board.pull()
    lines.tick(10.0)
    assert notebook.lines() == []  # a short cell needs none
    lines.tick(11.0)
    assert notebook.lines() == [("second", "alpha · train/loss 1 · 1 / 100 steps")]
    run.log({"lr": 0.1, "train/loss": 0.25})
    board.pull()
    lines.tick(12.0)
    run.finish()
    board.pull()
    lines.cell_ended()
    ((cell, text),) = notebook.lines()
    assert cell == "second"
    assert re.fullmatch(r"alpha · train/loss 0\.25 · 2 / 100 steps · finished after 0:\d\d", text)


def test_cell_that_shows_the_board_or_logs_nothing_gets_no_line(run: Run, notebook: Notebook) -> None:
    board = Board(run).pull()
    for cell, logged_to in (("first", [run]), ("second", [])):
        lines = begin(notebook, board, logged_to)
        notebook.running = cell
        lines.cell_began(lambda runs=logged_to: [writer_of(one) for one in runs])  # type: ignore[misc]
        lines.tick(10.0)
        lines.tick(20.0)
    assert notebook.outputs == {}


def test_line_that_is_asked_for_is_there_at_once_and_once(run: Run, notebook: Notebook) -> None:
    board = Board(run).pull()
    lines = begin(notebook, board, [])
    for _ in range(2):
        lines.show(board, run.id)  # type: ignore[arg-type]
    assert notebook.lines() == [("second", "alpha · 0 / 100 steps")]


def test_line_has_rate_and_time_left_while_the_run_is_open(run: Run, notebook: Notebook) -> None:
    board = Board(run)
    board.pull()
    run.log({"loss": 1.0})
    board.pull()
    header = board.source.picture.runs[run.id]
    board.source.picture.put_run({**header, "done": 40, "rate": 2.0})
    text, _ = line_of(board.source.picture, run.id, board)  # type: ignore[arg-type]
    assert text == "alpha · loss 1 · 40 / 100 steps · 2/s · 0:30 left"
    left, _ = line_of(board.source.picture, run.id, board, live=False)  # type: ignore[arg-type]
    assert left == "alpha · loss 1 · 40 / 100 steps"


def test_names_are_text_in_the_page_and_the_link_leads_to_the_board(notebook: Notebook) -> None:
    with tb.init("p", "<b onclick=x>", reinit="create_new") as run:
        for value in (3.0, float("nan"), 1.0):
            run.log({"<i>loss": value})
        board = Board(run).pull()
        _, page = line_of(board.source.picture, run.id, board)  # type: ignore[arg-type]
    assert html.escape("<b onclick=x>") in page
    assert html.escape("<i>loss 1") in page
    assert 'href="#cell-id=c1"' in page
    assert board.source.id in page
    (points,) = re.findall(r'points="([^"]+)"', page)
    assert points == "0.0,1.0 96.0,15.0"


def test_metric_of_a_line_is_the_first_loss_else_the_first(run: Run, notebook: Notebook) -> None:
    board = Board(run).pull()
    assert main_metric(board.source.picture, board.source.picture.runs[run.id]) is None
    for expected, metrics in (("acc", {"acc": 1.0}), ("val/Loss", {"val/Loss": 1.0, "loss": 1.0})):
        run.log(metrics)
        board.pull()
        assert main_metric(board.source.picture, board.source.picture.runs[run.id]) == expected
