"""Controls of a board while the cell is busy."""

from __future__ import annotations

from browser.lab import Lab

LISTEN = """
import math, pathlib, time
import trackbook as tb

run = tb.init(project="busy")
board = tb.board()
end = math.inf
while time.monotonic() < end and not board.smoothing:
    run.log({"loss": time.monotonic() % 1})
    time.sleep(0.02)
    if end == math.inf and pathlib.Path("busy moved").exists():
        end = time.monotonic() + 60
print("heard", board.smoothing)
tb.finish()
"""


def test_smoothing_while_the_cell_is_busy_reaches_the_kernel(lab: Lab) -> None:
    lab.write_and_open("busy", LISTEN)
    lab.run(0)
    board = lab.board().wait_for_rows("loss", 20)
    assert all(row["smooth"] == row["value"] for row in board.rows("loss"))
    assert lab.is_busy(0)
    board.smooth(7)
    board.page.wait_for_function(
        "(chart) => chart.view.data('points').some((row) => row.smooth !== row.value)",
        arg=board.chart("loss").element_handle(),
    )
    (lab.server.root / "busy moved").touch()
    lab.wait_until_done(0)
    assert lab.cell(0).locator(".jp-OutputArea-output pre").last.inner_text().strip() == "heard 7"
