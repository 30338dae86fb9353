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


def test_charts_grow_while_the_cell_is_busy(lab: Lab, report: Callable[[str], None]) -> None:
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

    steps = board.wait_for_rows("train/loss", 200).steps("train/loss")
    assert steps == list(range(len(steps)))
    assert board.steps("val/accuracy") == list(range(len(steps) // 20))
    assert board.groups() == {
        "": ["lr"],
        "train": ["train/loss", "train/accuracy"],
        "val": ["val/loss", "val/accuracy"],
    }


def test_empty_board_announces_the_charts(lab: Lab) -> None:
    fail = "with run:\n    run.log({'a': 1})\n    1 / 0"
    lab.write_and_open("empty", "import trackbook as tb\nrun = tb.init(project='empty')", fail)
    lab.run_to_end(0)
    board = lab.board()
    board.root.locator(".tb-empty").wait_for()
    assert board.root.locator(".tb-empty").inner_text().strip()
    lab.run_to_end(1)
    board.wait().root.locator(".tb-state[data-state=failed]").wait_for()
