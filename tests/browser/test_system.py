"""System metrics are below the run's own metrics, folded at first."""

from __future__ import annotations

import pytest

from browser.lab import THEMES, Lab

PROGRAM = """
import math, time
import trackbook as tb

run = tb.init(project=PROJECT, name="only", capture=["system"], system_seconds=0.1)
for i in range(40):
    run.log({"train/loss": 1 / (1 + i), "lr": 0.1 * 0.9**i})
"""
WAIT = """
while len(run.system().filter(metric="memory %")) < 12:
    time.sleep(0.05)
tb.finish()
"""
HEADING = "[data-group='@system'] .tb-group-toggle"


@pytest.mark.parametrize("theme", THEMES)
def test_system_group_is_last_folded_and_drawn_over_time(lab: Lab, theme: str) -> None:
    name = f"system-{theme}"
    lab.write_and_open(name, PROGRAM.replace("PROJECT", repr(name)) + WAIT, theme=theme)
    lab.run_to_end(0)
    board = lab.board().wait_for_rows("train/loss", 40)
    heading = board.root.locator(HEADING)
    heading.wait_for()
    assert list(board.groups()) == ["", "train", "@system"]
    assert heading.get_attribute("aria-expanded") == "false"
    assert board.root.get_by_text("40 steps").is_visible()
    moves = board.root.locator(".tb-moves").evaluate_all("(all) => all.map((one) => getComputedStyle(one).display)")
    assert moves == ["flex", "flex", "none"], "it stays the last, and so has no buttons to move it"
    system = board.groups()["@system"]
    assert {"@system/cpu %", "@system/memory GB", "@system/memory %"} <= set(system)
    drawn = board.root.locator("[data-group='@system'] .tb-chart[data-drawn]")
    assert drawn.count() == 0
    lab.wait_for_quiet()
    board.look(f"{name}-folded")
    heading.click()
    board.wait_for_rows("@system/memory %", 12)
    xs = board.chart("@system/memory %").evaluate("(chart) => chart.view.data('points').map((row) => row.x)")
    assert xs == sorted(xs)
    assert 0 < xs[0] < xs[-1] < 600_000  # ms since the run began
    assert [row["step"] for row in board.rows("train/loss")] == list(range(40))
    lab.wait_for_quiet()
    board.look(f"{name}-open")
    assert board.root.locator(".tb-chart.tb-broken").count() == 0
