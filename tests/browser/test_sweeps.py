"""Sweeps of many runs: the choice of what is drawn, the run under the pointer, the wide table, and what a new user does."""

from __future__ import annotations

import json
import math
import random
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from browser.lab import OUTPUT, Board, Lab
from trackbook.store.base import POINTS
from trackbook.store.paths import project_file
from trackbook.store.sqlite import SqliteStore
from trackbook.types import RunRecord


def fill(folder: Path, project: str, count: int, steps: int) -> None:
    """Write the runs of a sweep into a project's file: a thousand `init` would take half a minute."""
    store = SqliteStore(folder / project_file(project), project)
    for number in range(count):
        lr = round(10 ** (-4 + 3 * ((number * 37) % count) / count), 6)
        quality = 1 - abs(math.log10(lr) + 2.3) / 4
        config = {"lr": lr, "optimizer": ["adam", "sgd"][number % 2], "width": 32 << number % 3, "seed": number}
        begin = 1.7e9 + 10 * number
        run = RunRecord(f"r{number}", f"run-{number}", begin, "finished", config=config, ended=begin + 5)
        store.put_run(run)
        rows = []
        for i in range(steps):
            rise = 1 - math.exp(-(i + 1) / 9)
            values = {"val/acc": quality * rise + 0.01 * math.sin(i + number), "train/loss": 2 - quality * rise}
            rows += [(metric, i, value, begin + 5 * i / steps) for metric, value in values.items()]
        store.append(run.id, pl.DataFrame(rows, schema=POINTS, orient="row"))
    assert store.flush()
    store.close()


# The run whose line is nearest, by the distance to each stretch of each line that the chart's Vega view draws.
NEAREST = """([chart, x, y]) => {
    const [across, down] = [chart.view.scale("x"), chart.view.scale("y")];
    const lines = new Map();
    for (const row of chart.view.data("points")) {
        lines.set(row.run, lines.get(row.run) ?? []);
        lines.get(row.run).push([across(row.x), down(row.smooth)]);
    }
    const far = (line) => {
        let best = Infinity;
        for (let i = 1; i < line.length; i++) {
            const [[ax, ay], [bx, by]] = [line[i - 1], line[i]];
            const square = (bx - ax) ** 2 + (by - ay) ** 2;
            const share = square ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square)) : 0;
            best = Math.min(best, Math.hypot(ax + share * (bx - ax) - x, ay + share * (by - ay) - y));
        }
        return best;
    };
    return Object.fromEntries([...lines].map(([run, line]) => [run, far(line)]));
}"""
# The frames of a pointer that moves over a chart for two seconds.
FRAMES = """(plot) => new Promise((resolve) => {
    const box = plot.getBoundingClientRect();
    const times = [];
    let [frames, spent] = [0, 0];
    const end = performance.now() + 2000;
    const move = (now) => {
        times.push(now);
        if (now > end) return resolve({ frames: times.length - 1, seconds: (times.at(-1) - times[0]) / 1000, spent: spent / frames });
        const clientX = box.left + box.width * (0.2 + 0.6 * ((frames * 7) % 50) / 50);
        const clientY = box.top + box.height * (0.2 + 0.6 * ((frames * 13) % 50) / 50);
        const start = performance.now();
        plot.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY, bubbles: true }));
        spent += performance.now() - start;
        frames++;
        requestAnimationFrame(move);
    };
    requestAnimationFrame(move);
})"""


def note(name: str, figures: dict[str, Any]) -> None:
    """Keep figures for the reader of the tests' output; none of them decides a test."""
    (OUTPUT / f"{name}.json").write_text(json.dumps(figures, indent=1), "utf-8")


def opened(lab: Lab, name: str, count: int, steps: int) -> Board:
    fill(lab.server.store, name, count, steps)
    lab.write_and_open(name, "import trackbook as tb", f"board = tb.board({name!r}); board")
    lab.run_to_end(0)
    lab.run_to_end(1)
    return lab.board(1).wait_for_chart("val/acc")


def button(board: Board) -> str:
    return str(board.root.locator(".tb-runs-button").inner_text())


def best_run(count: int) -> tuple[str, float]:
    """The name and the learning rate of the best run of the sweep."""
    rates = [round(10 ** (-4 + 3 * ((number * 37) % count) / count), 6) for number in range(count)]
    best = max(
        range(count), key=lambda number: 1 - abs(math.log10(rates[number]) + 2.3) / 4 + 0.01 * math.sin(39 + number)
    )
    return f"run-{best}", rates[best]


