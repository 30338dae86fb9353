"""Boards inside the boxes of ipywidgets."""

from __future__ import annotations

import pytest

from browser.lab import Lab

RUNS = """
import ipywidgets
import trackbook as tb

for name in "ab":
    with tb.init("boxes", name, display=False) as run:
        for i in range(8):
            run.log({"loss": 1 / (1 + i)})
boards = [tb.board("boxes", name) for name in "ab"]
"""


def widths(lab: Lab, cell: int) -> list[float]:
    boards = [lab.board(cell, view=view).wait() for view in (0, 1)]
    lab.wait_for_quiet()
    return [board.box()["width"] for board in boards]


@pytest.mark.parametrize("box", ["HBox", "VBox", "GridBox"])
def test_boards_in_a_box_use_the_available_width(lab: Lab, box: str) -> None:
    lab.write_and_open("boxes", RUNS, "boards[0]", f"ipywidgets.{box}(boards)")
    for cell in range(3):
        lab.run_to_end(cell)
    whole = lab.board(1).wait().box()["width"]
    first, second = widths(lab, 2)
    assert abs(first - second) < 1
    share = 2 if box == "HBox" else 1
    assert whole / share - 20 < first <= whole / share


def test_width_that_the_user_gave_a_board_in_a_row_is_kept(lab: Lab) -> None:
    lab.write_and_open("given", RUNS, "boards[0].layout.width = '300px'\nipywidgets.HBox(boards)")
    for cell in range(2):
        lab.run_to_end(cell)
    first, second = widths(lab, 1)
    assert abs(first - 300) < 20
    assert second > 500
