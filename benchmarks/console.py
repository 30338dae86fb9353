"""The cost of console recording for a print: alternately with a run that records it and one that does not."""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

LINES = 100_000  # of which rounds have their parts
ROUNDS = 10

IN_A_KERNEL = """
import sys
sys.path.insert(0, {here!r})
import console
from IPython.display import display
display({{"application/x-figures": console.rounds({lines}, {count})}}, raw=True)
"""


def rounds(lines: int, count: int) -> dict[str, list[list[float]]]:
    """Seconds, and CPU seconds of the process, for each part of the lines: with a run that records nothing, and the console."""
    import trackbook as tb

    taken: dict[str, list[list[float]]] = {"plain": [], "recorded": []}
    for number in range(2 * count):
        kind = ("plain", "recorded")[(number + number // 2) % 2]
        with tb.init(project="bench", display=False, capture=["console"] if kind == "recorded" else False):
            sys.stdout.flush()
            begin, cpu = time.perf_counter(), time.process_time()
            for i in range(lines // count):
                print(f"epoch {i} loss {i / 7:.6f} accuracy {i / 11:.6f} of a line as training prints it")
            sys.stdout.flush()
            taken[kind].append([time.perf_counter() - begin, time.process_time() - cpu])
    return taken


def figures(taken: dict[str, list[list[float]]], lines: int, where: str) -> dict[str, float]:
    seconds, cpu = (
        {kind: statistics.median(part[i] for part in parts) for kind, parts in taken.items()} for i in (0, 1)
    )
    count = lines / len(taken["plain"])
    return {
        f"slowdown_percent_{where}": (seconds["recorded"] / seconds["plain"] - 1) * 100,
        f"cpu_percent_{where}": (cpu["recorded"] / cpu["plain"] - 1) * 100,
        f"us_{where}": (cpu["recorded"] - cpu["plain"]) / count * 1e6,
    }


def in_a_kernel(_: Any, folder: Path, lines: int = LINES, count: int = ROUNDS) -> dict[str, float]:
    """Print as a notebook's cell does: through the kernel, to a client that reads it."""
    from jupyter_client.manager import start_new_kernel

    found: list[dict[str, list[list[float]]]] = []

    def hear(message: dict[str, Any]) -> None:
        data = message["content"].get("data", {})
        if "application/x-figures" in data:
            found.append(data["application/x-figures"])

    manager, client = start_new_kernel(kernel_name="python3", env=os.environ | {"TRACKBOOK_DIR": str(folder)})
    try:
        code = IN_A_KERNEL.format(here=str(Path(__file__).parent), lines=lines, count=count)
        client.execute_interactive(code, output_hook=hear, timeout=300)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return figures(found[0], lines, "kernel")


def in_a_script(_: Any, folder: Path, lines: int = LINES, count: int = ROUNDS) -> dict[str, float]:
    """Print as a script does: on a terminal, where each line is written at once."""
    import pty
    import subprocess

    os.environ["TRACKBOOK_DIR"] = str(folder)
    mine, theirs = pty.openpty()
    reads = f"import os\nwhile True:\n    os.read({mine}, 1 << 16)"
    terminal = subprocess.Popen([sys.executable, "-c", reads], pass_fds=[mine])
    keep, stdout = os.dup(1), sys.stdout
    os.dup2(theirs, 1)
    sys.stdout = os.fdopen(os.dup(theirs), "w", buffering=1)
    try:
        taken = rounds(lines, count)
    finally:
        sys.stdout = stdout
        os.dup2(keep, 1)
        terminal.kill()
    return figures(taken, lines, "script")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for measure in (in_a_kernel, in_a_script):
            print({name: round(value, 2) for name, value in measure(None, Path(folder)).items()})
