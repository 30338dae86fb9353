"""Trials of a logging program that is killed at a random moment, counting which returned calls the next opener finds.

`trial` is for tests and benchmarks alike.
"""

from __future__ import annotations

import mmap
import os
import random
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import polars as pl

from trackbook.tracking.project import Project

PAUSES = (0.3, 0.03, 0.003, 0.0003, 0.0)  # seconds between calls, from about 1 Hz to unthrottled
METRICS = 3
LONGEST = 1.5  # seconds of logging: the store is flushed once a second

PROGRAM = """
import mmap, struct, sys, time
import trackbook as tb
folder, shared, pause, metrics = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
with open(shared, "r+b") as file:
    returned = mmap.mmap(file.fileno(), 8)
tb.init("killed", dir=folder)
call = 0
while True:
    tb.log({f"m{metric}": float(call) for metric in range(metrics)})
    call += 1
    struct.pack_into("<q", returned, 0, call)
    if pause:
        time.sleep(pause)
"""


class Outcome(NamedTuple):
    """The outcome of one killed program."""

    pause: float
    returned: int  # calls that had returned when it was killed
    lost: int  # of those, the ones that are not all there afterwards
    duplicates: int  # points of one metric and step beyond the first, and points that were logged at another step
    state: str


def trial(folder: Path, seed: int) -> Outcome:
    """Start a program that logs in the empty `folder`, kill it, and open the folder again."""
    dice = random.Random(seed)
    pause = PAUSES[seed % len(PAUSES)]
    shared = folder / "returned"
    shared.write_bytes(bytes(8))
    command = [sys.executable, "-c", PROGRAM, str(folder), str(shared), str(pause), str(METRICS)]
    with shared.open("r+b") as file, mmap.mmap(file.fileno(), 8) as calls:
        program = subprocess.Popen(command)
        try:
            while _read(calls) == 0 and program.poll() is None:
                time.sleep(0.001)
            time.sleep(dice.uniform(0, LONGEST))
        finally:
            program.kill()
            program.wait()
        returned = _read(calls)
    return _open(folder, pause, returned)


def _read(calls: mmap.mmap) -> int:
    return int(struct.unpack_from("<q", calls)[0])


def _open(folder: Path, pause: float, returned: int) -> Outcome:
    project = Project("killed", folder)
    project.recover()
    (record,) = project.store.runs()
    points = project.store.read(record.id)
    project.store.close()
    assert project.store.notices == []
    assert os.listdir(project.journals) == []  # noqa: PTH208  one word of its kind
    there = points.group_by("step").agg(pl.col("metric").n_unique().alias("metrics"))
    whole = len(there.filter((pl.col("metrics") == METRICS) & (pl.col("step") < returned)))
    unique = points.select("metric", "step").n_unique()
    moved = len(points.filter(pl.col("step") != pl.col("value")))
    return Outcome(pause, returned, returned - whole, len(points) - unique + moved, record.state)
