"""Executions of cells in IPython. A failing cell ends the runs that it opened, and a repeated one finds its earlier runs."""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..store.paths import ProjectPaths
from ..tracking.endings import state_after
from ..tracking.run_writer import RunWriter
from . import host

_MAGIC = re.compile(r"^\s*(\w+\s*=\s*)?%", re.MULTILINE)


@dataclass
class Execution:
    """One execution of one cell."""

    id: str | None  # of the cell in the notebook; None when the host sends none
    source: str
    last_shown: BaseException | None  # the last exception shown to the user before this execution
    count: int | None = None  # In [count]; None when the execution is not counted
    started: float = field(default_factory=time.time)  # later than the true start when the cell began before `watch`
    runs: list[RunWriter] = field(default_factory=list)  # that it opened
    # the runs that were open at its start, each with how far its journal was written
    found: list[tuple[RunWriter, object]] = field(default_factory=list)
    at_end: list[Callable[[], None]] = field(default_factory=list)

    @property
    def cell(self) -> str:
        """A key of the cell, equal for each of its executions."""
        return self.id or hashlib.sha256(self.source.encode(errors="replace")).hexdigest()

    def logged_to(self) -> list[RunWriter]:
        """Return the runs of earlier cells that something was logged to since it began."""
        return [run for run, before in self.found if not run.ended and run.written() != before]


class Outcome(NamedTuple):
    """The result of an execution."""

    error: BaseException | None
    compiled: bool  # false when the cell did not run, as with a syntax error
    output: str | None  # the displayed result as text


class CellExecutions:
    """Follows the executions of cells. Does nothing before `watch`."""

    def __init__(self) -> None:
        self._shell: Any | None = None
        self._executions: list[Execution] = []  # nested, innermost last: `%%capture` and `%run` run cells inside a cell
        # called for cells that the user executes, not for nested ones
        self.on_begin: list[Callable[[Execution], None]] = []
        self.on_end: list[Callable[[Execution, Outcome], None]] = []
        self._has_ended = False  # whether any execution has ended since `watch`
        self.idle_since: float | None = None  # when the last cell ended, in seconds UTC; None while a cell runs
        self._open: list[RunWriter] = []
        self._earlier: dict[str, list[tuple[ProjectPaths | None, str]]] = {}  # by cell, the runs of its last execution
        self._before = host.CellHook("pre_run_cell", self._on_begin, "marks runs of cells that fail")
        self._after = host.CellHook("post_run_cell", self._on_end, "marks runs of cells that fail")

    def watch(self, shell: Any) -> None:
        """Follow the cells of an IPython shell, starting with the running one."""
        self._shell = shell
        self._before.watch(shell)
        self._after.watch(shell)

    @property
    def watching(self) -> bool:
        """Whether `watch` was called."""
        return self._shell is not None

    def current(self) -> Execution:
        """Return the running execution. Between cells, return a new one that is not recorded."""
        if self._executions:
            return self._executions[-1]
        execution = self._execution(None)
        if not self._has_ended:  # the cell began before `watch`
            self._begin(execution)
        return execution

    def note_run(self, run: RunWriter) -> None:
        """Note that the running cell opened `run`."""
        if self._shell is not None:
            self.current().runs.append(run)
            self._open = [one for one in self._open if not one.ended] + [run]

    def is_rerun_of(self, run: RunWriter) -> bool:
        """Whether the running cell opened this run when it was executed before."""
        if self._shell is None:
            return False
        execution = self.current()
        return run not in execution.runs and any(
            run.id == run_id for _, run_id in self._earlier.get(execution.cell, ())
        )

    def cut_short(self, run: RunWriter) -> int | bool:
        """Return whether a cell is running that opened a run or logged to it, as the count of the cell where it has one."""
        for execution in self._executions:
            if run in execution.runs or run in execution.logged_to():
                return execution.count or True
        return False

    def predecessor(self, run: RunWriter) -> str | None:
        """Return the id of the run that the previous execution of the cell opened in place of `run`."""
        if self._shell is None:
            return None
        execution = self.current()
        if run.paths is None or run not in execution.runs:
            return None
        place = [opened for opened in execution.runs if opened.paths == run.paths].index(run)
        earlier = [run_id for paths, run_id in self._earlier.get(execution.cell, ()) if paths == run.paths]
        found = earlier[place] if place < len(earlier) else None
        return None if found == run.id else found

    def _execution(self, info: Any) -> Execution:
        notebook = host.current()
        source = notebook.cell_source() if info is None else info.raw_cell
        counts = info is None or getattr(info, "store_history", False)
        # not `execution_count`, which is this cell's or the next one's, depending on the version of IPython
        count = self._shell.displayhook.prompt_count if counts and self._shell is not None else None
        self._open = [run for run in self._open if not run.ended]
        found: list[tuple[RunWriter, object]] = [(run, run.written()) for run in self._open]
        return Execution(notebook.cell_id(), source or "", getattr(sys, "last_value", None), count, found=found)

    def _begin(self, execution: Execution) -> None:
        self._executions.append(execution)
        self.idle_since = None
        if len(self._executions) == 1:
            for callback in self.on_begin:
                callback(execution)

    def _on_begin(self, info: Any) -> None:
        self._begin(self._execution(info))

    def _on_end(self, result: Any) -> None:
        self._has_ended = True
        if len(self._executions) <= 1:
            self.idle_since = time.time()
        if not self._executions:
            return
        execution = self._executions.pop()
        error = _error(execution, result)
        if error is not None:
            _mark(execution, error)
        for at_end in execution.at_end:
            at_end()
        if execution.runs:
            self._earlier[execution.cell] = [(run.paths, run.id) for run in execution.runs]
        if not self._executions:
            outcome = Outcome(error, getattr(result, "error_before_exec", None) is None, self._output(execution))
            for callback in self.on_end:
                callback(execution, outcome)

    def _output(self, execution: Execution) -> str | None:
        """Return the text of the displayed result, which IPython keeps. To format the result again may have side effects or be slow."""
        history = getattr(self._shell, "history_manager", None)
        found = getattr(history, "output_hist_reprs", {}).get(execution.count)
        return None if found is None else str(found)


def _mark(execution: Execution, error: BaseException) -> None:
    """End the runs that a failing execution opened, and suspend those of earlier cells that it logged to."""
    for run in reversed(execution.runs):
        if run.state == "running":
            run.end(*state_after(error))
    state, said = state_after(error, execution.count)
    if state != "finished":
        for run in execution.logged_to():
            run.suspend(state, said)


def _error(execution: Execution, result: Any) -> BaseException | None:
    """Return the exception that ended the cell. Its result lacks one that a magic caught and showed (`%run`)."""
    import asyncio

    if result is None:
        return KeyboardInterrupt()
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    if isinstance(error, asyncio.CancelledError):  # ipykernel interrupts an awaiting cell by cancelling it
        return KeyboardInterrupt()
    shown = getattr(sys, "last_value", None)
    if error is None and shown is not execution.last_shown and _MAGIC.search(execution.source):
        return shown
    return error
