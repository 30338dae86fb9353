"""Many pools, in each of which every worker records a run: `make pools`. Prints what hung, failed or ended in a wrong state.

python tests/pool_marathon.py 500 100      # pools by fork, pools by spawn
"""

from __future__ import annotations

import collections
import faulthandler
import multiprocessing as mp
import os
import sys
import tempfile
from pathlib import Path

import trackbook as tb

RUNS = 4  # of each pool, by two workers
SECONDS = 60  # for one pool


def train(name: str) -> str:
    with tb.init("p", name, capture=False) as run:
        for step in range(10):
            run.log({"loss": step})
    return name


def main(pools: dict[str, int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRACKBOOK_DIR"] = folder
        tb.init(
            "p", "parent", capture=False
        )  # so that forked workers inherit an open run, and a Polars that hangs there
        for method, count in pools.items():
            for number in range(count):
                faulthandler.dump_traceback_later(SECONDS, exit=True)
                names = [f"{method}-{number}-{one}" for one in range(RUNS)]
                with mp.get_context(method).Pool(2) as pool:
                    assert pool.map(train, names, chunksize=1) == names
                faulthandler.cancel_dump_traceback_later()
        tb.finish()
        found = tb.runs("p")
        states = collections.Counter(found["state"])
        expected = RUNS * sum(pools.values()) + 1
        points = found["points"].sum()
        print(f"{pools}: {dict(states)}, {points:,} points")  # noqa: T201  # it is a program
        assert states == {"finished": expected}
        assert points == 10 * (expected - 1)
        assert not list(Path(folder).glob("*.exit"))


if __name__ == "__main__":
    counts = [int(word) for word in sys.argv[1:]] or [500, 100]
    main(dict(zip(["fork", "spawn"], counts, strict=True)))
