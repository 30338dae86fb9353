from __future__ import annotations

import subprocess
import sys

from playwright.sync_api import Browser, expect

from browser.lab import PATIENCE, Board, Lab

PROGRAM = """
import trackbook as tb

with tb.init(project="page", name="only") as run:
    for i in range(400):
        run.log({"train/loss": 1 / (1 + i), "val/loss": 2 / (1 + i)})
"""


def test_nbconverts_page_shows_every_point_without_a_network(lab: Lab, browser: Browser) -> None:
    path = lab.write("page", PROGRAM)
    convert = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", path]
    subprocess.run(convert, env=lab.server.environment, check=True, capture_output=True)
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 1600})
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(path.with_suffix(".html").as_uri())
    board = Board(page.locator(".tb-board")).wait()
    assert board.picture() == {
        "train/loss": [("only", i, 1 / (1 + i)) for i in range(400)],
        "val/loss": [("only", i, 2 / (1 + i)) for i in range(400)],
    }
    expect(page.locator("img[src^='data:image/png']")).to_be_hidden()  # for pages without the widget's state
    board.look("nbconvert")
    context.close()
