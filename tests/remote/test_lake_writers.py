"""Many writers of one lake at once, writers that are killed, and upkeep beside writers."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from remote.lake_writer import METRICS, points, upload
from remote.local_s3 import BEFORE, CUT, LOST, SLOW, LocalS3
from trackbook.remote.lake_store import LakeStore
from trackbook.remote.lake_tables import Lake

PROGRAM = Path(__file__).with_name("lake_writer.py")
TRIALS = int(os.environ.get("TRACKBOOK_LAKE_TRIALS", "3"))  # `make test-lake` makes 200
WRITERS = int(os.environ.get("TRACKBOOK_LAKE_WRITERS", "5"))  # `make test-lake` starts 20


@pytest.fixture(params=["path", "s3"])
def where(request: pytest.FixtureRequest, s3: LocalS3, tmp_path: Path) -> Iterator[str]:
    yield f"s3://{s3.bucket()}/team" if request.param == "s3" else str(tmp_path / "lake")
    s3.fault = lambda _method, _path: None


def start(where: str, run: int, end: int, size: int) -> subprocess.Popen[bytes]:
    """Start a process that uploads a run."""
    return subprocess.Popen([sys.executable, PROGRAM, where, *map(str, (run, end, size))])


def check(where: str, run: int, end: int) -> None:
    """Check that a lake has exactly the points of a run, and their summary."""
    store = LakeStore(Lake(where), "digits")
    found = store.read(f"r{run}").with_columns(pl.col("metric").cast(pl.String)).sort("metric", "step")
    wanted = points(run, 0, end).with_columns(pl.col("metric").cast(pl.String)).sort("metric", "step")
    assert found.equals(wanted)
    summary = store.summary(f"r{run}")
    assert {name: one.count for name, one in summary.items()} == dict(wanted.group_by("metric").len().iter_rows())
    assert summary[METRICS[0]].last == wanted.filter(pl.col("metric") == METRICS[0])["value"][-1]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_many_processes_write_their_runs_into_one_table_at_once(where: str) -> None:
    writers = [start(where, run, 900, 300) for run in range(WRITERS)]
    assert [writer.wait(280) for writer in writers] == [0] * WRITERS
    for run in range(WRITERS):
        check(where, run, 900)
    assert len(LakeStore(Lake(where), "digits").runs()) == WRITERS


@pytest.mark.slow
def test_three_processes_that_write_one_run_agree(where: str) -> None:
    writers = [start(where, 1, 900, 90) for _ in range(3)]
    assert [writer.wait(110) for writer in writers] == [0] * 3
    check(where, 1, 900)


@pytest.mark.slow
@pytest.mark.parametrize("trial", range(TRIALS))
def test_killed_writers_and_failed_requests_lose_and_double_nothing(where: str, s3: LocalS3, trial: int) -> None:
    chance = random.Random(trial)
    s3.fault = lambda _method, _path: chance.choice([BEFORE, LOST, CUT, SLOW]) if chance.random() < 0.1 else None
    writer = start(where, 1, 1_200, 100)
    try:
        writer.wait(chance.uniform(0.5, 2.0))
    except subprocess.TimeoutExpired:
        writer.kill()
        writer.wait()
    upload(where, 1, 1_200, 150)
    s3.fault = lambda _method, _path: None
    check(where, 1, 1_200)
