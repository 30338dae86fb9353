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


def test_runs_of_one_cell_share_a_board_in_two_colours(lab: Lab) -> None:
    lab.write_and_open("sweep", SWEEP, "print(len(tb.runs('sweep')))")
    for count in (2, 4):
        lab.run_to_end(0)
        board = lab.board().wait_for_rows("loss", 50 * count)
        assert lab.page.locator(".tb-board").count() == 1
        assert {name[:6] for name in board.runs()} == {"lr 0.1", "lr 0.2"}  # and ids, where names are the same
        colours = {row["run"]: row["color"] for row in board.rows("loss")}
        assert len(colours) == count
        assert len(set(colours.values())) >= 2
        lab.run_to_end(1)
        assert int(lab.cell(1).locator(".jp-OutputArea-output").inner_text()) == count
