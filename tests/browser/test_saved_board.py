from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

import trackbook as tb

HOSTILE = "</script><script>document.title='owned'</script>"


@pytest.mark.browser
def test_a_saved_board_draws_under_its_policy_and_runs_nothing_supplied(browser: Browser, tmp_path: Path) -> None:
    with tb.init("p", name=HOSTILE, capture=False, display=False) as run:
        for i in range(5):
            run.log({"loss": 1 / (i + 1), HOSTILE: float(i)})
    tb.board("p").save(tmp_path / "board.html")
    context = browser.new_context(offline=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto((tmp_path / "board.html").as_uri())
    page.locator("#chart canvas, #chart svg").first.wait_for()
    assert page.title() == "Trackbook"
    assert problems == []
    context.close()
