"""What media cost: `log` of images against encoding them alone, memory over 10,000 images, eight processes, kills, and a gallery.

    python benchmarks/media.py training|loop|processes|kills|gallery

`training` logs images between steps, `loop` does nothing else. Both take CPU time of the training thread, which other programs do not change
much; `loop` also that of all threads.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

import trackbook as tb

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from media_trials import trial  # of the tests

IMAGES = 10_000
SIDE = 64
LOOK = 1_000
PROCESSES = 8
KILLS = 12
TRAINED = ((64, 1000, 300), (224, 200, 50), (512, 60, 10))  # side, images, images a second
WRITER = """
import numpy as np, trackbook as tb
run = tb.init("p")
for number in range(200):
    run.log({"a": tb.Image(np.random.default_rng(number).integers(0, 255, (64, 64, 3), np.uint8))})
run.finish()
"""

GALLERY = "gallery"
FILL = f"""
import sys
sys.path.append({str(Path(__file__).parent)!r})
import trackbook as tb
from media import IMAGES, pixels
with tb.init({GALLERY!r}, capture=False) as run:
    for step in range(IMAGES):
        run.log({{"samples": tb.Image(pixels(step)), "loss": 1 / (step + 1)}})
"""
SPEEDS = (1_200, 3_600, 12_000)  # pixels a second
# The milliseconds between frames while an element is scrolled, five seconds long.
SCROLL = """(element, by) => new Promise((resolve) => {
    const gaps = [];
    let last = performance.now();
    const step = (now) => {
        gaps.push(now - last);
        last = now;
        element.scrollTop += by;
        gaps.length < 301 ? requestAnimationFrame(step) : resolve(gaps.slice(1));
    };
    requestAnimationFrame(step);
})"""


def pixels(number: int, side: int = SIDE) -> np.ndarray:
    """Return an image that compresses as photographs do, roughly: noise on a gradient."""
    dice = np.random.default_rng(number)
    ramp = np.linspace(0, 200, side)[:, None, None]
    return (ramp + dice.integers(0, 32, (side, side, 3))).astype(np.uint8)


def training() -> None:
    """Log images of three sizes at the pace of a training loop, which computes in between, and compare with encoding them."""
    for side, count, rate in TRAINED:
        run = tb.init("media", dir=tempfile.mkdtemp(), capture="none")
        arrays = [pixels(number, side) for number in range(count)]
        begin = time.thread_time()
        for array in arrays:
            tb.Image(array).encode()
        encoding = (time.thread_time() - begin) / count
        logging, start = 0.0, time.perf_counter()
        for number, array in enumerate(arrays):
            begin = time.thread_time()
            run.log({"samples": tb.Image(array), "loss": 0.5})
            logging += (time.thread_time() - begin) / count
            while time.perf_counter() < start + number / rate:
                pass
        begin = time.perf_counter()
        run.finish()
        print(
            f"{side} x {side}, {rate} a second: encoding alone {encoding * 1e6:,.0f} us, log {logging * 1e6:,.0f} us: ",
            end="",
        )
        print(f"{logging / encoding:.2f} times as much; finish {(time.perf_counter() - begin) * 1e3:.0f} ms")


def loop() -> None:
    """Compare the loop that logs with the one that only encodes, in turns of 1,000, and print the memory after each."""
    process = psutil.Process()
    run = tb.init("media", dir=tempfile.mkdtemp(), capture="none")
    tb.Image(pixels(0))  # imports what it needs
    run.log({"loss": 0.5})
    encoding = logging = all_threads = 0.0
    memory = []
    for start in range(0, IMAGES, LOOK):
        arrays = [pixels(number) for number in range(start, start + LOOK)]
        begin = time.thread_time()
        for array in arrays:
            tb.Image(array).encode()
        encoding += time.thread_time() - begin
        begin, whole = time.thread_time(), time.process_time()
        for array in arrays:
            run.log({"samples": tb.Image(array), "loss": 0.5})
        logging += time.thread_time() - begin
        all_threads += time.process_time() - whole
        memory.append(process.memory_info().rss / 1e6)
    run.finish()
    print(
        f"encoding alone {encoding / IMAGES * 1e6:.0f} us an image; with log {logging / IMAGES * 1e6:.0f} us, ", end=""
    )
    print(f"{logging / encoding:.2f} times as much; {all_threads / IMAGES * 1e6:.0f} us with all threads")
    print("RSS in MB after each 1,000:", " ".join(f"{each:.0f}" for each in memory))
    begin = time.perf_counter()
    found = len(run.media("samples"))
    print(f"{found:,} rows read back in {time.perf_counter() - begin:.2f} s")


def processes() -> None:
    """Let eight processes log the same 200 images into one project, and count the files."""
    folder = tempfile.mkdtemp()
    environment = os.environ | {"TRACKBOOK_DIR": folder, "TRACKBOOK_CAPTURE": "none"}
    begin = time.perf_counter()
    programs = [subprocess.Popen([sys.executable, "-c", WRITER], env=environment) for _ in range(PROCESSES)]
    codes = [program.wait() for program in programs]
    files = list(Path(folder, "p.files").glob("??/*"))
    print(f"{PROCESSES} processes, 200 images each: {len(files)} files, exit codes {set(codes)}, ", end="")
    print(f"{time.perf_counter() - begin:.1f} s")


def kills() -> None:
    """Kill a logging program at random moments, and print what was lost of the calls that had returned."""
    outcomes = []
    for seed in range(KILLS):
        with tempfile.TemporaryDirectory() as folder:
            outcomes.append(trial(Path(folder), seed))
    calls, lost, damaged = (sum(getattr(each, name) for each in outcomes) for name in ("returned", "lost", "damaged"))
    print(
        f"{KILLS} kills: of {calls:,} returned calls with 2 files each {lost} are not whole; {damaged} files are damaged"
    )


def gallery() -> None:
    """Log 10,000 images, open the page of the project, and scroll through the gallery of all steps at three speeds."""
    from playwright.sync_api import sync_playwright

    from browser import chromium
    from browser.conftest import FLAGS, VIEWPORT
    from browser.served import Served

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        served = Served(Path(folder))
        served.run(FILL)
        page = playwright.chromium.launch(executable_path=chromium.find(), args=FLAGS).new_page(viewport=VIEWPORT)
        page.goto(served.entrance)
        begin = time.perf_counter()
        page.get_by_text(GALLERY).first.click()
        page.wait_for_selector(".tb-media-tile[data-shown], .tb-media-tile [data-shown]")
        print(f"first image after {time.perf_counter() - begin:.2f} s")
        page.get_by_role("button", name="All steps").first.click()
        page.wait_for_selector(".tb-media-gallery[data-rows]")
        for speed in SPEEDS:
            page.wait_for_timeout(2000)
            gaps = page.locator(".tb-media-scroll").first.evaluate(SCROLL, speed / 60)
            late = sum(gap > 1.5 * 1000 / 60 for gap in gaps)
            print(
                f"{speed:,} px/s: {1000 * len(gaps) / sum(gaps):.1f} frames a second, {late} of {len(gaps)} frames late"
            )
        served.kill()


if __name__ == "__main__":
    {"training": training, "loop": loop, "processes": processes, "kills": kills, "gallery": gallery}[sys.argv[1]]()
