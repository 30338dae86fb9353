"""A page whose security policy forbids `eval` draws the board all the same."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from playwright.sync_api import Browser, Route

import trackbook as tb
from browser.lab import Board

BUNDLE = Path(tb.__file__).parent / "_static" / "trackbook.js"
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
        "/favicon.ico": ("image/x-icon", ""),
    }

    def answer(route: Route) -> None:
        kind, body = files[route.request.url.removeprefix("http://trackbook.test")]
        route.fulfill(body=body, headers={"Content-Type": kind, "Content-Security-Policy": POLICY})

    context = browser.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route("**/*", answer)
    page.goto("http://trackbook.test/")
    board = Board(page.locator(".tb-board")).wait()
    assert board.steps("train/loss") == list(range(50))
    board.look("csp")
    assert page.evaluate("() => window.forbidden"), "the page's policy allows eval"
    errors = [error for error in errors if "unsafe-eval" not in error]  # of the script's own try, and the board's
    assert errors == []
    context.close()
