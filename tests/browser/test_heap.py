"""The browser's memory does not grow during two minutes of a run with the fastest refreshes."""

from __future__ import annotations

import base64
import json
import math
import statistics
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from browser.lab import BUNDLE, SITE, serve
from trackbook.frames.picture import Picture

REFRESHES, SAMPLES = 1200, 30
POINTS = 100  # a refresh of a metric: a run of a thousand steps a second
METRICS = ("train/loss", "train/accuracy", "val/loss", "lr")
PAGE = '<!doctype html><meta charset="utf-8"><main></main><script type="module" src="/page.js"></script>'
SCRIPT = """
import board from "/trackbook.js";
const frames = await (await fetch("/frames.json")).json();
const traits = {}, listeners = {};
const model = {
    get: (name) => traits[name],
    set: (name, value) => { traits[name] = value; for (const tell of listeners[`change:${name}`] ?? []) tell(); },
    save_changes() {},
    on: (event, listener) => (listeners[event] ??= new Set()).add(listener),
    off: (event, listener) => listeners[event]?.delete(listener),
};
const bytes = (text) => new DataView(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer);
const put = (trait, frame) => frame && model.set(trait, { header: frame.header, data: bytes(frame.data) });
const frame = () => new Promise(requestAnimationFrame);
put("keyframe", frames[0].keyframe);
board.initialize({ model });
board.render({ model, el: document.querySelector("main"), signal: new AbortController().signal });
window.refresh = async (from, to) => {
    for (const { keyframe, delta } of frames.slice(from, to)) {
        put("keyframe", keyframe);
        put("delta", delta);
        await frame();
    }
};
window.ready = true;
"""


def packed(frame: Any) -> Any:
    return frame and {"header": frame["header"], "data": base64.b64encode(bytes(frame["data"])).decode()}


def frames() -> list[Any]:
    """Yield the frames of an open run."""
    picture = Picture("heap")
    header: Any = {
        "key": 0,
        "place": 0,
        "id": "r",
        "name": "run",
        "group": None,
        "state": "running",
        "started": 0.0,
        "ended": None,
    }
    picture.put_run(
        header | {"done": 0, "total": None, "rate": None, "faded": False, "error": None, "defined": [], "goals": []}
    )
    sent = [{"keyframe": packed(picture.keyframe(0.0)), "delta": None}]
    for number in range(REFRESHES):
        steps = np.arange(number * POINTS, (number + 1) * POINTS)
        for place, metric in enumerate(METRICS):
            values = np.exp(-steps / 4e4) + np.sin(steps * math.sqrt(place + 2)) / 10
            picture.add_points("r", metric, steps, steps / 1000, values)
        keyframe = picture.keyframe(number / 10) if number % 20 == 0 else None
        sent.append({"keyframe": packed(keyframe), "delta": packed(picture.delta(number / 10))})
    return sent


@pytest.mark.timeout(900)  # a minute where the machine has nothing else to do
def test_memory_of_the_browser_is_flat(browser: Browser) -> None:
    files = {
        "/": ("text/html", PAGE),
        "/page.js": ("text/javascript", SCRIPT),
        "/trackbook.js": ("text/javascript", BUNDLE.read_text(encoding="utf-8")),
        "/frames.json": ("application/json", json.dumps(frames())),
    }
    page = serve(browser, files)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(SITE)
    page.wait_for_function("window.ready")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    sizes = []
    for number in range(SAMPLES):
        share = REFRESHES // SAMPLES
        page.evaluate("([from, to]) => refresh(from, to)", [number * share + 1, (number + 1) * share + 1])
        devtools.send("HeapProfiler.collectGarbage")
        found = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
        sizes.append(found["JSHeapUsedSize"])
    assert page.locator(".tb-chart[data-drawn]").count() == len(METRICS)
    page.context.close()
    last = sizes[-SAMPLES // 3 :]
    assert statistics.median(last[5:]) < 1.05 * statistics.median(last[:5]), [round(size / 2**20, 1) for size in sizes]
    assert errors == []
