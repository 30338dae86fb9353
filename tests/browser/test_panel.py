"""The runs panel and compare in JupyterLab, over a sweep of one cell and older runs of the project."""

from __future__ import annotations

from typing import Any

import pytest

from browser.lab import Board, Lab
from browser.test_looks import check_layout

EARLIER = """
PROJECT = "panel"

import math
import trackbook as tb

def sweep(name, count, **fields):
    for number in range(count):
        lr = [0.003, 0.01, 0.03][number % 3]
        config = {"lr": lr, "optimizer": {"name": ["adam", "sgd"][number % 2]}, "seed": 7}
        run = tb.init(project=PROJECT, name=f"{name} {number}", config=config, **fields)
        for i in range(40):
            run.log({"train/loss": 2 * math.exp(-i * lr) + number / 9, "val/accuracy": 1 - math.exp(-i * lr - 0.1)})
        tb.finish()

sweep("earlier", 9, display=False, tags=["old"])
"""
BOARD = """
sweep("now", 6)
board = tb.board()
"""


GROUP = "board.group_by = 'config.lr'; board.run_sort = '-max.val/accuracy'"
UNGROUP = "board.group_by = board.run_sort = ''"
NAMES = "print(*tb.runs(PROJECT)['name'])"


TOPS = "(charts) => charts.map((chart) => [...chart.querySelectorAll('select')].map((it) => it.getBoundingClientRect().top))"


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    """A board of six runs in a project of fifteen, with its panel open."""
    lab = lab_of_module
    lab.write_and_open("panel", EARLIER, BOARD, GROUP, UNGROUP, NAMES)
    lab.run_to_end(0)
    lab.run_to_end(1)
    board = lab.board(1).wait()
    board.root.locator(".tb-runs-button").click()
    rows(board).nth(14).wait_for()
    return lab


@pytest.fixture
def panel(lab: Lab) -> Board:
    return lab.board(1).wait()


def rows(board: Board) -> Any:
    return board.root.locator(".tb-runs-rows > .tb-runs-row")


def row(board: Board, name: str) -> Any:
    return rows(board).filter(has_text=name)


def test_earlier_run_is_drawn_while_it_is_selected(panel: Board) -> None:
    box = row(panel, "earlier 3").locator("input")
    box.check()
    panel.page.wait_for_function(
        "(chart) => new Set(chart.view.data('points').map((row) => row.run)).size === 7",
        arg=panel.chart("train/loss").element_handle(),
    )
    assert "earlier 3" in panel.runs()
    box.uncheck()
    panel.root.locator(".tb-legend .tb-run", has_text="earlier 3").wait_for(state="detached")
    assert len(panel.runs()) == 6


def test_python_groups_runs_and_each_is_drawn_as_one(lab: Lab, panel: Board) -> None:
    lab.run_to_end(2)
    panel.root.locator(".tb-legend .tb-run", has_text="lr 0.01 (2 runs)").wait_for()
    panel.page.wait_for_function(
        "(chart) => chart.view.data('points').some((row) => row.high > row.low)",
        arg=panel.chart("train/loss").element_handle(),
    )
    assert len({row["run"] for row in panel.rows("train/loss")}) == 3
    assert panel.root.locator("[aria-sort=descending]").inner_text() == "max val/accuracy"
    panel.look("panel-grouped")
    lab.run_to_end(3)
    panel.root.locator(".tb-legend .tb-run", has_text="lr 0.01 (2 runs)").wait_for(state="detached")


def test_keys_rename_and_delete_runs_and_leave_the_notebook_alone(lab: Lab, panel: Board) -> None:
    cells = lab.page.locator(".jp-NotebookPanel .jp-CodeCell").count()
    grid = panel.root.locator(".tb-runs")
    grid.focus()
    keyboard = panel.page.keyboard
    for key in ("Home", "d", "d", "a", "x", "F2"):
        keyboard.press(key)
    keyboard.type("the best")
    keyboard.press("Enter")
    row(panel, "the best").wait_for()
    panel.root.locator(".tb-legend .tb-run", has_text="the best").wait_for()
    keyboard.press("End")
    keyboard.press("Delete")
    keyboard.press("Enter")
    row(panel, "earlier 0").wait_for(state="detached")
    assert lab.page.locator(".jp-NotebookPanel .jp-CodeCell").count() == cells
    lab.run_to_end(4)
    names = lab.cell(4).locator(".jp-OutputArea-output").inner_text()
    assert ("the best" in names, "now 5" in names, "earlier 0" in names) == (True, False, False)


def test_nothing_is_clipped_or_overlapping(lab: Lab, panel: Board) -> None:
    panel.root.locator(".tb-runs").focus()
    panel.page.keyboard.press("ArrowDown")
    panel.page.keyboard.press("Enter")
    for theme in ("light", "dark"):
        lab.set_theme(theme)
        for width in (1280, 700):
            lab.set_size(width, 1800)
            for tab in ("Compare", "Runs"):
                panel.root.get_by_role("tab", name=tab).click()
                if tab == "Compare":
                    panel.root.locator(".tb-compare-plot[data-drawn]").nth(1).wait_for()
                lab.wait_for_quiet()
                panel.look(f"panel-{tab.lower()}-{width}-{theme}")
                assert panel.faint() == [], f"{tab} at {width}, {theme}"
                wider = panel.root.evaluate("(board) => board.scrollWidth - board.clientWidth")
                assert wider <= 0, f"{tab} at {width}: the board scrolls sideways by {wider} px"
                if tab == "Compare":
                    lines = panel.root.locator(".tb-compare-chart").evaluate_all(TOPS)
                    assert [len(set(tops)) for tops in lines] == [1, 1], (
                        f"selects of one chart are not in a line: {lines}"
                    )
    panel.root.locator(".tb-side-line .tb-panel-close").click()
    lab.wait_for_quiet()
    check_layout(panel)
