"""A run of tests that stands still is ended, and says where it stood."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHILD_HOLDS_THE_PIPES = """
import os, time

def test_one():
    if not os.fork():
        time.sleep(600)
    os._exit(1)
"""
HOLDS_THE_GIL = """
import ctypes

def test_one():
    mutex = ctypes.create_string_buffer(100)
    system = ctypes.PyDLL(None)
    system.pthread_mutex_lock(mutex)
    system.pthread_mutex_lock(mutex)
"""
OTHERS = """
import pytest

@pytest.mark.parametrize("number", range(20))
def test_other(number):
    pass
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_run_that_stands_still_is_ended_and_says_where(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    begun = []
    for number, program in enumerate((CHILD_HOLDS_THE_PIPES, HOLDS_THE_GIL)):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "test_a.py").write_text(program + OTHERS)
        words = ["-p", "stalled", "--stalled=15", "--timeout=2", "--numprocesses=2", "--dist=worksteal", str(folder)]
        command = [sys.executable, "-m", "pytest", *words]
        pipes: Any = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
        begun.append(subprocess.Popen(command, text=True, env=environment, start_new_session=True, **pipes))
    for output, errors in [run.communicate() for run in begun]:
        assert "2 failed, 19 passed" in output, output + errors  # the other worker, which waits, is ended too
        assert "crashed while running" in output
        assert "test_a.py::test_one" in output
        assert "no test has ended for 15 s; these processes are ended:" in errors
        assert "exec(eval(sys.stdin.readline()))" in errors
        assert "Fatal Python error: Aborted" in errors
        assert "in test_one" in errors
