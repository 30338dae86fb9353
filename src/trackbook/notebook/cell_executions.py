"""Executions of cells: the runs that each opened end as the cell does, and lie over those of the time before."""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..tracking.endings import state_after
from ..tracking.run_writer import RunWriter
from . import host

_MAGIC = re.compile(r"^\s*(\w+\s*=\s*)?%", re.MULTILINE)


@dataclass
class Execution:
    """One execution of one cell."""

    id: str | None  # the notebook's id of the cell, where the host tells it
    source: str
    last_shown: BaseException | None  # the last exception that was shown to the user before it
    count: int | None = None  # In [count]; None where it leaves none
    started: float = field(default_factory=time.time)  # or when it was first known of: it may have begun before `watch`
    runs: list[tuple[Path | None, RunWriter]] = field(default_factory=list)  # those it opened, with the project's file
    at_end: list[Callable[[], None]] = field(default_factory=list)

    @property
    def cell(self) -> str:
        """The same for each execution of the cell."""
        return self.id or hashlib.sha256(self.source.encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """What came of an execution."""

    error: BaseException | None
    compiled: bool  # whether it ran at all
    output: str | None  # the result that was displayed, as text


class CellExecutions:
    """Follows the executions of cells. Does nothing before `watch`."""

    def __init__(self) -> None:
        self._shell: Any | None = None
        self._executions: list[Execution] = []  # the running one last: `%%capture` and `%run` run cells inside a cell
        # told of what the user executes, not of cells inside a cell
        self.on_begin: list[Callable[[Execution], None]] = []
        self.on_end: list[Callable[[Execution, Outcome], None]] = []
        self._has_ended = False  # one that was followed, or began before
        self._earlier: dict[str, list[tuple[Path | None, str]]] = {}  # runs by cell: those that it opened the last time
        self._before = host.CellHook("pre_run_cell", self._begun, "marks runs of cells that fail")
        self._after = host.CellHook("post_run_cell", self._ended, "marks runs of cells that fail")

    def watch(self, shell: Any) -> None:
        """Follows the cells of an IPython shell, from the one that is running on."""
        self._shell = shell
        self._before.watch(shell)
        self._after.watch(shell)

    @property
    def watching(self) -> bool:
        """Whether there are cells, which are followed."""
        return self._shell is not None

    def current(self) -> Execution:
        """The execution that is running; one that stands for none when something else runs between cells."""
        if self._executions:
            return self._executions[-1]
        execution = self._execution(None)
        if not self._has_ended:  # it began before `watch`
            self._begin(execution)
        return execution

    def opened(self, run: RunWriter, project: Path | None) -> None:
        """Notes that the running cell opened `run`; `project` is the file that it is in."""
        if self._shell is not None:
            self.current().runs.append((project, run))

    def predecessor(self, run: RunWriter) -> str | None:
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
        notebook = host.current()
        source = notebook.cell_source() if info is None else info.raw_cell
        counts = info is None or getattr(info, "store_history", False)
        # `execution_count` is this cell's or the next one's, as the version of IPython has it
        count = self._shell.displayhook.prompt_count if counts and self._shell is not None else None
        return Execution(notebook.cell_id(), source or "", getattr(sys, "last_value", None), count)

    def _begin(self, execution: Execution) -> None:
        self._executions.append(execution)
        if len(self._executions) == 1:
            for callback in self.on_begin:
                callback(execution)

    def _begun(self, info: Any) -> None:
        self._begin(self._execution(info))

    def _ended(self, result: Any) -> None:
        self._has_ended = True
        if not self._executions:
            return
        execution = self._executions.pop()
        error = _error(execution, result)
        for _, run in reversed(execution.runs):
            if error is not None and run.state == "running":
                run.end(*state_after(error))
        for at_end in execution.at_end:
            at_end()
        if execution.runs:
            self._earlier[execution.cell] = [(path, run.id) for path, run in execution.runs]
        if not self._executions:
            outcome = Outcome(error, getattr(result, "error_before_exec", None) is None, self._output(execution))
            for callback in self.on_end:
                callback(execution, outcome)

    def _output(self, execution: Execution) -> str | None:
        """IPython keeps the text of each displayed result. Asking the result again could do anything, and take any time."""
        history = getattr(self._shell, "history_manager", None)
        found = getattr(history, "output_hist_reprs", {}).get(execution.count)
        return None if found is None else str(found)


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
