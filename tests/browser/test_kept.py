"""Boards survive reloads, other views and the kernel."""

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


def test_second_views_and_a_reloaded_page_show_the_same(lab: Lab) -> None:
    lab.write_and_open("kept", training("kept", "display(tb.board())"), "tb.board('kept')")
    lab.run_to_end(0)
    lab.run_to_end(1)
    for reloaded in (False, True):
        if reloaded:
            lab.save()
            lab.reload()
        for board in (lab.board(), lab.board(view=1), lab.board(1)):
            assert board.wait_for_rows("train/loss", 300).picture() == LOGGED


def test_page_reloaded_mid_run_has_its_board_at_the_end(lab: Lab) -> None:
    reloaded = lab.server.root / "reloaded"
    wait = "import pathlib\n        while not pathlib.Path('reloaded').exists(): time.sleep(0.02)"
    lab.write_and_open("midrun", training("midrun", wait))
    lab.run(0)
    lab.board().wait_for_rows("train/loss", 150)
    lab.save()
    lab.reload()
    reloaded.touch()
    assert lab.board().wait_for_rows("train/loss", 300).picture() == LOGGED


def test_executed_notebook_shows_what_its_failed_cell_logged(lab: Lab) -> None:
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
