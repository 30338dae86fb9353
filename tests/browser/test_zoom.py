"""A zoom shows the browser's data at once, and the kernel's finer data a moment later."""

from __future__ import annotations

import math

from browser.lab import Lab
from browser.scripts import OF_LINES

STEPS = 200_000

LONG = f"""
import math, pathlib, time
import trackbook as tb
from trackbook.tracking.run import writer_of

run = tb.init(project="zoom", name="long")
for i in range({STEPS}):
    run.log({{"loss": math.sin(i / 1000) + (i % 7) / 10, "acc": i / {STEPS}}})
writer_of(run).hand_over()
while not pathlib.Path("zoomed").exists():
    time.sleep(0.05)
tb.finish()
"""


def test_zoom_shows_every_point_during_and_after_the_cell(lab: Lab) -> None:
    lab.write_and_open("zoom", LONG)
    lab.run(0)
    board = lab.board().wait_for_rows("loss", 500)
    lab.page.wait_for_function(
        f"([chart, last]) => ({OF_LINES})(chart).at(-1)?.step === last",
        arg=[board.chart("loss").element_handle(), STEPS - 1],
    )
    for busy in (True, False):
        board.zoom_to_every_point("loss")
        left, right = board.window("loss", "x") or (0, 0)
        for row in (row for row in board.rows("loss") if left <= row["step"] <= right):
            expected = math.sin(row["step"] / 1000) + (row["step"] % 7) / 10
            assert abs(row["value"] - expected) < 1e-4
        assert board.window("acc", "x") == board.window("loss", "x")
        assert lab.is_busy(0) is busy
        board.look("zoom-raw")
        (lab.server.root / "zoomed").touch()
        lab.wait_until_done(0)
        board.chart("loss").locator(".tb-plot").dblclick()
        board.wait_for_window("acc", "x", zoomed=False)
        assert max(board.steps("loss")) == STEPS - 1
