"""Boards are displayed again after loops that clear the output of their cell."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.lab import Lab

CLEARING = """
import pathlib, time
import trackbook as tb
from IPython.display import HTML, clear_output, display

run = tb.init("cleared", name="only")
for i in range(20):
    run.log({"loss": 1 / (1 + i)})
    display(HTML(f"<b>figure {i}</b>"))
    clear_output(wait=True)
while not pathlib.Path("cleared").exists():
    time.sleep(0.02)
run.log({"loss": 0.0})
display(HTML("<b>last figure</b>"))
clear_output(wait=True)
tb.finish()
"""


def test_board_is_back_below_the_figure_during_and_after_the_loop(lab: Lab) -> None:
    path = lab.write("cleared", CLEARING)
    (lab.server.root / "cleared").unlink(missing_ok=True)
    lab.open("cleared")
    lab.run(0)
    lab.board().wait_for_rows("loss", 20)
    assert lab.is_busy(0)
    expect(lab.cell(0).locator(".tb-board")).to_have_count(1)
    expect(lab.cell(0).locator("b")).to_have_text(["figure 19"])
    (lab.server.root / "cleared").touch()
    lab.wait_until_done(0)
    board = lab.board().wait_for_rows("loss", 21)
    expect(lab.cell(0).locator(".tb-board")).to_have_count(1)
    figure = lab.cell(0).locator("b")
    expect(figure).to_have_text(["last figure"])
    assert figure.bounding_box()["y"] < board.box()["y"]  # type: ignore[index]
    lab.cell(0).locator(".jp-RenderedVegaLite").locator("canvas, svg").first.wait_for(state="attached")
    lab.save()
    lab.reload()
    assert len(lab.board().wait_for_rows("loss", 21).rows("loss")) == 21
    assert "application/vnd.vegalite.v5+json" in path.read_text(encoding="utf-8")
