"""The cost of `%%track`: a tracked assignment compared with `run.log` of the same value: `python benchmarks/track.py`."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from typing import Any

CALLS = 20_000
ROUNDS = 25

HEADS = {
    "plain": "y = x",
    "log": "y = x\n        run.log({'y': y})",
    "%%track": "y = x",
    "%%track --every": "y = x",
    "append": "losses.append(x)",
    "%%track append": "losses.append(x)",  # without names: what the loop reports
}
PROGRAM = """
def cell(x, count):
    for _ in range(count):
        {}
"""


def functions(run: Any) -> dict[str, Any]:
    """The same loop plain, with `log`, tracked, and tracked at values that are not due.

    Tracked functions are those of another cell, whose code is replaced as `%%track` does.
    """
    import ast
    import linecache
    from collections import deque

    from trackbook.magics.functions import Replaced
    from trackbook.magics.instrument import passing_name
    from trackbook.magics.targets import parse_targets
    from trackbook.magics.tracked_code import Options, track_code
    from trackbook.magics.tracker import Passing, Tracker

    made = {}
    for name, statement in HEADS.items():
        source = PROGRAM.format(statement)
        linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
        scope: dict[str, Any] = {"__name__": "__main__", "run": run, "losses": deque(maxlen=1)}
        exec(compile(source, name, "exec", dont_inherit=True), scope)  # noqa: S102  # what is measured
        made[name] = scope["cell"]
        if "track" in name:
            targets = [] if "append" in name else parse_targets(["y"])
            options = Options("tracker", throttled="every" in name)
            code = track_code(ast.parse("cell(1, 2)"), targets, options, scope)
            tracker = Tracker(code.selected.metrics, every=10**9 if "every" in name else 1, lenient=not targets)
            tracker.begin(run)
            scope |= {"tracker": tracker, passing_name("tracker"): Passing(tracker)}
            code.replace(Replaced())
    return made


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRACKBOOK_DIR"] = folder
        import numpy as np

        import trackbook as tb

        for kind, value in {"float": 0.5, "np.float64": np.float64(0.5), "np.float32": np.float32(0.5)}.items():
            run = tb.init(project="bench", display=False)
            cells = functions(run)
            times: dict[str, list[float]] = {name: [] for name in cells}
            for _ in range(ROUNDS):
                for name, cell in cells.items():
                    begin = time.perf_counter()
                    cell(value, CALLS)
                    times[name].append((time.perf_counter() - begin) / CALLS * 1e6)
            run.finish()
            medians = {name: statistics.median(taken) for name, taken in times.items()}
            print(f"{kind:>10}:", ", ".join(f"{name} {taken:.2f} us" for name, taken in medians.items()))


if __name__ == "__main__":
    main()
