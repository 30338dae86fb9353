"""What media cost: `log` of images against encoding them alone, memory over 10,000 images, eight processes, and kills.

    python benchmarks/media.py loop|processes|kills

`loop` takes CPU time of the training thread, which other programs do not change much, and of all threads, with the pump's.
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
WRITER = """
import numpy as np, trackbook as tb
run = tb.init("p")
for number in range(200):
    run.log({"a": tb.Image(np.random.default_rng(number).integers(0, 255, (64, 64, 3), np.uint8))})
run.finish()
"""


def pixels(number: int) -> np.ndarray:
    """Return an image that compresses as photographs do, roughly: noise on a gradient."""
    dice = np.random.default_rng(number)
    ramp = np.linspace(0, 200, SIDE)[:, None, None]
    return (ramp + dice.integers(0, 32, (SIDE, SIDE, 3))).astype(np.uint8)


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
            tb.Image(array)
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
    print(f"{logging / encoding:.2f} times as much; {all_threads / IMAGES * 1e6:.0f} us with the pump's thread")
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


if __name__ == "__main__":
    {"loop": loop, "processes": processes, "kills": kills}[sys.argv[1]]()