def test_new_user_finds_the_best_run_and_sends_its_picture(lab: Lab) -> None:
    board = opened(lab, "newcomer", 60, 40)
    assert button(board) == "Runs 10 of 60"
    gestures = 0

    def click(target: Any, **how: Any) -> None:
        nonlocal gestures
        gestures += 1
        target.click(**how)

    click(board.root.locator(".tb-runs-button"))
    board.root.locator(".tb-runs-rows > .tb-runs-row").first.wait_for()
    click(board.root.locator(".tb-runs-head").get_by_role("button", name="val/acc", exact=True))
    name, rate = best_run(60)
    first = board.root.locator(".tb-runs-rows > .tb-runs-row").first
    first.filter(has_text=name).wait_for()
    heads = board.root.locator(".tb-runs-head > *").all_inner_texts()
    cells = first.locator("> *").all_inner_texts()
    cell, table = (
        place.bounding_box()
        for place in (first.locator("> *").nth(heads.index("lr")), board.root.locator(".tb-runs-scroll"))
    )
    assert cell
    assert table
    assert cell["x"] + cell["width"] <= table["x"] + table["width"], "seen without scrolling"
    assert float(cells[heads.index("lr")]) == rate
    click(first.locator(".tb-runs-box"), modifiers=["Alt"])
    chart = board.chart("val/acc")
    board.page.wait_for_function(
        "([chart, name]) => new Set(chart.view.data('points').map((row) => row.run)).size === 1"
        " && chart.view.data('points')[0].run === name",
        arg=[chart.element_handle(), name],
    )
    click(chart.locator(".tb-more"))
    with board.page.expect_download() as download:
        click(board.page.get_by_role("menuitem", name="Save as PNG"))
    picture = Image.open(BytesIO(download.value.path().read_bytes()))
    assert min(picture.size) > 300
    assert gestures <= 6
    note("sweep-gestures", {"gestures": gestures})
    board.look("sweep-best-run")


def test_top_runs_are_chosen_by_hand_and_by_python(lab: Lab) -> None:
    board = opened(lab, "chosen", 30, 20)
    board.root.locator(".tb-runs-button").click()
    board.root.locator(".tb-drawn-runs").select_option(label="Top 10 by largest val/acc")
    name, _ = best_run(30)
    board.root.locator(".tb-legend .tb-run", has_text=name).wait_for()
    assert len(board.runs()) == 10
    board.root.locator(".tb-drawn-runs").select_option(label="All 30 runs")
    board.page.wait_for_function(
        "(button) => button.textContent === 'Runs 30'", arg=board.root.locator(".tb-runs-button").element_handle()
    )


@pytest.fixture(scope="module")
def thousand(lab_of_module: Lab) -> Board:
    """A board that draws a thousand runs, with its panel open."""
    board = opened(lab_of_module, "thousand", 1000, 30)
    board.root.locator(".tb-runs-button").click()
    board.root.locator(".tb-drawn-runs").select_option("all")
    board.page.wait_for_function(
        "(chart) => new Set(chart.view.data('points').map((row) => row.run)).size === 1000",
        arg=board.chart("val/acc").element_handle(),
    )
    assert button(board) == "Runs 1,000"
    return board


def test_line_under_the_pointer_is_the_nearest_of_a_thousand(thousand: Board) -> None:
    board, chart = thousand, thousand.chart("val/acc")
    plot = chart.locator(".tb-plot")
    plot.scroll_into_view_if_needed()
    choose = random.Random(5)  # places to point at
    box = plot.bounding_box()
    assert box
    origin = chart.evaluate(
        "(chart) => [...chart.view.origin(), chart.view.signal('width'), chart.view.signal('height')]"
    )
    top = float(chart.evaluate("(chart) => chart.view.padding().top"))
    for _ in range(50):
        x, y = choose.uniform(2, origin[2] - 2), choose.uniform(2, origin[3] - 2)
        board.page.mouse.move(box["x"] + origin[0] + x, box["y"] + top + origin[1] + y)
        lit = plot.locator(".tb-highlight")
        lit.wait_for()
        name = board.page.locator(".tb-tip-nearest .tb-tip-name").inner_text()
        far: dict[str, float] = board.page.evaluate(NEAREST, [chart.element_handle(), x, y])
        assert far[name] <= min(far.values()) + 0.5, "the mouse stands on whole pixels"
    board.look("sweep-thousand-lit")


def test_pointer_over_a_thousand_lines_keeps_the_frames(thousand: Board) -> None:
    plot = thousand.chart("val/acc").locator(".tb-plot")
    thread = thousand.page.context.new_cdp_session(thousand.page)
    thread.send(
        "Performance.enable", {"timeDomain": "threadTicks"}
    )  # what this page's thread computes, whatever else runs

    def spent() -> float:
        metrics = thread.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    before = spent()
    figures = plot.evaluate(FRAMES)
    computed = 1000 * (spent() - before) / figures["frames"]
    note(
        "sweep-frames", {**figures, "frames a second": figures["frames"] / figures["seconds"], "ms computed": computed}
    )
    assert figures["frames"] > 10


