"""What is displayed beside a board, as a notebook takes it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from trackbook import TrackbookWarning
from trackbook.boards import snapshots
from trackbook.boards.snapshots import VEGA_LITE, Snapshots
from trackbook.charts.png import NoPictureError, PictureFile
from trackbook.charts.snapshot import Still
from trackbook.notebook import host


class Notebook(host.Host):
    """Outputs as (cell, place, data), of which a later one of a place replaces."""

    def __init__(self) -> None:
        self.running = "first"
        self.outputs: list[tuple[str, str | None, dict[str, Any]]] = []
        self.threads: set[str] = set()
        self.late = False

    def cell(self) -> str:
        return self.running

    def takes_late_outputs(self) -> bool:
        return self.late

    def show(self, thing: Any, **options: Any) -> None:
        self.outputs.append((self.running, None, thing))

    def show_data(self, data: dict[str, Any], metadata: dict[str, Any], place: str, *, again: bool) -> None:
        self.threads.add(threading.current_thread().name)
        if again:
            self.outputs = [(cell, at, data if at == place else old) for cell, at, old in self.outputs]
        else:
            self.outputs.append((self.running, place, data))

    def snapshots(self) -> list[tuple[str, Any]]:
        return [(cell, data.get(VEGA_LITE)) for cell, place, data in self.outputs if place]


class Board:
    """A board whose picture is a number."""

    def __init__(self, number: int | None = 1) -> None:
        self.number = number
        self.session = type("Session", (), {"id": f"s{id(self)}"})()

    def snapshot(self) -> Still | None:
        return None if self.number is None else Still({"number": self.number}, f"board {self.number}")


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    notebook = Notebook()
    monkeypatch.setattr(host, "current", lambda: notebook)
    monkeypatch.setattr(snapshots, "snapshot_note", lambda session: f"note of {session}")
    return notebook


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The specs that were made into PNGs."""
    specs: list[Any] = []
    monkeypatch.setattr(snapshots, "picture_file", lambda spec: specs.append(spec) or PictureFile(b"PNG", 300, 200))
    return specs


def test_a_still_waits_below_its_board_and_is_drawn_when_the_cell_ends(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    kept.place(board)
    ((_, _, waiting), (_, _, note)) = notebook.outputs
    assert "when the cell ends" in waiting["text/plain"]
    assert note["text/html"] == f"note of {board.session.id}"
    kept.cell_ended([board])
    ((_, _, still), _) = notebook.outputs
    assert still == {VEGA_LITE: {"number": 1}, "text/plain": "board 1", "image/png": "UE5H"}


def test_a_board_that_did_not_change_is_not_drawn_again(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    kept.place(board)
    for board.number in (1, 1, 2, 2):
        kept.cell_ended([board])
    assert drawn == [{"number": 1}, {"number": 2}]
    assert notebook.snapshots() == [("first", {"number": 2})]


def test_a_board_with_nothing_to_draw_goes_on_waiting(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board(None)
    kept.place(board)
    kept.cell_ended([board])
    assert (drawn, notebook.snapshots()) == ([], [("first", None)])


def test_a_board_that_a_cell_displays_as_its_result_has_its_still_behind_it(
    notebook: Notebook, drawn: list[Any]
) -> None:
    kept, board = Snapshots(), Board()
    kept.note_shown(board)
    assert notebook.outputs == []
    kept.cell_ended([])
    assert notebook.snapshots() == [("first", {"number": 1})]


def test_every_cell_that_shows_a_board_has_one_still_of_it(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    for notebook.running in ("first", "second"):
        for _ in range(2):
            kept.note_shown(board)
            kept.place(board)
        kept.cell_ended([board])
    board.number = 2
    kept.cell_ended([board])
    assert notebook.snapshots() == [("first", {"number": 2}), ("second", {"number": 2})]


def test_a_board_that_nobody_displayed_has_none(notebook: Notebook, drawn: list[Any]) -> None:
    Snapshots().cell_ended([Board()])
    assert (notebook.outputs, drawn) == ([], [])


def test_where_the_host_takes_it_later_the_cell_does_not_wait(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    kept.place(board)
    notebook.late = True
    with kept._lock:  # while another still is being made
        kept.cell_ended([board])
        assert notebook.snapshots() == [("first", None)]
    for thread in threading.enumerate():
        if thread.name == "trackbook-snapshots":
            thread.join()
    assert notebook.snapshots() == [("first", {"number": 1})]
    assert "trackbook-snapshots" in notebook.threads


def test_without_a_png_the_rest_is_kept_and_it_is_said_once(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any) -> PictureFile:
        raise NoPictureError("No module named 'vl_convert'")

    monkeypatch.setattr(snapshots, "picture_file", fail)
    kept, boards = Snapshots(), [Board(1), Board(2)]
    for board in boards:
        kept.place(board)
    with pytest.warns(TrackbookWarning, match="no PNG .* No module named 'vl_convert'") as said:
        kept.cell_ended(boards)
    assert len(said) == 1
    assert notebook.snapshots() == [("first", {"number": 1}), ("first", {"number": 2})]
