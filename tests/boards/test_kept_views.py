"""View settings that stay: over executions of a cell, on other boards, and in later processes."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from processes import own_process
from shells import Shell
from trackbook.boards.kept_views import KeptView
from trackbook.notebook import host
from trackbook.store.documents import PROJECT, put_document
from trackbook.store.memory import MemoryStore

INIT = "import trackbook as tb\ntb.init(project='p', display=False).finish()\nboard = tb.board('p')"
OTHER = INIT + " # another cell"


@pytest.fixture(autouse=True)
def executions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each cell has a board of its own, as in a kernel."""
    numbers = itertools.count()
    monkeypatch.setattr(host.Host, "cell", lambda _: str(next(numbers)))


def execute(shell: Shell, source: str, **settings: Any) -> Any:
    """Execute a cell that makes a board, and set its view as a hand does; return the board once the view is saved."""
    assert shell.run(source).success
    board = shell.ip.user_ns["board"]
    for name, value in settings.items():
        setattr(board, name, value)
    board.tick(1e9)
    return board


def view(board: Any) -> dict[str, Any]:
    """Return the settings that differ from those of a new board of the project."""
    usual = {"version": 1, "drawn_runs": "newest 10"}
    return {name: value for name, value in board.view().items() if usual.get(name) != value}


def test_cell_executed_again_has_its_view(shell: Shell) -> None:
    execute(shell, INIT, smoothing=8, hidden_runs=["r"])
    execute(shell, OTHER, smoothing=3)
    assert view(execute(shell, INIT)) == {"smoothing": 8, "hidden_runs": ["r"]}


def test_step_of_media_is_that_of_one_board_alone(shell: Shell) -> None:
    first = execute(shell, INIT, media_step=300, smoothing=8)
    assert view(first) == {"media_step": 300, "smoothing": 8}
    assert view(execute(shell, INIT)) == {"smoothing": 8}


def test_new_cell_begins_with_the_settings_of_the_project(shell: Shell) -> None:
    execute(shell, INIT, y_scale="log", hidden_runs=["r"], panel="runs")
    assert view(execute(shell, OTHER)) == {"y_scale": "log"}


def test_choice_of_runs_stays_with_its_cell_unless_the_call_names_runs(shell: Shell) -> None:
    execute(shell, INIT, drawn_runs="all")
    assert view(execute(shell, INIT)) == {"drawn_runs": "all"}
    run = shell.process.last_run.id
    again = INIT.replace("tb.board('p')", f"tb.board('p', runs=['{run}'])")
    assert execute(shell, again).drawn_runs == ""
    assert view(execute(shell, OTHER)) == {}


def test_default_that_is_set_again_is_kept(shell: Shell) -> None:
    execute(shell, INIT, smoothing=8)
    execute(shell, OTHER, smoothing=0)
    assert view(execute(shell, INIT + " # a third")) == {}


def test_another_project_has_a_view_of_its_own(shell: Shell) -> None:
    execute(shell, INIT, smoothing=8)
    assert view(execute(shell, INIT.replace("'p'", "'q'"))) == {}


def test_view_is_there_in_the_next_process(monkeypatch: pytest.MonkeyPatch, store_dir: Path) -> None:
    with own_process(monkeypatch):
        tb.init("p", display=False).finish()
        board = tb.board("p")
        board.run_colors = {"r": "#123456"}
        board.tick(1e9)
    with own_process(monkeypatch):
        assert tb.board("p").run_colors == {"r": "#123456"}


@pytest.mark.parametrize(
    "found",
    [{"version": 9, "smoothing": 5, "new": 1}, {"smoothing": 5, "columns": "many"}, {"smoothing": 5, "x_axis": ""}],
)
def test_view_of_another_version_is_used_as_far_as_it_is_known(found: dict[str, Any]) -> None:
    store = MemoryStore()
    put_document(store, PROJECT, "view", found)
    assert KeptView(store, "cell").load() == {"smoothing": 5}


def test_cells_of_a_notebook_that_only_shows_boards_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    tb.init("p", display=False, capture=False).finish()
    loaded: list[bool] = []
    monkeypatch.setattr(host.Host, "load_magics", lambda _: loaded.append(True))  # which follow cells
    tb.board("p")
    assert loaded
