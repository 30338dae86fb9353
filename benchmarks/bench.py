"""What Trackbook costs. So far: the time of `import trackbook`, each in a fresh interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys

PROGRAM = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def import_seconds(module: str, times: int = 11) -> float:
    """Return the median seconds of `import module`, after one import that warms the file cache."""
    command = [sys.executable, "-c", PROGRAM.format(module)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(times + 1)]
    return statistics.median(float(run.stdout) for run in runs[1:])


if __name__ == "__main__":
    for module, promise in (("trackbook", "promised: at most 150 ms"), ("altair", "for comparison")):
        print(f"import {module:<10} {import_seconds(module) * 1000:7.1f} ms   {promise}", flush=True)
