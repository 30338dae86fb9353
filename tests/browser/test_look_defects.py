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
NAMES = """
import trackbook as tb

run = tb.init(project="defects of names", name="long")
run.define_metric("val/*", step_metric="epoch")
for i in range(60):
    norms = {f"layers/12/attention/self/query/kernel/{what}_norm": 1 / (1 + i) for what in ("grad", "weight")}
    run.log({**norms, "val/acc": i / 60, "epoch": i / 5, "zeros": max(0, i - 9)})
run.finish()
"""
ALONE = """
import trackbook as tb

with tb.init(project="defects of one chart", name="alone") as run:
    for i in range(30):
        run.log({"loss": 1 / (1 + i)})
"""
INSIDE = """(part) => {
    const { right, bottom } = part.getBoundingClientRect();
    const head = part.closest(".tb-chart-head").getBoundingClientRect();
    return part.scrollWidth <= part.clientWidth + 1 && right <= head.right + 1 && bottom <= head.bottom + 1;
}"""
AXES = """(chart) => {
    const found = {};
    const walk = (item) => {
        if (item.role === "axis-label") found.label ??= item.items.find(({ text }) => text)?.fill;
        if (item.role === "axis-domain") found.domain ??= item.items[0]?.stroke;
        for (const inner of item.items ?? []) walk(inner);
    };
    walk(chart.view.scenegraph().root);
    return found;
}"""
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
    lab_of_module.write_and_open("defects", PROGRAM, NAMES, ALONE)
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
    lab.set_theme("dark high contrast")
    lab.wait_for_quiet()
    line = board.root.locator(".tb-top").evaluate("(head) => getComputedStyle(head).borderBottomColor")
    assert line == "rgb(255, 255, 255)"
    assert board.faint() == []
    axes = board.chart("train/loss").evaluate(AXES)
    assert axes == {"label": "#e2e6ec", "domain": "#ffffff"}
    for width in (1280, 950, 700):
        lab.set_size(width, 1600)
        lab.wait_for_quiet()
        board.look(f"defects-high-contrast-{width}")
    lab.set_theme("dark")
    lab.wait_for_quiet()
    assert board.chart("train/loss").evaluate(AXES)["domain"] != "#ffffff"
    lab.set_theme("light")


CONTRAST: dict[str, dict[str, Any]] = {
    "more": {"contrast": "more"},
    "forced": {"forced_colors": "active", "color_scheme": "light"},
    "forced-dark": {"forced_colors": "active", "color_scheme": "dark"},
}


@pytest.mark.parametrize("asked", CONTRAST)
def test_a_light_theme_has_high_contrast_where_the_system_asks_for_it(lab: Lab, board: Board, asked: str) -> None:
    lab.wait_for_quiet()
    usual = board.chart("train/loss").evaluate(AXES)
    lab.page.emulate_media(**CONTRAST[asked])
    label, domain = ("#e2e6ec", "#a3abb8") if asked == "forced-dark" else ("#2b3038", "#5b6370")
    lab.page.wait_for_function(
        f"([chart, label]) => ({AXES})(chart).label === label",
        arg=[board.chart("train/loss").element_handle(), label],
    )
    for width in (1280, 950, 700):
        lab.set_size(width, 1600)
        lab.wait_for_quiet()
        board.look(f"defects-contrast-{asked}-{width}")
    assert board.chart("train/loss").evaluate(AXES) == {"label": label, "domain": domain}
    board.chart("train/loss").locator(".tb-plot").hover(position={"x": 140, "y": 60})
    lab.page.locator(".tb-tooltip:not([hidden])").wait_for()
    assert board.faint() == []
    lab.page.mouse.move(1, 1)
    lab.page.emulate_media(contrast="no-preference", forced_colors="none", color_scheme="light")
    lab.page.wait_for_function(
        f"([chart, label]) => ({AXES})(chart).label === label",
        arg=[board.chart("train/loss").element_handle(), usual["label"]],
    )


def test_a_double_click_selects_no_text(lab: Lab, board: Board) -> None:
    lab.set_size(1280, 1000)
    for part in (".tb-legend .tb-run", ".tb-plot", ".tb-chart .tb-metric", ".tb-runs-button"):
        board.root.locator(part).first.dblclick()
        assert lab.page.evaluate("() => String(getSelection())") == "", part
        lab.page.keyboard.press("Escape")
    lab.wait_for_quiet()
    hidden = board.root.locator(".tb-run[aria-pressed='false']")
    assert hidden.count() == 1, "a double-click shows one run only"
    hidden.click()


@pytest.fixture(scope="module")
def named(lab: Lab) -> Board:
    lab.run_to_end(1)
    return lab.board(1).wait()


@pytest.mark.parametrize("width", [1280, 950, 700])
def test_names_are_cut_in_the_middle_and_remarks_stand_in_the_head(lab: Lab, named: Board, width: int) -> None:
    lab.set_size(width, 1600)
    named.root.locator(".tb-menu-button").first.click()
    named.root.get_by_role("radiogroup", name="Y scale").get_by_role("radio", name="Log").check()
    lab.page.keyboard.press("Escape")
    lab.wait_for_quiet()
    ends = named.root.locator(".tb-cut-end")
    assert ends.all_inner_texts() == ["/grad_norm", "/weight_norm"]
    assert ends.evaluate_all(f"(all) => all.map({INSIDE})") == [True, True]
    remark = named.chart("zeros").locator(".tb-remarks")
    assert remark.inner_text() == "10 values ≤ 0"
    assert remark.evaluate(INSIDE)
    assert named.chart("val/acc").locator(".tb-axis-name").inner_text() == "epoch"
    assert named.chart("zeros").locator(".tb-axis-name").inner_text() == ""
    assert "epoch" not in named.metrics()
    named.look(f"defects-names-{width}")


@pytest.fixture(scope="module")
def alone(lab: Lab) -> Board:
    lab.run_to_end(2)
    return lab.board(2).wait()


def test_a_chart_alone_is_wide_and_no_row_is_empty(lab: Lab, alone: Board) -> None:
    lab.set_size(1280, 1000)
    lab.wait_for_quiet()
    ((wide, high, _),) = boxes(alone, ".tb-plot")
    assert wide >= 0.9 * alone.box()["width"]
    assert high <= 0.5 * wide
    assert list(alone.groups()) == [""]
    alone.look("defects-alone")


@pytest.mark.parametrize("width", [1280, 950, 700])
def test_the_button_that_ends_a_zoom_covers_nothing(lab: Lab, alone: Board, width: int) -> None:
    board = alone
    lab.set_size(width, 1000)
    lab.wait_for_quiet()
    before = boxes(board, ".tb-chart, .tb-controls, .tb-runs-button")
    board.drag("loss", (0.3, 0.4), (0.6, 0.42))
    board.wait_for_window("loss", "x")
    lab.wait_for_quiet()
    board.look(f"defects-zoomed-{width}")
    assert boxes(board, ".tb-chart, .tb-controls, .tb-runs-button") == before
    button = board.root.locator(".tb-unzoom")
    head = board.root.locator(".tb-top").evaluate("(head) => head.scrollWidth - head.clientWidth")
    assert head <= 0
    places: Any = "(all) => all.map((one) => { const b = one.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"
    ((left, top, right, bottom),) = button.evaluate_all(places)
    for part in board.root.locator(".tb-status, .tb-runs-button, .tb-controls, .tb-value").evaluate_all(places):
        assert part[2] <= left or part[0] >= right or part[3] <= top or part[1] >= bottom
    button.click()
    board.wait_for_window("loss", "x", zoomed=False)
    lab.wait_for_quiet()
