"""The cost of recording environment and system metrics for `init`, a loop that logs, and `finish`: `python benchmarks/machine.py`."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from typing import Any

ROUNDS = 25
LOGS = 20_000  # about what is logged while the environment is gathered
SAMPLES, SAMPLE_SECONDS = 50, 0.1
DEFAULT_SECONDS = 10.0

CAPTURES: dict[str, tuple[str, ...]] = {"nothing": (), "both": ("environment", "system")}


def run_once(tb: Any, capture: Sequence[str]) -> list[float]:
    """Return the milliseconds of `init`, of a loop that logs, and of `finish`."""
    begin = time.perf_counter()
    run = tb.init(project="bench", display=False, capture=capture)
    begun = time.perf_counter()
    for step in range(LOGS):
        run.log({"loss": float(step)})
    logged = time.perf_counter()
    run.finish()
    return [1e3 * taken for taken in (begun - begin, logged - begun, time.perf_counter() - logged)]


def processor_share(tb: Any) -> float:
    """Of one core, in percent at the default interval: the time of a process that does nothing but sample and store."""
    used = {}
    for name, capture in {"off": (), "on": ("system",)}.items():
        run = tb.init(project="bench", display=False, capture=capture, system_seconds=SAMPLE_SECONDS)
        time.sleep(0.5)
        begin = time.process_time()
        time.sleep(SAMPLES * SAMPLE_SECONDS)
        used[name] = time.process_time() - begin
        run.finish()
    return 100 * (used["on"] - used["off"]) / SAMPLES / DEFAULT_SECONDS


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRACKBOOK_DIR"] = folder
        import trackbook as tb
        from trackbook.capture import environment

        run_once(tb, CAPTURES["nothing"])
        first = run_once(tb, CAPTURES["both"])  # looks for GPUs, and imports psutil and pynvml
        environment.RECENT_SECONDS = -1.0  # each run looks for itself
        times: dict[str, list[list[float]]] = {name: [] for name in CAPTURES}
        for _ in range(ROUNDS):
            for name, capture in CAPTURES.items():
                times[name].append(run_once(tb, capture))
        for name, taken in {**times, "both, first of the process": [first]}.items():
            medians = [statistics.median(column) for column in zip(*taken, strict=True)]
            print(
                f"{name:>26}: init {medians[0]:.1f} ms, {LOGS:,} logs {medians[1]:.1f} ms, finish {medians[2]:.1f} ms"
            )
        print(f"{'system metrics':>26}: {processor_share(tb):.4f} % of a core at one sample in {DEFAULT_SECONDS:g} s")


if __name__ == "__main__":
    main()
