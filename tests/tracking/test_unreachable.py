"""Folders that cannot be read: training continues in memory, with one warning, and points are written when possible."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import trackbook as tb
from trackbook import TrackbookWarning
from trackbook.api.process import process
from trackbook.api.terminal_words import ending
from trackbook.tracking.run import writer_of

ERRORS = [errno.EACCES, errno.EIO, errno.ESTALE, errno.ENOTCONN]


@contextmanager
def unreachable(folder: Path, number: int) -> Iterator[None]:
    """Let every access to `folder` fail with one error, as after a user's ticket has expired."""

    def refusing(whole: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any = ".", *rest: Any, **named: Any) -> Any:
            if isinstance(path, (str, os.PathLike)) and str(path).removeprefix("file://").startswith(str(folder)):
                raise OSError(number, os.strerror(number), str(path))
            return whole(path, *rest, **named)

        return call

    def connect(path: Any, *rest: Any, **named: Any) -> Any:
        if str(path).removeprefix("file://").startswith(str(folder)):
            raise sqlite3.OperationalError("unable to open database file")
        return whole_connect(path, *rest, **named)

    whole_connect = sqlite3.connect
    with mock.patch.object(sqlite3, "connect", connect):
        names = ("stat", "lstat", "open", "mkdir", "scandir", "listdir", "unlink", "rmdir", "rename")
        with mock.patch.multiple(os, **{name: refusing(getattr(os, name)) for name in names}):
            yield


def points(folder: Path, run: str) -> list[float]:
    """Return the points of a run in the file."""
    found = process().project("p", folder).store.read(run)["value"].to_list()
    return sorted(found)


@pytest.mark.parametrize("number", ERRORS)
def test_run_begun_without_its_folder_is_written_when_it_is_back(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "runs"
    with unreachable(folder, number):

        def go_on() -> None:
            process().project("p", folder).tick(float("inf"))
            run.log({"loss": 10})

        with pytest.warns(TrackbookWarning, match=str(folder)) as said:  # noqa: PT031  # any may say it
            run = tb.init("p", dir=folder, capture=False)
            for step in range(10):
                run.log({"loss": step})
            assert run.summary["loss"] == 9
            go_on()
        go_on()  # a second warning would be an error
        go_on()
    assert len(said) == 1
    run.finish()
    assert points(folder, run.id) == [*range(10), 10, 10, 10]
    assert process().project("p", folder).store.notices == []


@pytest.mark.parametrize("number", ERRORS)
def test_run_whose_folder_is_removed_ends(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "runs"
    run = tb.init("p", dir=folder, capture=False)
    run.log({"loss": 0})
    run.history()
    project = process().project("p", folder)
    project.store.close()  # else SQLite goes on with the open file, and nothing fails
    with unreachable(folder, number), pytest.warns(TrackbookWarning, match=str(folder)):  # noqa: PT031  # any may say it
        run.log({"loss": 1})
        assert run.summary["loss"] == 1
        run.finish()
        assert run.state == "finished"
        following = tb.init("p", dir=folder, capture=False)
        following.log({"loss": 2})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrackbookWarning)  # it may have met the folder before it was back
        following.finish()
    assert points(folder, run.id) == [0, 1]
    assert points(folder, following.id) == [2]
    assert {record.state for record in project.store.runs()} == {"finished"}


def test_name_of_a_folder_that_is_too_long_does_not_stop_training(tmp_path: Path) -> None:
    with pytest.warns(TrackbookWarning, match="File name too long"):  # noqa: PT031  # any of the calls may say it
        run = tb.init("p", dir=tmp_path / ("x" * 300), capture=False)
        run.log({"loss": 1})
        assert run.summary["loss"] == 1
        run.finish()


def test_finish_says_what_is_not_on_disk(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.warns(TrackbookWarning, match="Cannot write") as said:  # noqa: PT031  # any may say it
        run = tb.init("p", dir=tmp_path / "file" / "runs", capture=False)
        for step in range(20):
            run.log({"loss": step})
        run.finish()
    last = str(said[-1].message)
    assert last.startswith(f"20 points of run {run.name!r} are lost when this process ends, unless written before")
    assert str(tmp_path / "file" / "runs") in last
    assert ending(writer_of(run), 200)[0].endswith(", 20 of 20 points NOT on disk")


PROGRAM = """
import sys, trackbook as tb
run = tb.init("p", "lost", dir=sys.argv[1] + "/runs", capture=False)
for step in range(20):
    run.log({"loss": step})
"""
LOST = "Trackbook: 20 points of run 'lost' could not be written, and are lost. Cannot "


@pytest.mark.parametrize(
    ("last", "is_lost"),
    [("", True), ("run.finish()", True), ("run.finish(); import os; os.unlink(sys.argv[1])", False)],
)
def test_the_end_of_a_program_says_what_is_lost(tmp_path: Path, last: str, is_lost: bool) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-c", PROGRAM + last, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, LOST in done.stderr, "Traceback" in done.stderr) == (0, is_lost, False)
    if not is_lost:
        folder = tmp_path / "file" / "runs"
        assert points(folder, process().project("p", folder).find("lost").id) == [*range(20)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the child is forked")
def test_a_forked_child_says_what_is_lost(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code = """
import os, sys, trackbook as tb
run = tb.init("p", "lost", dir=sys.argv[1] + "/runs", capture=False)
child = os.fork()
if not child:
    run.log({"loss": 1})
    run.finish()
    os._exit(0)
os.waitpid(child, 0)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "1 point of run 'lost' could not be written, and is lost" in done.stderr
