"""The cost of `%%track`: a tracked assignment compared with `run.log` of the same value: `python benchmarks/track.py`."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from typing import Any

CALLS = 20_000
ROUNDS = 25

HEADS = {"plain": "y = x", "log": "y = x\n        run.log({'y': y})", "%%track": "y = x", "%%track --every": "y = x"}
PROGRAM = """
def cell(x, count):
    for _ in range(count):
        {}
"""


def functions(run: Any) -> dict[str, Any]:
    """The same loop plain, with `log`, tracked, and tracked at values that are not due."""
    import ast

    from trackbook.magics.instrument import instrument
    from trackbook.magics.targets import parse_targets
    from trackbook.magics.tracker import Tracker

    made = {}
    for name, statement in HEADS.items():
        tree = ast.parse(PROGRAM.format(statement))
        tracker = Tracker(["y"], every=10**9 if "every" in name else 1)
        tracker.begin(run)
        if "track" in name:
            instrument(tree, parse_targets(["y"]), "tracker", throttled="every" in name)
        scope = {"run": run, "tracker": tracker}
        exec(compile(ast.fix_missing_locations(tree), "cell", "exec"), scope)  # noqa: S102  # what is measured
        made[name] = scope["cell"]
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
