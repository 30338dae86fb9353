"""Defects of the board's looks that were seen once: each is told by a measure, and its picture is there to be looked at."""

from __future__ import annotations

from typing import Any

import pytest

from browser.lab import OUTPUT, Board, Lab

PROGRAM = """
import math
import trackbook as tb

for lr in (0.01, 0.1):
    run = tb.init(project="defects", name=f"lr {lr}", reinit="create_new")
    for i in range(301):
        run.log({"train/loss": 2.3 * math.exp(-i * lr / 3), "train/acc": i / 301, "lr": lr, "val/loss": 1 / (1 + i)})
    run.finish()
"""
HIGH_CONTRAST = "JupyterLab Dark High Contrast"
BOXES = "(all) => all.map((one) => { const { width, height, top } = one.getBoundingClientRect(); return [width, height, top]; })"
# The ticks of the x axis that have no label.
BARE_TICKS = """(chart) => {
    const groups = [];
    const walk = (item) => {
        if (item.role === "axis") groups.push(item);
        for (const inner of item.items ?? []) walk(inner);
    };
    walk(chart.view.scenegraph().root);
    const x = groups.find((axis) => axis.items[0].items.some((mark) => mark.role === "axis-tick"));
    const of = (role) => x.items[0].items.find((mark) => mark.role === role).items;
    const shown = of("axis-label").filter((label) => label.opacity !== 0 && label.text);
    return of("axis-tick").length - shown.length;
}"""


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    lab_of_module.write_and_open("defects", PROGRAM)
    lab_of_module.run_to_end(0)
    return lab_of_module


@pytest.fixture
def board(lab: Lab) -> Board:
    return lab.board().wait()


def boxes(board: Board, selector: str) -> list[list[float]]:
    found: list[list[float]] = board.root.locator(selector).evaluate_all(BOXES)
    return found


@pytest.mark.parametrize("width", [1280, 950, 700])
def test_charts_have_whole_pixels_and_equal_heights(lab: Lab, board: Board, width: int) -> None:
    lab.set_size(width, 1600)
    lab.wait_for_quiet()
    plots = boxes(board, ".tb-plot")
    assert all(size == round(size) for wide, high, _ in plots for size in (wide, high)), plots
    assert len({high for _, high, _ in plots}) == 1
    board.look(f"defects-{width}")


@pytest.mark.parametrize("width", [1280, 1100, 950, 700])
def test_no_tick_is_without_its_label(lab: Lab, board: Board, width: int) -> None:
    lab.set_size(width, 1600)
    lab.wait_for_quiet()
    bare = {metric: board.chart(metric).evaluate(BARE_TICKS) for metric in board.metrics()}
    assert set(bare.values()) == {0}, bare


def test_full_screen_has_the_whole_name_larger_labels_and_a_legend(lab: Lab, board: Board) -> None:
    lab.set_size(1280, 1000)
    chart = board.chart("train/loss")
    chart.hover()
    chart.locator(".tb-more").click()
    chart.get_by_role("menu").get_by_text("Full screen", exact=True).click()
    dialog = board.root.locator("dialog[open]")
    dialog.locator("canvas").wait_for()
    lab.wait_for_quiet()
    prefix = dialog.locator(".tb-metric").evaluate("(title) => getComputedStyle(title, '::before').content")
    assert prefix.strip('"') + dialog.locator(".tb-metric").inner_text() == "train/loss"
    assert dialog.locator(".tb-value .tb-swatch").count() == 2
    middle: Any = "(one) => { const { top, bottom } = one.getBoundingClientRect(); return (top + bottom) / 2; }"
    title, more = (dialog.locator(part).evaluate(middle) for part in (".tb-metric", ".tb-more"))
    assert abs(title - more) <= 2
    lab.page.screenshot(path=OUTPUT / "defects-full-screen.png")
    lab.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


def test_a_theme_of_high_contrast_has_its_lines(lab: Lab, board: Board) -> None:
    lab.page.evaluate(
        "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", HIGH_CONTRAST
    )
    lab.page.locator(f"body[data-jp-theme-name='{HIGH_CONTRAST}']").wait_for(state="attached")
    lab.wait_for_quiet()
    line = board.root.locator(".tb-top").evaluate("(head) => getComputedStyle(head).borderBottomColor")
    assert line == "rgb(255, 255, 255)"
    assert board.faint() == []
    board.look("defects-high-contrast")
    lab.set_theme("light")
