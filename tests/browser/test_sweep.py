from __future__ import annotations

from browser.lab import Lab

SWEEP = """
import trackbook as tb

for lr in (0.1, 0.2):
    tb.init(project="sweep", name=f"lr {lr}", config={"lr": lr})
    for i in range(50):
        tb.log({"loss": 1 / (1 + lr * i)})
    tb.finish()
"""


def test_two_runs_in_one_cell_share_a_board_in_two_colours(lab: Lab) -> None:
    lab.write_and_open("sweep", SWEEP)
    lab.run_to_end(0)
    board = lab.board().wait_for_rows("loss", 100)
    assert lab.page.locator(".tb-board").count() == 1
    assert board.runs() == ["lr 0.1", "lr 0.2"]
    colours = {row["run"]: row["color"] for row in board.rows("loss")}
    assert len(set(colours.values())) == 2


def test_running_the_cell_again_makes_new_runs(lab: Lab) -> None:
    lab.write_and_open("again", SWEEP, "print(len(tb.runs('sweep')))")
    lab.run_to_end(0)
    lab.run_to_end(1)
    first = int(lab.cell(1).locator(".jp-OutputArea-output").inner_text())
    lab.run_to_end(0)
    lab.run_to_end(1)
    assert int(lab.cell(1).locator(".jp-OutputArea-output").inner_text()) == first + 2
    assert lab.page.locator(".tb-board").count() == 1