def test_table_of_a_thousand_runs_is_filtered_and_sorted(thousand: Board) -> None:
    figures = thousand.root.evaluate(
        """async (board) => {
            const field = board.querySelector('.tb-panel input[type="search"]');
            const frame = () => new Promise(requestAnimationFrame);
            const timed = async (act) => {
                const start = performance.now();
                act();
                await frame();
                return performance.now() - start;
            };
            const type = (text) => () => {
                field.value = text;
                field.dispatchEvent(new Event("input"));
            };
            const head = [...board.querySelectorAll(".tb-runs-sort")].find((one) => one.textContent === "val/acc");
            return {
                filter: await timed(type("lr > 0.001 and optimizer = adam")),
                sort: await timed(() => head.click()),
                status: board.querySelector(".tb-panel-status").textContent,
                clear: await timed(type("")),
            };
        }"""
    )
    note("sweep-table", figures)
    rates = [round(10 ** (-4 + 3 * ((number * 37) % 1000) / 1000), 6) for number in range(1000)]
    found = sum(rate > 0.001 and number % 2 == 0 for number, rate in enumerate(rates))
    assert figures["status"].startswith(f"{found} of 1,000 runs")


def test_wide_table_has_whole_columns_and_group_rows(lab: Lab) -> None:
    board = opened(lab, "wide", 24, 20)
    lab.set_size(1280, 900)
    board.root.locator(".tb-runs-button").click()
    edge = board.root.locator(".tb-side-edge")
    edge.hover()
    before = board.root.locator(".tb-side").bounding_box()
    assert before
    board.page.mouse.down()
    board.page.mouse.move(before["x"] + 560, before["y"] + 60, steps=5)
    board.page.mouse.up()
    after = board.root.locator(".tb-side").bounding_box()
    assert after
    assert abs(after["width"] - 560) <= 16 < after["width"] - before["width"]
    lab.wait_for_quiet()
    board.look("sweep-wide-panel")
    heads = board.root.locator(".tb-runs-head > [role=columnheader]")
    heads.filter(has_text="lr").drag_to(heads.nth(1))
    assert heads.nth(1).inner_text() == "lr"
    board.root.locator(".tb-panel-wide").click()
    board.root.get_by_label("Group runs by").select_option("config.optimizer")
    group = board.root.locator(".tb-runs-group").first
    group.filter(has_text="▴").wait_for()
    cut = board.root.evaluate(
        "(board) => [...board.querySelectorAll('.tb-runs-figure')]"
        ".filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    )
    assert cut == []
    lab.wait_for_quiet()
    board.look("sweep-full-table")
    lab.set_theme("dark")
    lab.set_size(700, 900)
    lab.wait_for_quiet()
    board.look("sweep-narrow-dark")
    assert board.faint() == []


def test_range_on_an_axis_leaves_the_runs_inside_in_colour(lab: Lab) -> None:
    board = opened(lab, "brushed", 40, 20)
    lab.set_size(1280, 1100)
    board.root.locator(".tb-runs-button").click()
    board.root.get_by_role("tab", name="Compare").click()
    plot = board.root.locator(".tb-brushable")
    plot.scroll_into_view_if_needed()
    note = board.root.locator(".tb-under", has_text="drag along an axis")
    note.wait_for()
    box = plot.bounding_box()
    assert box
    for share in (x / 100 for x in range(2, 60)):  # the first axis
        board.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] * 0.8)
        if "tb-at-axis" in (plot.get_attribute("class") or ""):
            break
    board.page.mouse.down()
    board.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] * 0.4, steps=5)
    board.page.mouse.up()
    inside = board.root.locator(".tb-under", has_text="are in the ranges").inner_text()
    count, of = (int(word) for word in inside.split() if word.isdigit())
    assert 0 < count < of == 40
    plot.locator(".tb-brush").wait_for()
    importance = board.root.locator(".tb-importance-line > :first-child").all_inner_texts()
    assert importance[0] == "lr", "the sweep's results follow the learning rate"
    lab.wait_for_quiet()
    board.look("sweep-brushed")


