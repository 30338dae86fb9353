"""A printed page, also by nbconvert's webpdf, shows every chart completely, without controls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from browser.lab import PATIENCE, Lab
from browser.pdf import print_board

CHARTS = 24
DEMO = Path(__file__).parents[2] / "notebooks" / "demo.py"
TALL = f"""
import math
import trackbook as tb

for lr in (0.1, 0.02):
    with tb.init(project="print", name=f"lr={{lr}}") as run:
        for i in range(60):
            run.log({{f"part-{{n % 3}}/m{{n}}": math.exp(-i * lr) * (n + 1) for n in range({CHARTS})}})
"""

CUT = """() => [...document.querySelectorAll(".tb-board .tb-chart")].flatMap((chart) => {
    const [plot, canvas] = [chart.querySelector(".tb-plot"), chart.querySelector("canvas")];
    if (!canvas) return [`${chart.dataset.metric} has no canvas`];
    const [outer, inner] = [plot, canvas].map((one) => one.getBoundingClientRect());
    const sides = [inner.left - outer.left, inner.top - outer.top, outer.right - inner.right, outer.bottom - inner.bottom];
    return sides.every((side) => side > -1) && inner.width > 100 ? [] : [`${chart.dataset.metric}: ${sides}`];
})"""
VISIBLE = """() => [...document.querySelectorAll(
    ".tb-controls, .tb-runs-button, .tb-stop, .tb-side, .tb-moves, .tb-more, .tb-unzoom, .tb-tooltip"
)].filter((one) => one.checkVisibility()).map((one) => one.className)"""
DARK_PIXELS = """() => [...document.querySelectorAll(".tb-board .tb-chart canvas")].filter((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && data[i] + data[i + 1] + data[i + 2] < 330) return true;
    return false;
}).length"""


def drawn(page: Page) -> int:
    return page.locator(".tb-board .tb-chart[data-drawn]").count()


def test_print_from_jupyterlab_draws_charts_that_were_never_in_view(lab: Lab) -> None:
    lab.write_and_open("print", TALL, theme="dark")
    lab.set_size(1000, 700)
    lab.run_to_end(0)
    board = lab.board()
    board.wait_for_rows("part-0/m0", 120)
    assert drawn(lab.page) < CHARTS
    lab.page.pdf()  # fires `beforeprint`, and changes no media before
    assert drawn(lab.page) == CHARTS
    printed = print_board(lab.page, "print-lab")
    assert len(printed.parts["plot"]) == CHARTS, "the window of JupyterLab cuts the notebook"
    assert printed.faults() == []
    assert len(printed.images) > 1
    lab.page.emulate_media(media="print")
    assert (lab.page.evaluate(CUT), lab.page.evaluate(VISIBLE)) == ([], [])
    assert lab.page.evaluate(DARK_PIXELS) == CHARTS, "labels for a dark page are invisible on paper"
    board.look("print-lab")
    lab.page.emulate_media(media="screen")
    lab.wait_for_quiet()
    assert board.root.get_attribute("data-theme") == "dark"


def test_webpdf_of_an_executed_notebook_shows_every_chart(lab: Lab, browser: Browser, tmp_path: Path) -> None:
    path = lab.write("webpdf", TALL)
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", path]
    subprocess.run(command, env=lab.server.environment, check=True, capture_output=True)
    context = browser.new_context(offline=True, viewport={"width": 800, "height": 600})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    # as nbconvert/exporters/webpdf.py does it, on a browser that is not of Playwright's own download
    page.emulate_media(media="print")
    page.goto(path.with_suffix(".html").as_uri())
    page.wait_for_load_state("load")
    page.wait_for_function("(count) => document.querySelectorAll('.tb-chart[data-drawn]').length === count", arg=CHARTS)
    assert (page.evaluate(CUT), page.evaluate(VISIBLE)) == ([], [])
    printed = print_board(page, "webpdf")
    assert len(printed.parts["plot"]) == CHARTS
    assert printed.faults() == []
    context.close()


@pytest.mark.timeout(900)  # it trains three networks
def test_pdf_of_the_executed_quickstart_has_ink_in_every_chart(browser: Browser, tmp_path: Path) -> None:
    environment = os.environ | {"TRACKBOOK_DIR": str(tmp_path / "store"), "IPYTHONDIR": str(tmp_path / "ipython")}
    subprocess.run([sys.executable, DEMO, tmp_path], env=environment, check=True, capture_output=True)
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 700})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto((tmp_path / "quickstart.html").as_uri())
    page.locator(".tb-board .tb-chart").first.wait_for(state="attached")
    assert drawn(page) == 0, "the board is in view"
    printed = print_board(page, "quickstart")
    assert len(printed.parts["plot"]) == page.locator(".tb-board .tb-chart").count() >= 5
    assert printed.faults() == []
    context.close()
