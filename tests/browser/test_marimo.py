"""Boards in marimo, which has neither IPython, nor Jupyter's widget manager, nor events at the end of cells."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browser.lab import PATIENCE, Board

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import pathlib, time
    import trackbook as tb

    with tb.init(project="marimo", name="only") as run:
        for i in range(60):
            run.log({"train/loss": 1 / (1 + i)})
            while i == 30 and not pathlib.Path("go-on").exists():
                time.sleep(0.02)
    return (tb,)


@app.cell
def _(tb):
    tb.board("marimo")
    return
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Start a marimo server with this notebook, and return its address."""
    notebook, log = tmp_path / "notebook.py", tmp_path / "marimo.log"
    notebook.write_text(NOTEBOOK)
    (tmp_path / "marimo").mkdir()
    (tmp_path / "marimo/marimo.toml").write_text("[runtime]\nauto_instantiate = true\n")  # runs when it is opened
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--headless", "--no-token", "--skip-update-check", "--host", "127.0.0.1", "--port", str(port)]
    homes = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "TRACKBOOK_DIR": str(tmp_path / "store")}
    command = [sys.executable, "-m", "marimo", "edit", *options, str(notebook)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=os.environ | homes, stdout=out, stderr=out, cwd=tmp_path)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + PATIENCE
    while not answers(url):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(20)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5):
            return True
    except OSError:
        return False


def test_boards_in_marimo_draw_live_and_survive_a_reload(url: str, browser: Browser, tmp_path: Path) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 1600}).new_page()
    page.set_default_timeout(PATIENCE * 1000)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(url)
    live = Board(page.locator(".tb-board").nth(0)).wait_for_rows("train/loss", 30)
    assert live.root.locator(".tb-state").inner_text() == "running"
    (tmp_path / "go-on").touch()
    logged = {"train/loss": [("only", i, 1 / (1 + i)) for i in range(60)]}
    assert live.wait_for_rows("train/loss", 60).picture() == logged
    again = Board(page.locator(".tb-board").nth(1)).wait_for_rows("train/loss", 60)
    assert again.picture() == logged
    again.look("marimo")
    page.reload()
    assert Board(page.locator(".tb-board").nth(0)).wait_for_rows("train/loss", 60).picture() == logged
    assert [error for error in errors if "rackbook" in error] == []
    page.context.close()