def test_runs_are_coloured_by_a_column_with_a_legend_as_in_python(lab: Lab) -> None:
    board = opened(lab, "coloured", 20, 20)
    lab.set_size(1280, 900)
    board.root.locator(".tb-runs-button").click()
    board.root.get_by_label("Color runs by").select_option("config.lr")
    board.root.locator(".tb-key-ramp").wait_for()
    lab.wait_for_quiet()
    drawn = {row["run"]: row["color"] for row in board.rows("val/acc")}
    board.look("sweep-coloured")
    board.root.get_by_label("Color runs by").select_option("config.optimizer")
    board.root.locator(".tb-key-value", has_text="adam").wait_for()
    assert len(set(drawn.values())) == 10
    lab.wait_for_quiet()
    assert {row["color"] for row in board.rows("val/acc")}.isdisjoint(drawn.values())


LIVE = """
import time
import trackbook as tb

def train(number, pause=0):
    config = {"lr": [0.001, 0.01, 0.1][number % 3], "optimizer": ["adam", "sgd"][number % 2]}
    with tb.init(project="follow", name=f"nimble-pebble-{number}", config=config, display=False) as run:
        for i in range(40):
            run.log({"train/loss": 2 - number / 9 + i / 40})
            time.sleep(pause)

for number in range(6):
    train(number)
board = tb.board("follow")
board
"""
LATER = """
for number in range(6, 12):
    train(number, 0.01)
"""


HEARD = """
for _ in range(1200):  # the page saves settings a moment later
    if not board.draw_filtered and not board.hidden_runs:
        break
    time.sleep(0.05)
print(board.draw_filtered, len(board.hidden_runs))
"""


def test_charts_follow_the_filter_while_a_sweep_runs(lab: Lab) -> None:
    lab.write_and_open("follow", LIVE, LATER, HEARD)
    lab.run_to_end(0)
    board = lab.board(0).wait_for_chart("train/loss")
    board.root.locator(".tb-runs-button").click()
    field = board.root.locator(".tb-filter-field input")
    field.fill("lr = 0.1 and optimizer = adam")
    only = board.root.get_by_role("button", name="Draw only these")
    only.click()
    status = board.root.locator(".tb-panel-status")
    status.filter(has_text="1 of 6 runs, 1 drawn").wait_for()
    assert only.get_attribute("aria-pressed") == "true"
    lab.run_to_end(1)
    status.filter(has_text="2 of 12 runs, 2 drawn").wait_for()
    board.root.locator(".tb-legend .tb-run", has_text="nimble-pebble-8").wait_for()
    assert board.runs() == ["nimble-pebble-2", "nimble-pebble-8"]
    field.fill("optimizer = adamx")
    status.filter(has_text="0 of 12 runs, 0 drawn").wait_for()
    field.fill("optimizer = adam")
    status.filter(has_text="6 of 12 runs, 6 drawn").wait_for()
    only.click()
    status.filter(has_text="6 of 12 runs, 10 drawn").wait_for()
    lab.run_to_end(2)
    assert lab.cell(2).locator(".jp-OutputArea-output").inner_text().strip() == "False 0"


def test_names_have_room_and_the_panels_buttons_stay_in_its_first_line(lab: Lab) -> None:
    opened(lab, "room", 20, 5)
    board = lab.board(1)
    board.root.locator(".tb-runs-button").click()
    name = board.root.locator(".tb-runs-rows .tb-runs-name").first
    name.wait_for()
    wide = name.evaluate(
        "(it) => { it.textContent = 'nimble-pebble-15'; return [it.scrollWidth <= it.clientWidth, it.clientWidth]; }"
    )
    assert wide[0], wide
    tops = """(line) => [...line.querySelectorAll(".tb-tabs, .tb-panel-wide, .tb-panel-close")]
        .map((it) => { const { top, bottom } = it.getBoundingClientRect(); return (top + bottom) / 2; })"""
    line = board.root.locator(".tb-side-line")
    board.root.get_by_label("Color runs by").select_option("config.optimizer")
    middles = line.evaluate(tops)
    assert max(middles) - min(middles) < 6, middles
    board.root.get_by_label("Group runs by").select_option("config.optimizer")
    middles = line.evaluate(tops)
    assert max(middles) - min(middles) < 6, middles
    cell = board.root.locator(".tb-runs-group .tb-runs-figure").first
    assert cell.evaluate("(it) => it.scrollWidth <= it.clientWidth"), cell.inner_text()


@pytest.mark.parametrize("width", [700, 950])
def test_nothing_stands_in_the_place_of_a_placeholder(lab: Lab, width: int) -> None:
    board = opened(lab, "placeholder", 2, 5)
    lab.set_size(width)
    lab.wait_for_quiet()
    field = board.root.locator(".tb-search .tb-filter")
    seen = field.screenshot()
    board.page.add_style_tag(content=".tb-filter::-webkit-search-cancel-button { display: none !important }")
    assert seen == field.screenshot()
