"""A program that uploads one run into a lake as an uploader does: from the cursor on, again after each failure."""

from __future__ import annotations

import sys
import time

import polars as pl

from trackbook.remote.lake_target import LakeTarget
from trackbook.remote.target import Batch
from trackbook.store.base import POINTS
from trackbook.types import Cursor, RunRecord

METRICS = ("train/loss", "train/acc", "val/loss")


def points(run: int, first: int, end: int) -> pl.DataFrame:
    """Return the points of a run with ordinals from `first` up to `end`; metrics take turns."""
    ordinals = range(first, end)
    rows = [(METRICS[i % 3], i // 3, run * 1_000_000.0 + i, 1_000.0 + i) for i in ordinals]
    return pl.DataFrame(rows, POINTS, orient="row")


def upload(where: str, run: int, end: int, size: int) -> None:
    """Upload a run in batches of `size` points."""
    record = RunRecord(f"r{run}", f"run {run}", 1_000.0, state="finished", ended=2_000.0)
    for _ in range(1_000):
        target = LakeTarget(where, project="digits", source="one")
        try:
            at = target.cursor(record.id) or Cursor()
            while at.ordinal < end:
                last = min(end, at.ordinal + size)
                at = target.put(Batch(record, points(run, at.ordinal, last), at, Cursor(0, last)))
        except OSError:
            time.sleep(0.01)
            continue
        return
    raise AssertionError("it does not converge")


if __name__ == "__main__":
    upload(sys.argv[1], *map(int, sys.argv[2:5]))
