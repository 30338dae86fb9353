"""The board does the same in every host: in a notebook, on a server's site, and in an exported page."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from browser.hosts import PARAMETERS, Exported, Host, Notebook, Site, as_text
from browser.lab import OUTPUT, PATIENCE, Board
from browser.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from browser.server import JupyterServer

STEPS, SELDOM = 20_000, 200
EVIL = "<img src=x onerror=globalThis.owned=1></title></script><script>globalThis.owned=1</script>\u2028${owned=1}{{owned=1}}"
RECORD = f"""
import json, sys
from pathlib import Path
import trackbook as tb
from trackbook.tracking.run import writer_of
from trackbook.types import CAPTURED

STEPS, SELDOM, EVIL = {STEPS}, {SELDOM}, {EVIL!r}
# Set by hand, because a script has neither cells nor the same environment twice.
def provide(run, text):
    store = writer_of(run).store
    store.put_captured(run.id, "facts", [("environment", json.dumps({{"python": {{"version": text}}, "packages": {{text: text}}}}))])
    cell = dict.fromkeys(CAPTURED["cells"], text) | {{"number": 0, "count": 7, "started": 0.0, "ended": 1.0, "metrics": "[]", "points": 9}}
    store.put_captured(run.id, "cells", [tuple(map(cell.get, CAPTURED["cells"]))])

