"""What is set for single charts: ends of axes, lines, outliers; best values and the baseline; the header at every width."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from browser.lab import OUTPUT, Board, Lab

PROGRAM = """
import math
import trackbook as tb

for lr in (0.1, 0.2):
    run = tb.init(project="options", name=f"lr {lr}", reinit="create_new")
    run.define_metric("reward", goal="max")
    for i in range(300):
        run.log({"train/loss": 800.0 if i < 3 else 0.5 + lr * math.cos(i / 9), "reward": lr * i * (300 - i)})
    board = tb.board()
    run.finish()
"""
READ = "print(board.y_ranges, board.reference_lines, board.baseline == tb.get_run('lr 0.1', project='options').id)"
VALUES = """
def value(i):
    if i % 1171 == 3:
        return float("nan") if i % 2 else float("-inf")
    return 1000.0 + i if i % 500 == 7 else -0.01 * (i % 7) if i % 401 == 5 else 1 + 0.001 * (i % 10)
"""
BUCKETS = f"""
{VALUES}
run = tb.init(project="buckets", name="only")
for i in range(20_000):
    run.log({{"loss": value(i)}})
run.finish()
"""
LOG = "other = tb.board('buckets'); other.y_scale, other.clip_outliers = 'log', 'always'; other"
EXPLODES = """
with tb.init(project="explodes", name="only", capture=False) as run:
    for i in range(300):
        run.log({"loss": 2.0 - i / 300 if i < 295 else 10.0 ** (i - 292), "lr": 1e-3 - i * 1e-6})
"""
TILES = """
with tb.init(project="tiles", name="only") as run:
    run.log({"params": 8_000_000, "score": 0.9375})
