"""The cell execution of a point, in the tooltip, and in a notebook whose cells were executed out of order."""

from __future__ import annotations

import pytest

from browser.lab import Board, Lab

INIT = """import pathlib, time, trackbook as tb
run = tb.init(project='origins', name='steady', capture=['cells'])
for i in range(30):
    run.log({'loss': 1 / (i + 1)})"""
MORE = """for i in range(30):
    run.log({'loss': 0.02})
while not pathlib.Path('seen-origins').exists():
    time.sleep(0.02)"""
DIRTY = "print(*run.cells()['dirty'])"
EXPORT = "tb.export('origins', 'origins.parquet')\n%track show origins.parquet"
AGAIN = """two = tb.init(project='origins', name='again', capture=['cells'], reinit='create_new', display=False)
for i in range(60):
    two.log({'loss': 0.5 / (i + 1)})
tb.board('origins', ['steady', 'again'])"""


@pytest.fixture(scope="module")
def lab(lab_of_module: Lab) -> Lab:
    lab_of_module.write_and_open("origins", INIT, MORE, DIRTY, EXPORT, AGAIN)
    lab_of_module.run_to_end(0)
    return lab_of_module


def tooltip(board: Board, across: float) -> str:
    """Return the tooltip of the point at this share of the chart's width."""
    box = board.chart("loss").locator(".tb-plot").bounding_box()
    assert box is not None
    board.page.mouse.move(box["x"] + across * box["width"], box["y"] + box["height"] / 2)
    shown = board.page.locator(".tb-tooltip:visible")
    shown.wait_for()
    return shown.inner_text()


def wait_for_tooltip(board: Board, across: float, text: str) -> str:
    for _ in range(100):
        said = tooltip(board, across)
        if text in said:
            return said
        board.page.wait_for_timeout(100)
    raise AssertionError(f"the tooltip never says {text!r}: {said!r}")


def test_point_names_the_execution_it_came_from(lab: Lab) -> None:
    board = lab.board(0).wait_for_rows("loss", 30)
    assert "In [1]" in tooltip(board, 0.5)
    assert board.faint() == []
    lab.run(1)
    board.wait_for_rows("loss", 60)
    assert lab.is_busy(1)
    wait_for_tooltip(board, 0.9, "In [2]")
    assert "In [1]" in tooltip(board, 0.3)
    (lab.server.root / "seen-origins").touch()
    lab.wait_until_done(1)
    assert "In [2]" in tooltip(board, 0.9)
    board.look("origins")


def test_edited_cell_makes_the_notebook_dirty(lab: Lab) -> None:
    lab.cell(1).locator(".jp-InputArea-editor").click()
    lab.page.keyboard.press("Control+End")
    lab.page.keyboard.type("  # edited")
    lab.run_to_end(1)
    lab.run_to_end(2)
    assert lab.cell(2).locator(".jp-OutputArea-output").inner_text().split("\n")[0] == "None edited since None None"


def test_export_keeps_the_execution_of_points(lab: Lab) -> None:
    lab.run_to_end(3)
    board = lab.board(3).wait_for_rows("loss", 90)
    assert "In [1]" in tooltip(board, 0.2)
    assert "In [3]" in tooltip(board, 0.9)


def test_each_line_names_its_own_execution(lab: Lab) -> None:
    lab.run_to_end(4)
    board = lab.board(4).wait_for_rows("loss", 150)
    lines = tooltip(board, 0.2)
    assert "In [1]" in lines
    assert "In [6]" in lines
    board.look("origins-two")
