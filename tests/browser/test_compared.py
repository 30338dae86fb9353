"""``%track compare`` and ``%track diff`` in a notebook."""

from __future__ import annotations

import pytest

from browser.lab import Lab

RUNS = """
%load_ext trackbook
import json
import trackbook as tb
from trackbook.tracking.run import writer_of
from trackbook.types import CAPTURED
for name, lr, numpy in (("plain", 0.1, "2.1"), ("fast", 0.5, "2.2")):
    with tb.init("compared", name, config={"lr": lr, "seed": 1}, display=False) as run:
        for step in range(20):
            run.log({"loss": lr / (step + 1)})
        writer_of(run).store.put_captured(run.id, "facts", [("environment", json.dumps({"packages": {"numpy": numpy}}))])
        cell = {"number": 0, "cell": "c", "started": 0.0, "state": "ok", "metrics": "[]", "points": 20}
        cell["source"] = f"train(lr={lr})  # <b>"
        writer_of(run).store.put_captured(run.id, "cells", [tuple(map(cell.get, CAPTURED["cells"]))])
"""


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    lab_of_module.write_and_open("compared", RUNS, "%track compare plain fast", "%track diff plain fast")
    lab_of_module.run_to_end(0)
    return lab_of_module


def test_compare_is_open_and_shows_these_runs(lab: Lab) -> None:
    lab.run_to_end(1)
    board = lab.board(1).wait_for_rows("loss", 40)
    table = board.root.locator(".tb-compare table").first
    table.wait_for()
    assert table.locator("thead").inner_text().split() == ["plain", "fast"]
    assert table.locator("tbody").inner_text().split() == ["lr", "0.1", "0.5"]
    board.look("compared")


def test_diff_shows_a_table_the_code_and_a_board(lab: Lab) -> None:
    lab.run_to_end(2)
    lab.board(2).wait_for_rows("loss", 40)
    shown = lab.cell(2).locator(".jp-RenderedHTML").first
    rows = [row.split() for row in shown.locator("tr").all_inner_texts()]
    assert [row for row in rows if len(row) == 3] == [
        ["lr", "0.1", "0.5"],
        ["packages.numpy", "2.1", "2.2"],
        ["loss", "0.005", "0.025"],
    ]
    lines = shown.locator("pre").inner_text().splitlines()
    assert lines[-2:] == ["-train(lr=0.1)  # <b>", "+train(lr=0.5)  # <b>"]
    ground = "(line) => getComputedStyle(line).backgroundColor"
    assert [shown.locator("pre span").nth(n).evaluate(ground) for n in (-2, -1)] == [
        "rgba(248, 81, 73, 0.2)",
        "rgba(46, 160, 67, 0.2)",
    ]