"""


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    lab_of_module.write_and_open("options", PROGRAM, READ, TILES, BUCKETS, LOG, EXPLODES)
    lab_of_module.run_to_end(0)
    lab_of_module.run_to_end(2)
    return lab_of_module


@pytest.fixture
def board(lab: Lab) -> Board:
    return lab.board(0).wait()


def y_axis(board: Board, metric: str) -> list[float]:
    domain: list[float] = board.chart(metric).evaluate("(chart) => chart.view.scale('y').domain()")
    return domain


def test_outliers_are_counted_in_the_head_and_shown_by_a_click(lab: Lab, board: Board) -> None:
    label = board.chart("train/loss").locator(".tb-chart-head .tb-outside")
    assert label.inner_text() == "6 outside"
    assert y_axis(board, "train/loss")[1] < 10
    label.click()
    lab.page.wait_for_function("(label) => label.innerText === '6 outliers shown'", arg=label.element_handle())
    lab.wait_for_quiet()
    assert y_axis(board, "train/loss")[1] >= 800
    label.click()
    lab.page.wait_for_function("(label) => label.innerText === '6 outside'", arg=label.element_handle())


def test_a_loss_that_explodes_offers_a_logarithmic_axis_once(lab: Lab) -> None:
    lab.run_to_end(5)
    exploded = lab.board(5).wait()
    hint = exploded.chart("loss").get_by_role("button", name="Log y?")
    hint.wait_for()
    exploded.look("log-hint")
    assert exploded.chart("lr").locator(".tb-log-hint").is_hidden()
    assert y_axis(exploded, "loss")[0] <= 0
    hint.focus()
    lab.page.keyboard.press("Enter")
    hint.wait_for(state="hidden")
    lab.wait_for_quiet()
    assert y_axis(exploded, "loss")[0] > 0.4
    assert lab.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Menu of loss"
    exploded.look("log-hint-taken")
    lab.save()
    lab.reload()
    exploded = lab.board(5).wait()
    exploded.wait_for_chart("loss")
    lab.wait_for_quiet()
    assert y_axis(exploded, "loss")[0] > 0.4
    exploded.chart("loss").get_by_role("button", name="Menu of loss").click()
    exploded.root.get_by_role("menu").get_by_text("Log y", exact=True).click(timeout=30_000)
    lab.wait_for_quiet()
    assert y_axis(exploded, "loss")[0] <= 0
    assert exploded.chart("loss").locator(".tb-log-hint").is_hidden()


def logged() -> pl.Series:
    """The values that the cell logged."""
    names: dict[str, Any] = {}
    exec(VALUES, names)
    return pl.Series([names["value"](i) for i in range(20_000)])


def outside(values: pl.Series, axis: list[float]) -> int:
    return int((values.is_finite() & ((values < axis[0]) | (values > axis[1]))).sum())


def zoom_in(lab: Lab, board: Board) -> None:
    box = board.chart("loss").locator("canvas").bounding_box()
    assert box
    lab.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60)
    lab.page.mouse.down()
    lab.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 64, steps=3)
    lab.page.mouse.up()
    lab.wait_for_quiet()


def wait_for_count(lab: Lab, board: Board) -> str:
    label = board.chart("loss").locator(".tb-outside")
    lab.page.wait_for_function("(label) => /^[0-9]+ outside$/.test(label.innerText)", arg=label.element_handle())
    return label.inner_text()


def test_values_that_are_not_drawn_are_counted_as_polars_does_at_any_zoom(lab: Lab) -> None:
    values = logged()
    not_finite = int((~values.is_finite()).sum())
    lab.run_to_end(3)
    board = lab.board(3).wait()
    counted = outside(values, y_axis(board, "loss"))
    assert counted > 80
    assert wait_for_count(lab, board) == f"{counted} outside"
    remarks = board.chart("loss").locator(".tb-remarks > span")
    assert remarks.inner_text() == f"{not_finite} not finite"
    board.look("outside-of-buckets")
    zoom_in(lab, board)
    assert wait_for_count(lab, board) == f"{counted} outside"
    assert remarks.inner_text() == f"{not_finite} not finite"


def test_values_without_a_logarithm_are_counted_as_polars_does_at_any_zoom(lab: Lab) -> None:
    values = logged()
    not_positive = int((values.is_finite() & (values <= 0)).sum())
    not_finite = int((~values.is_finite()).sum())
    lab.run_to_end(4)
    board = lab.board(4).wait()
    counted = outside(values, y_axis(board, "loss")) - not_positive
    said = f"{not_positive} values ≤ 0 · {not_finite} not finite"
    remarks = board.chart("loss").locator(".tb-remarks > span")
    for _ in range(2):
        assert wait_for_count(lab, board) == f"{counted} outside"
        assert remarks.inner_text() == said
        zoom_in(lab, board)
    board.look("outside-of-buckets-log")


def test_axis_lines_and_baseline_are_set_by_hand_and_python_reads_them(lab: Lab, board: Board) -> None:
    chart = board.chart("reward")
    chart.hover()
    chart.locator(".tb-more").click()
    menu = chart.get_by_role("menu")
    for label, value in (
        ("Lower end of the y axis", "-1000"),
        ("Upper end of the y axis", "9000"),
        ("Reference lines", "4000"),
    ):
        field = menu.get_by_label(label)
        field.fill(value)
        field.press("Tab" if label != "Reference lines" else "Enter")
        if label != "Reference lines":  # Tab closes the menu
            chart.locator(".tb-more").click()
    lab.page.keyboard.press("Escape")
    lab.wait_for_quiet()
    assert y_axis(board, "reward") == [-1000, 9000]
    board.root.locator(".tb-legend .tb-run").first.click(modifiers=["Shift"])
    lab.wait_for_quiet()
    board.look("chart-options")
    assert chart.locator(".tb-best").inner_text() == "↑ 4500"
    assert chart.locator(".tb-delta").inner_text() != ""
    chart.locator(".tb-plot").hover(position={"x": 140, "y": 60})
    beside = lab.page.locator(".tb-tooltip:not([hidden]) .tb-delta")
    assert "baseline" in beside.all_inner_texts()
    assert beside.count() == 2
    lab.page.screenshot(path=OUTPUT / "chart-options-tooltip.png")
    lab.run_to_end(1)
    said = lab.cell(1).locator(".jp-OutputArea-output").inner_text().strip()
    assert said == "{'reward': [-1000.0, 9000.0]} {'reward': [4000.0]} True"


@pytest.mark.parametrize("width", [1280, 950, 700, 500])
def test_the_header_is_one_line_at_any_width(lab: Lab, board: Board, width: int) -> None:
    lab.set_size(width, 1600)
    lab.wait_for_quiet()
    board.look(f"header-{width}")
    assert board.root.locator(".tb-top").evaluate("(head) => head.clientHeight") <= 34
    places = "(all) => all.map((one) => one.getBoundingClientRect().top).map(Math.round)"
    tops = board.root.locator(".tb-runs-button:visible, .tb-menu-button:visible, .tb-search:visible").evaluate_all(
        places
    )
    assert max(tops) - min(tops) <= 4
    lab.set_size(1280, 1600)


def test_single_values_of_a_lone_run_are_numbers(lab: Lab) -> None:
    board = lab.board(2).wait()
    values = board.root.locator(".tb-tile-value:visible").all_inner_texts()
    assert values == ["8M", "0.9375"]
    box = board.chart("score").bounding_box()
    assert box
    assert box["height"] < 80
    board.look("number-tiles")
