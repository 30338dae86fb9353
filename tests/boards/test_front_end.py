from __future__ import annotations

import json

import ipywidgets
import pytest
from ipywidgets.embed import dependency_state

from trackbook.boards import front_end
from trackbook.boards.frame_source import FrameSource
from trackbook.boards.widget import Board
from trackbook.notebook import host
from trackbook.store.memory import MemoryStore


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_end, "built_file", lambda file: f"// {file}")
    monkeypatch.setattr("trackbook.boards.widget.built_file", lambda file: f"// {file}")
    front_end._model.cache_clear()


def board() -> Board:
    return Board("p", FrameSource("p", MemoryStore()))


def test_all_boards_of_a_kernel_share_one_front_end() -> None:
    boards = [board(), board()]
    assert boards[0].front_end is boards[1].front_end
    assert json.dumps([one.get_state() for one in boards], default=str).count("// trackbook.js") == 0
    assert boards[0].front_end.get_state()["code"] == "// trackbook.js"
    assert boards[0]._esm == "// loader.js"


def test_closed_front_end_is_made_again() -> None:
    first = board().front_end
    ipywidgets.Widget.close_all()
    again = board().front_end
    assert again is not first
    assert again.comm is not None


def test_version_differs_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    first = front_end.SharedFrontEnd().version
    monkeypatch.setattr(front_end, "built_file", lambda _: "// newer")
    assert front_end.SharedFrontEnd().version != first


def test_saved_board_includes_its_front_end() -> None:
    one = board()
    state = dependency_state([one])
    assert state[one.front_end.model_id]["state"]["code"] == "// trackbook.js"


def test_board_in_marimo_carries_its_own_front_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "current", host.Marimo)
    assert (board().front_end, board()._esm) == (None, "// trackbook.js")
