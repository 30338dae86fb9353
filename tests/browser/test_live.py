from __future__ import annotations

import time
from collections.abc import Callable

from PIL import ImageChops

from browser.lab import Lab

# Ten seconds, and longer where the machine is too slow for the test to look three times.
TEN_SECONDS = """
import itertools, math, pathlib, time
import trackbook as tb

run = tb.init(project="live")
for i in itertools.count():
    if i >= 200 and pathlib.Path("seen").exists():
        break
    run.log({"train/loss": math.exp(-i / 60) + 0.05 * math.sin(i), "train/accuracy": 1 - math.exp(-i / 60), "lr": 0.1})
    if i % 20 == 19:
        run.log({"val/loss": math.exp(-i / 60), "val/accuracy": 1 - math.exp(-i / 50)})
    time.sleep(0.05)
tb.finish()
"""


def test_charts_draw_and_grow_while_the_cell_is_busy(lab: Lab, report: Callable[[str], None]) -> None:
    (lab.server.root / "seen").unlink(missing_ok=True)
    lab.write_and_open("live", TEN_SECONDS)
    lab.run(0)
    board = lab.board()
    board.wait_for_chart("train/loss")
    board.wait_for_rows("train/loss", 1)
    seen = time.time()
    assert lab.is_busy(0)
    report(f"init to first chart: {seen - board.rows('train/loss')[0]['time']:.2f} s")

    pictures, counts = [], []
    for _ in range(3):
        board.wait_for_rows("train/loss", 20 + (counts[-1] if counts else 0))
        pictures.append(board.look(chart="train/loss"))
        counts.append(len(board.rows("train/loss")))
        assert lab.is_busy(0)
    (lab.server.root / "seen").touch()
    lab.wait_until_done(0)
    assert counts == sorted(set(counts))
    assert ImageChops.difference(pictures[0], pictures[1]).getbbox()
    assert ImageChops.difference(pictures[1], pictures[2]).getbbox()


def test_after_finish_the_board_holds_every_metric_in_its_group(lab: Lab) -> None:
    (lab.server.root / "seen").touch()
    lab.write_and_open("finished", TEN_SECONDS.replace("0.05)\ntb", "0)\ntb"))
    lab.run_to_end(0)
    board = lab.board().wait_for_rows("train/loss", 200)
    assert board.groups() == {
        "": ["lr"],
        "train": ["train/loss", "train/accuracy"],
        "val": ["val/loss", "val/accuracy"],
    }
    assert board.steps("train/loss") == list(range(200))
    assert board.steps("val/accuracy") == list(range(10))


def test_a_board_before_its_first_point_says_what_will_appear(lab: Lab) -> None:
    lab.write_and_open("empty", "import trackbook as tb\nrun = tb.init(project='empty')")
    lab.run_to_end(0)
    board = lab.board()
    board.root.locator(".tb-empty").wait_for()
    assert board.root.locator(".tb-empty").inner_text().strip()


def test_a_run_that_failed_says_so_on_its_board(lab: Lab) -> None:
    program = "import trackbook as tb\nwith tb.init(project='fails') as run:\n    run.log({'a': 1})\n    1 / 0"
    lab.write_and_open("fails", program)
    lab.run_to_end(0)
    board = lab.board().wait()
    board.page.wait_for_function("(board) => /failed/i.test(board.innerText)", arg=board.root.element_handle())
