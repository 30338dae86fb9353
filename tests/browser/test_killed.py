"""A kernel that dies while its cell runs."""

from __future__ import annotations

from playwright.sync_api import expect

from browser.lab import Lab

DIE = """
import os, pathlib, signal, time
import trackbook as tb

run = tb.init(project="killed", name="only")
for i in range(200):
    run.log({"loss": 1 / (1 + i)})
while not pathlib.Path("die").exists():
    time.sleep(0.02)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_board_of_a_dead_kernel_says_so_and_stays_usable(lab: Lab) -> None:
    lab.write_and_open("killed", DIE, "import trackbook as tb\ntb.board('killed')")
    lab.run(0)
    board = lab.board().wait_for_rows("loss", 200)
    drawn = board.picture()
    (lab.server.root / "die").touch()
    notice = board.root.locator(".tb-notice")
    expect(notice).to_contain_text("The kernel of this board has stopped")
    lab.page.locator(".jp-Dialog button.jp-mod-accept").click()  # "The kernel appears to have died"
    expect(board.root.locator(".tb-top")).to_contain_text("kernel gone")
    expect(board.root.locator(".tb-top")).not_to_contain_text("running")
    gap = notice.evaluate(
        "(one) => one.parentElement.nextElementSibling.parentElement.querySelector('.tb-body').getBoundingClientRect().top"
        " - one.getBoundingClientRect().bottom"
    )
    assert gap >= 8, "the notice is not glued to what is below"
    board.smooth(7)
    board.page.wait_for_function(
        "(chart) => chart.view.data('points').some((row) => row.smooth !== row.value)",
        arg=board.chart("loss").element_handle(),
    )
    board.look("killed")
    lab.wait_until_idle()
    lab.run_to_end(1)
    again = lab.board(1).wait_for_rows("loss", 200)
    assert again.picture() == drawn
    expect(again.root.locator(".tb-state")).to_have_text("lost")
