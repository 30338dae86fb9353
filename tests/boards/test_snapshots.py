"""The snapshots that are displayed beside boards in a notebook."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from trackbook import TrackbookWarning
from trackbook.boards import snapshots
from trackbook.boards.snapshots import VEGA_LITE, Snapshots
from trackbook.charts.png import Converter, NoPictureError, PictureFile
from trackbook.charts.snapshot import Snapshot
from trackbook.notebook import host


class Notebook(host.Host):
    """Outputs as (cell, place, data). A later output with the same place replaces the earlier one."""

    def __init__(self) -> None:
        self.running = "first"
        self.id: str | None = None
        self.outputs: list[tuple[str, str | None, dict[str, Any]]] = []
        self.threads: set[str] = set()
        self.late = False

    def cell(self) -> str:
        return self.running

    def cell_id(self) -> str | None:
        return self.id

    def takes_late_outputs(self) -> bool:
        return self.late

    def show(self, thing: Any, **options: Any) -> None:
        place = options.get("display_id")
        if options.get("update"):
            self.outputs = [(cell, at, thing if at == place else old) for cell, at, old in self.outputs]
        else:
            self.outputs.append((self.running, place, thing))

    def show_data(self, data: dict[str, Any], metadata: dict[str, Any], place: str, *, again: bool) -> None:
        self.threads.add(threading.current_thread().name)
        if again:
            self.outputs = [(cell, at, data if at == place else old) for cell, at, old in self.outputs]
        else:
            self.outputs.append((self.running, place, data))

    def snapshots(self) -> list[tuple[str, Any]]:
        return [(cell, data.get(VEGA_LITE)) for cell, place, data in self.outputs if place]


class Source:
    logged = 1
    running = True

    def __init__(self, name: str) -> None:
        self.id = name


class Board:
    """A board whose picture is a number, and its publisher."""

    project = "p"

    def __init__(self, number: int | None = 1) -> None:
        self.number = number
        self.source = Source(f"s{id(self)}")
        self.publisher = self
        self.answers: dict[str, Any] = {}
        self.still = 0
        self.user_charts: list[Any] = []

    @property
    def snapshot_state(self) -> object:
        return self.number

    def add_answers(self, answers: dict[str, Any]) -> None:
        self.answers |= answers

    def publish(self, trait: str, value: int) -> None:
        assert trait == "still"
        self.still = value

    def snapshot(self, *, own: bool) -> Snapshot | None:
        if self.number is None:
            return None
        charts = {"own": self.user_charts} if own and self.user_charts else {}
        return Snapshot({"number": self.number, **charts}, f"board {self.number}")


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    notebook = Notebook()
    monkeypatch.setattr(host, "current", lambda: notebook)
    monkeypatch.setattr(snapshots, "snapshot_note", lambda source: f"note of {source}")
    return notebook


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The specifications that were converted to PNG."""
    specs: list[Any] = []
    monkeypatch.setattr(Converter, "picture", lambda _, spec: specs.append(spec) or PictureFile(b"PNG", 300, 200))
    return specs


