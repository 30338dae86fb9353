"""The browser's cost of one refresh, 12 charts x 3 runs: runs of ten million points against runs of a thousand.

    python benchmarks/draws.py

Needs a Chromium (`tests/browser/chromium.py` finds it) and the front end's packages.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browser import chromium  # noqa: E402  (a module of the tests, by the path above)

BUILD = ["npx", "esbuild", "dev/draws.ts", "--bundle", "--loader:.css=text", "--log-level=warning"]
PAGE = '<!doctype html><meta charset="utf-8"><body></body><script src="draws.js"></script>'


def draws(rounds: int = 9, refreshes: int = 5) -> dict[str, float]:
    """Return the milliseconds of drawing a refresh of `short` and `long` runs, and their ratio, as medians of alternating rounds."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        subprocess.run([*BUILD, f"--outfile={folder}/draws.js"], cwd=ROOT / "js", check=True)
        (Path(folder) / "index.html").write_text(PAGE)
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.goto((Path(folder) / "index.html").as_uri())
        times: dict[str, list[float]] = {"short": [], "long": []}
        for number in range(rounds + 1):
            for name, taken in times.items():
                milliseconds = page.evaluate("([name, count]) => measure(name, count)", [name, refreshes])
                if number:  # the first warms up
                    taken.append(milliseconds)
        browser.close()
    short, long = statistics.median(times["short"]), statistics.median(times["long"])
    ratio = statistics.median(b / a for a, b in zip(times["short"], times["long"], strict=True))
    return {"short_ms": round(short, 1), "long_ms": round(long, 1), "ratio": round(ratio, 2)}


if __name__ == "__main__":
    print(json.dumps(draws()))
