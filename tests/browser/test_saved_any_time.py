"""A notebook that is saved at any moment shows its charts: in mid-run, right after the end, after a reload, with many boards."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import expect

from browser.lab import PATIENCE, Lab

VEGA_LITE = "application/vnd.vegalite.v5+json"
PNG = "image/png"
LARGEST = 400_000  # bytes of a board in a notebook

GATED = """
import pathlib, time
import trackbook as tb

run = tb.init(project="PROJECT", name="only")
for part in range(2):
    for i in range(50):
        run.log({"train/loss": 100 * part + i})
    while not pathlib.Path(f"PROJECT-{part}").exists():
        time.sleep(0.02)
tb.finish()
"""
MANY = 20
TRAIN = """
import trackbook as tb

with tb.init(project="many NUMBER", name="only") as run:
    for i in range(200):
        run.log({"train/loss": 1 / (1 + i), "train/accuracy": i, "val/loss": 2 / (1 + i)})
"""


def stills(path: Path) -> list[Any]:
    """Return the snapshots in a saved notebook."""
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output for cell in cells for output in cell.outputs if "trackbook" in output.get("metadata", {})]
    return [output for output in outputs if {VEGA_LITE, PNG} & output.data.keys()]


def values(still: Any) -> list[float]:
    rows = still.data[VEGA_LITE]["data"]["values"].splitlines()[1:]
    return [float(row.split(",")[-1]) for row in rows]


def save_until(lab: Lab, path: Path, wanted: Callable[[list[Any]], bool], seconds: float = PATIENCE) -> list[Any]:
    """Save again and again until the file has the wanted snapshots; return them."""
    end = time.monotonic() + seconds
    while True:
        lab.save()
        found = stills(path)
        if wanted(found):
            return found
        assert time.monotonic() < end, f"the file has {len(found)} snapshots: {[values(still)[-1] for still in found]}"
        time.sleep(0.1)


def test_notebook_saved_in_mid_run_has_its_charts_also_after_a_reload(lab: Lab, report: Callable[[str], None]) -> None:
    path = lab.write("anytime", GATED.replace("PROJECT", "anytime"), "pass")
    lab.open("anytime")
    lab.run(0)
    lab.board().wait_for_chart("train/loss")
    began = time.monotonic()
    (still,) = save_until(lab, path, lambda found: len(found) == 1)
    report(f"a notebook saved in mid-run has its charts {time.monotonic() - began:.1f} s after the first is drawn")
    assert list(still.data) == [PNG, "text/plain"]  # JupyterLab would draw a Vega-Lite, though it is hidden
    assert len(json.dumps(still)) < LARGEST
    shutil.copy(path, path.with_name("anytime-copy.ipynb"))

    lab.reload()  # from here on the page does not take the kernel's updates of outputs
    for part in range(2):
        (lab.server.root / f"anytime-{part}").touch()
    lab.board().wait_for_rows("train/loss", 100)
    lab.wait_until_idle()
    (still,) = save_until(lab, path, lambda found: VEGA_LITE in found[0].data and values(found[0])[-1] == 149)
    assert still.metadata["trackbook"]["still"] > 1
    expect(lab.cell(0).locator(".jp-RenderedVegaLite")).to_be_hidden()  # beside the live board

    lab.server.shut_down_kernels()
    lab.open("anytime")
    expect(lab.cell(0).locator(".jp-RenderedVegaLite")).to_be_visible()
    lost = lab.cell(0).get_by_text("Error displaying widget")
    expect(lost).to_have_count(1)
    expect(lost).to_be_hidden()

    lab.open("anytime-copy")
    expect(lab.cell(0).locator(".jp-RenderedImage")).to_be_visible()
    lab.forgive("widget model not found")


def test_twenty_boards_saved_right_after_run_all_have_their_charts(lab: Lab, report: Callable[[str], None]) -> None:
    path = lab.write("many", *(TRAIN.replace("NUMBER", str(number)) for number in range(MANY)))
    lab.open("many")
    began = time.monotonic()
    lab.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
    lab.wait_until_done(MANY - 1, seconds=240)
    lab.save()
    found = stills(path)
    report(f"{MANY} boards saved right after Run All of {time.monotonic() - began:.0f} s: {len(found)} have charts")
    assert len(found) == MANY
    ended = time.monotonic()
    save_until(lab, path, lambda found: all(PNG in still.data for still in found), seconds=240)
    report(f"and all have a PNG {time.monotonic() - ended:.0f} s later")
    sizes = [len(json.dumps(still)) for still in stills(path)]
    assert max(sizes) < LARGEST
    lab.page.set_viewport_size({"width": 1280, "height": 1600})
