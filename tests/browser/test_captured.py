"""The tabs of a run's details show what was captured of a real cell."""

from __future__ import annotations

import platform

from browser.lab import Board, Lab
from browser.test_details import choose, in_view, open_details, wait_for_line

CELL = """
import trackbook as tb
from tqdm import tqdm

run = tb.init(project="captured", name="real", capture=True)
for step in tqdm(range(20), desc="batches"):
    tb.log({"loss": 1 / (step + 1)})
print("first part")
"""
AGAIN = "tb.log({'loss': 0.0})\nrun.name"


def heads(board: Board) -> list[list[str]]:
    return [head.split("\n")[:-1] for head in board.root.locator(".tb-cell-head").all_inner_texts()]


def test_tabs_show_console_code_and_environment(lab: Lab) -> None:
    lab.write_and_open("captured", CELL, AGAIN, "tb.finish()")
    for number in (0, 1, 1, 2):
        lab.run_to_end(number)
    board = lab.board().wait_for_rows("loss", 22)
    open_details(board)
    choose(board, "Console")
    wait_for_line(board, "first part")
    bar, printed = in_view(board)
    assert bar.startswith("batches: 100%|")
    assert printed == "first part", "it stands in a line of its own, though the bar's newline comes after it"
    code = choose(board, "Code")
    code.get_by_text('tqdm(range(20), desc="batches")').wait_for()
    code.get_by_text("tb.finish()").wait_for()
    assert heads(board) == [["In [1]"], ["In [2]"], ["In [3]", "run again"], ["In [4]"]]
    assert code.locator(".tb-code.tb-minor").all_inner_texts() == ["'real'", "'real'"]
    environment = choose(board, "Environment")
    environment.get_by_text(platform.python_version(), exact=True).wait_for()
