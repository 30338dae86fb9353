"""The front end is once in the notebook, and evaluated once on a page."""

from __future__ import annotations

from browser.lab import Lab

MANY = """
import trackbook as tb

for i in range(12):
    with tb.init(project=f"many-{i}", name="only") as run:
        run.log({"loss": 0.5})
"""


def test_twelve_boards_share_one_front_end(lab: Lab) -> None:
    lab.write_and_open("many", MANY)
    lab.run_to_end(0)
    boards = lab.page.locator(".tb-board")
    boards.nth(11).wait_for()
    assert boards.count() == 12
    assert lab.page.evaluate("() => globalThis.trackbookFrontEnds.size") == 1
    lab.save()
    lab.reload()
    boards.nth(11).wait_for()
    assert lab.page.evaluate("() => globalThis.trackbookFrontEnds.size") == 1
