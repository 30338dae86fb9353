"""Processes of trackbook as tests have them: several, one after the other, in one process."""

from __future__ import annotations

from trackbook.api.process import Process


def let_rest(process: Process) -> None:
    """Nothing that a test left open is served on during the others: a board of a whole project would be for ever."""
    for member in list(process.pump._members):
        process.pump.remove(member)
    process.boards.clear()
    system = process.captures._captures.get("system")
    for run in process.runs if system is not None else ():
        system.end(run)
