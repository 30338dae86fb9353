"""Errors are shown in their place."""

from __future__ import annotations

from browser.lab import Lab

PROGRAM = """
import trackbook as tb

run = tb.init(project="broken")
run.log({"good": 1, "bad": 1})
run.log({"good": 2, "bad": 2})
"""


def test_error_of_a_chart_shows_in_its_place(lab: Lab) -> None:
    lab.write_and_open("chart", PROGRAM, "run.log({'good': 3, 'bad': 3})")
    lab.run_to_end(0)
    board = lab.board().wait()
    board.chart("bad").evaluate("(chart) => { chart.view.change = () => { throw new Error('<b>sabotaged</b>') } }")
    lab.run_to_end(1)
    board.chart("bad").locator(".tb-error", has_text="<b>sabotaged</b>").wait_for()
    board.wait_for_rows("good", 3)
    assert board.chart("good").locator(".tb-error").is_hidden()
    board.look("broken")
    lab.forgive("sabotaged")


def test_board_of_another_version_says_so(lab: Lab) -> None:
    lab.write_and_open(
        "version",
        PROGRAM,
        "import trackbook.frames.picture\ntrackbook.frames.picture.VERSION = 999\nrun.log({'good': 3})",
    )
    lab.run_to_end(0)
    board = lab.board().wait()
    lab.run_to_end(1)
    board.root.locator(".tb-notice", has_text="restart the kernel").wait_for()
    lab.forgive("OtherVersion")
