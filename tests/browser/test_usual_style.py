"""The usual style of a notebook: `init` in one cell, training in the next, nobody calls `finish`."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.lab import Lab

INIT = """
import trackbook as tb
run = tb.init(project="usual", name="NAME", config={"lr": LR}, total=60)
run
"""
TRAIN = """
import math, time
for step in range(60):
    tb.log({"train/loss": math.exp(-step / 20)})
    time.sleep(0.05)
"""


def cell(name: str, lr: float) -> str:
    return INIT.replace("NAME", name).replace("LR", str(lr))


def test_cells_that_train_show_a_line_and_mark_the_runs_they_fail(lab: Lab) -> None:
    lab.write_and_open("usual", cell("first", 0.1), TRAIN, "tb.finish()", cell("second", 0.05), TRAIN + "1 / 0")
    for number in range(4):
        lab.run_to_end(number)
    assert "<trackbook run" not in lab.cell(0).inner_text()  # the board is its output
    line = lab.cell(1).locator(".jp-OutputArea-output", has_text="60 / 60 steps")
    expect(line).to_contain_text("train/loss 0.05234")
    card = lab.board(3).root.locator(".tb-changes > summary")
    expect(card).to_contain_text("Since first: lr 0.1 → 0.05")

    lab.run_to_end(4)
    state = lab.board(3).root.locator(".tb-state").first
    expect(state).to_have_text("failed")
    expect(state).to_have_attribute("title", "ZeroDivisionError: division by zero (In [5])")
    lab.cell(4).get_by_role("link", name="board").click()
    expect(lab.board(3).root).to_be_in_viewport()
    lab.board(3).look("usual-failed")