def test_snapshot_is_placed_below_its_board_and_drawn_at_the_end(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    kept.place(board)
    ((_, _, waiting), (_, _, note)) = notebook.outputs
    assert waiting == {"text/plain": "Charts: trackbook.board('p')"}
    assert note["text/html"] == f"note of {board.source.id}"
    kept.cell_ended([board])
    ((_, _, still), _) = notebook.outputs
    assert still == {VEGA_LITE: {"number": 1}, "text/plain": "board 1", "image/png": "UE5H"}


def test_unchanged_board_is_not_drawn_again(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    kept.place(board)
    for board.number in (1, 1, 2, 2):
        kept.cell_ended([board])
    assert drawn == [{"number": 1}, {"number": 2}]
    assert notebook.snapshots() == [("first", {"number": 2})]


def test_empty_board_keeps_its_placeholder(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board(None)
    kept.place(board)
    kept.cell_ended([board])
    assert (drawn, notebook.snapshots()) == ([], [("first", None)])


def test_board_as_result_of_a_cell_has_its_snapshot_behind_it(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    kept.note_shown(board)
    assert notebook.outputs == []
    kept.cell_ended([])
    assert notebook.snapshots() == [("first", {"number": 1})]


def test_every_cell_that_shows_a_board_has_one_snapshot(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    for notebook.running in ("first", "second"):
        for _ in range(2):
            kept.note_shown(board)
            kept.place(board)
        kept.cell_ended([board])
    board.number = 2
    kept.cell_ended([board])
    assert notebook.snapshots() == [("first", {"number": 2}), ("second", {"number": 2})]


def test_board_that_is_not_displayed_has_no_snapshot(notebook: Notebook, drawn: list[Any]) -> None:
    Snapshots().cell_ended([Board()])
    assert (notebook.outputs, drawn) == ([], [])


def wait_for_pngs() -> None:
    for thread in threading.enumerate():
        if thread.name == "trackbook-snapshots":
            thread.join()


def test_charts_are_there_at_the_end_of_the_cell_and_the_png_later(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    kept.place(board)
    notebook.late = True
    with kept._drawing:  # while another PNG is being made
        kept.cell_ended([board])
        ((_, _, still), _) = notebook.outputs
        assert still == {VEGA_LITE: {"number": 1}, "text/plain": "board 1"}
    wait_for_pngs()
    ((_, _, still), _) = notebook.outputs
    assert still == {VEGA_LITE: {"number": 1}, "text/plain": "board 1", "image/png": "UE5H"}
    assert "trackbook-snapshots" in notebook.threads
    assert board.still == 2


def test_snapshot_follows_the_first_points_and_is_renewed_each_minute(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    notebook.late, board.source.logged = True, 0
    kept.place(board)
    assert kept.tick(100.0) == snapshots.LOOK_SECONDS
    assert notebook.snapshots() == [("first", None)]
    board.source.logged = 1
    for now in (101.0, 102.0, 103.0, 110.0, 116.0, 170.0, 176.0, 235.0, 236.0):
        board.number = int(now)
        kept.tick(now)
        wait_for_pngs()
    assert [spec["number"] for spec in drawn] == [101, 103, 116, 176, 236]
    assert board.still == 5  # each shown once
    ((_, _, still), _) = notebook.outputs
    assert still == {"text/plain": "board 236", "image/png": "UE5H"}  # JupyterLab would draw a Vega-Lite
    board.source.running = False
    kept.tick(300.0)
    wait_for_pngs()
    ((_, _, still), _) = notebook.outputs
    assert still == {VEGA_LITE: {"number": 236}, "text/plain": "board 236", "image/png": "UE5H"}


def test_run_that_ends_without_a_cell_has_its_last_snapshot(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    notebook.late = True
    kept.place(board)
    kept.tick(100.0)
    board.number, board.source.running = 2, False
    assert kept.tick(130.0) == snapshots.FOREVER
    assert notebook.snapshots() == [("first", {"number": 2})]
    board.number = 3
    kept.tick(500.0)
    assert notebook.snapshots() == [("first", {"number": 2})]
    wait_for_pngs()


def test_page_that_lacks_the_snapshot_gets_it(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    kept.place(board)
    kept.cell_ended([board])
    answer, _ = board.answers["still"]({})
    assert answer["data"] == notebook.outputs[0][2]
    mark = {"session": board.source.id, "still": board.still}
    assert answer["metadata"] == {"trackbook": mark, "image/png": {"width": 300, "height": 200, "alt": ""}}


def test_snapshot_that_the_notebook_lost_is_shown_by_the_next_cell(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    notebook.late = True
    kept.place(board)
    kept.cell_ended([board])
    wait_for_pngs()
    notebook.outputs.clear()
    assert board.answers["lost"]({}) == ({}, [])
    for notebook.running in ("second", "third"):
        kept.cell_ended([board])
    assert notebook.snapshots() == [("second", {"number": 1})]


def test_snapshot_whose_cell_ran_again_is_gone_and_not_lost(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board, other = Snapshots(), Board(1), Board(2)
    notebook.late = True
    for notebook.running, notebook.id, shown in (("first", "a", board), ("second", "b", other)):
        kept.place(shown)
        kept.cell_ended([shown])
    wait_for_pngs()
    notebook.outputs.clear()
    for it in (board, other):
        assert it.answers["lost"]({}) == ({}, [])
    notebook.running, notebook.id = "third", "a"  # the cell of the first board, now without one
    kept.cell_ended([])
    assert notebook.snapshots() == [("third", {"number": 2})]


def test_missing_png_is_warned_of_once(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> PictureFile:
        raise NoPictureError("No module named 'vl_convert'")

    monkeypatch.setattr(Converter, "picture", fail)
    kept, boards = Snapshots(), [Board(1), Board(2)]
    for board in boards:
        kept.place(board)
    with pytest.warns(TrackbookWarning, match="no PNG .* No module named 'vl_convert'") as said:
        kept.cell_ended(boards)
    assert len(said) == 1
    assert notebook.snapshots() == [("first", {"number": 1}), ("first", {"number": 2})]


def test_without_a_converter_training_has_charts_too(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> PictureFile:
        raise NoPictureError("no converter")

    monkeypatch.setattr(Converter, "picture", fail)
    monkeypatch.setattr(snapshots, "warn", lambda _: None)
    kept, board = Snapshots(), Board()
    notebook.late = True
    kept.place(board)
    kept.tick(100.0)
    wait_for_pngs()
    assert notebook.snapshots() == [("first", {"number": 1})]


def test_charts_of_ones_own_are_added_when_the_converter_has_drawn_them(notebook: Notebook, drawn: list[Any]) -> None:
    kept, board = Snapshots(), Board()
    board.user_charts = [{"name": "own"}]
    kept.place(board)
    notebook.late = True
    with kept._drawing:
        kept.cell_ended([board])
        assert notebook.snapshots() == [("first", {"number": 1})]
    wait_for_pngs()
    assert notebook.snapshots() == [("first", {"number": 1, "own": [{"name": "own"}]})]
    with kept._drawing:
        board.number = 2
        kept.cell_ended([board])
        assert notebook.snapshots() == [("first", {"number": 2, "own": [{"name": "own"}]})]
    wait_for_pngs()
    assert len(drawn) == 2


def test_charts_of_ones_own_that_cannot_be_drawn_leave_the_others(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(_: Any, spec: Any) -> PictureFile:
        if "own" in spec:
            raise NoPictureError("Unrecognized function: no_such_function")
        return PictureFile(b"PNG", 300, 200)

    monkeypatch.setattr(Converter, "picture", draw)
    kept, board = Snapshots(), Board()
    board.user_charts = [{"name": "own"}]
    kept.place(board)
    for board.number in (1, 2):
        kept.cell_ended([board])
    ((_, _, still), _) = notebook.outputs
    assert still == {VEGA_LITE: {"number": 2}, "text/plain": "board 2", "image/png": "UE5H"}


# --- clear_output


class FakeShell:
    """A kernel without publishers, since the tests report clears themselves."""

    display_pub = displayhook = object()


@pytest.fixture
def cell(notebook: Notebook, drawn: list[Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Snapshots, Any, Notebook]:
    """Execute a cell that displays a board."""
    notebook.shell = FakeShell()
    kept, board = Snapshots(), Board()
    kept.place(board)
    return kept, board, notebook


def clear(kept: Snapshots, notebook: Notebook, *, wait: bool = False) -> None:
    kept._clears._note({"header": {"msg_type": "clear_output"}, "content": {"wait": wait}})
    if not wait:
        notebook.outputs.clear()


def output(kept: Snapshots, notebook: Notebook, text: str) -> None:
    """Add an output of the user, with which a waiting clear takes effect."""
    if kept._clears._waits:
        notebook.outputs.clear()
    kept._clears._note({"header": {"msg_type": "display_data"}, "content": {}})
    notebook.outputs.append((notebook.running, None, {"text": text}))


def seen(notebook: Notebook, board: Any) -> list[str]:
    """Return the kinds of the outputs of the cell."""
    return ["board" if data is board else data.get("text") or " ".join(sorted(data)) for _, _, data in notebook.outputs]


SNAPSHOT, NOTE = "application/vnd.vegalite.v5+json image/png text/plain", "text/html text/plain"


def test_cleared_board_comes_back_once_at_the_end_of_the_cell(cell: tuple[Snapshots, Any, Notebook]) -> None:
    kept, board, notebook = cell
    for number in range(5):
        clear(kept, notebook, wait=True)
        output(kept, notebook, f"step {number}")
    kept.cell_ended([board])
    assert seen(notebook, board) == ["step 4", "board", SNAPSHOT, NOTE]
    kept.cell_ended([board])
    assert seen(notebook, board) == ["step 4", "board", SNAPSHOT, NOTE]


def test_board_comes_back_below_a_figure_that_waits_to_be_cleared(cell: tuple[Snapshots, Any, Notebook]) -> None:
    kept, board, notebook = cell
    for number in range(5):
        output(kept, notebook, f"figure {number}")
        clear(kept, notebook, wait=True)
    kept.cell_ended([board])
    assert seen(notebook, board) == ["figure 4", "board", SNAPSHOT, NOTE]


def test_board_that_was_not_cleared_is_not_displayed_again(cell: tuple[Snapshots, Any, Notebook]) -> None:
    kept, board, notebook = cell
    clear(kept, notebook, wait=True)  # and no output follows
    kept.cell_ended([board])
    assert seen(notebook, board) == [SNAPSHOT, NOTE]


@pytest.mark.parametrize("wait", [False, True])
def test_cleared_board_returns_while_the_cell_runs(cell: tuple[Snapshots, Any, Notebook], wait: bool) -> None:
    kept, board, notebook = cell
    assert kept.tick(0.0) == snapshots.FOREVER
    clear(kept, notebook, wait=wait)
    output(kept, notebook, "figure")
    if wait:
        clear(kept, notebook, wait=True)
    cleared = kept._clears.changed
    assert kept.tick(cleared + 0.25) == pytest.approx(0.75)
    assert kept.tick(cleared + 1.0) == snapshots.FOREVER
    assert [one for one in seen(notebook, board) if one in ("figure", "board")] == ["figure", "board"]
    kept.cell_ended([board])
    assert seen(notebook, board).count("board") == 1


def test_next_cell_starts_afresh(cell: tuple[Snapshots, Any, Notebook]) -> None:
    kept, board, notebook = cell
    kept.cell_ended([board])
    notebook.running = "second"
    notebook.outputs.clear()
    kept.cell_ended([board])
    assert seen(notebook, board) == []
