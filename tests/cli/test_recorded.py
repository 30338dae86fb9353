"""Commands that read records answer without Polars, and as they do with it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import trackbook as tb
from command_lines import CommandLine, record
from trackbook.cli import finding, listing, output
from trackbook.tracking.recorded_project import RecordedProject
from trackbook.tracking.run import writer_of

READING = [
    ("ls", "runs", "odd"),
    ("ls", "runs", "odd", "--limit", "1"),
    ("ls", "metrics", "first"),
    ("get", "run", "first"),
    ("get", "run", "second"),
    ("get", "config", "first"),
    ("get", "env", "first"),
    ("get", "console", "first", "--last", "1"),
    ("get", "cells", "first"),
    ("diff", "first", "second"),
]
LIVE = """
import sys, trackbook as tb
run = tb.init("odd", "live", display=False, capture=False)
run.log({"loss": 1.0})
print("open", flush=True)
sys.stdin.read()
"""


def record_odd_runs() -> None:
    """Two runs whose columns mix types, with captured rows, and a third without a point."""
    configs = (
        {"lr": 1, "wide": 2**70, "mixed": "a", "flag": True, "list": [1, {"a": None}], "none": None},
        {"lr": 0.5, "wide": 3, "mixed": 7, "flag": False, "own": "é"},
    )
    for name, config in zip(("first", "second"), configs, strict=True):
        with tb.init("odd", name, config=config, tags=[name], display=False, capture="console,environment") as run:
            sys.stdout.write(f"one line\nanother of {name}\n")
            run.log({"loss": math.nan if name == "first" else 0.25, "config.lr": 2, f"only/{name}": -math.inf})
            run.log({"loss": math.inf})
            run.summary["best"] = "high" if name == "first" else 3
            run.summary["loss"] = 0.125
            cell = (0, "c", 3, f"x = '{name}'", 1.5, None, "ok", None, "out", '["loss", 3]', 2, None)
            writer_of(run).store.put_captured(run.id, "cells", [cell, (1, *cell[1:3], None, *cell[4:])])
    with tb.init("odd", "empty", display=False, capture=False):
        pass


@pytest.mark.parametrize("line", READING, ids=" ".join)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_answers_are_those_of_the_whole_project(
    trackbook_command: CommandLine, monkeypatch: pytest.MonkeyPatch, line: tuple[str, ...], form: tuple[str, ...]
) -> None:
    record_odd_runs()
    now = time.time()
    for module in (output, listing):
        monkeypatch.setattr(module, "time", lambda: now)  # ages are the same in both answers
    assert isinstance(finding.recorded_project("odd", None), RecordedProject)
    quick = trackbook_command(*line, *form)
    monkeypatch.setattr(RecordedProject, "is_whole", False)
    assert quick == trackbook_command(*line, *form)
    assert quick.code == 0


def test_neither_polars_nor_numpy_is_loaded() -> None:
    record_odd_runs()
    lines = json.dumps([*READING, ("ls",), ("get", "run")])
    program = f"""
import json, sys
from trackbook.cli.app import main
for words in json.loads({lines!r}):
    try:
        main(words)
    except SystemExit as ended:
        assert not ended.code, words
    assert not {{"polars", "numpy"}} & sys.modules.keys(), words
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_run_that_another_process_writes_is_read_without_polars(trackbook_command: CommandLine) -> None:
    record_odd_runs()
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", LIVE], stdin=pipe, stdout=pipe, text=True) as writing:
        assert writing.stdout is not None
        assert writing.stdout.readline() == "open\n"
        assert isinstance(finding.recorded_project("odd", None), RecordedProject)
        assert trackbook_command("get", "run", "--json").json["state"] == "running"
        writing.kill()
    assert not isinstance(finding.recorded_project("odd", None), RecordedProject)
    assert trackbook_command("get", "run", "--json").json["state"] == "lost"
    assert isinstance(finding.recorded_project("odd", None), RecordedProject)


def test_exit_status_that_is_yet_to_be_taken_up_is_seen(trackbook_command: CommandLine) -> None:
    program = "import sys, trackbook as tb\ntb.init('p', display=False, capture=False)\nsys.exit(3)"
    subprocess.run([sys.executable, "-c", program], check=False, env=os.environ | {"TRACKBOOK_QUIET": "1"})
    assert trackbook_command("get", "run", "--json").json["state"] == "failed"


def test_damaged_record_is_told_and_hides_no_other(trackbook_command: CommandLine, store_dir: Path) -> None:
    import sqlite3
    from contextlib import closing

    record_odd_runs()
    with closing(sqlite3.connect(store_dir / "odd.trackbook.db")) as db, db:
        db.execute("update runs set config = '[' where name = 'first'")
    answer = trackbook_command("ls", "runs", "odd", "--json")
    assert [row["name"] for row in answer.json] == ["second", "empty"]
    assert "is damaged" in answer.err


def test_own_open_runs_are_read_from_memory(trackbook_command: CommandLine) -> None:
    record("odd", "finished")
    with tb.init("odd", "open", display=False, capture=False) as run:
        run.log({"loss": 1.0})
        assert not isinstance(finding.recorded_project("odd", None), RecordedProject)
        assert trackbook_command("ls", "runs", "odd", "--json").json[-1]["points"] == 1
