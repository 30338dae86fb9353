"""Boards draw on a page whose security policy forbids `eval`."""

from __future__ import annotations

import base64
import json

from playwright.sync_api import Browser

import trackbook as tb
from browser.lab import BUNDLE, SITE, Board, serve

POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data: blob:; connect-src 'self'"
PAGE = '<!doctype html><meta charset="utf-8"><main></main><script type="module" src="/page.js"></script>'
SCRIPT = """
import { mount } from "/trackbook.js";
const saved = await (await fetch("/saved.json")).json();
mount(document.querySelector("main"), saved);
try {
    window.forbidden = !new Function("return true")();
} catch {
    window.forbidden = true;
}
"""


def saved_board() -> str:
    with tb.init(project="csp", name="only", display=False) as run:
        for i in range(50):
            run.log({"train/loss": 1 / (1 + i), "train/acc": i})
    keyframe = tb.board("csp").keyframe
    data = base64.b64encode(bytes(keyframe["data"])).decode()
    buffers = [{"path": ["keyframe", "data"], "data": data, "encoding": "base64"}]
    return json.dumps({"state": {"keyframe": {"header": keyframe["header"]}}, "buffers": buffers})


def test_without_eval_the_board_draws(browser: Browser) -> None:
    files = {
        "/": ("text/html", PAGE),
        "/page.js": ("text/javascript", SCRIPT),
        "/trackbook.js": ("text/javascript", BUNDLE.read_text(encoding="utf-8")),
        "/saved.json": ("application/json", saved_board()),
    }
    page = serve(browser, files, {"Content-Security-Policy": POLICY})
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(SITE)
    board = Board(page.locator(".tb-board")).wait()
    assert board.steps("train/loss") == list(range(50))
    board.look("csp")
    assert page.evaluate("() => window.forbidden"), "the page's policy allows eval"
    errors = [error for error in errors if "unsafe-eval" not in error]  # of the script's own try, and the board's
    assert errors == []
    page.context.close()
