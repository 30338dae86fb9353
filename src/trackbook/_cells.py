"""Executions of cells: the runs that each opened end as the cell does, and lie over those of the time before."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import _notebook
from ._endings import state_after
from ._run import Run

_MAGIC = re.compile(r"^\s*(\w+\s*=\s*)?%", re.MULTILINE)


@dataclass
class Execution:
    """One execution of one cell."""

    cell: str  # the same for each execution of the cell
    source: str
    last_shown: BaseException | None  # the last exception that was shown to the user before it
    runs: list[tuple[Path | None, Run]] = field(default_factory=list)  # those it opened, with the project's file
    at_end: list[Callable[[], None]] = field(default_factory=list)


class Cells:
    """Follows the executions of cells. Does nothing before `watch`."""

    def __init__(self) -> None:
        self._shell: Any | None = None
        self._executions: list[Execution] = []  # the running one last: `%%capture` and `%run` run cells inside a cell
        self._earlier: dict[str, list[tuple[Path | None, str]]] = {}  # runs by cell: those that it opened the last time
        self._before = _notebook.CellHook("pre_run_cell", self._begun, "marks runs of cells that fail")
        self._after = _notebook.CellHook("post_run_cell", self._ended, "marks runs of cells that fail")

    def watch(self, shell: Any) -> None:
        """Follows the cells of an IPython shell, from the one that is running on."""
        self._shell = shell
        self._before.watch(shell)
        self._after.watch(shell)

    def current(self) -> Execution:
        """The execution that is running."""
        if not self._executions:  # it began before `watch`
            self._executions.append(self._execution(None))
        return self._executions[-1]

    def opened(self, run: Run, project: Path | None) -> None:
        """Notes that the running cell opened `run`; `project` is the file that it is in."""
        if self._shell is not None:
            self.current().runs.append((project, run))

    def predecessor(self, run: Run) -> str | None:
        """The id of the run that the cell opened in place of `run` when it was executed before."""
        if self._shell is None:
            return None
        execution = self.current()
        project = next((path for path, opened in execution.runs if opened is run), None)
        if project is None:
            return None
        place = [opened for path, opened in execution.runs if path == project].index(run)
        earlier = [run_id for path, run_id in self._earlier.get(execution.cell, ()) if path == project]
        found = earlier[place] if place < len(earlier) else None
        return None if found == run.id else found

    def _execution(self, info: Any) -> Execution:
        source = _notebook.cell_source() if info is None else info.raw_cell
        cell = _notebook.cell_id() or hashlib.sha256((source or "").encode(errors="replace")).hexdigest()
        return Execution(cell, source or "", getattr(sys, "last_value", None))

    def _begun(self, info: Any) -> None:
        self._executions.append(self._execution(info))

    def _ended(self, result: Any) -> None:
        if not self._executions:
            return
        execution = self._executions.pop()
        error = _error(execution, result)
        for _, run in reversed(execution.runs):
            if error is not None and run.state == "running":
                run.end(*state_after(error))
        for callback in execution.at_end:
            callback()
        if execution.runs:
            self._earlier[execution.cell] = [(path, run.id) for path, run in execution.runs]


def _error(execution: Execution, result: Any) -> BaseException | None:
    """What ended the cell: its result says so, but not when a magic caught the exception and showed it (`%run`)."""
    import asyncio

    if result is None:
        return KeyboardInterrupt()
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    if isinstance(error, asyncio.CancelledError):  # so ipykernel interrupts a cell that awaits
        return KeyboardInterrupt()
    shown = getattr(sys, "last_value", None)
    if error is None and shown is not execution.last_shown and _MAGIC.search(execution.source):
        return shown
    return error
