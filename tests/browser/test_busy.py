"""Controls of a board while the cell is busy."""

from __future__ import annotations

import ipykernel
import pytest

from browser.lab import Lab

LISTEN = """
import math, pathlib, time
import trackbook as tb

run = tb.init(project="PROJECT")
board = tb.board()
PREPARE
end = math.inf
while time.monotonic() < end and not board.smoothing:
    run.log({"loss": time.monotonic() % 1})
    time.sleep(0.02)
    if end == math.inf and pathlib.Path("PROJECT moved").exists():
        end = time.monotonic() + SECONDS
print("heard", board.smoothing)
tb.finish()
"""


def move_the_slider_while_busy(lab: Lab, project: str, prepare: str = "pass", seconds: float = 60) -> str:
    """Move the slider while the cell is busy, and return the cell's output.

    The cell ends when it notices the slider, or some seconds after it was moved. The project is new: a board begins with
    the smoothing that its project's last board had.
    """
    cell = LISTEN.replace("PROJECT", project).replace("PREPARE", prepare).replace("SECONDS", str(seconds))
    lab.write_and_open(project, cell)
    lab.run(0)
    board = lab.board().wait_for_rows("loss", 20)
    assert all(row["smooth"] == row["value"] for row in board.rows("loss"))
    assert lab.is_busy(0)
    board.smooth(7)
    board.page.wait_for_function(
        "(chart) => chart.view.data('points').some((row) => row.smooth !== row.value)",
        arg=board.chart("loss").element_handle(),
    )
    (lab.server.root / f"{project} moved").touch()
    lab.wait_until_done(0)
    return lab.cell(0).locator(".jp-OutputArea-output pre").last.inner_text().strip()


def test_smoothing_while_the_cell_is_busy_reaches_the_kernel(lab: Lab) -> None:
    assert move_the_slider_while_busy(lab, "busy") == "heard 7"


@pytest.mark.xfail(
    ipykernel.version_info >= (7, 4),
    raises=AssertionError,
    reason="ipykernel 7.4 answers on the busy main shell; when this passes, drop the work-around",
)
def test_ipykernel_alone_hears_while_the_cell_is_busy(lab: Lab) -> None:
    undo = 'board.comm.__dict__.pop("_reply_subshell_for", None)'
    assert move_the_slider_while_busy(lab, "busy alone", undo, seconds=4) == "heard 7"