for number, lr in enumerate((0.1, 0.01)):
    with tb.init("hosts", f"lr {{lr}}", id=f"r{{number}}", config={{"lr": lr}}, display=False, capture="console") as run:
        print(f"training with {{lr}}")
        provide(run, f"train({{lr}})")
        for step in range(STEPS):
            run.log({{"train/loss": (step % 7) / 10 + number, "train/acc": step / STEPS, "lr": lr}}, step=step)
            if step % SELDOM == 0:
                run.log({{"val/loss": (step // SELDOM) ** 2 / 1000 + number}}, step=step)
evil = {{"group": EVIL, "config": {{EVIL: EVIL}}, "tags": [EVIL], "notes": EVIL}}
try:
    with tb.init(EVIL, EVIL, id="evil", display=False, capture="console", **evil) as run:
        print(EVIL)
        provide(run, EVIL)
        run.summary[EVIL] = EVIL
        for step in range(3):
            run.log({{EVIL: 1 / (step + 1), f"group {{EVIL}}/loss": 1.0 + step}})
        raise ValueError(EVIL)
except ValueError:
    pass
for place, project in enumerate(("hosts", EVIL)):
    tb.export_html(Path(sys.argv[1], f"{{place}}.html"), project, raw=True, details=True)
"""
PROJECTS = ("hosts", EVIL)
RUNS = {"lr 0.1", "lr 0.01"}
INJECTED = """() => [
    typeof globalThis.owned, document.querySelectorAll('img[src=x]').length,
    [...document.scripts].filter((script) => script.textContent.startsWith("globalThis.owned")).length,
]"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, server: JupyterServer) -> dict[str, Path]:
    """Exported pages of the projects, which are recorded for all hosts."""
    folder = tmp_path_factory.mktemp("hosts")
    program = folder / "record.py"
    program.write_text(RECORD)
    environment = os.environ | {"TRACKBOOK_DIR": str(server.store)}
    subprocess.run([sys.executable, program, folder], env=environment, check=True)
    return {project: folder / f"{place}.html" for place, project in enumerate(PROJECTS)}


@pytest.fixture(scope="module", params=["notebook", "site", "page"])
def host(
    request: pytest.FixtureRequest, browser: Browser, server: JupyterServer, pages: dict[str, Path]
) -> Iterator[Host]:
    if request.param == "notebook":
        yield Notebook(request.getfixturevalue("lab_of_module"))
        return
    size = {"width": 1280, "height": 1600}
    context = browser.new_context(offline=request.param == "page", viewport=size, reduced_motion="reduce")  # type: ignore[arg-type]
    served = Served(pages["hosts"].parent, runs=server.store) if request.param == "site" else None
    host = Exported(context, pages) if served is None else Site(context, served)
    yield host
    assert host.errors == []
    context.close()
    if served is not None:
        served.kill()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline


def rows_of(board: Board, metric: str, run: str) -> list[dict[str, Any]]:
    return [row for row in board.rows(metric) if row["run"] == run]


def test_groups_overlay_their_runs_in_the_same_colors(host: Host) -> None:
    board = host.open("hosts")
    assert board.groups() == {"": ["lr"], "train": ["train/loss", "train/acc"], "val": ["val/loss"]}
    colors = {(row["run"], row["color"]) for metric in board.metrics() for row in board.rows(metric)}
    assert len(colors) == len({color for _, color in colors}) == 2
    assert {run for run, _ in colors} == RUNS
    assert [row["value"] for row in rows_of(board, "val/loss", "lr 0.01")] == [i**2 / 1000 + 1 for i in range(100)]
    board.root.locator("[data-group=train] .tb-group-toggle").click()
    expect(board.chart("train/loss")).to_be_hidden()
    board.root.locator(".tb-legend .tb-run", has_text="lr 0.01").click()
    board.wait_for_quiet()
    assert {row["run"] for row in board.rows("val/loss")} == {"lr 0.1"}


def test_smoothing_is_a_centred_mean_over_the_logged_values(host: Host) -> None:
    board = host.open("hosts", metric_filter="val")
    board.smooth(4)
    board.wait_for_quiet()
    rows = rows_of(board, "val/loss", "lr 0.1")
    values = [row["value"] for row in rows]
    for place in range(4, 96):
        assert math.isclose(rows[place]["smooth"], sum(values[place - 4 : place + 5]) / 9, rel_tol=1e-6)


def test_zoom_shows_every_point(host: Host) -> None:
    board = host.open("hosts", metric_filter="train")
    board.zoom_to_every_point("train/loss")
    left, right = board.window("train/loss", "x") or (0, 0)
    assert board.window("train/acc", "x") == [left, right]
    for row in rows_of(board, "train/loss", "lr 0.01"):
        if left <= row["step"] <= right:
            assert math.isclose(row["value"], (row["step"] % 7) / 10 + 1, rel_tol=1e-6)
    board.chart("train/loss").locator(".tb-plot").dblclick()
    board.wait_for_window("train/acc", "x", zoomed=False)
    assert max(board.steps("train/loss")) == STEPS - 1


def test_drags_zoom_along_across_and_slanting(host: Host) -> None:
    board = host.open("hosts", metric_filter="train")
    board.drag("train/loss", (0.3, 0.5), (0.7, 0.52))
    board.wait_for_window("train/acc", "x")
    x = board.window("train/loss", "x")
    board.drag("train/loss", (0.5, 0.3), (0.51, 0.7))
    board.wait_for_quiet()
    y = board.window("train/loss", "y")
    assert y
    assert board.window("train/loss", "x") == x
    assert board.window("train/acc", "y") != y
    board.drag("train/loss", (0.3, 0.3), (0.7, 0.7))
    board.wait_for_quiet()
    (left, right), (low, high) = board.window("train/loss", "x") or [], board.window("train/loss", "y") or []
    assert x
    assert x[0] < left < right < x[1]
    assert y[0] < low < high < y[1]
    board.root.locator(".tb-unzoom").click()
    board.wait_for_window("train/loss", "x", zoomed=False)


def test_wheel_scrolls_the_page_and_zooms_with_ctrl(host: Host) -> None:
    board = host.open("hosts", metric_filter="train")
    keyboard, wheel = host.page.keyboard, host.page.mouse.wheel
    board.chart("train/loss").locator(".tb-plot").hover()
    wheel(0, -200)
    board.wait_for_quiet()
    assert board.window("train/loss", "x") is None
    keyboard.down("Control")
    wheel(0, -200)
    board.wait_for_window("train/loss", "x")
    keyboard.up("Control")
    before = board.window("train/loss", "x")
    keyboard.down("Shift")
    wheel(0, 40)
    host.page.wait_for_function(
        "([chart, before]) => chart.view.signal('x_window')[0] > before",
        arg=[board.chart("train/loss").element_handle(), before and before[0]],
    )
    keyboard.up("Shift")


def test_charts_zoom_alone_where_they_are_not_linked(host: Host) -> None:
    board = host.open("hosts", metric_filter="train")
    board.root.locator(".tb-menu-button").click()
    board.root.get_by_label("Zoom charts together").uncheck()
    host.page.keyboard.press("Escape")
    board.drag("train/loss", (0.3, 0.5), (0.7, 0.52))
    board.wait_for_window("train/loss", "x")
    assert board.window("train/acc", "x") is None


def test_filter_takes_text_and_regular_expressions(host: Host) -> None:
    board = host.open("hosts")
    for text, metrics in {
        "LOSS": ["train/loss", "val/loss"],
        "^(lr|.*acc)$": ["lr", "train/acc"],
        "none": [],
        "": ["lr", "train/loss", "train/acc", "val/loss"],
    }.items():
        board.root.locator(".tb-filter").first.fill(text)
        board.wait_for_quiet()
        assert board.metrics() == metrics


def test_compare_shows_how_configs_and_results_differ(host: Host) -> None:
    board = host.open("hosts", panel="compare")
    table = board.root.locator(".tb-compare table").first
    table.wait_for()
    names, row = (table.locator(where).all_inner_texts() for where in ("thead th", "tbody tr:first-child > *"))
    assert row[0] == "lr"
    assert dict(zip(names[-2:], row[-2:], strict=True)) == {"lr 0.1": "0.1", "lr 0.01": "0.01"}


def test_details_have_config_console_code_and_environment(host: Host) -> None:
    board = host.open("hosts")
    details = board.open_details()
    expect(details.get_by_label("Name", exact=True)).to_be_editable(editable=host.may_write)
    expect(details.locator(".tb-overview")).to_contain_text("0.01")
    for tab, text in {
        "Console": "training with 0.01",
        "Code": "train(0.01)",
        "Environment": "train(0.01)",
    }.items():
        details.get_by_role("tab", name=tab).click()
        expect(details.get_by_role("tabpanel", name=tab)).to_contain_text(text)


VIEW = {
    "smoothing": 4,
    "metric_filter": "loss$",
    "y_scale": "log",
    "columns": 1,
    "hidden_runs": ["r1"],
    "shown_metrics": ["val/loss", "train/loss", "lr"],
    "y_ranges": {"val/loss": [0.5, 20], "train/loss": [None, 3]},
    "reference_lines": {"val/loss": [2, 4]},
    "chart_groups": {"val/loss": "first"},
    "chart_sizes": {"val/loss": "2x2"},
    "run_colors": {"r0": "#123456"},
    "combined": {"both": ["train/acc", "lr"]},
}


def test_view_is_set_told_and_kept(host: Host) -> None:
    board = host.open("hosts", **VIEW)
    expected = {PARAMETERS.get(name, name): as_text(value) for name, value in VIEW.items()}
    for _ in range(2):
        assert board.groups() == {"first": ["val/loss"], "train": ["train/loss"]}
        for metric in ("val/loss", "train/loss"):
            assert {(row["run"], row["color"]) for row in board.rows(metric)} == {("lr 0.1", "#123456")}
        domain = board.chart("val/loss").evaluate("(chart) => chart.view.scale('y').domain()")
        assert domain == [0.5, 20]
        expect(board.root.locator(".tb-smoothing")).to_have_value("0.8")
        assert expected.items() <= host.view().items()
        board = host.reopen()
    board.smooth(9)
    board.root.locator(".tb-filter").first.fill("val")
    expected |= {"smoothing": "9", "metric_filter": "val"}
    until(lambda: expected.items() <= host.view().items())


def test_no_text_of_a_user_becomes_markup_or_runs(host: Host) -> None:
    view: dict[str, Any] = {
        "color_by": f"config.{EVIL}",
        "group_by": f"config.{EVIL}",
        "chart_groups": {f"group {EVIL}/loss": EVIL},
        "run_sort": f"config.{EVIL}",
        "baseline": EVIL,
        "panel": "runs",
    }
    board = host.open(EVIL, **view)
    assert board.metrics() == [EVIL, f"group {EVIL}/loss"]
    board.chart(EVIL).locator(".tb-plot").hover()
    expect(host.page.locator(".tb-tooltip")).to_be_visible()
    board = host.open(EVIL, combined={EVIL: [EVIL, f"group {EVIL}/loss"]}, x_axis=EVIL, metric_filter="<img")
    details = board.open_details()
    for tab in ("Overview", "Console", "Code", "Environment"):
        details.get_by_role("tab", name=tab).click()
        expect(details.get_by_role("tabpanel", name=tab)).to_contain_text("owned=1")
    board.root.get_by_role("tab", name="Compare").click()
    board.root.locator(".tb-more").first.click()
    host.page.screenshot(path=OUTPUT / f"hosts-evil-{type(host).__name__.lower()}.png")
    board.root.locator(".tb-chart-menu").get_by_text("Full screen").click()
    expect(board.root.locator("dialog[open]").first).to_be_visible()
    assert host.page.evaluate(INJECTED) == ["undefined", 0, 0]
