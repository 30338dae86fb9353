from __future__ import annotations

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


def test_a_plain_loop_under_a_header_draws_what_an_instrumented_copy_draws(lab: Lab) -> None:
    head = "%%track loss val_acc -> val/acc --project plain"
    copy = f"import trackbook as tb\ntb.init(project='copy')\n{COPY}\ntb.finish()"
    lab.write_and_open("track", "%load_ext trackbook", head + PLAIN, copy)
    for cell in range(3):
        lab.run_to_end(cell)
    boards = [lab.board(cell).wait_for_rows("loss", 60).wait_for_rows("val/acc", 6) for cell in (1, 2)]
    assert boards[0].groups() == {"": ["loss"], "val": ["val/acc"]}
    for metric in ("loss", "val/acc"):
        ours, theirs = ([(row["step"], row["value"]) for row in board.rows(metric)] for board in boards)
        assert ours == theirs


def test_the_board_of_a_tracked_cell_is_live(lab: Lab) -> None:
    seen = lab.server.root / "seen-track"
    seen.unlink(missing_ok=True)
    source = "%%track loss\nimport pathlib, time\nloss = 1.0\nwhile not pathlib.Path('seen-track').exists():\n    loss *= 0.99\n    time.sleep(0.02)"
    lab.write_and_open("track-live", "%load_ext trackbook", source)
    lab.run_to_end(0)
    lab.run(1)
    lab.board(1).wait_for_rows("loss", 20)
    assert lab.is_busy(1)
    seen.touch()
    lab.wait_until_done(1)


def test_a_cell_executed_again_draws_over_the_run_before(lab: Lab) -> None:
    body = "%%track --project again loss\nimport random\nloss = 1.0\nfor i in range(200):\n    loss *= 0.97 + 0.03 * random.random()"
    lab.write_and_open("track-again", "%load_ext trackbook", body)
    lab.run_to_end(0)
    lab.run_to_end(1)
    lab.board(1).wait_for_rows("loss", 200)
    first = lab.board(1).runs()
    lab.cell(1).locator(".jp-InputArea-editor").click()
    lab.page.keyboard.press("End")
    lab.page.keyboard.type("  # edited")
    lab.run_to_end(1)
    board = lab.board(1).wait_for_rows("loss", 402)
    assert len(board.runs()) == 2
    assert set(first) < set(board.runs())
    board.look("track-again")
