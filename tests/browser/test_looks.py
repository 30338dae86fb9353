"""No text is clipped, overlapping or overflowing. Screenshots are kept for inspection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from PIL import Image

from browser.lab import Board, Lab

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"

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

# What a reader sees of the board, text by the line and figures by the box, against the board and against what clips it.
CLIPPED = """(board) => {
    const problems = [];
    const check = (what, box, element) => {
        for (let outer = element; outer && board.contains(outer); outer = outer.parentElement) {
            const clips = outer === board || getComputedStyle(outer).overflowX !== "visible";
            const { left, right, top, bottom } = outer.getBoundingClientRect();
            if (outer.className === "tb-facts" && box.top > bottom - 2) return; // wrapped, and not seen at all
            if (clips && (box.left < left - 1 || box.right > right + 1 || box.top < top - 2 || box.bottom > bottom + 2)) {
                const place = [box.left - left, box.top - top, right - box.right, bottom - box.bottom].map(Math.round);
                problems.push(`${what} does not fit into .${outer.className}: ${place} px to its sides`);
            }
        }
    };
    const texts = document.createTreeWalker(board, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const [text, range] = [texts.currentNode, document.createRange()];
        if (!text.data.trim() || text.parentElement.closest("style, script, option")) continue;
        range.selectNodeContents(text);
        for (const box of range.getClientRects()) check(`"${text.data}"`, box, text.parentElement);
    }
    for (const element of board.querySelectorAll("input, select, canvas, svg")) {
        const box = element.getBoundingClientRect();
        if (box.width && box.height) check(`<${element.localName}>`, box, element.parentElement);
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
    clipped = board.root.evaluate(CLIPPED)
    assert not clipped, "\n".join(clipped)
    for parts in (".tb-chart", ".tb-group", ".tb-run", ".tb-value", "input, select"):
        assert overlapping(board.root.locator(parts).evaluate_all(BOXES)) == [], parts
    wider = board.root.evaluate(
        "(board) => { const out = board.closest('.jp-OutputArea-output'); return out.scrollWidth - out.clientWidth; }"
    )
    assert wider <= 0, f"the cell scrolls sideways by {wider} px"


INK = {"light": "dark on light", "dark": "light on dark"}


def test_nothing_is_clipped_or_overlapping_at_any_width_in_either_theme(lab: Lab) -> None:
    lab.write_and_open("looks", REALISTIC_SWEEP)
    lab.run_to_end(0)
    board = lab.board().wait()
    for width, columns in ((1280, 3), (700, 2), (480, 1)):
        lab.set_size(width, 2400)
        drawn = []
        for theme, expected in INK.items():
            lab.set_theme(theme)
            lab.wait_for_quiet()
            board.wait().look(f"board-{width}-{theme}")
            check_layout(board)
            assert board.faint() == [], f"{width}, {theme}"
            assert ink(board.look(chart="train/loss")) == expected
            drawn.append(board.picture())
        assert len({box[0] for box in board.root.locator(".tb-chart").evaluate_all(BOXES)}) == columns
        assert drawn[0] == drawn[1]


def ink(picture: Image.Image) -> str:
    """Return whether the chart's title and labels contrast with the background."""
    levels = picture.convert("L").tobytes()
    ground = max(set(levels), key=levels.count)
    assert max(abs(level - ground) for level in levels) > 80, "labels without contrast"
    return "dark on light" if ground > 128 else "light on dark"


def test_the_quickstart_in_jupyterlab(lab_at_2x: Lab) -> None:
    lab = lab_at_2x
    notebook = lab.copy(QUICKSTART)
    lab.open(notebook)
    cells = [cell for cell in nbformat.read(QUICKSTART, as_version=4).cells if cell.cell_type == "code"]
    sweep = next(number for number, cell in enumerate(cells) if cell.id == "sweep")
    for number in range(sweep + 1):
        lab.run_to_end(number)
    board = lab.board(sweep).wait()
    board.smooth(3)
    lab.set_size(1280 + 1100 - round(board.box()["width"]), 1600)
    lab.wait_for_quiet()
    assert round(board.box()["width"]) == 1100
    board.look("board")
    check_layout(board)
    assert len(board.rows("val/accuracy")) == 3 * 50
    assert [min(board.steps("train/loss")), max(board.steps("train/loss"))] == [0, 2099]
