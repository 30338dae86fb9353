"""The pages of a server in a browser: a run of 10 M points, and a project of 10,000 runs.

    python benchmarks/pages.py

Needs a Chromium (`tests/browser/chromium.py` finds it) and the built front end.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import scale
import viewers
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import chromium  # noqa: E402  (modules of the tests, by the path above)
from browser.lab import Board  # noqa: E402
from browser.scripts import CONSECUTIVE  # noqa: E402
from trackbook.store.base import POINTS  # noqa: E402
from trackbook.store.paths import project_file  # noqa: E402
from trackbook.store.sqlite import SqliteStore  # noqa: E402
from trackbook.types import RunRecord  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

METRICS, STEPS = 10, 1_000_000
RUNS = 10_000
ROUNDS = 5
ALL_READ = f"""() => document.querySelectorAll(".tb-chart").length === {METRICS}"""
DRAWN = """() => {
    const charts = [...document.querySelectorAll(".tb-chart")].filter((it) => it.getBoundingClientRect().top < innerHeight);
    return charts.length > 0 && charts.every((it) => it.dataset.drawn);
}"""
# The milliseconds from the end of the next drag to the frame that draws every point of the window.
UNTIL_RAW = f"""(chart) => new Promise((resolve) => addEventListener("pointerup", () => {{
    const begin = performance.now();
    const look = () => ({CONSECUTIVE})([chart, 2000]) ? resolve(performance.now() - begin) : requestAnimationFrame(look);
    requestAnimationFrame(look);
}}, {{ once: true }}))"""


def record(folder: Path) -> None:
    """Write the two projects."""
    store = SqliteStore(folder / project_file("long"), "long")
    store.put_run(RunRecord("r", "long", 1.0, "finished", ended=2.0))
    random = np.random.default_rng(1)
    for number in range(METRICS):
        step = np.arange(STEPS)
        value = np.exp(-step / STEPS) + random.normal(0, 0.1, STEPS)
        columns = {"metric": [f"train/m{number}"] * STEPS, "step": step, "value": value, "time": 1.0 + step / STEPS}
        store.append("r", pl.DataFrame(columns, schema=POINTS))
        store.flush()
    store.close()
    scale.fill(folder, RUNS)


def first_paint(browser: Browser, entrance: str, project: str, *conditions: str) -> list[float]:
    """Return the milliseconds until all charts in view are drawn, and until each further condition, in a browser that has not seen
    the site.
    """
    page = opened(browser, entrance)
    begin = time.perf_counter()
    page.goto(f"{entrance.partition('?')[0]}?project={project}")
    milliseconds = []
    for condition in (DRAWN, *conditions):
        page.wait_for_function(condition, polling=10)
        milliseconds.append(1e3 * (time.perf_counter() - begin))
    page.context.close()
    return milliseconds


def opened(browser: Browser, entrance: str) -> Page:
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(entrance + "&project=none")  # takes the cookie
    return page


def zoom(browser: Browser, entrance: str) -> float:
    """Return the milliseconds from a drag to every point of its window."""
    page = opened(browser, entrance)
    page.goto(f"{entrance.partition('?')[0]}?project=long&metrics=train/m0,train/m1&xmin=500000&xmax=520000")
    page.wait_for_function(DRAWN)
    board = Board(page.locator(".tb-board")).wait()
    chart = board.chart("train/m0").element_handle()
    page.evaluate(f"(chart) => {{ window.untilRaw = ({UNTIL_RAW})(chart); }}", chart)
    board.drag("train/m0", (0.5, 0.3), (0.53, 0.32))
    milliseconds: float = page.evaluate("() => window.untilRaw")
    page.context.close()
    return milliseconds


def pages() -> dict[str, float]:
    """Return medians, in milliseconds."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        folder = Path(home)
        record(folder)
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox", "--disable-gpu"])
        environment = os.environ | {"XDG_STATE_HOME": home}
        names = ("long_first_paint_ms", "long_complete_ms", "many_first_paint_ms", "zoom_ms")
        found: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(ROUNDS):
            with viewers.served(sys.executable, folder, environment) as (_, entrance):
                first, _, complete = first_paint(browser, entrance, "long", ALL_READ, DRAWN)
                found["long_first_paint_ms"].append(first)
                found["long_complete_ms"].append(complete)
                found["many_first_paint_ms"] += first_paint(browser, entrance, scale.PROJECT)
                found["zoom_ms"].append(zoom(browser, entrance))
        browser.close()
    return {name: round(statistics.median(times), 1) for name, times in found.items()}


if __name__ == "__main__":
    print(json.dumps(pages()))
