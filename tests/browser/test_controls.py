"""Settings made on the board take effect, reach Python, and survive a reload."""

from __future__ import annotations

import pytest

from browser.lab import Board, Lab
from browser.scripts import OF_LINES

PROGRAM = """
import trackbook as tb

run = tb.init(project="controls", name="only")
for i in range(60):
    run.log({"train/loss": 1 / (1 + i) - 0.1, "train/epoch": i // 10, "lr": 0.1 * 0.9**i})
    if i % 10 == 9:
        run.log({"val/acc": i / 60, "val/loss": 60 - i})
board = tb.board()
tb.finish()
"""
READ = "print(board.y_scale, board.smoothing_kind, board.columns, board.clip_outliers, board.marks)"
SET = 'board.x_axis, board.smoothing, board.columns, board.group_order = "train/epoch", 4, 2, ["val"]'


HIDE = "board.hidden_runs = [run.id]"
SHOW = "board.hidden_runs = []"


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    lab_of_module.write_and_open("controls", PROGRAM, READ, HIDE, SHOW, SET)
    lab_of_module.run_to_end(0)
    return lab_of_module


@pytest.fixture
def board(lab: Lab) -> Board:
    return lab.board().wait()


def read(lab: Lab, number: int) -> str:
    lab.run_to_end(number)
    return lab.cell(number).locator(".jp-OutputArea-output").inner_text().strip()


def xs(board: Board, metric: str) -> list[float]:
    found: list[float] = board.chart(metric).evaluate(f"(chart) => ({OF_LINES})(chart).map((row) => row.x)")
    return found


def marks_drawn(board: Board, metric: str) -> int:
    count: int = board.chart(metric).evaluate(
        """(chart) => {
            const walk = (one) => one.marktype === "symbol" ? one.items.length
                : (one.items ?? []).reduce((sum, item) => sum + walk(item), 0);
            return walk(chart.view.scenegraph().root);
        }"""
    )
    return count


def test_keys_reach_the_menu_and_not_the_notebook(lab: Lab, board: Board) -> None:
    cells = lab.page.locator(".jp-CodeCell").count()
    board.root.locator(".tb-menu-button").focus()
    for key in ("Enter", "Tab", "a", "b", "d", "d", "Escape"):
        lab.page.keyboard.press(key)
    assert lab.page.evaluate("() => document.activeElement.className") == "tb-menu-button"
    assert lab.page.locator(".jp-CodeCell").count() == cells
    mover = board.root.locator("[data-group=val] .tb-move").first
    mover.focus()
    lab.page.keyboard.press("Enter")
    assert list(board.groups()) == ["", "val", "train"]


def test_board_says_when_all_runs_are_hidden(lab: Lab, board: Board) -> None:
    lab.run_to_end(2)
    board.root.get_by_text("All runs are hidden.").wait_for()
    assert not board.chart("lr").is_visible()
    lab.run_to_end(3)
    lab.board().wait_for_rows("lr", 60)


def test_the_view_menu_sets_what_python_reads(lab: Lab, board: Board) -> None:
    board.root.locator(".tb-menu-button").click()
    menu = board.root.get_by_role("dialog", name="View")
    menu.get_by_role("radiogroup", name="Y scale").get_by_role("radio", name="Log").check()
    menu.get_by_role("radiogroup", name="Smoothing").get_by_role("radio", name="Exponential").check()
    menu.get_by_role("radiogroup", name="Columns").get_by_role("radio", name="2").check()
    menu.get_by_role("radiogroup", name="Clip outliers").get_by_role("radio", name="Always").check()
    lab.wait_for_quiet()
    assert marks_drawn(board, "val/acc") == 1  # of its best value
    menu.get_by_label("Mark the best value").uncheck()
    lab.wait_for_quiet()
    assert marks_drawn(board, "val/acc") == 0
    menu.get_by_label("Marks on points").check()
    lab.wait_for_quiet()
    board.look("view-menu")
    lab.page.keyboard.press("Escape")
    assert not menu.is_visible()
    assert lab.page.evaluate("() => document.activeElement.className") == "tb-menu-button"
    assert read(lab, 1) == "log exponential 2 always True"
    assert marks_drawn(board, "val/acc") == 6
    loss = board.chart("train/loss")
    assert loss.evaluate("(chart) => chart.view.scale('y').type") == "log"
    assert "values ≤ 0" in loss.locator(".tb-remarks").inner_text()
    board.look("log-scale")


def test_python_sets_what_the_board_shows_and_a_reload_keeps_it(lab: Lab) -> None:
    lab.run_to_end(4)
    for reloaded in (False, True):
        if reloaded:
            lab.save()
            lab.reload()
        board = lab.board().wait()
        lab.page.wait_for_function("() => document.querySelector('.tb-x-axis')?.value === 'train/epoch'")
        lab.wait_for_quiet()
        assert board.root.locator(".tb-smoothing").input_value() == "0.8"
        assert list(board.groups()) == ["val", "", "train"]
        assert xs(board, "train/loss") == [float(i // 10) for i in range(60)]
        assert len(set(board.root.locator(".tb-chart").evaluate_all("(all) => all.map((c) => c.offsetLeft)"))) <= 2
    board.look("metric-x")
