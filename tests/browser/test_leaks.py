"""A board that is shown and cleared a hundred times leaks nothing."""

from __future__ import annotations

from playwright.sync_api import CDPSession

from browser.lab import Lab

PROGRAM = """
import trackbook as tb
from IPython.display import clear_output, display

with tb.init(project="leaks", name="only", display=False) as run:
    for i in range(50):
        run.log({"train/loss": 1 / (1 + i), "val/acc": i})
board = tb.board("leaks")
"""
SHOW = "display(board)"
CLEAR = "clear_output()"

AGAIN = """async ([number, times]) => {
    const cell = () => document.querySelectorAll(".jp-NotebookPanel .jp-CodeCell")[number];
    const drawn = () => [...cell().querySelectorAll(".tb-chart")].every((chart) => chart.dataset.drawn);
    const until = async (done) => { while (!done()) await new Promise((resolve) => requestAnimationFrame(resolve)); };
    const area = window.jupyterapp.shell.currentWidget.content.widgets[number].outputArea.model;
    const saved = area.toJSON();
    for (let i = 0; i < times; i++) {
        area.clear();
        await until(() => !cell().querySelector(".tb-board"));
        area.fromJSON(saved);
        await until(() => cell().querySelector(".tb-chart") && drawn());
    }
}"""


def counters(session: CDPSession) -> dict[str, int]:
    session.send("HeapProfiler.collectGarbage")
    counted: dict[str, int] = session.send("Memory.getDOMCounters")
    return counted


def test_hundred_cleared_outputs_leak_nothing(lab: Lab) -> None:
    lab.write_and_open("leaks", PROGRAM, SHOW)
    lab.run_to_end(0)
    lab.run_to_end(1)
    lab.board(1).wait()
    session = lab.page.context.new_cdp_session(lab.page)
    lab.page.evaluate(AGAIN, [1, 5])
    before = counters(session)
    lab.page.evaluate(AGAIN, [1, 100])
    after = counters(session)
    # The host keeps a few per output of its own, and one board has over a hundred nodes and dozens of listeners.
    assert after["nodes"] - before["nodes"] < 100 * 20, (before, after)
    assert after["jsEventListeners"] - before["jsEventListeners"] < 100 * 5, (before, after)
    assert lab.page.locator(".tb-board").count() == 1
    assert lab.page.locator(".tb-tooltip").count() <= 1
