"""Several `Process` objects for tests, one after the other, in one process."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from trackbook.api import process as process_module
from trackbook.api.process import Process, chosen


@contextmanager
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """Give a test its own `Process`, and close it afterwards."""
    process = Process()
    pump, projects, console = process.pump, process.projects, process.console  # a test may play a forked child
    monkeypatch.setattr(process_module, "_made", process)
    token = chosen.set(None)
    try:
        yield process
    finally:
        chosen.reset(token)
        for writer in list(process.runs):
            writer.end("finished")
        let_rest(process)
        for project in projects.values():
            pump.remove(project)
            project.store.close()
        pump.remove(console)
        atexit.unregister(process.close)


def let_rest(process: Process) -> None:
    """Stop serving what a test left open: a board of a whole project would be ticked forever."""
    for member in list(process.pump._members):
        process.pump.remove(member)
    process.boards.forget_in_child()
    system = process.captures._captures.get("system")
    for run in process.runs if system is not None else ():
        system.end(run)
