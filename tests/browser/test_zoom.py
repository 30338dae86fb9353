"""A zoom shows the browser's data at once, and the kernel's finer data a moment later."""

from __future__ import annotations

import math

from browser.lab import Board, Lab

STEPS = 200_000

LONG = f"""
import math, pathlib, time
import trackbook as tb
from trackbook.tracking.run import writer_of

run = tb.init(project="zoom", name="long")
for i in range({STEPS}):
    run.log({{"loss": math.sin(i / 1000) + (i % 7) / 10, "acc": i / {STEPS}}})
writer_of(run).hand_over()
while not pathlib.Path("zoomed").exists():
    time.sleep(0.05)
tb.finish()
"""

CONSECUTIVE = """([chart, most]) => {
    const [from, to] = chart.view.signal("x_window");
    const steps = chart.view.data("points").map((row) => row.step).filter((step) => step >= from && step <= to);
    return steps.length > 20 && steps.length < most && steps.every((step, i) => !i || step - steps[i - 1] === 1);
}"""


def drag(board: Board, metric: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over a chart, from and to shares of its plot area."""
    plot = board.chart(metric).locator(".tb-plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    board.page.mouse.move(*places[0])
    board.page.mouse.down()
    board.page.mouse.move(*places[1], steps=4)
    board.page.mouse.up()


def window(board: Board, metric: str, axis: str) -> list[float] | None:
    found: list[float] | None = board.chart(metric).evaluate(
        "(chart, name) => chart.view.signal(name)", f"{axis}_window"
    )
    return found


def wait_for_window(board: Board, metric: str, axis: str, *, zoomed: bool = True) -> None:
    board.page.wait_for_function(
        "([chart, name, zoomed]) => (chart.view.signal(name) !== null) === zoomed",
        arg=[board.chart(metric).element_handle(), f"{axis}_window", zoomed],
    )


def zoom_until_every_point_is_there(lab: Lab, board: Board) -> None:
    """Zoom to a few hundred steps, and wait until the rows are the points themselves."""
    for share in (0.05, 0.1, 0.2):
        drag(board, "loss", (0.5, 0.3), (0.5 + share, 0.32))
        lab.wait_for_quiet()
    chart = board.chart("loss").element_handle()
    board.page.wait_for_function(CONSECUTIVE, arg=[chart, 1000])


def test_zoom_shows_every_point_during_and_after_the_cell(lab: Lab) -> None:
    lab.write_and_open("zoom", LONG)
    lab.run(0)
    board = lab.board().wait_for_rows("loss", 500)
    lab.page.wait_for_function(
        "([chart, last]) => chart.view.data('points').at(-1)?.step === last",
        arg=[board.chart("loss").element_handle(), STEPS - 1],
    )
    for busy in (True, False):
        zoom_until_every_point_is_there(lab, board)
        left, right = window(board, "loss", "x") or (0, 0)
        for row in (row for row in board.rows("loss") if left <= row["step"] <= right):
            expected = math.sin(row["step"] / 1000) + (row["step"] % 7) / 10
            assert abs(row["value"] - expected) < 1e-4
        assert window(board, "acc", "x") == window(board, "loss", "x")
        assert lab.is_busy(0) is busy
        board.look("zoom-raw")
        (lab.server.root / "zoomed").touch()
        lab.wait_until_done(0)
        board.chart("loss").locator(".tb-plot").dblclick()
        wait_for_window(board, "acc", "x", zoomed=False)
        assert max(board.steps("loss")) == STEPS - 1


SHORT = """
import trackbook as tb

run = tb.init(project="short", name="only")
for i in range(100):
    run.log({"loss": 1 / (1 + i), "acc": i / 100})
tb.finish()
"""


def test_zooming_by_hand(lab: Lab) -> None:
    lab.write_and_open("hand", SHORT)
    lab.run_to_end(0)
    board = lab.board().wait()
    drags_along_across_and_slanting(lab, board)
    the_wheel_scrolls_the_notebook_and_with_ctrl_zooms(lab, board)
    unlinked_a_chart_zooms_alone(lab, board)


def drags_along_across_and_slanting(lab: Lab, board: Board) -> None:
    drag(board, "loss", (0.3, 0.5), (0.7, 0.52))
    wait_for_window(board, "acc", "x")
    x = window(board, "loss", "x")
    drag(board, "loss", (0.5, 0.3), (0.51, 0.7))
    lab.wait_for_quiet()
    y = window(board, "loss", "y")
    assert y
    assert window(board, "loss", "x") == x
    assert window(board, "acc", "y") != y
    drag(board, "loss", (0.3, 0.3), (0.7, 0.7))
    lab.wait_for_quiet()
    (left, right), (low, high) = window(board, "loss", "x") or [], window(board, "loss", "y") or []
    assert x
    assert x[0] < left < right < x[1]
    assert y[0] < low < high < y[1]
    board.look("zoom-box")
    board.root.locator(".tb-unzoom").click()
    wait_for_window(board, "loss", "x", zoomed=False)


def the_wheel_scrolls_the_notebook_and_with_ctrl_zooms(lab: Lab, board: Board) -> None:
    board.chart("loss").locator(".tb-plot").hover()
    lab.page.mouse.wheel(0, -200)
    lab.wait_for_quiet()
    assert window(board, "loss", "x") is None
    lab.page.keyboard.down("Control")
    lab.page.mouse.wheel(0, -200)
    wait_for_window(board, "loss", "x")
    lab.page.keyboard.up("Control")
    before = window(board, "loss", "x")
    lab.page.keyboard.down("Shift")
    lab.page.mouse.wheel(0, 40)
    lab.page.wait_for_function(
        "([chart, before]) => chart.view.signal('x_window')[0] > before",
        arg=[board.chart("loss").element_handle(), before and before[0]],
    )
    lab.page.keyboard.up("Shift")
    board.root.locator(".tb-unzoom").click()
    wait_for_window(board, "loss", "x", zoomed=False)


def unlinked_a_chart_zooms_alone(lab: Lab, board: Board) -> None:
    board.root.locator(".tb-menu-button").click()
    board.root.get_by_label("Zoom charts together").uncheck()
    lab.page.keyboard.press("Escape")
    drag(board, "loss", (0.3, 0.5), (0.7, 0.52))
    wait_for_window(board, "loss", "x")
    assert window(board, "acc", "x") is None
