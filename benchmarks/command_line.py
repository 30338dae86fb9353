"""How long `trackbook` takes to start, beside ``python -c "import polars"``: in turn, so that a busy machine slows all alike.

``python benchmarks/command_line.py [ROUNDS]`` prints medians and ratios of wall time and of processor time. Bytecode is compiled before,
as that of installed packages is.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

ROUNDS = 15
PYTHON = sys.executable
RECORD = """
import trackbook as tb
for name in ("r1", "r2"):
    with tb.init("p", name, config={"name": name}, display=False) as run:
        run.log({"x": 1})
"""
CASES: dict[str, Sequence[str]] = {
    "import polars": (PYTHON, "-c", "import polars"),
    "import trackbook": (PYTHON, "-c", "import trackbook"),
    **{
        f"trackbook {line}": (PYTHON, "-m", "trackbook", *line.split())
        for line in (
            "--version",
            "--help",
            "ls",
            "ls --json",
            "ls runs",
            "get config",
            "get run",
            "diff r1 r2",
            "get metric x",
        )
    },
}


def measure(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return the wall time and the processor time of a program, in seconds."""
    begin, before = time.perf_counter(), os.times()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begin, used


def main() -> None:
    """Measure and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"TRACKBOOK_DIR": f"{folder}/runs", "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        subprocess.run([PYTHON, "-c", RECORD], env=environment, check=True)
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
        for turn in range(rounds + 1):
            for name, command in CASES.items():
                measured = measure(command, environment)
                if turn:  # the first one compiles
                    times[name].append(measured)
    base = [statistics.median(column) for column in zip(*times["import polars"], strict=True)]
    print(f"{'':<24}{'wall':>8}{'ratio':>8}{'cpu':>8}{'ratio':>8}   medians of {rounds} rounds")
    for name, found in times.items():
        medians = [statistics.median(column) for column in zip(*found, strict=True)]
        cells = [f"{1000 * median:5.0f} ms{median / one:8.2f}" for median, one in zip(medians, base, strict=True)]
        print(f"{name:<24}{''.join(cells)}")


if __name__ == "__main__":
    main()
