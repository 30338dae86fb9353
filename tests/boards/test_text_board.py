from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl

from trackbook.boards.frame_source import FrameSource
from trackbook.boards.text_board import MOST_METRICS, text_board
from trackbook.store.base import POINTS
from trackbook.store.memory import MemoryStore
from trackbook.types import RunRecord


def source_of(runs: int, metrics: int) -> FrameSource:
    store = MemoryStore()
    source = FrameSource("p", store)
    for number in range(runs):
        run = f"r{number}"
        store.put_run(RunRecord(run, f"run {number}", started=100.0 + number, state="finished"))
        source.add_run(run)
        names = [f"m{metric}" for metric in range(metrics)]
        points = {"metric": names, "step": [0] * metrics, "value": [number + 0.5] * metrics, "time": [100.0] * metrics}
        store.append(run, pl.DataFrame(points, schema=POINTS))
    source.pull()
    return source


def test_text_has_runs_as_columns_and_metrics_as_rows() -> None:
    assert text_board("digits", source_of(2, 2)).splitlines() == [
        "trackbook board of 'digits'",
        "          run 0     run 1",
        "state  finished  finished",
        "steps         1         1",
        "m0          0.5       1.5",
        "m1          0.5       1.5",
    ]


def test_text_names_left_out_runs_and_metrics() -> None:
    lines = text_board("p", source_of(6, MOST_METRICS + 2)).splitlines()
    assert lines[1].split() == ["run", "2", "run", "3", "run", "4", "run", "5"]
    assert len(lines) == 4 + MOST_METRICS + 1
    assert lines[-1] == "and 2 earlier runs and 2 more metrics"


def test_text_of_an_empty_board_says_so() -> None:
    assert text_board("p", FrameSource("p", MemoryStore())) == "trackbook board of 'p': no runs yet"


def test_ipython_in_a_terminal_shows_the_text(tmp_path: Path) -> None:
    program = """
import trackbook as tb
with tb.init("terminal", "only") as run:
    run.log({"loss": 0.25})
tb.board("terminal")
"""
    path = tmp_path / "program.ipy"
    path.write_text(program + "exit\n", encoding="utf-8")
    environment = os.environ | {"TRACKBOOK_DIR": str(tmp_path / "store"), "IPYTHONDIR": str(tmp_path)}
    command = [sys.executable, "-m", "IPython", "--simple-prompt", "--colors=NoColor", "--no-banner"]
    done = subprocess.run(
        command,
        input=program.replace("\n    ", " ") + "\n",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "trackbook board of 'terminal'" in done.stdout
    assert "loss       0.25" in done.stdout
