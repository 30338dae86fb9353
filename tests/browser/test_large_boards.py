"""Boards of many charts, and charts that are arranged by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from browser.lab import Board, Lab

MANY = """
import math
import trackbook as tb

names = [f"{group}/metric_{i}" for group in ("train", "val", *(f"probe {n}" for n in range(28))) for i in range(10)]
run = tb.init(project="many", name="only")
for step in range(40):
    run.log({name: math.sin(step / 8 + i) for i, name in enumerate(names)})
tb.finish()
"""
DEEP = """
run = tb.init(project="deep", name="only")
for step in range(40):
    for layer in range(36):
        for part in ("attn", "mlp"):
            for what in ("grad_norm", "weight_norm", "update"):
                run.log({f"model/layers/{layer}/{part}/{what}": layer + math.cos(step / 9)}, step=step)
    run.log({"loss": 1 / (1 + step)}, step=step)
tb.finish()
"""
FEW = """
run = tb.init(project="few", name="only")
for step in range(60):
    run.log({"train/loss": 1 / (1 + step), "train/acc": step / 60, "val/loss": 1.2 / (1 + step), "val/acc": step / 70, "lr": 0.1})
board = tb.board()
tb.finish()
"""
READ = "print(board.pinned, board.combined, board.chart_sizes, board.chart_order)"
SCREEN = 800  # px of the window that the targets are for


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    lab_of_module.set_size(1280, SCREEN)
    lab_of_module.write_and_open("many", MANY, DEEP, FEW, READ)
    for number in range(3):
        lab_of_module.run_to_end(number)
    return lab_of_module


def height(board: Board) -> float:
    return board.box()["height"]


def in_view(board: Board, metric: str) -> bool:
    box: dict[str, Any] | None = board.chart(metric).bounding_box()
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= SCREEN


def test_300_metrics_take_at_most_three_screens(lab: Lab, report: Callable[[str], None]) -> None:
    board = lab.board(0).wait()
    lab.wait_for_quiet()
    board.look("many-metrics")
    report(f"300 metrics in 30 groups: {height(board):.0f} px, {height(board) / SCREEN:.2f} screens")
    assert height(board) <= 3 * SCREEN
    assert len(board.metrics()) == 10
    assert board.root.locator(".tb-group").count() == 30
    nested = lab.board(1).wait()
    lab.wait_for_quiet()
    nested.look("nested-metrics")
    report(f"217 metrics in nested prefixes: {height(nested):.0f} px")
    assert height(nested) <= 3 * SCREEN


@pytest.mark.parametrize("metric", ["train/metric_9", "val/metric_0", "probe 13/metric_4", "probe 27/metric_9"])
def test_any_metric_is_reached_in_two_gestures(lab: Lab, metric: str) -> None:
    board = lab.board(0)  # not all of its charts are in sight, and drawn
    field = board.root.locator(".tb-search .tb-filter")
    field.fill(metric)  # the first gesture: type its name
    board.root.locator(".tb-found").get_by_role("option", name=metric, exact=True).click()  # the second
    lab.wait_for_quiet()
    assert in_view(board, metric)
    assert field.input_value() == ""
    board.wait_for_rows(metric, 40)


def test_levels_of_prefixes_unfold(lab: Lab) -> None:
    board = lab.board(1)
    board.root.scroll_into_view_if_needed()
    board.root.locator('[data-group="model/layers"] .tb-group-toggle').click()
    board.root.locator('[data-group="model/layers/20"] .tb-group-toggle').click()
    board.root.locator('[data-group="model/layers/20/mlp"] .tb-group-toggle').click()
    board.wait_for_rows("model/layers/20/mlp/update", 40)
    titles = board.root.locator('[data-group="model/layers/20/mlp"] .tb-metric').all_inner_texts()
    assert titles == ["grad_norm", "weight_norm", "update"]


def drag(board: Board, metric: str, other: str, share: float) -> None:
    """Drag a chart by its title to a place in another: 0 is its left, 1 its right."""
    title, target = board.chart(metric).locator(".tb-metric"), board.chart(other)
    target.scroll_into_view_if_needed()
    start, end = title.bounding_box(), target.bounding_box()
    assert start
    assert end
    mouse = board.page.mouse
    mouse.move(start["x"] + 5, start["y"] + 8)
    mouse.down()
    mouse.move(end["x"] + share * end["width"], end["y"] + end["height"] / 2, steps=5)
    board.look("dragging")
    mouse.up()


def read(lab: Lab) -> str:
    lab.run_to_end(3)
    return lab.cell(3).locator(".jp-OutputArea-output").inner_text().strip()


def test_charts_are_dragged_pinned_sized_and_combined_by_hand_and_python_reads_it(lab: Lab) -> None:
    lab.set_size(1280, 1000)
    board = lab.board(2).wait()
    drag(board, "train/acc", "train/loss", 0.05)
    lab.wait_for_quiet()
    assert board.groups()["train"] == ["train/acc", "train/loss"]
    drag(board, "val/loss", "train/loss", 0.5)
    board.wait_for_rows("loss", 120)
    assert board.groups() == {"": ["lr"], "train": ["train/acc", "loss"], "val": ["val/acc"]}
    assert {row["run"] for row in board.rows("loss")} == {"train", "val"}
    chart = board.chart("lr")
    chart.hover()
    chart.locator(".tb-more").click()
    chart.get_by_role("menu").get_by_text("Pin to the top", exact=True).click()
    lab.wait_for_quiet()
    assert board.groups()["@pinned"] == ["lr"]
    corner = board.chart("loss").locator(".tb-resize").bounding_box()
    assert corner
    width = board.chart("loss").bounding_box()
    assert width
    mouse = lab.page.mouse
    mouse.move(corner["x"] + 6, corner["y"] + 6)
    mouse.down()
    mouse.move(corner["x"] + width["width"], corner["y"] + 20, steps=4)
    mouse.up()
    lab.wait_for_quiet()
    board.look("arranged")
    loss = board.chart("loss").bounding_box()
    assert loss
    assert loss["width"] > 1.9 * width["width"]
    assert read(lab) == (
        "['lr'] {'loss': ['train/loss', 'val/loss']} {'loss': '2x1'} ['train/loss', 'train/acc', 'loss']"
    )
    chart = board.chart("loss")
    chart.hover()
    chart.locator(".tb-more").click()
    chart.get_by_role("menu").get_by_text("Separate the metrics", exact=True).click()
    board.wait_for_rows("val/loss", 60)
    assert board.groups()["val"] == ["val/loss", "val/acc"]
