"""Figures of a board in a real JupyterLab in headless Chromium."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from peers import ROOT

if TYPE_CHECKING:
    from lab import Lab

    from browser.lab import Lab as Notebook

LOOP = """
import math, time
import trackbook as tb

run = tb.init(project={project!r})
begin = time.perf_counter()
for i in range({calls}):
    run.log({{f"{{'train' if k < 5 else 'val'}}/m{{k}}": math.exp(-i / 900) + 0.1 * math.sin(i * (k + 1)) for k in range({metrics})}})
    while time.perf_counter() < begin + i / {rate}:  # busy, as a training loop is
        pass
run.finish()
"""

# What a kernel does while nothing happens; `{act}` is what it did before.
REST = """
import os, pathlib
pathlib.Path({place!r}).write_text(str(os.getpid()))
{act}
"""
LOGGED = "import trackbook as tb\nrun = tb.init('idle')\nfor i in range(300):\n    run.log({'loss': 1 / (i + 1)})\n"
RESTING = {"plain": "", "finished": LOGGED + "run.finish()", "open": LOGGED}

# Notes, at each drawing of a chart, the time of the newest point drawn and the clock.
WATCH = """(chart) => {
    window.drawn = [];
    new MutationObserver(() => {
        const rows = chart.view.data("points");
        const newest = rows.reduce((time, row) => Math.max(time, row.time), 0);
        window.drawn.push([newest, Date.now() / 1000]);
    }).observe(chart, { attributes: true, attributeFilter: ["data-drawn"] });
}"""


# Imports the front end as the loader does, each time as code that the browser has not seen, and initialises a model.
LOAD = """async ([code, round]) => {
    const url = URL.createObjectURL(new Blob([`${code}\n//${round}`], { type: "text/javascript" }));
    const begin = performance.now();
    const { default: widget } = await import(url);
    const nothing = () => undefined;
    widget.initialize({ model: { get: nothing, set: nothing, on: nothing, off: nothing, save_changes: nothing, send: nothing } });
    return performance.now() - begin;
}"""


@contextlib.contextmanager
def notebook() -> Iterator[Notebook]:
    """Open a page on a separate JupyterLab."""
    sys.path.insert(0, str(ROOT / "tests"))
    from playwright.sync_api import sync_playwright

    from browser import chromium
    from browser.conftest import FLAGS, VIEWPORT
    from browser.lab import Lab as Notebook
    from browser.server import JupyterServer

    with tempfile.TemporaryDirectory(prefix="trackbook-board-") as home, sync_playwright() as playwright:
        server = JupyterServer(Path(home))
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS)
        try:
            yield Notebook(browser.new_page(viewport=VIEWPORT), server)
        finally:
            browser.close()
            server.stop()


def latency(lab: Lab) -> dict[str, Any]:
    """From `log` to pixels: 10 metrics at 100 calls a second, the cell busy, in JupyterLab."""
    seconds = 4 if lab.quick else 20
    with notebook() as page:
        page.write_and_open("latency", LOOP.format(project="latency", calls=100 * seconds, metrics=10, rate=100))
        page.run(0)
        board = page.board().wait_for_rows("train/m0", 1)
        board.chart("train/m0").evaluate(WATCH)
        page.wait_until_done(0, seconds=seconds + 60)
        drawn = page.page.evaluate("window.drawn")
    waits = _waits(drawn)
    cuts = statistics.quantiles(waits, n=100)
    return {"trackbook": {"p50_ms": cuts[49] * 1e3, "p95_ms": cuts[94] * 1e3, "draws_per_s": len(drawn) / seconds}}


def _waits(drawn: list[tuple[float, float]], every: float = 0.01) -> list[float]:
    """Return the time from logging to drawing of points logged every `every` seconds."""
    waits: list[float] = []
    for (before, _), (newest, now) in itertools.pairwise(drawn):
        waits += [now - newest + age * every for age in range(round((newest - before) / every))]
    return waits


def idle(lab: Lab) -> dict[str, Any]:
    """The processor time of a kernel with a board in view: of a finished run, and of an open one that logs nothing."""
    seconds = 5 if lab.quick else 60
    used: dict[str, float] = {}
    with notebook() as page, tempfile.TemporaryDirectory() as folder:
        for name, act in RESTING.items():
            place = Path(folder) / name
            page.write_and_open(name, REST.format(place=str(place), act=act))
            page.run(0)
            page.wait_until_done(0, seconds=60)
            if act:
                page.board().wait_for_rows("loss", 300)
            time.sleep(10)  # until the snapshot is made
            used[name] = _share_of_core(psutil.Process(int(place.read_text())), seconds)
    plain = used.pop("plain")
    return {"trackbook": {f"{name}_percent": share - plain for name, share in used.items()} | {"plain_percent": plain}}


def _share_of_core(process: psutil.Process, seconds: float) -> float:
    """Return the percent of a core that a process uses in some seconds."""
    before = process.cpu_times()
    time.sleep(seconds)
    after = process.cpu_times()
    return 100 * (after.user + after.system - before.user - before.system) / seconds


def heap(lab: Lab) -> dict[str, Any]:
    """The browser's memory while a run of half an hour goes on: how far the last third is from flat."""
    minutes = 1 if lab.quick else 30
    with notebook() as page:
        page.write_and_open("heap", LOOP.format(project="heap", calls=100 * 60 * minutes, metrics=10, rate=100))
        page.run(0)
        page.board().wait_for_rows("train/m0", 1)
        devtools = page.page.context.new_cdp_session(page.page)
        devtools.send("Performance.enable")
        sizes: list[float] = []
        end = time.monotonic() + 60 * minutes - 5
        while time.monotonic() < end:
            devtools.send("HeapProfiler.collectGarbage")
            metrics = {m["name"]: m["value"] for m in devtools.send("Performance.getMetrics")["metrics"]}
            sizes.append(metrics["JSHeapUsedSize"] / 2**20)
            time.sleep(2)
        page.wait_until_done(0, seconds=120)
    return {"trackbook": {"drift_percent": _drift(sizes), "mb": statistics.median(sizes[len(sizes) * 2 // 3 :])}}


def _drift(sizes: list[float]) -> float:
    """Return the growth of the last third in percent, from the medians of its halves."""
    last = sizes[len(sizes) * 2 // 3 :]
    early, late = last[: len(last) // 2], last[len(last) // 2 :]
    return (statistics.median(late) / statistics.median(early) - 1) * 100


def bundle(lab: Lab) -> dict[str, Any]:
    """The front end: its size, and the time until it is loaded and initialised in JupyterLab's page."""
    code = (ROOT / "src" / "trackbook" / "_static" / "trackbook.js").read_text("utf-8")
    with notebook() as page:
        page.write_and_open("bundle", "pass")
        loads = [page.page.evaluate(LOAD, [code, number]) for number in range(2 if lab.quick else 9)]
    return {"trackbook": {"bytes": len(code.encode()), "load_ms": statistics.median(loads), "slowest_ms": max(loads)}}


def paint(lab: Lab) -> dict[str, Any]:
    """A board of a project of 1,000 runs x 50 metrics: from the cell's start to rows and charts drawn."""
    runs, metrics = (100, 10) if lab.quick else (1000, 50)
    with notebook() as page:
        import runs_panel

        runs_panel.fill(page.server.store, runs, metrics)
        return {"trackbook": runs_panel.measure(page)}


def many_runs(lab: Lab) -> dict[str, Any]:
    """A board of a project of 10,000 runs x 20 metrics: its first charts, and its runs panel."""
    with notebook() as page:
        import runs_panel

        runs = 200 if lab.quick else 10_000
        runs_panel.fill(page.server.store, runs, 20)
        return {"trackbook": runs_panel.measure_many(page, runs)}


def draw(lab: Lab) -> dict[str, Any]:
    """The browser's time to draw a refresh of 12 charts x 3 runs, of long and of short runs."""
    import draws

    return {"trackbook": draws.draws(rounds=2 if lab.quick else 9)}
