"""Training whose upload target accepts connections and never answers: `python benchmarks/hanging.py [--seconds 3600]`.

Two programs train side by side for as long, one of them with such a target. Prints the processor time of a step and of the whole process,
and its memory over time, of both.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from typing import Any, Final

SAMPLES: Final = 12
# Computes for half a millisecond a step, rests for twenty, and logs ten metrics.
TRAINING: Final = """
import json, os, sys, time
import psutil
import trackbook as tb
seconds, where = float(sys.argv[1]), sys.argv[2] or None
run = tb.init("hanging", sync=where, display=False, capture=False)
process, samples, steps, logging = psutil.Process(), [], 0, 0.0
begin, used, every = time.monotonic(), time.process_time(), seconds / SAMPLES
while (passed := time.monotonic() - begin) < seconds:
    until = time.thread_time() + 0.0005
    while time.thread_time() < until:
        pass
    before = time.thread_time()
    run.log({f"m{i}": steps / (i + 1) for i in range(10)})
    logging += time.thread_time() - before
    steps += 1
    if passed >= every * (len(samples) + 1):
        samples.append(round(process.memory_info().rss / 2**20, 1))
    time.sleep(0.02)
cpu = time.process_time() - used
begin = time.monotonic()
run.finish()
print(json.dumps({"steps": steps, "log_us": 1e6 * logging / steps, "cpu_ms": 1e3 * cpu / steps, "mb": samples,
                  "finish_s": time.monotonic() - begin, "points": len(run.history()), "said": run.sync_state and run.sync_state.state}))
"""


def silent() -> str:
    """Return the address of a server that accepts connections and never answers."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    kept = []

    def accept() -> None:
        while True:
            kept.append(listening.accept()[0])

    threading.Thread(target=accept, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=3600)
    given = arguments.parse_args()
    program = TRAINING.replace("SAMPLES", str(SAMPLES))
    with tempfile.TemporaryDirectory() as place:
        trainings = {
            name: subprocess.Popen(
                [sys.executable, "-c", program, str(given.seconds), where],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {"TRACKBOOK_DIR": f"{place}/{name}", "TRACKBOOK_TOKEN": "of-nobody"},
            )
            for name, where in {"alone": "", "hanging": silent()}.items()
        }
        found: dict[str, dict[str, Any]] = {}
        for name, training in trainings.items():
            out, said = training.communicate()
            found[name] = json.loads(out)
            print(name, json.dumps(found[name]))
            print(said, end="")
    alone, hanging = found["alone"], found["hanging"]
    print(f"processor time of a step, hanging / alone: {hanging['cpu_ms'] / alone['cpu_ms']:.3f}", end=", ")
    print(f"of log: {hanging['log_us'] / alone['log_us']:.3f}")


if __name__ == "__main__":
    main()
