"""Nothing clipped, overlapping or overflowing; the pictures are there to be looked at."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from browser.lab import Board, Lab

REALISTIC_SWEEP = """
import math, random
import trackbook as tb

for peak in (0.01, 0.05, 0.2):
    random.seed(7)
    run = tb.init(project="digits", name=f"lr {peak:g}", config={"lr": peak}, total=1200)
    for i in range(1200):
        fitted = 1 - math.exp(-i * peak ** 0.5 / 60)
        run.log({"train/loss": 2.3 * (1 - fitted) + 0.1 + 0.3 * random.random() * (1.05 - fitted)})
        if i % 40 == 39:
            run.log({
                "train/gradient norm": 40 * (1 - fitted) + 4 * random.random(),
                "val/loss": 2.3 * (1 - fitted) + 0.14 + 0.01 * random.random(),
                "val/accuracy": 0.1 + 0.87 * fitted + 0.005 * random.random(),
                "val/tokens": 1e6 * i,
                "lr": peak * (1 + math.cos(math.pi * i / 1200)) / 2,
            })
    tb.finish()
"""

# Every element with text of its own: its box against the board's, its text against its box.
LAID_OUT = """(board) => {
    const outer = board.getBoundingClientRect();
    const problems = [];
    const name = (element) => `${element.className?.baseVal ?? element.className} "${element.textContent.slice(0, 40)}"`;
    for (const element of board.querySelectorAll("*")) {
        const box = element.getBoundingClientRect();
        if (!box.width || !box.height || element.closest("[hidden], .vega-bindings")) continue;
        if (box.left < outer.left - 1 || box.right > outer.right + 1 || box.bottom > outer.bottom + 1) {
            problems.push(`outside the board: ${name(element)}`);
        }
        const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (text && element.clientWidth && element.scrollWidth > element.clientWidth + 1) {
            problems.push(`text wider than its box: ${name(element)}`);
        }
        if (text && element.clientHeight && element.scrollHeight > element.clientHeight + 2) {
            problems.push(`text higher than its box: ${name(element)}`);
        }
    }
    return problems;
}"""
BOXES = (
    "(all) => all.map((one) => { const b = one.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"
)


def overlapping(boxes: list[list[float]]) -> list[tuple[Any, Any]]:
    return [
        (a, b)
        for i, a in enumerate(boxes)
        for b in boxes[i + 1 :]
        if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 1
    ]


def check_layout(board: Board) -> None:
    assert board.root.evaluate(LAID_OUT) == []
    for parts in (".tb-chart", ".tb-group", ".tb-run"):
        assert overlapping(board.root.locator(parts).evaluate_all(BOXES)) == [], parts
    # A chart's canvas ends inside its chart.
    assert (
        board.root.locator(".tb-chart").evaluate_all("""(charts) => charts.filter((chart) => {
        const [outer, inner] = [chart, chart.querySelector("canvas, svg")].map((one) => one.getBoundingClientRect());
        return inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1;
    }).map((chart) => chart.dataset.metric)""")
        == []
    )
    assert board.root.evaluate(
        "(board) => board.closest('.jp-OutputArea-output')?.scrollWidth <= board.clientWidth + 40"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_clipped_or_overlapping(lab: Lab, theme: str) -> None:
    lab.write_and_open("looks", REALISTIC_SWEEP, theme=theme)
    lab.run_to_end(0)
    for width in (1280, 700):
        lab.set_size(width, 1600)
        board = lab.board().wait()
        lab.wait_for_quiet()
        board.look(f"board-{width}-{theme}")
        check_layout(board)


def test_a_board_in_a_narrow_window_has_one_column(lab: Lab) -> None:
    lab.write_and_open("narrow", REALISTIC_SWEEP)
    lab.set_size(480, 2400)
    lab.run_to_end(0)
    board = lab.board().wait()
    lab.wait_for_quiet()
    board.look("board-480-light")
    check_layout(board)


def test_the_board_follows_a_switch_of_the_theme(lab: Lab) -> None:
    lab.write_and_open("theme", REALISTIC_SWEEP)
    lab.run_to_end(0)
    board = lab.board().wait()
    before = board.picture()
    lab.wait_for_quiet()
    assert ink(board.look(chart="train/loss")) == "dark on light"
    lab.set_theme("dark")
    lab.wait_for_quiet()
    assert ink(board.look(chart="train/loss")) == "light on dark"
    assert board.picture() == before


def ink(picture: Image.Image) -> str:
    """Tell whether the chart's title and labels stand out from its ground."""
    levels = picture.convert("L").getdata()
    ground = max(set(levels), key=list(levels).count)
    assert max(abs(level - ground) for level in levels) > 80, "labels without contrast"
    return "dark on light" if ground > 128 else "light on dark"


def test_the_picture_for_the_readme(lab_at_2x: Lab) -> None:
    lab = lab_at_2x
    lab.write_and_open("readme", REALISTIC_SWEEP)
    lab.run_to_end(0)
    board = lab.board().wait()
    lab.set_size(1280 + 1100 - round(board.box()["width"]), 1600)
    lab.wait_for_quiet()
    assert round(board.box()["width"]) == 1100
    board.look("board")
