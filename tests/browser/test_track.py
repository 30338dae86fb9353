from __future__ import annotations

import pytest

from browser.lab import Lab

BODY = """
import numpy as np
rng = np.random.default_rng(0)
weights = rng.normal(size=8)
for epoch in range(6):
    for batch in range(10):
        weights -= 0.1 * weights + 0.02 * rng.normal(size=8)
        loss = float(np.square(weights).sum()){log}
    val_acc = np.exp(-loss){log_val}
"""
PLAIN = BODY.format(log="", log_val="")
COPY = BODY.format(log="\n        tb.log({'loss': loss})", log_val="\n    tb.log({'val/acc': val_acc})")


AGAIN = """%%track --project again loss
import random
loss = 1.0
for i in range(200):
    loss *= 0.97 + 0.03 * random.random()"""

LIVE = """%%track loss
import pathlib, time
loss = 1.0
while not pathlib.Path('seen-track').exists():
    loss *= 0.99
    time.sleep(0.02)"""


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    head = "%%track loss val_acc -> val/acc --project plain"
    copy = f"import trackbook as tb\ntb.init(project='copy')\n{COPY}\ntb.finish()"
    lab_of_module.write_and_open("track", "%load_ext trackbook", head + PLAIN, copy, LIVE, AGAIN)
    lab_of_module.run_to_end(0)
    return lab_of_module


def test_tracked_loop_draws_what_an_explicit_copy_draws(lab: Lab) -> None:
    lab.run_to_end(1)
    lab.run_to_end(2)
    boards = [lab.board(cell).wait_for_rows("loss", 60).wait_for_rows("val/acc", 6) for cell in (1, 2)]
    assert boards[0].groups() == {"": ["loss"], "val": ["val/acc"]}
    for metric in ("loss", "val/acc"):
        ours, theirs = ([(row["step"], row["value"]) for row in board.rows(metric)] for board in boards)
        assert ours == theirs


def test_the_board_of_a_tracked_cell_is_live(lab: Lab) -> None:
    lab.run(3)
    lab.board(3).wait_for_rows("loss", 20)
    assert lab.is_busy(3)
    (lab.server.root / "seen-track").touch()
    lab.wait_until_done(3)


def test_cell_run_again_draws_over_the_earlier_run(lab: Lab) -> None:
    lab.run_to_end(4)
    first = lab.board(4).wait_for_rows("loss", 200).runs()
    lab.cell(4).locator(".jp-InputArea-editor").click()
    lab.page.keyboard.press("Control+End")
    lab.page.keyboard.type("  # edited")
    lab.run_to_end(4)
    board = lab.board(4).wait_for_rows("loss", 402)
    assert len(board.runs()) == 2
    assert set(first) < set(board.runs())
    board.look("track-again")
