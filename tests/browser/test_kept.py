"""A board outlives reloads, other views and the kernel itself."""

from __future__ import annotations

import math
import subprocess
import sys

from playwright.sync_api import expect

from browser.lab import Lab

TRAIN = """
import math, time
import trackbook as tb

run = tb.init(project="PROJECT", name="only")
for i in range(300):
    run.log({"train/loss": math.exp(-i / 60), "train/accuracy": 1 - math.exp(-i / 60)})
    if i == 150:
        HALFWAY
    time.sleep(0.003)
tb.finish()
"""


def training(project: str, halfway: str = "pass") -> str:
    return TRAIN.replace("PROJECT", project).replace("HALFWAY", halfway)


LOGGED = {
    "train/loss": [("only", i, math.exp(-i / 60)) for i in range(300)],
    "train/accuracy": [("only", i, 1 - math.exp(-i / 60)) for i in range(300)],
}


def test_after_a_page_reload_the_same_charts_are_back(lab: Lab) -> None:
    lab.write_and_open("reloaded", training("reloaded"))
    lab.run_to_end(0)
    assert lab.board().wait_for_rows("train/loss", 300).picture() == LOGGED
    lab.save()
    lab.reload()
    assert lab.board().wait().picture() == LOGGED


def test_a_page_reloaded_in_mid_run_has_its_board_when_the_cell_ends(lab: Lab) -> None:
    lab.write_and_open("midrun", training("midrun").replace("0.003", "0.03"))
    lab.run(0)
    lab.board().wait_for_rows("train/loss", 20)
    lab.save()
    lab.reload()
    assert lab.board().wait_for_rows("train/loss", 300, seconds=60).picture() == LOGGED


def test_a_second_view_opened_in_mid_run_shows_the_same(lab: Lab) -> None:
    lab.write_and_open("second", training("second", "display(tb.board())"))
    lab.run_to_end(0)
    first, second = lab.board(), lab.board(view=1)
    assert first.wait_for_rows("train/loss", 300).picture() == LOGGED
    assert second.wait_for_rows("train/loss", 300).picture() == LOGGED


def test_a_view_in_another_cell_shows_the_same(lab: Lab) -> None:
    lab.write_and_open("another", training("another"), "tb.board('another')")
    lab.run_to_end(0)
    lab.run_to_end(1)
    assert lab.board(1).wait_for_rows("train/loss", 300).picture() == LOGGED


def test_a_trusted_notebook_executed_without_a_front_end_shows_all_that_its_failed_cell_logged(lab: Lab) -> None:
    path = lab.write("raised", training("raised", "raise ValueError('halfway')"))
    execute = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--allow-errors", "--inplace", path]
    trust = [sys.executable, "-m", "jupyter", "trust", path]  # untrusted notebooks show a widget's text only
    for command in (execute, trust):
        subprocess.run(command, env=lab.server.environment, check=True, capture_output=True)
    lab.open("raised")
    board = lab.board().wait()
    assert board.picture() == {metric: rows[:151] for metric, rows in LOGGED.items()}
    assert lab.cell(0).locator("[data-mime-type='application/vnd.jupyter.stderr']").is_visible()
    still = lab.cell(0).locator(".jp-RenderedVegaLite")
    still.locator("canvas, svg").first.wait_for(state="attached")
    expect(still).to_be_hidden()
