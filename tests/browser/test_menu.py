"""The menu of a chart: full screen, pictures, rows, and the code that makes it."""

from __future__ import annotations

import csv
import html
import io
import re
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from browser.lab import OUTPUT, Board, Lab

PROGRAM = """
import trackbook as tb

run = tb.init(project="menu", name="say \\"hi\\", all")
for i in range(30):
    run.log({"train/loss": 1 / (1 + i), "acc": i / 30})
tb.finish()
"""


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    lab = lab_of_module
    lab.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=lab.server.url)
    lab.write_and_open("menu", PROGRAM, "", "import altair; altair.renderers.enable('mimetype')")  # its own needs a CDN
    lab.run_to_end(0)
    return lab


@pytest.fixture
def board(lab: Lab) -> Board:
    return lab.board().wait()


def choose(board: Board, metric: str, entry: str) -> None:
    chart = board.chart(metric)
    chart.hover()
    chart.locator(".tb-more").click()
    chart.get_by_role("menu").get_by_text(entry, exact=True).click()


def save(board: Board, entry: str) -> Path:
    with board.page.expect_download() as download:
        choose(board, "train/loss", entry)
    assert download.value.suggested_filename.startswith("train-loss.")
    return Path(download.value.path())


def test_pictures_and_rows_are_saved(board: Board) -> None:
    picture = Image.open(save(board, "Save as PNG"))
    assert picture.width > 2 * 640
    picture.save(OUTPUT / "saved-chart.png")
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 10
    svg = save(board, "Save as SVG").read_text(encoding="utf-8")
    texts = [html.unescape(text) for text in re.findall(r">([^<>]+)</text>", svg)]
    assert {"train/loss", "step"} <= set(texts)
    assert any(text.split() == ["say", '"hi",', "all", "0.03333"] for text in texts), (
        "the latest value is in the legend"
    )
    text = save(board, "Save as CSV").read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["run"], int(row["step"]), float(row["value"])) for row in rows] == [
        ('say "hi", all', i, 1 / (1 + i)) for i in range(30)
    ]


def test_a_picture_is_copied_and_sized_for_a_paper(lab: Lab, board: Board) -> None:
    choose(board, "train/loss", "Copy picture")
    board.chart("train/loss").get_by_role("status").get_by_text("Copied.").wait_for()
    size = """async () => {
        const [item] = await navigator.clipboard.read();
        const { width, height } = await createImageBitmap(await item.getType("image/png"));
        return [width, height];
    }"""
    width, height = lab.page.evaluate(size)
    assert width > 2 * 640
    assert height > 2 * 360
    lab.page.keyboard.press("Escape")
    board.root.locator(".tb-menu-button").click()
    sizes = board.root.get_by_role("radiogroup", name="Pictures for")
    sizes.get_by_role("radio", name="Paper").check()
    lab.page.keyboard.press("Escape")
    paper = Image.open(save(board, "Save as PNG"))
    paper.save(OUTPUT / "saved-for-paper.png")
    assert 4 * 288 < paper.width <= 4 * 345  # 3.5 inches at 96 pixels, times four
    board.root.locator(".tb-menu-button").click()
    sizes.get_by_role("radio", name="Chat").check()
    lab.page.keyboard.press("Escape")


def test_all_points_are_saved_as_parquet(board: Board) -> None:
    frame = pl.read_parquet(save(board, "Save as Parquet"))
    assert frame.columns == ["run", "metric", "step", "time", "value"]
    assert frame["value"].to_list() == [1 / (1 + i) for i in range(30)]
    assert set(frame["run"]) == {'say "hi", all'}


def test_the_copied_code_makes_the_chart_in_the_next_cell(lab: Lab, board: Board) -> None:
    lab.run_to_end(2)
    choose(board, "train/loss", "Copy Altair code")
    board.chart("train/loss").get_by_role("status").get_by_text("Copied.").wait_for()
    board.look("chart-menu")
    assert board.faint() == []
    lab.page.keyboard.press("Escape")
    lab.cell(1).locator(".jp-InputArea-editor").click()
    lab.page.keyboard.press("Control+v")
    lab.run_to_end(1)
    assert "Error" not in lab.cell(1).locator(".jp-OutputArea").inner_text()


def test_full_screen_has_everything_and_escape_leaves_it(lab: Lab, board: Board) -> None:
    before = board.chart("train/loss").locator("canvas").bounding_box()
    choose(board, "train/loss", "Full screen")
    dialog = board.root.locator("dialog[open]")
    canvas = dialog.locator("canvas")
    canvas.wait_for()
    lab.page.wait_for_function(
        "([dialog, width]) => dialog.querySelector('canvas').clientWidth > 1.5 * width",
        arg=[dialog.element_handle(), before and before["width"]],
    )
    lab.wait_for_quiet()
    box = canvas.bounding_box()
    assert box
    lab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tooltip = dialog.locator(".tb-tooltip")
    tooltip.wait_for()
    assert "say" in tooltip.inner_text()
    lab.page.screenshot(path=Path(__file__).parent / "output" / "full-screen.png")
    lab.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    lab.wait_for_quiet()
    assert board.chart("train/loss").locator("canvas").bounding_box() == before
    assert lab.page.evaluate("() => document.activeElement.className") == "tb-more"


def test_log_y_of_one_chart_and_of_all(lab: Lab, board: Board) -> None:
    scale = "(chart) => chart.view.scale('y').type"
    choose(board, "train/loss", "Log y")
    lab.wait_for_quiet()
    assert [board.chart(metric).evaluate(scale) for metric in ("train/loss", "acc")] == ["log", "linear"]
    choose(board, "train/loss", "Log y, all charts")
    lab.wait_for_quiet()
    assert [board.chart(metric).evaluate(scale) for metric in ("train/loss", "acc")] == ["log", "log"]
