"""The snapshot of a board in a saved notebook without a kernel."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, Locator, expect

from browser.lab import OUTPUT, PATIENCE, Lab

SWEEP = """
import math
import trackbook as tb

for lr in (0.1, 0.01):
    with tb.init(project="still", name=f"lr={lr}") as run:
        for i in range(400):
            run.log({"train/loss": math.exp(-i * lr), "train/lr": lr, "val/accuracy": 1 - math.exp(-i * lr)})

"""
VEGA_LITE = "application/vnd.vegalite.v5+json"


def outputs(path: Path, cell: int = 0) -> list[Any]:
    return list(nbformat.read(path, as_version=4).cells[cell].outputs)


def still_of(path: Path) -> Any:
    (still,) = [output for output in outputs(path) if VEGA_LITE in output.get("data", {})]
    return still


def wait_for_still(lab: Lab, number: int = 0) -> Locator:
    """Wait for the snapshot, which is made after the cell has ended, whether it is visible or not."""
    still = lab.cell(number).locator(".jp-RenderedVegaLite")
    still.locator("canvas, svg").first.wait_for(state="attached")
    return still


def lose_the_kernel(lab: Lab, name: str) -> None:
    lab.save()
    lab.server.shut_down_kernels()
    lab.open(name)


def look(lab: Lab, name: str) -> None:
    lab.page.screenshot(path=OUTPUT / f"{name}.png", animations="disabled")


def test_saved_notebook_shows_its_charts_without_a_kernel(lab: Lab, browser: Browser) -> None:
    path = lab.write("still", SWEEP, "import trackbook as tb\ntb.board('still')")
    lab.open("still")
    lab.run_to_end(0)
    lab.board().wait_for_rows("train/loss", 800)
    still = wait_for_still(lab)
    expect(still).to_be_hidden()  # beside the live board
    lab.save()
    lab.reload()
    lab.board().wait_for_rows("train/loss", 800)
    expect(wait_for_still(lab)).to_be_hidden()

    lose_the_kernel(lab, "still")
    still = wait_for_still(lab)
    expect(still).to_be_visible()
    expect(lab.page.locator(".tb-board")).to_have_count(0)
    lost = lab.cell(0).get_by_text("Error displaying widget")
    expect(lost).to_have_count(1)
    expect(lost).to_be_hidden()
    look(lab, "still-light")
    lab.set_theme("dark")
    lab.set_size(700)
    look(lab, "still-dark-700")
    saved = still_of(path)
    assert len(json.dumps(saved)) < 200_000
    assert base64.b64decode(saved.data["image/png"]).startswith(b"\x89PNG")
    assert "lr=0.01" in json.dumps(saved.data[VEGA_LITE])
    html_without_widget_state_shows_the_picture(lab, browser, path)

    lab.run_to_end(1)
    lab.board(1).wait_for_rows("train/loss", 800)
    expect(wait_for_still(lab, 1)).to_be_hidden()
    expect(wait_for_still(lab, 0)).to_be_visible()
    lab.forgive("widget model not found")


def html_without_widget_state_shows_the_picture(lab: Lab, browser: Browser, path: Path) -> None:
    convert = [sys.executable, "-m", "nbconvert", "--to", "html", path]
    subprocess.run(convert, env=lab.server.environment, check=True, capture_output=True)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(path.with_suffix(".html").as_uri())
    expect(page.locator("img[src^='data:image/png']")).to_be_visible()
    page.screenshot(path=OUTPUT / "still-html.png", full_page=True)
    context.close()


def test_interrupted_cell_keeps_its_charts(lab: Lab) -> None:
    lab.write_and_open("interrupted", SWEEP + "raise KeyboardInterrupt")
    lab.run_to_end(0)
    wait_for_still(lab)
    assert lab.cell(0).locator("[data-mime-type='application/vnd.jupyter.stderr']").is_visible()
