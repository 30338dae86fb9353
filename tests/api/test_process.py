from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from journals import points
from trackbook.api import process as process_module
from trackbook.api.process import Process
from trackbook.boards.session import Session
from trackbook.pump import INTERVAL
from trackbook.tracking.endings import Terminated
from trackbook.tracking.run import Run
from trackbook.types import RunRecord

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither such signals nor fork")


@pytest.fixture(autouse=True)
def sigterm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def process() -> Iterator[Process]:
    process = Process()
    pump, projects = process.pump, process.projects  # a test may play a forked child, which gets others
    yield process
    process.close()
    for project in projects.values():
        pump.remove(project)
    atexit.unregister(process.close)


def open_run(process: Process, run: str = "r1") -> Run:
    return process.open(RunRecord(run, "a", time.time()), process.project("p"))


# --- SIGTERM ----------------------------------------------------------------------------------------------------------


def test_sigterm_ends_a_script_like_an_exception(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "last_value", None, raising=False)
    run = open_run(process)
    run.log({"a": 0.5})
    with pytest.raises(Terminated) as raised:
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.code == 128 + signal.SIGTERM
    process.close()
    assert run.state == "interrupted"
    assert run.record.error == "SIGTERM"


def test_a_handler_that_the_program_has_is_kept(process: Process) -> None:
    def handle(*_: object) -> None:
        """The program's own."""

    signal.signal(signal.SIGTERM, handle)
    open_run(process)
    assert signal.getsignal(signal.SIGTERM) is handle


def test_a_program_that_ignores_sigterm_goes_on_ignoring_it(process: Process) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open_run(process)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_a_run_opened_by_a_thread_leaves_signals_alone(process: Process) -> None:
    thread = threading.Thread(target=open_run, args=(process,))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert len(process.runs) == 1


def test_in_a_notebook_signals_are_the_kernels(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module.host.Host, "is_notebook", True)
    open_run(process)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@posix
def test_a_forked_child_dies_of_sigterm_as_any_process(process: Process) -> None:
    open_run(process)
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    process._go_on_in_child()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


# --- forks, as the hooks see them -------------------------------------------------------------------------------------


def test_after_a_fork_the_parent_looks_for_what_children_log(process: Process) -> None:
    run = open_run(process)
    assert not run.has_children
    process._forked()
    assert run.has_children


def test_after_a_fork_the_child_logs_into_a_journal_of_its_own(process: Process, store_dir: Path) -> None:
    run = open_run(process)
    run.log({"a": 0.5})
    process._go_on_in_child()
    assert len(list(store_dir.glob("p.journals/*"))) == 1
    run.log({"a": 1.5})
    assert len(list(store_dir.glob("p.journals/*"))) == 2


def test_after_a_fork_the_child_has_nothing_that_is_the_parents(process: Process) -> None:
    open_run(process)
    process._go_on_in_child()
    assert (process.projects, process.boards, process.last_project) == ({}, {}, None)
    assert (process.pump._members, process.pump._thread) == ([], None)
    with pytest.raises(RuntimeError, match=r"get_context\('spawn'\)"):
        process.project("p")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_that_was_forked_before_any_run_records_its_own(tmp_path: Path) -> None:
    """As workers of a sweep, whose parent only imported trackbook."""
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


def test_a_run_whose_init_is_interrupted_is_known_and_ends(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(process.captures, "begin", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_run(process)
    (run,) = process.runs
    process.close()
    assert run.ended


def test_a_child_of_a_disabled_run_keeps_nothing(process: Process) -> None:
    run = process.open_disabled(RunRecord("r1", "a", 0.0), "p")
    process._go_on_in_child()
    run.log({"a": 0.5})
    assert run._recorder.journal.drain(run._recorder.journal.ready()) is None


# --- boards -----------------------------------------------------------------------------------------------------------


def test_a_project_knows_the_boards_that_show_it_until_they_have_nothing_more_to_say(process: Process) -> None:
    run, project = open_run(process), process.project("p")
    process.pump.remove(project)
    run.log({"a": 0.5})
    session = Session("p", project.store)
    session.add_run("r1")
    board = process.add_board(project, session)
    assert project.boards == {board}
    assert len(project.store.read("r1")) == 1  # a board begins with all that was logged
    process.settle_boards()
    assert project.boards == {board}
    run.finish()
    process.settle_boards()
    assert project.boards == set()


# --- the end ----------------------------------------------------------------------------------------------------------


def test_at_the_end_open_runs_end(process: Process) -> None:
    runs = [open_run(process, run) for run in ("r1", "r2")]
    process.close()
    assert [run.state for run in runs] == ["finished", "finished"]
    assert process.runs == []


def test_an_end_that_is_interrupted_is_carried_on(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a long backlog is written, and then the end of the program."""
    run = open_run(process)
    run.log({"a": 0.5})
    flush = run.store.flush

    def interrupt() -> bool:
        if threading.current_thread() is threading.main_thread():  # and not the pump
            raise KeyboardInterrupt
        return flush()

    with monkeypatch.context() as ctrl_c:
        ctrl_c.setattr(run.store, "flush", interrupt)
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


class Ticked:
    """Stands for a board: what the process asks of one."""

    def __init__(self, *, awake: bool) -> None:
        self.awake = awake
        self.session: Any = None
        self.forgotten: list[str] = []

    def tick(self, now: float) -> float:
        return INTERVAL

    def settle(self, *, kept: bool = False) -> None: ...

    def forget(self, run_id: str) -> None:
        self.forgotten.append(run_id)


def test_a_board_with_nothing_more_to_say_is_let_go_and_taken_up_when_somebody_uses_it(process: Process) -> None:
    asleep, awake = Ticked(awake=False), Ticked(awake=True)
    boards: Any = process.boards
    keep: Any = process._keep
    keep(("1", Path("p")), asleep)
    keep(("2", Path("p")), awake)
    process.settle_boards()
    assert list(boards.values()) == [awake]
    keep(("1", Path("p")), asleep)
    assert set(boards.values()) == {awake, asleep}
    for board in (asleep, awake):
        process.pump.remove(board)


def test_every_board_hears_of_a_run_that_was_deleted(process: Process) -> None:
    board: Any = Ticked(awake=True)
    process._keep(("1", Path("p")), board)
    process.deleted("r1")
    assert board.forgotten == ["r1"]
    process.pump.remove(board)
