"""The stop button while its cell is busy."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from browser.lab import PATIENCE, Board, Lab

FLAG = """
import trackbook as tb
run = tb.init("flag", name="by flag")
while not run.should_stop:
    tb.log({"loss": 1.0})
tb.finish()
print("ended", run.state)
"""
RAISE = """
import trackbook as tb
tb.init("raise", name="by raise", stop="raise")
while True:
    tb.log({"loss": 1.0})
"""
TRACK = """%%track loss --project track --name tracked
while True:
    loss = 1.0
"""
DEAF = """
import pathlib, time
run = tb.init("deaf", name="deaf")
tb.log({"loss": 1.0})
while not pathlib.Path("drawn").exists():
    time.sleep(0.02)
with tb.board().publisher.lock:  # as a host that delivers nothing while a cell is busy
    pathlib.Path("deaf").touch()
    while not pathlib.Path("told").exists():
        time.sleep(0.02)
while not run.should_stop:
    time.sleep(0.02)
tb.finish()
"""
STATES = """
print(*(tb.runs(project)["state"][0] for project in ("flag", "raise", "track")))
"""


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    lab_of_module.write_and_open("stop", FLAG, RAISE, TRACK, STATES, DEAF)
    return lab_of_module


def stop(lab: Lab, number: int, name: str) -> Board:
    """Run a cell, and click its board's button while the cell is busy."""
    lab.run(number)
    board = lab.board(number).wait_for_chart("loss")
    assert lab.is_busy(number)
    board.look(f"stop-{number}")
    board.root.get_by_role("button", name=f"Stop run {name}").click()
    lab.wait_until_done(number)
    return board


def text(lab: Lab, number: int) -> str:
    return "\n".join(lab.cell(number).locator(".jp-OutputArea-output pre").all_inner_texts())


def test_loop_that_asks_should_stop_ends(lab: Lab) -> None:
    board = stop(lab, 0, "by flag")
    assert "ended interrupted" in text(lab, 0)
    state = board.root.locator('.tb-state[data-state="interrupted"]')
    expect(state).to_have_attribute("title", "stopped by the stop button of its board")
    board.root.locator(".tb-stop").wait_for(state="hidden")


@pytest.mark.parametrize(("number", "name"), [(1, "by raise"), (2, "tracked")])
def test_loop_that_asks_nothing_ends_by_stopped(lab: Lab, number: int, name: str) -> None:
    board = stop(lab, number, name)
    assert f"Stopped: run '{name}' was stopped by the stop button of its board" in text(lab, number)
    board.root.locator('.tb-state[data-state="interrupted"]').wait_for()


def test_stopped_runs_have_their_states(lab: Lab) -> None:
    lab.run_to_end(3)
    assert text(lab, 3).strip() == "interrupted interrupted interrupted"


def test_stop_waits_for_a_kernel_that_does_not_hear(lab: Lab) -> None:
    folder = lab.server.root
    lab.run(4)
    board = lab.board(4).wait_for_chart("loss")
    (folder / "drawn").touch()
    end = time.monotonic() + PATIENCE
    while not (folder / "deaf").exists() and time.monotonic() < end:
        time.sleep(0.05)
    board.root.get_by_role("button", name="Stop run deaf").click()
    board.root.get_by_text("Waiting for the cell to end").wait_for()
    board.look("stop-late")
    (folder / "told").touch()
    lab.wait_until_done(4)
