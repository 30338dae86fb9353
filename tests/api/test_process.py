from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from journals import points
from processes import own_process
from trackbook.api.process import Process, project_paths
from trackbook.tracking.run import Run, writer_of
from trackbook.tracking.run_options import RunOptions
from trackbook.types import RunRecord

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither such signals nor fork")


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    with own_process(monkeypatch) as made:
        yield made


def open_run(process: Process, run: str = "r1") -> Run:
    return process.begin_run(project_paths("p"), RunOptions(RunRecord(run, "a", time.time())))


# --- forks, as the hooks see them -------------------------------------------------------------------------------------


def test_after_a_fork_the_parent_reads_journals_of_children(process: Process) -> None:
    run = open_run(process)
    assert not writer_of(run).has_children
    process._forked()
    assert writer_of(run).has_children


def test_after_a_fork_the_child_logs_into_its_own_journal(process: Process, store_dir: Path) -> None:
    run = open_run(process)
    run.log({"a": 0.5})
    process._go_on_in_child()
    assert len(list(store_dir.glob("p.journals/*"))) == 1
    run.log({"a": 1.5})
    assert len(list(store_dir.glob("p.journals/*"))) == 2


def test_after_a_fork_the_child_has_no_projects_or_boards(process: Process) -> None:
    open_run(process)
    process._go_on_in_child()
    assert (process.projects, process.boards.all(), process.last_project) == ({}, [], None)
    assert (process.pump._members, process.pump._thread) == ([], None)
    with pytest.raises(RuntimeError, match=r"get_context\('spawn'\)"):
        process.project("p")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_child_forked_before_any_run_can_record_its_own(tmp_path: Path) -> None:
    """As in workers of a sweep, whose parent has only imported trackbook."""
    program = """
import os, sys
import trackbook as tb
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
run = tb.init("p", capture=["console", "environment", "system"])
print("of the child", flush=True)
tb.finish()
assert run.console()["text"].to_list() == ["of the child"], run.console()
assert run.environment["python"]["version"]
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "of the child\n"), done.stderr


def test_run_whose_init_was_interrupted_still_ends(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(process.captures, "begin", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_run(process)
    (run,) = process.runs
    process.close()
    assert run.ended


def test_a_child_of_a_disabled_run_keeps_nothing(process: Process) -> None:
    run = process.begin_run(project_paths("p"), RunOptions(RunRecord("r1", "a", 0.0), disabled=True))
    process._go_on_in_child()
    run.log({"a": 0.5})
    assert run._recorder.journal.drain(run._recorder.journal.ready()) is None


# --- the end ----------------------------------------------------------------------------------------------------------


def test_close_ends_open_runs(process: Process) -> None:
    runs = [open_run(process, run) for run in ("r1", "r2")]
    process.close()
    assert [run.state for run in runs] == ["finished", "finished"]
    assert process.runs == []


def test_interrupted_close_is_completed_by_the_next(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a long backlog is written, then the end of the program."""
    run = open_run(process)
    run.log({"a": 0.5})
    flush = writer_of(run).store.flush

    def interrupt() -> bool:
        if threading.current_thread() is threading.main_thread():  # and not the pump
            raise KeyboardInterrupt
        return flush()

    with monkeypatch.context() as ctrl_c:
        ctrl_c.setattr(writer_of(run).store, "flush", interrupt)
        with pytest.raises(KeyboardInterrupt):
            run.finish("failed")
    process.close()
    store = process.project("p").store
    record = store.run("r1")
    assert record is not None
    assert record.state == "failed"
    assert points(store.read("r1")) == [("a", 0, 0.5)]
    assert process.runs == []


# --- boards -----------------------------------------------------------------------------------------------------------
