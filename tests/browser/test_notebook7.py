"""Boards in Notebook 7, whose pages use JupyterLab's outputs and widget manager."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.lab import OUTPUT, Lab

TRAIN = """
import math, pathlib, time
import trackbook as tb

with tb.init(project="classic", name="only") as run:
    for i in range(100):
        run.log({"train/loss": math.exp(-i / 60), "val/loss": 1 - math.exp(-i / 60)})
        while i == 50 and not pathlib.Path("go-on").exists():
            time.sleep(0.02)
"""
# Whether the drawing is as wide as its output, or in one that scrolls.
REACHED = """(still) => {
    const drawing = still.querySelector("canvas, svg");
    for (let one = drawing.parentElement; one; one = one.parentElement) {
        if (drawing.getBoundingClientRect().width <= one.clientWidth) return true;
        if (["auto", "scroll"].includes(getComputedStyle(one).overflowX)) return true;
        if (getComputedStyle(one).overflowX === "hidden") return false;
    }
    return true;
}"""


def test_notebook_7_draws_live_and_after_a_reload_and_keeps_the_charts(lab: Lab) -> None:
    lab.write("classic", TRAIN)
    lab.open_in_notebook_7("classic")
    lab.run(0)
    board = lab.board().wait_for_rows("train/loss", 50)
    assert lab.is_busy(0)
    (lab.server.root / "go-on").touch()
    board.wait_for_rows("train/loss", 100)
    drawn = board.picture()
    assert {metric: len(rows) for metric, rows in drawn.items()} == {"train/loss": 100, "val/loss": 100}
    still = lab.page.locator(".jp-RenderedVegaLite")
    still.locator("canvas, svg").first.wait_for(state="attached")
    expect(still).to_be_hidden()
    lab.save()
    lab.open_in_notebook_7("classic")
    assert lab.board().wait_for_rows("train/loss", 100).picture() == drawn
    lab.server.shut_down_kernels()
    lab.open_in_notebook_7("classic")
    expect(still).to_be_visible()
    lab.page.get_by_text("Error displaying widget").wait_for(state="attached")
    expect(lab.page.get_by_text("Error displaying widget")).to_be_hidden()
    for theme in ("light", "dark", "dark high contrast"):
        lab.set_theme(theme)
        for width in (1280, 950, 700):
            lab.set_size(width)
            lab.wait_for_quiet()
            lab.page.screenshot(path=OUTPUT / f"notebook7-still-{theme.replace(' ', '-')}-{width}.png")
            expect(still.locator("canvas, svg").first).to_be_visible()
            assert still.evaluate(REACHED), "all charts can be reached by scrolling"
    lab.forgive("widget model not found")
