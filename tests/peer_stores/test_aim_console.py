"""Lines of the terminal in Aim's repositories are those that its own reader reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from peer_stores.scripts import run_script

pytest.importorskip("aim", reason="has no wheels for this Python")

WRITE = """
import sys, aim
repo = aim.Repo.from_path(".", init=True)
run = aim.Run(repo=repo, system_tracking_interval=None, log_system_params=False)
for number in range(300):
    print("line", number)
print("\u00e9\u4f60", file=sys.stderr)
for part in range(5):
    print(f"\\rbar {part}", end="")
print("\\n\\x1b[31mred\\x1b[0m\\n\\nlast", end="")
run.track(1.5, name="loss", step=0)
run.close()
"""
MORE = """
import aim
run = aim.Run(run_hash={id!r}, repo=".", system_tracking_interval=None, log_system_params=False)
print("resumed")
run.close()
"""


def theirs(folder: Path) -> list[tuple[str, float]]:
    """Return the lines and their times, as Aim's own reader gives them."""
    import aim

    aim.Repo(str(folder))._recreate_index()  # as `aim storage reindex`
    (run,) = aim.Repo(str(folder)).iter_runs()
    logs: Any = run.get_terminal_logs()
    return [(line.data, time) for _, (line, _, time) in logs.data.items()]


def ours(run: tb.Run) -> list[tuple[str, float]]:
    assert run.console()["stream"].unique().to_list() == ["stdout"]
    return run.console()["text", "time"].rows()


def test_console_is_what_aim_reads(tmp_path: Path) -> None:
    run_script(WRITE, tmp_path)
    (run,) = tb.import_from(tmp_path)
    found = ours(run)
    assert found == theirs(tmp_path)
    texts = [text for text, _ in found]
    assert texts == [*(f"line {number}" for number in range(300)), "é你", "bar 4", "\x1b[31mred\x1b[0m", "", "last"]
    assert run.history("loss")["value"].to_list() == [1.5]


def test_run_that_has_grown_gets_the_rest_of_its_lines(tmp_path: Path) -> None:
    run_script(WRITE, tmp_path)
    (run,) = tb.import_from(tmp_path)
    before = ours(run)
    run_script(MORE.format(id=run.id), tmp_path)
    (again,) = tb.import_from(tmp_path)
    assert ours(again) == theirs(tmp_path)
    assert ours(again)[: len(before)] == before
    assert "resumed" in [text for text, _ in ours(again)[len(before) :]]
